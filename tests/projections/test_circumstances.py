"""Suspensions, formation laps, a frozen order and a photo finish, as a steward reads them; and what a time is made of."""

from typing import TYPE_CHECKING

from explained import told

from timing.domain import events as e
from timing.domain.rulebook import Finish, Penalties, RedFlag, Rulebook, Start
from timing.domain.units import time_of_day
from timing.projections.explanation import Sum

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
ZERO = 1_747_400_000 * S


def at(seconds: float) -> str:
    return time_of_day(ZERO + round(seconds * S))


def book(**chapters: object) -> Rulebook:
    return Rulebook(id="t", title="T", source="test", **chapters)  # type: ignore[arg-type]  # chapters of its own


def test_a_suspension_with_a_stopped_clock_is_no_part_of_the_time(script: type["Script"]) -> None:
    race = script("7 9", laps=3, rules=book(red_flag=RedFlag(clock="stops")))
    race.say(e.TrackStatus, at=130, status="red")
    race.say(e.TrackStatus, at=1_130, status="green")
    timing = race.run(car7="60 120 1190", car9="61 122 1192").fold()
    found = told(timing, "7")
    assert found.sum == Sum(ZERO, ZERO + 1_190 * S, 1_000 * S, 0, 0, 0, 190 * S)
    assert f"from {at(0)} to {at(1190)}, less 16:40.000 for which the race clock stood: 3:10.000." in "\n".join(found.words)
    assert found.circumstances == (
        f"Suspended at {at(130)}, resumed at {at(1130)}, after 16:40.000; the race clock stood.",
        "Lap 3 was run across a suspension, without a lap time.",
    )
    across = found.crossings[-1]
    assert (across.lap, across.lap_time_us, across.tags, across.best_lap) == (3, None, ("red",), False)
    assert {"red_flag.clock": "stops", "red_flag.lap_across": "counts_without_time"}.items() <= {
        r.key: r.value for r in found.rules
    }.items()


def test_laps_taken_for_a_time_are_part_of_the_sum(script: type["Script"]) -> None:
    race = script("7 9", laps=4, rules=book(penalties=Penalties(lap_conversion="average_lap")))
    race.run(car7="90 180 270 360", car9="91 182 273 364")
    race.say(e.Decision, at=400, decision="D", car="7", penalty="time", seconds=96)
    found = told(race.fold(), "7")
    assert found.sum == Sum(ZERO, ZERO + 360 * S, 0, 96 * S, 1, 90 * S, 366 * S)
    assert "and 1:36.000 by decisions, less 1:30.000 for the 1 lap taken in their place: 6:06.000." in "\n".join(found.words)


def test_a_pass_held_against_a_car_under_a_frozen_order_is_named(script: type["Script"]) -> None:
    race = script("7 9 3", laps=9).run(car7="60", car9="61", car3="62")
    race.say(e.TrackStatus, at=70, status="safety_car")
    race.hear("T7", 80, loop="S1")
    race.hear("T9", 81, loop="S1")
    race.hear("T9", 120)
    race.hear("T7", 121)
    found = told(race.fold(), "9")
    assert (found.on_the_road, found.shown) == (1, 2)
    assert found.circumstances == (
        f"The order shown is frozen since {at(70)}, under the safety car, as of the last loop each car passed.",
        f"9 passed 7 before SF at {at(120)}, which nothing explains: it waits for race control, and 7 is shown ahead.",
    )
    asked = {r.key: r.value for r in found.rules}
    assert (asked["neutralisation.safety_car.order"], asked["neutralisation.safety_car.until"]) == ("frozen", "line_after_signal")
    assert "The board shows it P2." in found.words
    assert told(race.fold(), "3").circumstances[0].startswith("The order shown is frozen since")
    race.say(e.TrackStatus, at=122, status="green")
    race.run(car7="180", car9="181")
    assert told(race.fold(), "9").circumstances == ()


def test_laps_under_a_neutralisation_are_tagged_and_said_to_be_no_best_laps(script: type["Script"]) -> None:
    race = script("7", laps=9).run(car7="60 125 180")
    race.say(e.TrackStatus, at=70, status="vsc")
    race.say(e.TrackStatus, at=130, status="green")
    found = told(race.fold(), "7")
    assert [(h.tags, h.best_lap) for h in found.crossings] == [(("first",), True), (("vsc",), False), (("vsc",), False)]
    assert "ends lap 2 in 1:05.000, vsc: no best lap" in "\n".join(found.words)
    assert "neutralisation.vsc.best_laps = left_out" in "\n".join(found.words)


def test_a_photo_finish_waits_and_then_is_told_by_its_ruling(script: type["Script"]) -> None:
    race = script("7 9", laps=1, rules=book(finish=Finish(photo_us=3_000))).run(car7="60", car9="60.001")
    assert told(race.fold(), "9").circumstances == (
        "It crossed the line less than 0.003000 s from a neighbour: the place waits for the photo.",
    )
    race.say(e.FinishOrderRuled, at=90, id="photo", cars=("9", "7"), by="stewards", reason="photo finish")
    found = told(race.fold(), "9")
    ruling = f"the order 9, 7 was ruled at {at(90)} by stewards: photo finish (photo)"
    assert found.circumstances == (f"Photo finish: {ruling}.",)
    assert [(n.car, n.by, n.why) for n in found.road] == [("7", "ruled", ruling)]
    assert [(n.car, n.by, n.why) for n in found.result] == [("7", "ruled", ruling)]
    assert {"finish.photo_s", "finish.dead_heat"} <= {r.key for r in found.rules}
    race.say(e.FinishOrderRuled, at=95, id="again", cars=("9", "7"), dead_heat=True)
    assert told(race.fold(), "7").circumstances == (f"Photo finish: 9 and 7 in a dead heat was ruled at {at(95)} (again).",)


def test_formation_laps_are_said_to_be_none_of_the_race(script: type["Script"]) -> None:
    race = script("7 9", laps=5, rules=book(start=Start(behind_safety_car="distance_reduced")))
    race.say(e.TrackStatus, at=0, status="safety_car")
    race.say(e.TrackStatus, at=70, status="safety_car_ending")
    race.say(e.TrackStatus, at=119, status="green")
    found = told(race.run(car7="60 120 180", car9="61 121 182").fold(), "9")
    assert found.circumstances[0].startswith(f"The race began at {at(120)}, at the line at which the safety car was in: ")
    assert "start.behind_safety_car = distance_reduced" in "\n".join(found.words)
    assert [h.verdict for h in found.crossings] == ["formation", "first", "lap"]
