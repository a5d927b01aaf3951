"""What decisions come to in a session: drive-throughs and stop-gos by how the race ended, and what race control should look at."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.classification import Penalties
from timing.domain.decisions import Ruling, penalties_of
from timing.domain.finish import completed_by
from timing.domain.neutralisation import intervals
from timing.domain.suspension import pit_stops
from timing.domain.units import format_duration
from timing.projections.board import Notice
from timing.projections.notices import penalty_text
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


def penalty_notices(timing: "Timing", state: State) -> tuple[Notice, ...]:
    """Name what race control should look at: who went through the pit lane to serve a penalty, or has not in time; strikes run out.

    Nothing follows from it by itself: that a penalty was served is for race control to say (``decision_updated``).
    """
    if not timing.race or not (state.said.drives or state.said.strikes):
        return ()
    found = [_served(timing, state, ruling) for ruling in state.said.drives if ruling.unserved]
    allowed = timing.rules.penalties.track_limits_strikes
    for car, strikes in state.said.strikes.items() if allowed else ():
        if len(strikes) >= allowed:
            said = f"Car {car}: {len(strikes)} track-limits strikes, {allowed} are allowed for"
            found.append(Notice(f"track-limits/{car}", strikes[-1], "candidate", said, car))
    return tuple(notice for notice in found if notice is not None)


def _served(timing: "Timing", state: State, ruling: Ruling) -> Notice | None:
    decision, laps = ruling.decision, timing.laps.get(ruling.decision.car)
    if laps is None:
        return None
    car, at = decision.car, ruling.steps[-1].at
    what = f"{penalty_text(decision)} ({decision.decision})"
    within = timing.rules.penalties.serve_within_crossings
    visits = pit_stops(laps.entered, state.said.suspensions, timing.rules.red_flag)
    visit = bisect_right(visits, at)
    entered = visits[visit] if visit < len(visits) else None
    left = next((exit_at for exit_at in laps.exited if entered is not None and exit_at > entered), None)
    crossed = _crossings(timing, state, laps.ends, at, entered)
    if entered is not None and left is not None:
        late = f", after {crossed} crossings of the line, {within} are allowed" if within and crossed > within else ""
        text = f"Car {car} went through the pit lane in {format_duration(left - entered)} s after its {what}: served?{late}"
        return Notice(f"served/{decision.id}", left, "candidate", text, car)
    if within and crossed > within:
        return Notice(
            f"served/{decision.id}", laps.last_at or at, "candidate", f"Car {car} has not served its {what} in {crossed} crossings", car
        )
    return None


def _crossings(timing: "Timing", state: State, ends: Sequence[int], after: int, before: int | None) -> int:
    """Count the crossings of the line between two instants, without those under safety car or VSC (FIA F1 2025 art. 54.4b)."""
    spared = [i for i in intervals(state.said.statuses, timing.rules.neutralisation) if i.kind in ("safety_car", "vsc")]
    last = len(ends) if before is None else bisect_left(ends, before)
    return sum(
        not any(i.began <= end and (i.ended is None or end < i.ended) for i in spared) for end in ends[bisect_right(ends, after) : last]
    )
