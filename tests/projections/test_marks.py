"""What a scrub bar marks of a session."""

from typing import TYPE_CHECKING

from timing.domain import events as e
from timing.projections.marks import MARKS_KEPT, leaders, marks

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000


def test_flags_messages_decisions_and_changes_of_the_leader_are_marked(script: type["Script"]) -> None:
    told = script("7 9 3", laps=9).run(car7="60 130 190", car9="61 120 200", car3="70 150")
    told.say(e.TrackStatus, at=100, id="red", status="red")
    told.say(e.TrackStatus, at=110, id="go", status="green")
    told.say(e.Message, at=115, id="m", text="Rain at turn 3", car="9")
    told.say(e.Decision, at=125, id="d", decision="D1", car="9", penalty="time", seconds=5, reason="jump start")
    timing = told.fold()
    zero = timing.state().said.start
    assert zero is not None
    found = [((m.at - zero) // S, m.kind, m.car, m.lap) for m in marks(timing)]
    assert found == [
        (0, "session", None, None),
        (60, "leader", "7", 1),
        (100, "red", None, None),
        (110, "flag", None, None),
        (115, "message", "9", None),
        (120, "leader", "9", 2),
        (125, "decision", "9", None),
        (190, "leader", "7", 3),
    ]
    assert [car for _, car in leaders(timing)] == ["7", "9", "7"]
    assert [m.facts.status for m in marks(timing) if m.facts and m.facts.type == "track_status"] == ["red", "green"], "for bars"


def test_nobody_leads_a_lap_after_the_flag(script: type["Script"]) -> None:
    told = script("7 9", laps=2).run(car7="60 120 400", car9="61 121 300")
    timing = told.fold()
    assert [car for _, car in leaders(timing)] == ["7", "7"]
    assert [m.car for m in marks(timing) if m.kind == "leader"] == ["7"], "who goes round more quickly with the flag taken leads nothing"


def test_nobody_leads_a_lap_under_the_red_flag_that_ended_the_race(script: type["Script"]) -> None:
    told = script("7 9", laps=9).run(car7="60 120 180 320", car9="61 121 181 300")
    told.say(e.TrackStatus, at=200, id="red", status="red")
    told.say(e.RaceStopped, at=500, id="stop")
    assert [car for _, car in leaders(told.fold())] == ["7", "7", "7"]


def test_what_was_taken_back_is_not_marked(script: type["Script"]) -> None:
    told = script("7")
    told.say(e.Message, at=10, id="m", text="Wrong turn")
    told.say(e.EventVoided, at=20, event="m")
    assert [m.kind for m in marks(told.fold())] == ["session"]


def test_the_latest_marks_are_kept(script: type["Script"]) -> None:
    told = script("7")
    for number in range(MARKS_KEPT + 5):
        told.say(e.Message, at=10 + number, id=f"m{number}", text=f"Message {number}")
    found = marks(told.fold())
    assert len(found) == MARKS_KEPT
    assert found[-1].text == f"Message {MARKS_KEPT + 4}"


def test_a_session_without_laps_of_a_leader_has_no_leaders_marked(script: type["Script"]) -> None:
    told = script("7 9", kind="practice").run(car7="60 130", car9="61 120")
    assert {m.kind for m in marks(told.fold())} == {"session"}
