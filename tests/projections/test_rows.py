"""What a screen shows of each car and of the session."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.projections.board import Gap

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
ZERO = 1_747_400_000 * S


def gaps(told: "Script", car: str) -> list[tuple[int, float]]:
    """Give gap, interval, class gap and class interval as (laps, seconds)."""
    row = told.fold().board().rows[car]
    return [(g.laps, g.time_us / S) for g in (row.gap, row.interval, row.class_gap, row.class_interval)]


def test_gap_interval_and_both_in_class(script: type["Script"]) -> None:
    """7 and 9 are GT, 3 and 4 TC; 3 is lapped; 4 is 79 s behind 3, who has since begun another lap."""
    told = script("7 9 3 4", laps=9).run(car7="60 120 180 240", car9="61 122 183 245", car3="81 160 241", car4="115 239")
    rows = told.fold().board().rows
    assert [rows[car].class_position for car in ("7", "9", "3", "4")] == [1, 2, 1, 2]
    assert gaps(told, "7") == [(0, 0), (0, 0), (0, 0), (0, 0)]
    assert gaps(told, "9") == [(0, 5), (0, 5), (0, 5), (0, 5)]
    assert gaps(told, "3") == [(1, 61), (0, 58), (0, 0), (0, 0)]
    assert gaps(told, "4") == [(1, 119), (0, 79), (0, 79), (0, 79)]


def test_laps_drivers_grid_and_sectors_in_a_row(script: type["Script"]) -> None:
    told = script("7 9", laps=9)
    told.hear("T7", 20, 81, loop="S1")
    told.run(car7="60 119")
    told.say(e.DriverChanged, at=60, car="7", driver="bob7")
    row, other = (told.fold().board().rows[car] for car in ("7", "9"))
    assert (row.laps, row.last_lap_us, row.best_lap_us, row.sectors_us) == (2, 59 * S, 59 * S, (21 * S, 38 * S))
    assert (row.driver and row.driver.name, row.driver and row.driver.category, row.team) == ("Bob 7", "Gentleman", "Team 7")
    assert (other.driver and other.driver.name, other.grid, other.last_lap_us, other.sectors_us) == ("Ann 9", 2, None, (None, None))


def pit(told: "Script") -> None:
    told.hear("T3", 118, loop="PI")


def pit_and_out(told: "Script") -> None:
    told.hear("T3", 58, loop="PI")
    told.hear("T3", 62, loop="PO")


def park(told: "Script") -> None:
    told.run(car7="120 180", car3="185").say(e.CarRetired, at=190, car="3")


@pytest.mark.parametrize(
    ("what", "tell", "status"),
    [
        ("on the road", lambda told: told.run(car3="61 121"), "running"),
        ("in the pit lane", pit, "pit"),
        ("out again", pit_and_out, "running"),
        ("not seen for three laps of the fastest car", lambda told: told.run(car7="120 180 250", car3="61"), "stopped"),
        ("retired", lambda told: told.say(e.CarRetired, at=90, car="3"), "retired"),
        ("withdrawn", lambda told: told.say(e.CarWithdrawn, at=-5, car="3"), "not_started"),
        (
            "disqualified",
            lambda told: told.say(e.Decision, at=100, decision="D", car="3", penalty="disqualified"),
            "disqualified",
        ),
        ("took the flag", lambda told: told.run(car7="120 180", car3="90 185"), "finished"),
        ("took the flag, then parked", park, "finished"),
    ],
)  # fmt: skip
def test_the_status_of_a_car(script: type["Script"], what: str, tell: Callable[["Script"], object], status: str) -> None:
    told = script("7 3", laps=3 if "flag" in what else 9).run(car7="60")
    tell(told)
    assert told.fold().board().rows["3"].status == status


def test_before_the_start_nobody_has_started(script: type["Script"]) -> None:
    board = script("7 9", start=False).fold().board()
    assert (board.session.status, board.session.started_at, board.order) == ("scheduled", None, ("7", "9"))
    assert {row.status for row in board.rows.values()} == {"not_started"}


def test_pit_stops_and_the_stint(script: type["Script"]) -> None:
    told = script("7", laps=5)
    told.run(car7="60 120 190 250 310")
    told.hear("T7", 119, 315, loop="PI")
    told.hear("T7", 130, loop="PO")
    before_the_end = [event for event in told.events if not (isinstance(event, e.Passing) and event.at > ZERO + 260 * S)]
    assert [(r.pit_stops, r.stint_laps) for r in told.fold(before_the_end).board().rows.values()] == [(1, 2)]
    assert told.fold().board().rows["7"].pit_stops == 1, "into the pits after the flag is no stop"


def test_under_the_red_flag_that_ended_the_race_nobody_made_a_stop(script: type["Script"]) -> None:
    told = script("7", laps=9).run(car7="60 120 180")
    told.say(e.TrackStatus, at=185, status="red")
    told.hear("T7", 230, loop="PI")
    told.say(e.RaceStopped, at=300)
    row = told.fold().board().rows["7"]
    assert (row.pit_stops, row.status) == (0, "finished")


def test_penalties_are_badges_and_the_result_has_them_in_it(script: type["Script"]) -> None:
    told = script("7 9", laps=2).run(car7="60 120", car9="61 122")
    told.say(e.Decision, at=100, decision="D1", car="7", penalty="time", seconds=5.0)
    told.say(e.Decision, at=101, decision="D2", car="7", penalty="warning")
    told.say(e.DecisionUpdated, at=110, decision="D2", stage="quashed")
    board = told.fold().board()
    row = board.rows["7"]
    assert [(p.text, p.stage) for p in row.penalties] == [("5 s penalty", "issued"), ("warning", "quashed")]
    assert board.order == ("7", "9"), "the road"
    assert (row.position, row.result.position, row.result.total_us) == (1, 2, 125 * S)


@pytest.mark.parametrize(
    ("what", "tell", "shown"),
    [
        ("runs", lambda _: None, ("running", "green", False)),
        ("safety car", lambda told: told.say(e.TrackStatus, at=70, status="safety_car"), ("running", "safety_car", True)),
        ("red flag", lambda told: told.say(e.TrackStatus, at=70, status="red"), ("suspended", "red", False)),
        ("over by its distance", lambda told: told.run(car7="120 180"), ("finished", "chequered", False)),
        ("closed", lambda told: told.say(e.SessionEnded, at=100), ("finished", "green", False)),
        ("published", lambda told: told.say(e.ResultPublished, at=100, stage="amended"), ("provisional", "green", False)),
        ("final", lambda told: told.say(e.ResultPublished, at=100, stage="final"), ("final", "green", False)),
    ],
)
def test_the_head_of_the_screen(
    script: type["Script"], what: str, tell: Callable[["Script"], object], shown: tuple[str, str, bool]
) -> None:
    told = script("7", laps=3).run(car7="60")
    tell(told)
    session = told.fold().board().session
    assert (session.status, session.track_status, session.neutralised) == shown
    assert (session.name, session.rulebook, session.distance.laps) == ("Sunday", "Test rules", 3)


@pytest.mark.parametrize(
    ("run", "elapsed", "remaining"), [("60", 60, 60), ("60 119", 119, 1), ("60 119 130", 130, 0), ("60 119 130 190", 130, 0)]
)
def test_the_clock_runs_with_the_evidence_and_stops_at_the_end(script: type["Script"], run: str, elapsed: int, remaining: int) -> None:
    clock = script("7", minutes=2).run(car7=run).fold().board().session.clock
    assert (clock.elapsed_us, clock.remaining_us) == (elapsed * S, remaining * S)


def test_the_pit_lane_and_the_classes(script: type["Script"]) -> None:
    told = script("7 3")
    assert told.fold().board().session.pit_lane_open
    told.say(e.PitLane, at=10, open=False)
    session = told.fold().board().session
    assert (session.pit_lane_open, session.classes) == (False, ("GT", "TC"))


def test_a_session_of_which_nothing_is_known_has_a_board(script: type["Script"]) -> None:
    board = script("7").fold([]).board()
    assert (board.order, board.session.name, board.session.status) == ((), "s", "scheduled")


def test_gaps_of_qualifying_are_of_best_laps(script: type["Script"]) -> None:
    told = script("7 9 3", kind="qualifying").run(car7="70 160 245", car9="80 164 250", car3="100")
    rows = told.fold().board().rows
    assert [rows[car].gap for car in ("9", "7", "3")] == [Gap(0, 0), Gap(0, S), Gap(0, 0)]


def test_the_interval_of_a_battle_closes_and_opens(script: type["Script"]) -> None:
    told = script("7 9 3", laps=9).run(car7="60 120", car9="63 122.4", car3="70 140")
    rows = told.fold().board().rows
    changes = {car: (rows[car].interval_change_us, rows[car].class_interval_change_us) for car in rows}
    assert changes == {"7": (None, None), "9": (-600_000, -600_000), "3": (10_600_000, None)}
    told.run(car9="179", car7="180")  # 9 went past: there is no interval in this order on the lap before
    rows = told.fold().board().rows
    assert [rows[car].interval_change_us for car in ("9", "7", "3")] == [None, None, 10 * S]


def test_a_cars_best_sectors_are_of_any_lap_the_one_it_is_on_included(script: type["Script"]) -> None:
    told = script("7", laps=9)
    told.hear("T7", 20, 78, 141, loop="S1")
    told.run(car7="60 120")
    assert told.fold().board().rows["7"].best_sectors_us == (18 * S, 40 * S)
    told.hear("T7", 195, loop="S1")
    told.run(car7="180")
    assert told.fold().board().rows["7"].best_sectors_us == (15 * S, 39 * S)


def test_an_amended_result_is_due_when_a_decision_follows_the_publication(script: type["Script"]) -> None:
    told = script("7 9", laps=1).run(car7="60", car9="61")
    assert not told.fold().board().session.result_due
    told.say(e.ResultPublished, at=70, stage="provisional")
    assert not told.fold().board().session.result_due
    decision = told.say(e.Decision, at=80, decision="d1", car="7", penalty="time", seconds=5)
    assert told.fold().board().session.result_due
    told.say(e.EventVoided, at=90, event=decision)
    assert not told.fold().board().session.result_due
