"""The board from the state: one row a car, gaps and intervals, the head of the screen. A row that did not change stays the same object."""

from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from timing.domain.classification import Place
from timing.domain.laps import CarLaps
from timing.domain.order import Standing, best_lap_gap, race_gap
from timing.domain.rulebook import RedFlag
from timing.domain.suspension import GapClock, pit_stops
from timing.projections.board import (
    Board,
    CarStatus,
    Gap,
    LiveView,
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

_NONE: frozenset[int] = frozenset()


class _RestsOn(NamedTuple):
    """All that a car's row is formed from, besides what all rows of a board share: equal again, it is the same row."""

    standing: Standing
    leader: Standing
    ahead: Standing
    class_leader: Standing
    class_ahead: Standing
    position: int
    class_position: int
    result: ResultView
    status: CarStatus
    laps: CarLaps | None
    taken: int
    untimed: frozenset[int]
    gap_before: Gap | None
    live: LiveView | None
    points: tuple[int | None, ...]


class Rows:
    """Forms a session's boards. What it keeps of one for the next is only to be quick: its rows, and what each was formed from."""

    def __init__(self) -> None:
        self._shared: tuple[object, ...] = ()
        self._kept: dict[str, tuple[_RestsOn | None, Row]] = {}
        self._results: tuple[Sequence[Place], dict[str, ResultView]] = ((), {})

    def board(self, timing: "Timing", state: State, places: Sequence[Place]) -> Board:
        """Form the board of a state and its classification."""
        frozen = timing.neutral.frozen
        shared = (state.said, state.stopped, state.qualified, timing.neutral.windows, timing.neutral.found, timing.sectors, timing.rules)
        if shared != self._shared:
            self._shared, self._kept = shared, {car: (None, row) for car, (_, row) in self._kept.items()}
        kept: dict[str, tuple[_RestsOn | None, Row]] = {}
        clock = gap_clock(timing, state)
        for rests_on in _rests(timing, state, places, self._results_of(state, places)):
            car = rests_on.standing.car
            known = self._kept.get(car)
            if known is None or known[0] != rests_on:
                row = _row(timing, state, rests_on, clock)
                known = (rests_on, known[1] if known is not None and known[1] == row else row)
            kept[car] = known
        self._kept = kept
        candidates = frozen.candidates(timing, state)
        notices = frozen.notices(state.said.notices + penalty_notices(timing, state), candidates)
        due = state.said.published is not None and amendment_due(timing)
        head = session_view(timing, state, candidates, result_due=due)
        return Board(state.at, head, tuple(kept), {car: row for car, (_, row) in kept.items()}, notices)

    def _results_of(self, state: State, places: Sequence[Place]) -> dict[str, ResultView]:
        if places is not self._results[0] or state.over:
            photo = state.close.photo
            views = {p.car: ResultView(p.position, p.class_position, p.status, p.total_us, p.car in photo) for p in places}
            self._results = places, views
        return self._results[1]


def _rests(timing: "Timing", state: State, places: Sequence[Place], results: Mapping[str, ResultView]) -> Iterator[_RestsOn]:
    """Give what the rows rest on, in the order that is shown."""
    frozen = timing.neutral.frozen
    shown, gaps_before = frozen.shown(timing, state), frozen.gaps_before(timing, state)
    live, points = timing.between.views(timing, state, shown), timing.car_points.of(timing, places)
    leader = ahead = shown[0] if shown else None
    of_class: dict[str, list[Standing]] = {}
    for position, standing in enumerate(shown, start=1):
        car = standing.car
        classmates = of_class.setdefault(standing.class_, [])
        class_leader, class_ahead = (classmates[0], classmates[-1]) if classmates else (standing, standing)
        if leader is None or leader.segment != standing.segment:  # times start anew in each segment of qualifying, and so do gaps
            leader = standing
        if class_leader.segment != standing.segment:
            class_leader = next((mate for mate in classmates if mate.segment == standing.segment), standing)
        classmates.append(standing)
        laps = timing.laps.get(car)
        yield _RestsOn(
            standing,
            leader,
            ahead or standing,
            class_leader,
            class_ahead,
            position,
            len(classmates),
            results[car],
            _status(state, standing, laps),
            laps,
            laps.taken if laps else 0,
            state.untimed.get(car, _NONE),
            gaps_before.get(car),
            live.get(car),
            points.get(car, ()),
        )
        ahead = standing


def _row(timing: "Timing", state: State, rests_on: _RestsOn, clock: GapClock | None) -> Row:
    standing, laps, said, qualified = rests_on.standing, rests_on.laps, state.said, state.qualified
    car, race, segments = standing.car, timing.race, qualified.segments if qualified else ()
    gap, interval, class_gap, class_interval = _gaps(rests_on, race=race, clock=clock)
    return Row(
        position=rests_on.position,
        result=rests_on.result,
        class_=standing.class_,
        class_position=rests_on.class_position,
        car=car,
        team=said.entries[car].team,
        driver=said.drivers.get(car),
        laps=standing.laps,
        last_lap_us=_last_lap(laps, standing, rests_on.untimed),
        best_lap_us=standing.best_us,
        sectors_us=_sectors(laps, standing, timing.sectors),
        gap=gap,
        interval=interval,
        class_gap=class_gap,
        class_interval=class_interval,
        status=rests_on.status,
        pit_stops=_stops(laps, standing, state, timing.rules.red_flag),
        penalties=said.badges.get(car, ()),
        grid=said.grid.get(car),
        last_crossing_at=standing.last_at if standing.laps else None,
        stint_laps=_stint(laps, standing),
        segment=segments[standing.segment] if segments and standing.segment >= 0 else None,
        segment_bests_us=qualified.ranks[car].bests_us if qualified and segments else (),
        gap_before=rests_on.gap_before,
        last_lap_tags=timing.neutral.last_lap_tags(car, laps, standing.laps) if laps and standing.laps else (),
        interval_change_us=_change(standing, rests_on.ahead, clock) if race else None,
        class_interval_change_us=_change(standing, rests_on.class_ahead, clock) if race else None,
        best_sectors_us=laps.best_sectors if laps else (),
        live=rests_on.live,
        points_milli=rests_on.points,
    )


def _gaps(rests_on: _RestsOn, *, race: bool, clock: GapClock | None) -> tuple[Gap, Gap, Gap, Gap]:
    """Give the gap, the interval, and both in class; one gap where two of the cars are the same."""
    own, leader, ahead, class_leader, class_ahead = rests_on[:5]

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


def _last_lap(laps: CarLaps | None, standing: Standing, untimed: Container[int]) -> int | None:
    if laps is None or not standing.laps or standing.laps in untimed:
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
