"""Qualifying: timed laps, segments, who goes on, what a deletion changes and what it never changes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.domain.laps import CarLaps
from timing.domain.qualifying import Field, Red, Run, TimedLap, Times, beyond_percent, take
from timing.domain.rulebook import Qualifying, Segment

Q = (Segment(name="Q1", minutes=18, advance=2), Segment(name="Q2", minutes=12))
RULES = Qualifying(segments=Q)
ONE = Run(0, 0)
Q1, Q2 = Run(0, 0, flag_at=1000, until=1500), Run(1, 2000, flag_at=3000)


def car(name: str, *laps: tuple[int, int], class_: str = "GT", flying: tuple[int, ...] = (), left: tuple[int, ...] = ()) -> Times:
    """A car with laps of (time, instant of its end)."""
    timed = sorted(TimedLap(us, at, number, at - us) for number, (us, at) in enumerate(laps, start=1))
    return Times(name, class_, timed, list(flying), left)


def times_of(laps: CarLaps, rules: Qualifying, *reds: Red) -> Times:
    times = Times("1", "GT")
    take(times, laps, reds, rules)
    return times


def order(cars: list[Times], *runs: Run, rules: Qualifying = RULES, **more: Any) -> str:
    return "".join(r.car for r in Field(cars, runs, rules, **more).order())


@pytest.mark.parametrize(
    ("what", "cars", "changes", "expected"),
    [
        ("the best lap first", [car("1", (90, 100), (99, 300)), car("2", (89, 110))], {}, "21"),
        ("of equal laps who set it first", [car("1", (90, 190)), car("2", (90, 120))], {}, "21"),
        ("who set it first, though the other has a better second lap", [car("1", (90, 190), (91, 300)), car("2", (90, 120))], {}, "21"),
        ("or the better second-best lap", [car("1", (90, 190), (91, 300)), car("2", (90, 120))], {"tie": "second_best_lap"}, "12"),
        ("both equal: who set it first", [car("1", (90, 190)), car("2", (90, 120))], {"tie": "second_best_lap"}, "21"),
        ("no time is last", [car("1"), car("2", (99, 100))], {}, "21"),
        ("who began a flying lap before who left the pits", [car("1", left=(5,)), car("2", flying=(9,)), car("3")], {}, "213"),
        ("nobody did anything: by number", [car("2"), car("1")], {}, "12"),
    ],
)
def test_the_order_of_one_session(what: str, cars: list[Times], changes: dict[str, Any], expected: str) -> None:
    assert order(cars, ONE, rules=Qualifying(**changes)) == expected


def test_before_anyone_did_anything_the_grid_holds() -> None:
    assert order([car("1"), car("2"), car("3")], ONE, rules=Qualifying(), grid={"3": 1, "1": 2}) == "312"
    assert order([car("1"), car("2")], rules=Qualifying()) == "12"


@pytest.mark.parametrize(
    ("what", "lap", "counts"),
    [
        ("begun in the segment", (90, 100), True),
        ("begun before it", (90, 80), False),
        ("begun before the flag, ended after it", (90, 1089), True),
        ("begun as the flag fell: that crossing took the flag", (90, 1090), False),
        ("ended after the segment was closed", (600, 1501), False),
    ],
)
def test_a_lap_belongs_to_the_segment_in_which_it_began(what: str, lap: tuple[int, int], counts: bool) -> None:
    assert (Field([car("1", lap)], [Q1], RULES).order()[0].best is not None) == counts


FOUR = [car("1", (90, 500), (80, 2500)), car("2", (91, 500), (79, 2500)), car("3", (92, 500), (70, 2500)), car("4", (93, 500))]


def test_times_start_anew_and_those_who_did_not_go_on_stand_behind() -> None:
    assert order(FOUR, Q1) == "1234"
    ranked = Field(FOUR, [Q1, Q2], RULES).order()
    assert [(r.car, r.segment, r.bests_us) for r in ranked] == [
        ("2", 1, (91, 79)),
        ("1", 1, (90, 80)),
        ("3", 0, (92, None)),  # it drove in Q2, and had no business there
        ("4", 0, (93, None)),
    ]


def test_race_control_says_who_may_run() -> None:
    assert order(FOUR, Q1, msgspec.structs.replace(Q2, cars=frozenset("34"))) == "3412"


def test_without_a_time_in_the_last_segment_a_car_stands_behind_those_with_and_before_those_that_were_not_in_it() -> None:
    cars = [car("1", (90, 500)), car("2", (91, 500), (95, 2500)), car("3", (92, 500))]
    assert order(cars, Q1, Q2) == "213"


def test_a_time_deleted_before_the_next_segment_changes_who_goes_on() -> None:
    told = {"1": frozenset({1})}
    assert order(FOUR, Q1, msgspec.structs.replace(Q2, deleted=told), deleted=told) == "3241"


def test_a_time_deleted_later_changes_places_but_never_un_runs_anyone() -> None:
    field = Field(FOUR, [Q1, Q2], RULES, deleted={"1": frozenset({1}), "3": frozenset({1})})
    ranked = {r.car: r for r in field.order()}
    assert "".join(ranked) == "2143"  # 1 ran in Q2 and has run; 3 falls behind 4 in Q1
    assert ranked["1"].bests_us == (None, 80)
    assert field.entrants == {0: set("1234"), 1: set("12")}


def test_a_car_that_is_out_does_not_go_on() -> None:
    assert order(FOUR, Q1, msgspec.structs.replace(Q2, out=frozenset("1"))) == "3214"


def test_a_segment_may_be_left_out_and_the_first_one_be_named() -> None:
    assert order(FOUR, Q2) == "3214"  # Q1 was not run: everybody takes part
    assert order(FOUR, msgspec.structs.replace(Q1, cars=frozenset("12"))) == "1234"
    assert Field(FOUR, [msgspec.structs.replace(Q1, cars=frozenset("12"))], RULES).order()[2].segment == -1


HYPERPOLE = Qualifying(segments=(Segment(name="Q", minutes=12, advance=1, per_class=True), Segment(name="H", minutes=10)))


def test_so_many_of_each_class_go_on() -> None:
    cars = [
        car("1", (90, 500), class_="H"), car("2", (91, 500), (79, 2500), class_="H"),
        car("7", (95, 500), (99, 2500), class_="G"), car("8", (96, 500), class_="G"),
    ]  # fmt: skip
    assert order(cars, Q1, Q2, rules=HYPERPOLE) == "7128"


def test_each_class_may_run_by_itself() -> None:
    cars = [car("1", (90, 3500), class_="H"), car("7", (95, 500), (99, 2500), class_="G"), car("8", (96, 500), class_="G")]
    runs = [msgspec.structs.replace(Q1, class_="G"), msgspec.structs.replace(Q2, class_="G", until=3100)]
    assert order(cars, *runs, rules=HYPERPOLE) == "781"
    field = Field(cars, [*runs, Run(0, 3200, class_="H")], HYPERPOLE)
    assert [(r.car, r.segment, r.best and r.best.time_us) for r in field.order()] == [("7", 1, 99), ("1", 0, 90), ("8", 0, 96)]


@pytest.mark.parametrize(("rule", "best"), [("nothing", 90), ("best_lap_deleted", 92), ("best_two_deleted", 95), ("session_over", 92)])
def test_what_the_car_that_caused_the_red_flag_loses(rule: Any, best: int) -> None:
    rules = Qualifying(causing_red=rule, red="laps_count")
    reds = (Red(250, 300, "1"), Red(400, 410, "2"))
    laps = CarLaps(None, {})
    laps.since, laps.ends, laps.times = 8, [100, 195, 297], [92, 95, 90]
    field = Field([times_of(laps, rules, *reds)], [ONE], rules, reds=reds)
    assert [r.best and r.best.time_us for r in field.order()] == [best]


@pytest.mark.parametrize(
    ("rule", "ends", "timed"),
    [
        ("laps_void", [100, 200, 300], {1, 2, 3}),
        ("laps_void", [100, 201, 300], {1, 3}),
        ("laps_void", [100, 249, 300], {1, 3}),
        ("laps_void", [100, 250, 300], {1, 2, 3}),
        ("laps_count", [100, 201, 300], {1, 2, 3}),
    ],
)
def test_laps_ended_under_red(rule: Any, ends: list[int], timed: set[int]) -> None:
    laps = CarLaps(None, {})
    laps.since, laps.ends, laps.times = 1, ends, [99] * 3
    got = times_of(laps, Qualifying(red=rule), Red(200, 250))
    assert {lap.number for lap in got.laps} == timed


def test_laps_through_the_pit_lane_are_no_timed_laps() -> None:
    laps = CarLaps(None, {})
    laps.since, laps.ends, laps.times, laps.entered, laps.exited = 10, [100, 200, 300, 400], [90, 100, 100, 100], [190], [220]
    got = times_of(laps, Qualifying())
    assert {lap.number for lap in got.laps} == {1, 4}
    assert got.flying == [10, 100, 300, 400]
    assert got.left == [220]
    assert len(times_of(laps, Qualifying(pit_laps="count")).laps) == 4


def test_laps_are_taken_in_as_they_come() -> None:
    laps, times = CarLaps(None, {}), Times("1", "GT")
    steps: list[tuple[list[int], list[int], list[int]]] = [
        ([], [], []), ([100], [], []), ([100, 190], [190], []), ([100, 190, 300], [190], [220]), ([100, 190, 300, 380], [190], [220]),
    ]  # fmt: skip
    for ends, entered, exited in steps:
        laps.since, laps.ends, laps.times, laps.entered, laps.exited = 10, ends, [90] * len(ends), entered, exited
        take(times, laps, (), Qualifying())
        assert times == times_of(laps, Qualifying())
    assert [lap.number for lap in times.laps] == [1, 4]


def test_nothing_was_done() -> None:
    assert times_of(CarLaps(None, {}), Qualifying()) == Times("1", "GT")


@pytest.mark.parametrize(("of", "beyond"), [("overall", {"3", "8"}), ("class", {"3"})])
def test_beyond_107_per_cent(of: Any, beyond: set[str]) -> None:
    rules = Qualifying(percent=107, percent_of=of)
    cars = [
        car("1", (100_000, 200_000)), car("2", (107_000, 200_000)), car("3", (107_001, 200_000)), car("4"),
        car("8", (120_000, 200_000), class_="TC"), car("9", (118_000, 200_000), class_="TC") if of == "class" else car("9"),
    ]  # fmt: skip
    assert beyond_percent(Field(cars, [ONE], rules).order(), rules) == beyond
    assert beyond_percent(Field(cars, [ONE], rules).order(), Qualifying()) == set()


def test_the_percentage_concerns_who_did_not_go_on() -> None:
    rules = Qualifying(percent=107, segments=Q)
    cars = [car("1", (100, 500)), car("2", (120, 500)), car("3", (121, 500))]
    assert beyond_percent(Field(cars, [Q1, Q2], rules).order(), rules) == {"3"}


LAPS = st.lists(st.tuples(st.integers(50, 120), st.integers(0, 3500)), max_size=6)


@given(
    st.lists(LAPS, min_size=1, max_size=6),
    st.sets(st.integers(1, 6)),
    st.dictionaries(st.sampled_from("012345"), st.frozensets(st.integers(1, 6))),
    st.booleans(),
)
def test_the_order_is_a_permutation_whatever_is_deleted(
    laps: list[list[tuple[int, int]]], named: set[int], deleted: dict[str, frozenset[int]], said: bool
) -> None:
    cars = [car(str(i), *((us, at + us) for us, at in mine), class_="AB"[i % 2]) for i, mine in enumerate(laps)]
    second = Run(1, 2000, flag_at=3000, cars=frozenset(map(str, named)) if said else None)
    before = Field(cars, [Q1, second], RULES)
    after = Field(cars, [Q1, second], RULES, deleted=deleted)
    assert sorted(r.car for r in after.order()) == sorted(c.car for c in cars)
    assert after.entrants == before.entrants
    order = [r.segment for r in after.order()]
    assert order == sorted(order, reverse=True)
