"""The board from the state: one row a car, gaps and intervals, the head of the screen. A row that did not change stays the same object."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.classification import Place
from timing.domain.laps import CarLaps
from timing.domain.order import Standing, best_lap_gap, race_gap
from timing.domain.rulebook import RedFlag
from timing.domain.suspension import GapClock, pit_stops
from timing.projections.board import (
    Board,
    CarStatus,
    Gap,
    ResultView,
    Row,
)
from timing.projections.head import session_view
from timing.projections.penalties import penalty_notices
from timing.projections.state import State
from timing.projections.stoppage import gap_clock
from timing.projections.versions import amendment_due

if TYPE_CHECKING:
    from timing.projections.timing import Timing


def form_board(timing: "Timing", state: State, places: Sequence[Place], before: Board | None) -> Board:
    """Form the board of a state; ``before`` is the board before it, whose unchanged rows are kept."""
    results = {p.car: ResultView(p.position, p.class_position, p.status, p.total_us, p.car in state.close.photo) for p in places}
    said = state.said
    shown, gaps_before = timing.neutral.frozen.shown(timing, state), timing.neutral.frozen.gaps_before(timing, state)
    leader = shown[0] if shown else None
    ahead, qualified = leader, state.qualified
    clock = gap_clock(timing, state)
    segments = qualified.segments if qualified else ()
    live = timing.between.views(timing, state, shown)
    points = timing.car_points.of(timing, places)
    of_class: dict[str, list[Standing]] = {}
    rows: dict[str, Row] = {}
    for position, standing in enumerate(shown, start=1):
        car = standing.car
        classmates = of_class.setdefault(standing.class_, [])
        class_leader, class_ahead = (classmates[0], classmates[-1]) if classmates else (standing, standing)
        if leader is not None and leader.segment != standing.segment:  # times start anew in each segment of qualifying, and so do gaps
            leader = standing
        if class_leader.segment != standing.segment:
            class_leader = next((mate for mate in classmates if mate.segment == standing.segment), standing)
        classmates.append(standing)
        laps = timing.laps.get(car)
        gap, interval, class_gap, class_interval = _gaps(
            standing, leader or standing, ahead or standing, class_leader, class_ahead, race=timing.race, clock=clock
        )
        row = Row(
            position=position,
            result=results[car],
            class_=standing.class_,
            class_position=len(classmates),
            car=car,
            team=said.entries[car].team,
            driver=said.drivers.get(car),
            laps=standing.laps,
            last_lap_us=_last_lap(laps, standing, state),
            best_lap_us=standing.best_us,
            sectors_us=_sectors(laps, standing, timing.sectors),
            gap=gap,
            interval=interval,
            class_gap=class_gap,
            class_interval=class_interval,
            status=_status(state, standing, laps),
            pit_stops=_stops(laps, standing, state, timing.rules.red_flag),
            penalties=said.badges.get(car, ()),
            grid=said.grid.get(car),
            last_crossing_at=standing.last_at if standing.laps else None,
            stint_laps=_stint(laps, standing),
            segment=segments[standing.segment] if segments and standing.segment >= 0 else None,
            segment_bests_us=qualified.ranks[car].bests_us if qualified and segments else (),
            gap_before=gaps_before.get(car),
            last_lap_tags=timing.neutral.last_lap_tags(car, laps, standing.laps) if laps and standing.laps else (),
            interval_change_us=_change(standing, ahead or standing, clock) if timing.race else None,
            class_interval_change_us=_change(standing, class_ahead, clock) if timing.race else None,
            best_sectors_us=laps.best_sectors if laps else (),
            live=live.get(car),
            points_milli=points.get(car, ()),
        )
        ahead = standing
        old = before.rows.get(car) if before else None
        rows[car] = old if old == row and old is not None else row
    candidates = timing.neutral.frozen.candidates(timing, state)
    notices = timing.neutral.frozen.notices(said.notices + penalty_notices(timing, state), candidates)
    due = state.said.published is not None and amendment_due(timing)
    return Board(state.at, session_view(timing, state, candidates, result_due=due), tuple(s.car for s in shown), rows, notices)


def _gaps(
    own: Standing,
    leader: Standing,
    ahead: Standing,
    class_leader: Standing,
    class_ahead: Standing,
    *,
    race: bool,
    clock: GapClock | None,
) -> tuple[Gap, Gap, Gap, Gap]:
    """Give the gap, the interval, and both in class; one gap where two of the cars are the same."""

    def to(other: Standing) -> Gap:
        return Gap(*race_gap(own, other, clock)) if race else Gap(*best_lap_gap(own, other))

    gap = to(leader)
    interval = gap if ahead is leader else to(ahead)
    class_gap = gap if class_leader is leader else interval if class_leader is ahead else to(class_leader)
    class_interval = interval if class_ahead is ahead else class_gap if class_ahead is class_leader else to(class_ahead)
    return gap, interval, class_gap, class_interval


def _change(own: Standing, ahead: Standing, clock: GapClock | None) -> int | None:
    """Say how the interval to the car ahead changed on the last lap; nothing unless both have done it, in this order."""
    laps = own.laps
    if own is ahead or laps < 2 or own.standing or ahead.standing or ahead.laps < laps:
        return None
    ends, theirs = own.ends, ahead.ends
    before, now = ends[laps - 2] - theirs[laps - 2], ends[laps - 1] - theirs[laps - 1]
    if clock is not None:
        before, now = clock.between(theirs[laps - 2], ends[laps - 2]), clock.between(theirs[laps - 1], ends[laps - 1])
    return now - before if before > 0 and now > 0 else None


def _last_lap(laps: CarLaps | None, standing: Standing, state: State) -> int | None:
    if laps is None or not standing.laps or standing.laps in state.untimed.get(standing.car, ()):
        return None
    return laps.times[standing.laps - 1]


def _sectors(laps: CarLaps | None, standing: Standing, sectors: int) -> tuple[int | None, ...]:
    if laps is None or not sectors:
        return (None,) * sectors
    whole = laps.sectors[standing.laps - 1] if standing.laps else ()
    shown = whole if standing.flagged or not laps.current else tuple(laps.current)
    return (*shown[:sectors], *(None,) * (sectors - len(shown)))


def _status(state: State, standing: Standing, laps: CarLaps | None) -> CarStatus:
    car, said = standing.car, state.said
    if car in state.penalties and state.penalties[car].disqualified:
        return "disqualified"
    if car in said.withdrawn or said.start is None or (car not in state.started and (state.over or standing.standing)):
        return "not_started"
    retired = car in said.retired
    if standing.flagged or (state.stopped and standing.laps and not retired):
        return "finished"
    if retired:
        return "retired"
    if laps is not None and laps.in_pit:
        return "pit"
    return "stopped" if standing.standing else "running"


def _stops(laps: CarLaps | None, standing: Standing, state: State, rules: RedFlag) -> int:
    """Count the pit stops, but for a visit after the flag, and the one under the red flag that ended the race."""
    if laps is None or not laps.entered:
        return 0
    breaks = state.said.suspensions
    entered = pit_stops(laps.entered, breaks, rules) if breaks else laps.entered
    if state.stopped:
        return bisect_right(entered, state.stopped.signal_at)
    return bisect_right(entered, standing.last_at) if standing.flagged else len(entered)


def _stint(laps: CarLaps | None, standing: Standing) -> int:
    """Count the laps since the car last left the pit lane, or came into it if it is still there."""
    if laps is None:
        return 0
    since = max(laps.exited[-1] if laps.exited else 0, laps.entered[-1] if laps.entered else 0)
    return max(standing.laps - bisect_right(laps.ends, since), 0)
