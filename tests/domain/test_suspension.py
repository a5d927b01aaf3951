"""Suspensions: from red to racing, the clock that runs or stops, the time limit, the laps across."""

from typing import Literal

import pytest

from timing.domain.events import Status, TrackStatus
from timing.domain.rulebook import Finish, RedFlag
from timing.domain.suspension import (
    FAR,
    GapClock,
    Suspension,
    instant_of,
    laps_across,
    pit_stops,
    race_time,
    suspended_us,
    suspensions,
    time_limit_at,
)


def told(*statuses: tuple[int, Status]) -> list[TrackStatus]:
    return [TrackStatus(id=str(at), at=at, status=status) for at, status in statuses]


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        (told((1, "green"), (2, "safety_car")), ()),
        (told((5, "red")), (Suspension(5),)),
        (told((5, "red"), (6, "red"), (9, "safety_car")), (Suspension(5, 9),)),
        (told((5, "red"), (8, "chequered")), (Suspension(5),)),
        ([*told((5, "red")), TrackStatus(id="s", at=8, status="yellow", sectors=(2,))], (Suspension(5),)),
        ([*told((5, "red")), TrackStatus(id="s", at=8, status="green", sectors=(2,)), *told((9, "green"))], (Suspension(5, 9),)),
        (told((5, "red"), (8, "green"), (9, "green"), (12, "red"), (15, "yellow")), (Suspension(5, 8), Suspension(12, 15))),
    ],
    ids=["none", "goes on", "shown twice", "a chequered flag does not resume", "a sector's flag does not", "nor its green", "two"],
)
def test_any_racing_status_after_red_resumes(statuses: list[TrackStatus], found: tuple[Suspension, ...]) -> None:
    assert suspensions(statuses) == found


TWO = (Suspension(100, 200), Suspension(250, 300))
BREAKS = (Suspension(100, 150), Suspension(300, 310))


@pytest.mark.parametrize(("at", "runs", "stops"), [(100, 90, 90), (120, 110, 90), (150, 140, 90), (200, 190, 140), (400, 390, 330)])
def test_the_clock_runs_on_or_stops(at: int, runs: int, stops: int) -> None:
    assert race_time(at, 10, BREAKS, "runs") == runs
    assert race_time(at, 10, BREAKS, "stops") == stops


@pytest.mark.parametrize("time", [1, 89, 90, 91, 200, 239, 240, 241, 1000])
def test_the_instant_of_a_race_time_is_the_first_that_shows_it(time: int) -> None:
    at = instant_of(time, 10, BREAKS, "stops")
    assert race_time(at, 10, BREAKS, "stops") == time
    assert race_time(at - 1, 10, BREAKS, "stops") == time - 1 or any(b.began < at <= (b.ended or 0) for b in BREAKS)


def test_a_stopped_clock_never_shows_what_lies_beyond_an_open_suspension() -> None:
    assert instant_of(50, 0, (Suspension(40),), "stops") == FAR
    assert instant_of(50, 0, (Suspension(40),), "runs") == 50
    assert suspended_us((Suspension(40),), 0, 60) == 20


Clock = Literal["runs", "stops"]


@pytest.mark.parametrize(
    ("limit", "total", "clock", "at"),
    [(None, None, "runs", None), (200, None, "runs", 200), (200, None, "stops", 250), (200, 240, "runs", 240), (200, 900, "runs", 250)],
)
def test_a_suspension_prolongs_the_time_limit_up_to_the_limit_in_all(
    limit: int | None, total: int | None, clock: Clock, at: int | None
) -> None:
    assert time_limit_at(0, BREAKS, Finish(time_limit_us=limit, time_limit_total_us=total), clock) == at


@pytest.mark.parametrize(
    ("ends", "laps"),
    [
        ([50, 90], {3}),  # on the third when the flag fell
        ([50, 100, 160], {3}),  # a lap that ended with the signal is before it
        ([50, 90, 120, 160, 200], {3, 4}),  # and one that was run while it was out
        ([50, 99, 150, 200], {3}),  # ended as racing went on
        ([50, 90, 305, 400], {3, 4}),
    ],
)
def test_laps_across_a_suspension_have_no_time(ends: list[int], laps: set[int]) -> None:
    breaks = BREAKS if len(ends) > 2 and ends[2] == 305 else BREAKS[:1]
    assert laps_across(ends, breaks, RedFlag()) == laps
    assert laps_across(ends, breaks, RedFlag(lap_across="counts")) == frozenset()


@pytest.mark.parametrize(
    ("earlier", "later", "runs", "stops", "reset"),
    [
        (50, 90, 40, 40, 40),  # both before
        (90, 150, 60, 10, 60),  # to one under the red flag
        (120, 150, 30, 0, 30),  # both under it
        (90, 230, 140, 40, 30),  # over the whole of it
        (90, 330, 240, 90, 30),  # and over another: from the last resumption
        (230, 90, -140, -140, -140),  # the other way round there is no gap
    ],
)
def test_a_gap_over_a_suspension_is_what_the_clock_ran_or_begins_anew(earlier: int, later: int, runs: int, stops: int, reset: int) -> None:
    assert GapClock(TWO, "runs").between(earlier, later) == runs
    assert GapClock(TWO, "stops").between(earlier, later) == stops
    assert GapClock(TWO, "runs", reset=True).between(earlier, later) == reset


def test_coming_in_under_a_red_flag_is_no_pit_stop_unless_it_counts() -> None:
    entered = [40, 100, 150, 199, 200, 400]
    breaks = (Suspension(100, 200), Suspension(350))
    assert pit_stops(entered, breaks, RedFlag()) == [40, 100, 200]
    assert pit_stops(entered, breaks, RedFlag(pit_visits="count")) == entered
