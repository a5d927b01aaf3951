"""Races started behind the safety car: when their formation laps end, and what that takes off the distance."""

from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.domain.rulebook import Rulebook, Start
from timing.projections.formation import Formation, shortened

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
FORMATION = Rulebook(id="test", title="Test rules", source="test", start=Start(behind_safety_car="distance_reduced"))


def behind(script: type["Script"]) -> "Script":
    told = script("7 9", start=False, laps=5, rules=FORMATION)
    told.say(e.TrackStatus, at=-5, status="safety_car")
    told.say(e.SessionStarted, at=0)
    return told.run(car7="100 200", car9="101 201")


def test_the_race_is_run_from_the_line_at_which_the_safety_car_is_in(script: type["Script"]) -> None:
    told = behind(script)
    timing = told.fold()
    assert timing.board().rows["7"].laps == 2
    assert timing.formation is None
    told.say(e.TrackStatus, at=250, status="safety_car_ending")
    told.run(car7="300 360", car9="301 362")
    timing = told.fold()
    board = timing.board()
    assert timing.formation is not None
    assert timing.formation.laps == 3
    assert timing.distance.laps == board.session.distance.laps == 3
    assert [board.rows[car].laps for car in "79"] == [1, 1]
    assert (board.rows["9"].last_lap_us, board.rows["9"].gap.time_us) == (61 * S, 2 * S)
    assert board.session.clock.elapsed_us == 62 * S
    assert not board.session.neutralised


def test_a_safety_car_that_comes_out_later_takes_nothing_off(script: type["Script"]) -> None:
    told = script("7", laps=5, rules=FORMATION).run(car7="60")
    told.say(e.TrackStatus, at=70, status="safety_car")
    told.say(e.TrackStatus, at=130, status="green")
    timing = told.run(car7="140").fold()
    assert timing.board().rows["7"].laps == 2
    assert timing.distance.laps == 5


def test_an_announcement_retimed_moves_the_end_of_the_formation_laps(script: type["Script"]) -> None:
    told = behind(script)
    name = told.say(e.TrackStatus, at=250, status="safety_car_ending")
    told.run(car7="300 360", car9="301 362")
    told.say(e.EventRetimed, at=150, event=name)
    timing = told.fold()
    assert timing.board().rows["7"].laps == 2
    assert timing.distance.laps == 4


@pytest.mark.parametrize(("laps", "behind_it", "left"), [(50, 3, 48), (50, 1, 50), (2, 9, 1)])
def test_the_laps_behind_it_less_one_are_taken_off(laps: int, behind_it: int, left: int) -> None:
    assert shortened(e.Distance(laps=laps), Formation(1, 2, behind_it)).laps == left


def test_minutes_are_left_as_they_are() -> None:
    assert shortened(e.Distance(minutes=20), Formation(1, 2, 5)) == e.Distance(minutes=20)
