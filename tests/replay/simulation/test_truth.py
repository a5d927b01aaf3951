"""The true result, against results worked out by hand."""

from replay.simulation.field import Starter
from replay.simulation.plan import Plan
from replay.simulation.script import Ruling
from replay.simulation.traffic import Competitor
from replay.simulation.truth import TrueRow, true_result
from timing.domain.units import SECOND

PLAN = Plan(start=1_000 * SECOND)


def car(number: str, *seconds: int, class_: str = "A", flagged: bool = True, grid: int = 1) -> Competitor:
    starter = Starter(number, class_, "Team", (), (1.0,), 1.0, f"T{number}", False)  # a field's column
    crossings = [PLAN.start + second * SECOND for second in seconds]
    return Competitor(starter, grid, laps=len(crossings), crossings=crossings, finished_at=crossings[-1] if flagged and crossings else None)


def places(rows: list[TrueRow]) -> list[tuple[int | None, str, int | None, int, str]]:
    return [(row.position, row.car, row.class_position, row.laps, row.status) for row in rows]


def test_laps_first_then_the_line_and_places_by_class() -> None:
    cars = [
        car("1", 10, 20, 30, 40),
        car("2", 11, 21, 31, 41, class_="B"),
        car("3", 12, 22, 42, class_="B"),
        car("4", 9, 19, 29, 39, class_="B"),
    ]
    assert places(true_result(PLAN, cars, [], set(), None)) == [
        (1, "4", 1, 4, "classified"),
        (2, "1", 1, 4, "classified"),
        (3, "2", 2, 4, "classified"),
        (4, "3", 3, 3, "classified"),
    ]


def test_a_time_penalty_moves_a_car_within_its_laps_and_no_further() -> None:
    cars = [car("1", 10, 20), car("2", 11, 21), car("3", 22)]
    rows = true_result(PLAN, cars, [Ruling("1", seconds=600), Ruling("2", seconds=5, holds=False)], set(), None)
    assert places(rows) == [(1, "2", 1, 2, "classified"), (2, "1", 2, 2, "classified"), (3, "3", 3, 1, "classified")]
    assert [row.car for row in rows] == ["2", "1", "3"]
    assert rows[1].total_us == 620 * SECOND


def test_those_without_a_place_come_last_and_say_why() -> None:
    laps = range(10, 50, 10)
    cars = [car("1", *laps), car("2", 11, 21, flagged=False), car("3"), car("4", *laps), car("5", 12, 22)]
    rows = true_result(PLAN, cars, [Ruling("1", disqualified=True)], {"3"}, None)
    assert places(rows) == [
        (1, "4", 1, 4, "classified"),
        (None, "2", None, 2, "retired"),
        (None, "5", None, 2, "not_classified"),
        (None, "3", None, 0, "not_started"),
        (None, "1", None, 4, "disqualified"),
    ]


def test_a_stopped_race_counts_one_lap_back_and_the_others_to_their_next_crossing() -> None:
    plan = Plan(start=PLAN.start, stopped=True)
    cars = [car("1", 10, 20, 30), car("2", 11, 19, 29), car("3", 12, 22, 32), car("4", 15)]
    rows = true_result(plan, cars, [], set(), PLAN.start + 31 * SECOND)
    assert [(row.car, row.laps) for row in rows] == [("2", 2), ("1", 2), ("3", 2), ("4", 1)]
