"""What a scrub bar marks of a session: its flags, changes of the leader, decisions, messages and results, in order of time."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from timing.domain.events import TrackStatus
from timing.projections.board import NoticeFacts

if TYPE_CHECKING:
    from timing.projections.timing import Timing

MarkKind: TypeAlias = Literal["flag", "red", "leader", "decision", "message", "session"]
"""``red`` is a red flag, ``flag`` any other; ``session``: start, end, segments, results."""

MARKS_KEPT = 1_000
"""So many are marked, the latest."""

_KINDS: dict[str, MarkKind] = {
    "message": "message", "decision": "decision", "session": "session", "track_status": "flag", "pit_lane": "flag",
}  # fmt: skip


class Mark(Struct, frozen=True, gc=False):
    """A mark. ``car``: whom it concerns; ``lap``: which lap the new leader completed; ``id``: the event, where it is one.

    ``facts``: what the text says, for other languages and for bars that show how long a flag stood; as messages have them.
    """

    at: int
    kind: MarkKind
    text: str
    car: str | None = None
    lap: int | None = None
    id: str | None = None
    facts: NoticeFacts | None = None


def marks(timing: "Timing") -> tuple[Mark, ...]:
    """Mark what the records folded tell; what was taken back is not marked."""
    said = timing.state().said
    reds = {s.id for s in timing.evidence.of(TrackStatus) if s.status == "red"}
    found = [
        Mark(n.at, "red" if n.id in reds else _KINDS[n.kind], n.text, n.car, None, n.id, n.facts)
        for n in said.notices
        if n.kind in _KINDS and not n.struck
    ]
    if timing.race:
        before: str | None = None
        for lap, (at, car) in enumerate(leaders(timing), start=1):
            if car != before:
                found.append(Mark(at, "leader", f"Car {car} leads", car, lap))
            before = car
    return tuple(sorted(found, key=lambda m: (m.at, m.kind, m.id or ""))[-MARKS_KEPT:])


def leaders(timing: "Timing") -> list[tuple[int, str]]:
    """Give for each lap of a race when it was first completed, and by which car.

    Laps after the chequered flag, or after the red flag that ended the race, are none; decisions change none.
    """
    state = timing.state()
    first: list[tuple[int, str]] = []
    for car, laps in timing.laps.items():
        ends = laps.ends
        for lap, at in enumerate(ends[: len(first)]):
            first[lap] = min(first[lap], (at, car))
        first += [(at, car) for at in ends[len(first) :]]
    if state.end:
        return first[: state.end.laps]
    return first[: state.stopped.completed] if state.stopped else first
