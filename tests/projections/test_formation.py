"""Races started behind the safety car: when their formation laps end, and what that takes off the distance."""

from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.domain.rulebook import Rulebook, Start
from timing.log.record import Record
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


def test_a_car_that_waits_at_the_pit_exit_begins_with_the_leader(script: type["Script"]) -> None:
    """Car 8 came in behind the safety car and was past the line when the others went by: its next crossing ends its first lap."""
    told = behind(script)
    told.enter("8")
    told.hear("T8", 102)
    told.hear("T8", 195, loop="PI", decoder="pits")
    told.hear("T8", 202, loop="SFP", decoder="pits")
    told.say(e.TrackStatus, at=250, status="safety_car_ending")
    told.run(car7="300 360", car9="301 362").hear("T8", 310, loop="PO", decoder="pits")
    told.hear("T8", 371)
    told.events.sort(key=lambda event: event.at)
    row = told.fold().board().rows["8"]
    assert (row.laps, row.last_lap_us, row.gap.time_us) == (1, 71 * S, 11 * S)


def test_a_red_flag_ends_the_formation_laps_and_the_race_begins_when_it_is_resumed(script: type["Script"]) -> None:
    told = behind(script)
    told.say(e.TrackStatus, at=220, status="red")
    timing = told.fold()
    board = timing.board()
    assert (board.session.status, board.rows["7"].laps, timing.distance.laps) == ("suspended", 0, 4)
    told.say(e.TrackStatus, at=1000, status="safety_car")
    told.run(car7="1100 1200", car9="1101 1201")
    timing = told.fold()
    board = timing.board()
    assert [board.rows[car].laps for car in "79"] == [2, 2], "behind the safety car or not, they count from then on"
    assert (board.rows["7"].last_lap_us, board.session.clock.elapsed_us) == (100 * S, 201 * S)
    assert (timing.laps["7"].times, timing.state().untimed) == ([100 * S, 100 * S], {}), "and all have a time"


def test_a_race_stopped_behind_the_safety_car_was_never_begun(script: type["Script"]) -> None:
    told = behind(script)
    told.say(e.TrackStatus, at=220, status="red")
    told.say(e.RaceStopped, at=400)
    timing = told.fold()
    assert [place.laps for place in timing.classification()] == [0, 0]


def test_a_passing_that_comes_in_late_moves_the_end_of_the_formation_laps(script: type["Script"]) -> None:
    told = behind(script)
    told.say(e.TrackStatus, at=250, status="safety_car_ending")
    told.run(car9="301 362", car7="361")
    timing = told.fold()
    timing.state()
    assert timing.formation is not None
    assert timing.formation.at == timing.laps["9"].since
    told.run(car7="300")
    timing.apply(Record("s", len(told.events), 1, told.events[-1], b"", b""))
    assert timing.digest() == told.fold().digest()
    assert timing.formation.at == timing.laps["7"].since


@pytest.mark.parametrize(("laps", "behind_it", "left"), [(50, 3, 48), (50, 1, 50), (2, 9, 1)])
def test_the_laps_behind_it_less_one_are_taken_off(laps: int, behind_it: int, left: int) -> None:
    assert shortened(e.Distance(laps=laps), Formation(1, 2, behind_it)).laps == left


def test_minutes_are_left_as_they_are() -> None:
    assert shortened(e.Distance(minutes=20), Formation(1, 2, 5)) == e.Distance(minutes=20)


def test_formation_laps_that_a_late_passing_takes_back_have_not_ended(script: type["Script"]) -> None:
    told = behind(script)
    told.say(e.TrackStatus, at=250, status="safety_car_ending")
    told.run(car7="300")
    timing = told.fold()
    start = timing.board().session.started_at
    assert timing.formation is not None
    late, seq = told.run(car9="249").events[-1], timing.seq + 1  # who led then has not been at the line since
    timing.apply(Record("s", seq, 1, late, b"", b""))
    assert timing.board() == told.fold().board()
    assert timing.formation is None
    assert timing.board().session.started_at != start
