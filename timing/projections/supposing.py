"""Events that are assumed: judged as the service would judge them now, and taken into a fold; nothing is sent or stored."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from timing.domain.crossings import key_of
from timing.domain.errors import RulebookError
from timing.domain.events import CHANNEL_OF, CHANNELS, AnyEvent, Lap, Passing, SessionOpened, event_type, identity
from timing.log.record import NOT_AN_EVENT, Record, decode_event, same_content
from timing.projections.decider import Decider, Refusal

if TYPE_CHECKING:
    from timing.projections.timing import Timing

CORRECTIONS = frozenset(event_type(kind.__name__) for kind in CHANNELS["corrections"])


class Refused(Struct, frozen=True, omit_defaults=True):
    """An event that would be refused, so that it changes nothing. ``event`` counts those that were asked about, from 1."""

    event: int
    code: str
    reason: str
    data: dict[str, str] = {}


def event_of(payload: bytes, number: int) -> AnyEvent:
    """Read an event that is asked about. One that asks what would be need not think of an id, an instant or a name.

    Raises:
        MalformedEvent: it is no event of the contract.

    """
    try:
        said = msgspec.json.decode(payload, type=dict[str, Any])
    except NOT_AN_EVENT:
        return decode_event(payload)
    assumed = {"by": "preview", "reason": "preview"} if str(said.get("type")) in CORRECTIONS else {}
    return decode_event(msgspec.json.encode({"id": f"preview-{number}", **assumed, **said}))


def decider_of(session: str, events: Collection[AnyEvent]) -> Decider:
    """Give the decider that knows these events."""
    decider = Decider(session, _no_rulebook)
    for event in events:
        decider.evolve(event)
    return decider


def suppose(timing: "Timing", events: Sequence[AnyEvent]) -> tuple[Refused, ...]:
    """Take events into a fold as if they were sent now, in this order, and say which would be refused."""
    at = timing.state().at
    return assume(timing, decider_of(timing.session, list(timing.evidence.recorded())), events, at)


def assume(timing: "Timing", decider: Decider, events: Sequence[AnyEvent], at: int) -> tuple[Refused, ...]:
    """Take events into a fold and its decider, as if they came in just after ``at``, and say which would be refused."""
    refused: list[Refused] = []
    for number, event in enumerate(events, start=1):
        decided = _refusal(decider, timing, event) or decider.decide(event, at + 1)
        if isinstance(decided, Refusal):
            refused.append(Refused(number, decided.code, decided.reason, decided.data))
            continue
        decider.evolve(decided)
        timing.apply(Record(timing.session, timing.seq + 1, 0, decided, b"", b""))
    return tuple(refused)


def leave_out(events: Sequence[AnyEvent], without: Collection[str]) -> tuple[list[AnyEvent], set[str]]:
    """Give the events without those of these ids or identities, and which of these were there. A session's opening stays."""
    held: list[AnyEvent] = []
    there: set[str] = set()
    for event in events:
        names = {identity(event), getattr(event, "id", None)}.intersection(without)
        if names and not isinstance(event, SessionOpened):
            there |= {name for name in names if name}
        else:
            held.append(event)
    return held, there


def judged_by(events: Sequence[AnyEvent], rules: Mapping[str, Any]) -> list[AnyEvent]:
    """Give the events as if the session had been opened with these rules."""
    return [msgspec.structs.replace(e, rules=dict(rules)) if isinstance(e, SessionOpened) else e for e in events]


def _refusal(decider: Decider, timing: "Timing", event: AnyEvent) -> Refusal | None:
    if isinstance(event, SessionOpened) or type(event) not in CHANNEL_OF:
        return Refusal(
            "not-previewable", "a session is opened once, and some events are the service's own (rejections …); ask about another event"
        )
    same: AnyEvent | None
    if isinstance(event, Passing):
        same = timing.evidence.passings.get(key_of(event))
    elif isinstance(event, Lap):
        same = timing.evidence.lap_facts.get(key_of(event))
    else:
        same = decider.events.get(event.id)
    if same is None:
        return None
    if same_content(same, event):
        return Refusal("already-there", "this event is recorded already; it changes nothing")
    return Refusal(
        "identity-conflict", f"{identity(event)} is recorded with other content; give another id", {"id": getattr(event, "id", "")}
    )


def _no_rulebook(_: str | Mapping[str, Any]) -> dict[str, Any]:
    raise RulebookError("what is supposed opens no session")
