"""The board from the state: one row a car, gaps and intervals, the head of the screen. A row that did not change stays the same object."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.classification import Place
from timing.domain.events import Decision, PitLane, ResultPublished
from timing.domain.laps import CarLaps
from timing.domain.order import Standing, best_lap_gap, race_gap
from timing.domain.units import MINUTE
from timing.projections.board import (
    Board,
    CarStatus,
    Clock,
    Distance,
    DriverView,
    Gap,
    PenaltyView,
    ResultView,
    Row,
    SessionStatus,
    SessionView,
)
from timing.projections.notices import notices, penalty_text
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_NEUTRALISED = frozenset({"safety_car", "safety_car_ending", "vsc", "vsc_ending", "fcy", "code60"})
_PUBLISHED: dict[str, SessionStatus] = {"provisional": "provisional", "amended": "provisional", "final": "final"}


def form_board(timing: "Timing", state: State, places: Sequence[Place], before: Board | None) -> Board:
    """Form the board of a state; ``before`` is the board before it, whose unchanged rows are kept."""
    results = {p.car: ResultView(p.position, p.class_position, p.status, p.total_us) for p in places}
    penalties = _penalties(timing, state)
    gap_of = race_gap if timing.race else best_lap_gap
    leader = state.standings[0] if state.standings else None
    ahead = leader
    of_class: dict[str, list[Standing]] = {}
    rows: dict[str, Row] = {}
    for position, standing in enumerate(state.standings, start=1):
        car = standing.car
        classmates = of_class.setdefault(standing.class_, [])
        class_leader, class_ahead = (classmates[0], classmates[-1]) if classmates else (standing, standing)
        classmates.append(standing)
        laps = timing.laps.get(car)
        entry = state.entries[car]
        row = Row(
            position=position,
            result=results[car],
            class_=standing.class_,
            class_position=len(classmates),
            car=car,
            team=entry.team,
            driver=_driver(state, car),
            laps=standing.laps,
            last_lap_us=laps.times[standing.laps - 1] if laps and standing.laps else None,
            best_lap_us=standing.best_us,
            sectors_us=_sectors(laps, standing, timing.sectors),
            gap=Gap(*gap_of(standing, leader or standing)),
            interval=Gap(*gap_of(standing, ahead or standing)),
            class_gap=Gap(*gap_of(standing, class_leader)),
            class_interval=Gap(*gap_of(standing, class_ahead)),
            status=_status(state, standing, laps),
            pit_stops=_stops(laps, standing),
            penalties=penalties.get(car, ()),
            grid=state.grid.get(car),
            last_crossing_at=standing.last_at if standing.laps else None,
            stint_laps=_stint(laps, standing),
        )
        ahead = standing
        old = before.rows.get(car) if before else None
        rows[car] = old if old == row and old is not None else row
    return Board(state.at, session_view(timing, state), tuple(s.car for s in state.standings), rows, notices(timing.evidence.said()))


def _driver(state: State, car: str) -> DriverView | None:
    drivers = state.entries[car].drivers
    at_wheel = state.drivers.get(car)
    driver = next((d for d in drivers if d.id == at_wheel), drivers[0] if drivers else None)
    return None if driver is None else DriverView(driver.id, driver.name, driver.category)


def _sectors(laps: CarLaps | None, standing: Standing, sectors: int) -> tuple[int | None, ...]:
    if laps is None or not sectors:
        return (None,) * sectors
    whole = laps.sectors[standing.laps - 1] if standing.laps else ()
    shown = whole if standing.flagged or not laps.current else tuple(laps.current)
    return (*shown[:sectors], *(None,) * (sectors - len(shown)))


def _status(state: State, standing: Standing, laps: CarLaps | None) -> CarStatus:
    car = standing.car
    if car in state.penalties and state.penalties[car].disqualified:
        return "disqualified"
    if car in state.withdrawn or state.start is None or (car not in state.seen and (state.over or standing.standing)):
        return "not_started"
    if car in state.retired:
        return "retired"
    if standing.flagged or (state.stopped and standing.laps):
        return "finished"
    if laps is not None and laps.in_pit:
        return "pit"
    return "stopped" if standing.standing else "running"


def _stops(laps: CarLaps | None, standing: Standing) -> int:
    if laps is None:
        return 0
    return bisect_right(laps.entered, standing.last_at) if standing.flagged else len(laps.entered)


def _stint(laps: CarLaps | None, standing: Standing) -> int:
    """Count the laps since the car last left the pit lane, or came into it if it is still there."""
    if laps is None:
        return 0
    since = max(laps.exited[-1] if laps.exited else 0, laps.entered[-1] if laps.entered else 0)
    return max(standing.laps - bisect_right(laps.ends, since), 0)


def _penalties(timing: "Timing", state: State) -> dict[str, tuple[PenaltyView, ...]]:
    of_car: dict[str, list[PenaltyView]] = {}
    for decision in timing.evidence.of(Decision):
        view = PenaltyView(decision.decision, decision.penalty, state.stages[decision.decision], penalty_text(decision))
        of_car.setdefault(decision.car, []).append(view)
    return {car: tuple(views) for car, views in of_car.items()}


def session_view(timing: "Timing", state: State) -> SessionView:
    """Form the head of the screen."""
    opened = timing.evidence.opened
    laps = max((s.laps for s in state.standings), default=0)
    track = state.statuses[-1].status if state.statuses else "green"
    if state.end and (not state.statuses or state.statuses[-1].at < state.end.at):
        track = "chequered"
    lanes = timing.evidence.of(PitLane)
    finished_at = state.stopped.at if state.stopped else state.end.at if state.end else state.closed_at
    return SessionView(
        name=opened.name if opened else timing.session,
        kind=opened.kind if opened else "race",
        status=_session_status(timing, state),
        track_status=track,
        rulebook=timing.rules.title,
        laps=laps,
        distance=Distance(opened.distance.laps, opened.distance.minutes, opened.distance.plus_laps) if opened else Distance(),
        started_at=state.start,
        clock=_clock(state, opened.distance.minutes if opened else None, finished_at),
        neutralised=track in _NEUTRALISED and not state.over,
        pit_lane_open=lanes[-1].open if lanes else True,
        circuit=opened.circuit.name if opened else "",
        sectors=timing.sectors,
        classes=tuple(sorted({e.class_ for e in state.entries.values()})),
        finished_at=finished_at,
    )


def _session_status(timing: "Timing", state: State) -> SessionStatus:
    published = timing.evidence.of(ResultPublished)
    if published:
        return _PUBLISHED[published[-1].stage]
    if state.over:
        return "finished"
    if state.start is None:
        return "scheduled"
    return "suspended" if state.suspended else "running"


def _clock(state: State, minutes: int | None, finished_at: int | None) -> Clock:
    length = None if minutes is None else minutes * MINUTE
    if state.start is None:
        return Clock(0, length)
    elapsed = max((state.at if finished_at is None else min(state.at, finished_at)) - state.start, 0)
    return Clock(elapsed, None if length is None else max(length - elapsed, 0))
