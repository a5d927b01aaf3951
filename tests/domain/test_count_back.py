"""The result of a race that was stopped: at which lap it is taken, and how each car is read."""

from typing import Literal

import pytest

from timing.domain.count_back import CountBack, count_back, laps_at_count_back
from timing.domain.rulebook import RedFlag

# The leader, a car on his lap, one that he has just lapped, and one that stopped. Red flag at 230 s, on the leader's fifth lap.
LEADER, SECOND, LAPPED, STOPPED = [50, 100, 150, 200, 250], [51, 102, 153, 204, 255], [74, 149, 224, 300], [60]
FIELD = [SECOND, LEADER, LAPPED, STOPPED]


@pytest.mark.parametrize(
    ("minus", "taken"),
    [
        (0, CountBack(230, 4, 4, 200, 150)),
        (1, CountBack(230, 4, 3, 150, 100)),
        (2, CountBack(230, 4, 2, 100, 50)),
        (4, CountBack(230, 4, 0, 0)),
        (9, CountBack(230, 4, 0, 0)),
    ],
)
def test_the_counted_lap_is_so_many_before_the_leaders_completed_ones(minus: int, taken: CountBack) -> None:
    assert count_back(FIELD, 0, 230, RedFlag(completed_minus=minus)) == taken


@pytest.mark.parametrize(("signal", "completed"), [(199, 3), (200, 4), (201, 4)])
def test_a_crossing_at_the_instant_of_the_signal_is_before_it(signal: int, completed: int) -> None:
    assert count_back(FIELD, 0, signal, RedFlag()).completed == completed


@pytest.mark.parametrize(
    ("reading", "laps"),
    [
        # C = 4, taken at lap 3, ended by the leader at 150 s:        leader, second, lapped, stopped
        ("first_crossing_after_leader", (3, 3, 3, 1)),  # 224 is the lapped car's next crossing
        ("last_crossing_before_leader", (3, 2, 2, 1)),  # at 150 s the second has not yet crossed
        ("same_lap_number", (3, 3, 3, 1)),
    ],
)
def test_how_the_others_are_read(
    reading: Literal["first_crossing_after_leader", "last_crossing_before_leader", "same_lap_number"], laps: tuple[int, ...]
) -> None:
    rules = RedFlag(completed_minus=1, others=reading)
    taken = count_back(FIELD, 0, 230, rules)
    assert tuple(laps_at_count_back(car, taken, rules) for car in (LEADER, SECOND, LAPPED, STOPPED)) == laps


@pytest.mark.parametrize(
    ("reading", "order"),
    [
        # Cars a lap down: 3 crosses before the leader, 4 comes round twice afterwards, before the signal.
        ("first_crossing_after_leader", {"3": (3, 210), "4": (2, 160)}),
        ("last_crossing_before_leader", {"3": (2, 140), "4": (1, 80)}),
        ("same_lap_number", {"3": (3, 210), "4": (3, 225)}),
    ],
)
def test_each_reading_gives_a_lapped_car_another_place(
    reading: Literal["first_crossing_after_leader", "last_crossing_before_leader", "same_lap_number"], order: dict[str, tuple[int, int]]
) -> None:
    cars = {"1": LEADER, "3": [70, 140, 210], "4": [80, 160, 225]}
    rules = RedFlag(completed_minus=1, others=reading)
    taken = count_back(list(cars.values()), 0, 230, rules)
    laps = {car: laps_at_count_back(cars[car], taken, rules) for car in order}
    assert {car: (n, cars[car][n - 1]) for car, n in laps.items()} == order


Capped = Literal["first_crossing_after_leader_before_signal", "last_crossing_before_leader", "same_lap_number"]


@pytest.mark.parametrize("reading", ["first_crossing_after_leader_before_signal", "last_crossing_before_leader", "same_lap_number"])
def test_nothing_after_the_signal_counts(reading: Capped) -> None:
    rules = RedFlag(completed_minus=0, others=reading)
    taken = count_back([LEADER, [120, 231]], 0, 230, rules)
    assert laps_at_count_back([120, 231], taken, rules) == 1


def test_as_if_the_chequered_flag_had_been_shown_a_car_ends_with_its_next_crossing() -> None:
    """Suzuka 2014: car 10 completed its 43rd lap after the signal, and was classified with it."""
    rules = RedFlag(completed_minus=0, others="first_crossing_after_leader")
    taken = count_back([LEADER, [120, 231]], 0, 230, rules)
    assert laps_at_count_back([120, 231], taken, rules) == 2


def test_before_the_counted_lap_there_is_no_result() -> None:
    rules = RedFlag(completed_minus=1)
    taken = count_back([[50], [51]], 0, 60, rules)
    assert taken == CountBack(60, 1, 0, 0)
    assert laps_at_count_back([50], taken, rules) == 0
