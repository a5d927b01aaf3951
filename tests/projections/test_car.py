"""A car's sheet: laps, stops and stints, and who was at the wheel for how long."""

from typing import Any

import msgspec
import pytest

from timing.domain import events as e
from timing.domain.rulebook import Neutral, Neutralisation, Rulebook
from timing.projections.car import DriveTime, Stint, car_sheet, car_sheet_json

S = 1_000_000
ZERO = 1_747_400_000 * S


def at(seconds: float) -> int:
    return ZERO + round(seconds * S)


def a_race_with_two_stops(script: Any) -> Any:
    """Car 7: three laps by Ann, a stop with a change of driver, two by Bob, a stop without, and one more."""
    told = script("7 9", laps=20).run(car7="60 120 180")
    told.hear("T7", 230, loop="PI")
    told.say(e.DriverChanged, at=245, car="7", driver="bob7")
    told.hear("T7", 250, loop="SFP")
    told.hear("T7", 260, loop="PO")
    told.run(car7="310 370")
    told.hear("T7", 420, loop="PI")
    told.hear("T7", 440, loop="PO")
    return told.run(car7="450 510", car9="61 122")


def test_stints_end_at_the_stops_and_name_their_driver(script: Any) -> None:
    sheet = car_sheet(a_race_with_two_stops(script).fold(), "7")
    assert sheet is not None
    assert sheet.stints == (
        Stint("ann7", 1, 4, at(0), at(260)),
        Stint("bob7", 5, 2, at(260), at(440)),
        Stint("bob7", 7, 2, at(440), None),
    )
    assert [(stop.lap, stop.entered_at, stop.exited_at, stop.time_us) for stop in sheet.stops] == [
        (4, at(230), at(260), 30 * S),
        (7, at(420), at(440), 20 * S),
    ]


def test_the_time_at_the_wheel_leaves_the_stops_out(script: Any) -> None:
    sheet = car_sheet(a_race_with_two_stops(script).fold(), "7")
    assert sheet is not None
    assert sheet.drive_times == (DriveTime("ann7", 4, 230 * S), DriveTime("bob7", 4, (160 + 70) * S))


def test_each_lap_says_its_driver_and_whether_it_saw_the_pits(script: Any) -> None:
    sheet = car_sheet(a_race_with_two_stops(script).fold(), "7")
    assert sheet is not None
    assert [(lap.lap, lap.driver, lap.pit) for lap in sheet.laps] == [
        (1, "ann7", False),
        (2, "ann7", False),
        (3, "ann7", False),
        (4, "bob7", True),  # ended in the pit lane, after the change
        (5, "bob7", True),
        (6, "bob7", False),
        (7, "bob7", True),
        (8, "bob7", False),
    ]


@pytest.mark.parametrize(("best_laps", "timed"), [("left_out", [1, 4]), ("count", [1, 2, 3, 4])])
def test_a_time_under_the_safety_car_counts_or_is_left_out(script: Any, best_laps: str, timed: list[int]) -> None:
    neutral = Neutralisation(safety_car=Neutral(best_laps=best_laps))  # type: ignore[arg-type]  # one of its alternatives
    told = script("7", laps=20, rules=Rulebook(id="test", title="Test rules", source="test", neutralisation=neutral))
    told.run(car7="60 160 260 320 380")
    told.say(e.TrackStatus, at=70, status="safety_car")
    told.say(e.TrackStatus, at=250, status="green")
    told.say(e.Decision, at=400, decision="D", car="7", penalty="lap_time_deleted", lap=5)
    sheet = car_sheet(told.fold(), "7")
    assert sheet is not None
    assert [lap.lap for lap in sheet.laps if lap.timed] == timed, "the fifth was deleted"
    assert [lap.tags for lap in sheet.laps] == [("first",), ("safety_car",), ("safety_car",), (), ()]


def test_in_qualifying_laps_through_the_pits_have_no_time_that_counts(script: Any) -> None:
    told = script("7", kind="qualifying").run(car7="10 100")
    told.hear("T7", 180, loop="PI")
    told.hear("T7", 190, loop="SFP")
    told.hear("T7", 220, loop="PO")
    sheet = car_sheet(told.run(car7="290 380").fold(), "7")
    assert sheet is not None
    assert [lap.lap for lap in sheet.laps if lap.timed] == [1, 4]


def test_a_change_on_the_grid_is_no_stint_of_its_own(script: Any) -> None:
    told = script("7", laps=20)
    told.say(e.DriverChanged, at=-5, car="7", driver="bob7")
    sheet = car_sheet(told.run(car7="60 120").fold(), "7")
    assert sheet is not None
    assert sheet.stints == (Stint("bob7", 1, 2, at(0), None),)


def test_an_exit_that_was_not_heard_leaves_the_stop_open_and_the_next_one_whole(script: Any) -> None:
    told = script("7", laps=20).run(car7="60")
    told.hear("T7", 110, loop="PI")
    told.run(car7="120 180")
    told.hear("T7", 230, loop="PI")
    told.hear("T7", 250, loop="PO")
    sheet = car_sheet(told.run(car7="260").fold(), "7")
    assert sheet is not None
    assert [(stop.lap, stop.exited_at) for stop in sheet.stops] == [(2, at(120)), (4, at(250))]


def test_before_the_start_the_sheet_has_its_drivers_and_nothing_else(script: Any) -> None:
    sheet = car_sheet(script("7", start=False).fold(), "7")
    assert sheet is not None
    assert [driver.name for driver in sheet.drivers] == ["Ann 7", "Bob 7"]
    assert (sheet.laps, sheet.stops, sheet.stints) == ((), (), ())


def test_a_car_that_is_not_entered_has_no_sheet(script: Any) -> None:
    assert car_sheet(script("7").fold(), "999") is None
    assert car_sheet_json(script("7").fold(), "999") is None


def test_suspects_are_listed_with_their_reason_and_the_sheet_is_json(script: Any) -> None:
    told = script("7", laps=20).run(car7="60 60.3 120")
    written = car_sheet_json(told.fold(), "7")
    assert written is not None
    assert msgspec.json.decode(written)["suspects"] == [[at(60.3), "duplicate"]]
