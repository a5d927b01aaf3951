"""Decisions in a session: what they weigh by how the race ended, and what race control is asked to look at."""

from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.domain.rulebook import Penalties, Rulebook
from timing.projections.result import result

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000


def race(script: type["Script"], rules: Penalties | None = None, laps: int = 5) -> "Script":
    return script("7 9", laps=laps, rules=Rulebook(id="test", title="Test", source="test", penalties=rules or Penalties()))


def run(told: "Script", laps: int) -> "Script":
    """Let 7 and 9 run so many laps of a minute, 9 a second behind, and the laps after the leader's last not."""
    return told.run(car7=" ".join(str(60 * n) for n in range(1, laps + 1)), car9=" ".join(str(60 * n + 1) for n in range(1, laps + 1)))


def candidates(told: "Script") -> list[str]:
    return [notice.text for notice in told.fold().board().notices if notice.kind == "candidate"]


def total_of(told: "Script", car: str) -> int:
    return next(p.total_us or 0 for p in told.fold().classification() if p.car == car)


@pytest.mark.parametrize(("given_at", "late"), [(59.0, False), (60.0, True), (119.0, True), (400.0, True)])
def test_which_laps_are_the_last_is_counted_by_the_leader(script: type["Script"], given_at: float, late: bool) -> None:
    """Of four laps the last three begin when the leader ends the first."""
    told = run(race(script, Penalties(unserved="reported"), laps=4), 4)
    told.say(e.Decision, at=given_at, decision="D", car="9", penalty="drive_through")
    assert total_of(told, "9") == (261 if late else 241) * S


def test_a_session_closed_without_a_flag_ends_the_race_for_what_was_not_served(script: type["Script"]) -> None:
    told = run(race(script, Penalties(unserved="disqualified", convert_within_laps=0), laps=9), 4)
    told.say(e.Decision, at=70, decision="D", car="9", penalty="drive_through")
    assert total_of(told, "9") == 241 * S
    told.say(e.SessionEnded, at=300)
    timing = told.fold()
    assert [p.status for p in timing.classification()] == ["classified", "disqualified"]
    assert timing.board().rows["9"].status == "disqualified"
    told.say(e.Decision, at=310, decision="E", car="7", penalty="drive_through")
    assert total_of(told, "7") == 260 * S


def test_who_went_through_the_pit_lane_and_who_did_not(script: type["Script"]) -> None:
    told = run(race(script), 2)
    told.say(e.Decision, at=70, decision="D", car="7", penalty="stop_go", seconds=10.0)
    told.say(e.Decision, at=130, decision="E", car="9", penalty="drive_through")
    assert candidates(told) == []
    told.hear("T7", 175, loop="PI")
    assert candidates(told) == [], "it is in the pit lane still"
    told.hear("T7", 180, loop="SFP")
    told.hear("T7", 210, loop="PO")
    assert candidates(told) == ["Car 7 went through the pit lane in 35.000 s after its 10 s stop-go (D): served?"]
    told.run(car9="181 241")
    assert len(candidates(told)) == 1, "two crossings are allowed"
    told.run(car9="301")
    assert candidates(told)[1] == "Car 9 has not served its drive-through (E) in 3 crossings"
    told.say(e.DecisionUpdated, at=302, decision="D", stage="served")
    told.say(e.DecisionUpdated, at=302, decision="E", stage="suspended")
    assert candidates(told) == []


def test_serving_too_late_is_named(script: type["Script"]) -> None:
    told = run(race(script), 4)
    told.say(e.Decision, at=70, decision="D", car="7", penalty="drive_through")
    told.hear("T7", 250, loop="PI")
    told.hear("T7", 270, loop="PO")
    assert candidates(told) == [
        "Car 7 went through the pit lane in 20.000 s after its drive-through (D): served?, after 3 crossings of the line, 2 are allowed"
    ]


def test_a_visit_before_the_decision_serves_nothing(script: type["Script"]) -> None:
    told = run(race(script), 1)
    told.hear("T7", 65, loop="PI")
    told.hear("T7", 80, loop="PO")
    told.say(e.Decision, at=90, decision="D", car="7", penalty="drive_through")
    assert candidates(told) == []


@pytest.mark.parametrize(("allowed", "named"), [(0, False), (2, True), (3, False)])
def test_strikes_for_track_limits_are_counted_and_named(script: type["Script"], allowed: int, named: bool) -> None:
    told = run(race(script, Penalties(track_limits_strikes=allowed)), 2)
    told.say(e.Decision, at=70, decision="A", car="7", penalty="warning", reason="Track limits, turn 4")
    told.say(e.Decision, at=130, decision="B", car="7", penalty="lap_time_deleted", lap=2, reason="track limits")
    assert [row.track_limits for row in result(told.fold()).rows] == [2, 0]
    assert candidates(told) == ([f"Car 7: 2 track-limits strikes, {allowed} are allowed for"] if named else [])


def test_on_the_road_and_by_decisions_side_by_side(script: type["Script"]) -> None:
    told = run(race(script, laps=2), 2)
    told.say(e.Decision, at=200, decision="D", car="7", penalty="time", seconds=5.0)
    told.say(e.Decision, at=200, decision="G", car="9", penalty="grid_places", positions=5)
    document = result(told.fold())
    assert [(r.car, r.on_the_road, r.gained, r.added_us, r.laps_taken) for r in document.rows] == [
        ("9", 2, 1, 0, 0),
        ("7", 1, -1, 5 * S, 0),
    ]
    assert [(d.car, d.places, d.decision) for d in document.grid_drops] == [("9", 5, "G")]
    told.say(e.Decision, at=201, decision="X", car="9", penalty="disqualified")
    assert [(r.car, r.gained) for r in result(told.fold()).rows] == [("7", 0), ("9", None)]
