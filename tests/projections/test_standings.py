"""Standings are kept from one state to the next, and are never those of before where anything they rest on changed."""

from typing import TYPE_CHECKING

from timing.domain import events as e
from timing.log.record import Record
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.projections.conftest import Script
    from timing.domain.order import Standing

S = 1_000_000


def told_on(timing: Timing, told: "Script") -> dict[str, "Standing"]:
    """Take in what was told since, and give the standings."""
    for event in told.events[timing.seq :]:
        timing.apply(Record("s", timing.seq + 1, 1, event, b"", b""))
    return {standing.car: standing for standing in timing.state().standings}


def test_only_the_car_at_the_line_has_another_standing(script: type["Script"]) -> None:
    told, timing = script("7 9 3").run(car7="60 120", car9="61 121", car3="62 122"), Timing("s")
    before = told_on(timing, told)
    told.hear("T9", 150, loop="S1", decoder="s1")
    sector = told_on(timing, told)
    assert all(sector[car] is before[car] for car in "793")
    after = told_on(timing, told.run(car9="180"))
    assert [after[car] is before[car] for car in "793"] == [True, False, True]
    assert [s.car for s in timing.state().standings] == ["9", "7", "3"]


def test_a_command_a_deleted_lap_and_a_car_begun_anew_are_followed(script: type["Script"]) -> None:
    told, timing = script("7 9").run(car7="60 119", car9="61 122"), Timing("s")
    assert (told_on(timing, told)["7"].best_us, told_on(timing, told)["7"].best_lap) == (59 * S, 2)
    told.say(e.Decision, at=130, decision="D", car="7", penalty="lap_time_deleted", lap=2, reason="track limits")
    assert told_on(timing, told)["7"].best_lap == 1
    told.say(e.PassingAdded, at=100, car="9", loop="SF")
    assert [told_on(timing, told)["9"]] == [s for s in told.fold().state().standings if s.car == "9"]
    told.say(e.CarRetired, at=200, car="9")
    assert told_on(timing, told)["9"].standing


def test_a_car_that_stops_and_is_seen_again_stands_and_runs(script: type["Script"]) -> None:
    told, timing = script("7 9").run(car7="60 120", car9="61 121"), Timing("s")
    assert not told_on(timing, told)["9"].standing
    told.run(car7="180 240 300 360")
    stood = told_on(timing, told)["9"]
    assert stood.standing
    assert told_on(timing, told.run(car7="420"))["9"] is stood
    assert not told_on(timing, told.run(car9="430"))["9"].standing
