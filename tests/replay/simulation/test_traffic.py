"""Cars in a stretch of track: nobody drives through another, nobody passes where it is forbidden."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from replay.simulation.dice import Dice
from replay.simulation.field import Starter
from replay.simulation.traffic import Competitor, Stretch
from timing.domain.units import MILLISECOND, SECOND


def car(number: int, *, laps: int = 3, slow: bool = False, free: bool = True) -> Competitor:
    starter = Starter(str(number), "Open", "Team", (), (1.0,), 1.0, f"T{number}", False)  # a field's column
    return Competitor(starter, number, laps=laps, slow=slow, free=free, entered=number)


arrivals = st.lists(st.tuples(st.integers(0, 400), st.integers(20_000, 26_000)), min_size=1, max_size=30)


def enter(arriving: list[tuple[int, int]], *, neutral: bool, free: bool = True, yellow: bool = False) -> list[Competitor]:
    stretch, dice, now, cars = Stretch(0.9), Dice(1, "traffic"), 0, []
    stretch.yellow = yellow
    for number, (after, takes) in enumerate(arriving):
        now += 400 * MILLISECOND + after * MILLISECOND
        cars.append(car(number, free=free))
        stretch.join(cars[-1], now + takes * MILLISECOND, dice, neutral=neutral)
        assert stretch.cars == sorted(stretch.cars, key=lambda one: one.exit)
        assert all(behind.exit - ahead.exit >= 180 * MILLISECOND for ahead, behind in pairwise(stretch.cars))
    return stretch.cars


@given(arrivals)
def test_neutralised_cars_leave_in_the_order_in_which_they_came(arriving: list[tuple[int, int]]) -> None:
    assert [one.grid for one in enter(arriving, neutral=True)] == list(range(len(arriving)))


@given(arrivals)
def test_nobody_passes_under_yellow_or_before_the_line_after_a_restart(arriving: list[tuple[int, int]]) -> None:
    assert [one.grid for one in enter(arriving, neutral=False, yellow=True)] == list(range(len(arriving)))
    assert [one.grid for one in enter(arriving, neutral=False, free=False)] == list(range(len(arriving)))


@given(arrivals)
def test_racing_cars_keep_apart_however_they_pass(arriving: list[tuple[int, int]]) -> None:
    assert sorted(one.grid for one in enter(arriving, neutral=False)) == list(range(len(arriving)))


def test_faster_cars_get_past_now_and_then() -> None:
    passed = 0
    dice = Dice(5, "traffic")
    for _ in range(200):
        stretch = Stretch(0.5)
        ahead, behind = car(1), car(2)
        stretch.join(ahead, 25 * SECOND, dice, neutral=False)
        stretch.join(behind, 25 * SECOND - 100 * MILLISECOND, dice, neutral=False)
        passed += stretch.cars[0] is behind
    assert 40 < passed < 160


def test_everybody_passes_a_car_that_crawls_even_when_neutralised() -> None:
    stretch, dice = Stretch(0.5), Dice(1, "traffic")
    crawling, other = car(1, slow=True), car(2)
    stretch.join(crawling, 60 * SECOND, dice, neutral=True)
    stretch.join(other, 30 * SECOND, dice, neutral=True)
    assert stretch.cars == [other, crawling]


@given(st.lists(st.integers(0, 40_000), min_size=0, max_size=20, unique=True), st.integers(0, 40_000))
def test_a_car_out_of_the_pit_lane_holds_nobody_up(exits: list[int], wish: int) -> None:
    stretch = Stretch(0.5)
    for number, leaves in enumerate(sorted(exits)):
        one = car(number)
        one.exit = leaves * MILLISECOND
        stretch.cars.append(one)
    before = [(one, one.exit) for one in stretch.cars]
    joining = car(99)
    stretch.rejoin(joining, wish * MILLISECOND)
    assert joining.exit >= wish * MILLISECOND
    assert stretch.cars == sorted(stretch.cars, key=lambda one: one.exit)
    assert [(one, one.exit) for one in stretch.cars if one is not joining] == before


@given(arrivals, st.integers(0, 8_000))
def test_a_signal_slows_everybody_down_and_undoes_what_was_about_to_be_passed(arriving: list[tuple[int, int]], after: int) -> None:
    stretch = Stretch(0.9)
    stretch.cars = enter(arriving, neutral=False)
    first = stretch.cars[0].exit
    now = first - after * MILLISECOND
    before = {one.grid: one.exit for one in stretch.cars}
    slowed = stretch.slow_down(now, 1.5)
    assert [one.grid for one in slowed] == sorted(before)
    assert all(one.exit >= before[one.grid] for one in slowed)
