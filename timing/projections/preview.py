"""What an event would change before it is sent: the session folded once more with it, or without another, and compared."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from timing.domain.crossings import key_of
from timing.domain.errors import RulebookError
from timing.domain.events import CHANNELS, AnyEvent, Lap, MessageRejected, Passing, SessionOpened, event_type, identity
from timing.log.record import NOT_AN_EVENT, Record, decode_event, same_content
from timing.projections.decider import Decider, Refusal
from timing.projections.differences import Differences, Line, Value, differences, head, in_words, lines

if TYPE_CHECKING:
    from timing.projections.timing import Timing


CORRECTIONS = frozenset(event_type(kind.__name__) for kind in CHANNELS["corrections"])


class Refused(Struct, frozen=True):
    """An event that would be refused, so that it changes nothing. ``event`` counts those that were asked about, from 1."""

    event: int
    code: str
    reason: str


class Preview(Struct, frozen=True):
    """What would change. ``seq``: the last record known; ``words``: the differences, one line a car.

    ``unknown``: what was to be left out and is not there.
    """

    session: str
    seq: int
    differences: Differences
    words: tuple[str, ...]
    refused: tuple[Refused, ...]
    unknown: tuple[str, ...]


class Known(Struct, frozen=True):
    """A session as it stands, taken down so that it can be compared with later, elsewhere, while the session goes on."""

    session: str
    seq: int
    at: int
    lines: dict[str, Line]
    head: dict[str, Value]
    events: tuple[AnyEvent, ...]


def known(timing: "Timing") -> Known:
    """Take down a session as it stands. The events are shared, they never change; nothing else is."""
    at = timing.state().at
    return Known(timing.session, timing.seq, at, lines(timing), head(timing), tuple(timing.evidence.recorded()))


def preview(timing: "Timing", events: Sequence[AnyEvent], *, without: Collection[str] = ()) -> Preview:
    """Say what these events would change, sent now in this order, and what leaving out others would. ``timing`` stays as it is.

    ``without``: ids or identities of events. A command is judged as the service would judge it; a refused one changes nothing.
    """
    return preview_of(known(timing), events, type(timing), without=without)


def preview_of(before: Known, events: Sequence[AnyEvent], fold: "type[Timing]", *, without: Collection[str] = ()) -> Preview:
    """Say the same of a session that was taken down."""
    decider, after = Decider(before.session, _no_rulebook), fold(before.session)
    held, there = _leave_out(before.events, frozenset(without)) if without else (before.events, set[str]())
    take_in = after.evidence.add  # as ``apply`` does, without a record for each of a race's thousands
    for event in held:
        take_in(event)
        if not isinstance(event, Passing | Lap):
            decider.evolve(event)
    refused: list[Refused] = []
    for number, event in enumerate(events, start=1):
        decided = _refusal(decider, after, event) or decider.decide(event, before.at + 1)
        if isinstance(decided, Refusal):
            refused.append(Refused(number, decided.code, decided.reason))
            continue
        decider.evolve(decided)
        after.apply(Record(before.session, before.seq + number, 0, decided, b"", b""))
    found = differences(before.lines, lines(after), session_before=before.head, session_after=head(after))
    return Preview(
        before.session,
        before.seq,
        found,
        tuple(in_words(found)),
        tuple(refused),
        tuple(sorted(set(without) - there)),
    )


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


def _leave_out(events: Sequence[AnyEvent], without: frozenset[str]) -> tuple[list[AnyEvent], set[str]]:
    held: list[AnyEvent] = []
    there: set[str] = set()
    for event in events:
        names = {identity(event), getattr(event, "id", None)} & without
        if names and not isinstance(event, SessionOpened):
            there |= {name for name in names if name}
        else:
            held.append(event)
    return held, there


def _refusal(decider: Decider, after: "Timing", event: AnyEvent) -> Refusal | None:
    if isinstance(event, MessageRejected | SessionOpened):
        return Refusal("not-previewable", "a session is opened once, and rejections are the service's own; ask about another event")
    same: AnyEvent | None
    if isinstance(event, Passing):
        same = after.evidence.passings.get(key_of(event))
    elif isinstance(event, Lap):
        same = after.evidence.lap_facts.get(key_of(event))
    else:
        same = decider.events.get(event.id)
    if same is None:
        return None
    if same_content(same, event):
        return Refusal("already-there", "this event is recorded already; it changes nothing")
    return Refusal("identity-conflict", f"{identity(event)} is recorded with other content; give another id")


def _no_rulebook(_: str | Mapping[str, Any]) -> dict[str, Any]:
    raise RulebookError("a preview opens no session")
