"""What decisions come to in a session: drive-throughs and stop-gos by how the race ended, and what race control should look at."""

from typing import TYPE_CHECKING

from timing.domain.classification import Penalties
from timing.domain.decisions import penalties_of
from timing.domain.finish import completed_by
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing


def weighing(timing: "Timing", state: State) -> dict[str, Penalties]:
    """Add up what weighs on the result, unserved drive-throughs and stop-gos included once the race is over."""
    opened = timing.evidence.opened
    circuit = opened.circuit.name if opened else ""
    ended_at = state.end.at if state.end else state.said.closed_at
    within = timing.rules.penalties.convert_within_laps

    def late(at: int) -> bool:
        if state.stopped or (ended_at is not None and at >= ended_at):
            return True
        last = state.end.laps if state.end else max((s.laps for s in state.standings), default=0)
        return last - completed_by((s.ends for s in state.standings), at) <= within

    return penalties_of(state.said.rulings, timing.rules.penalties, circuit=circuit, late=late if state.over else None)
