"""The message list, in words."""

from typing import TYPE_CHECKING, Any

import pytest

from timing.domain import events as e
from timing.projections.board import NoticeFacts
from timing.projections.notices import Written, notices, penalty_text

if TYPE_CHECKING:
    from tests.projections.conftest import Script


def decided(penalty: e.Penalty, **given: Any) -> e.Decision:
    return e.Decision(id="d", at=10, decision="D1", car="7", penalty=penalty, **given)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (e.Message(id="m", at=10, text="Track limits turn 4", car="7"), "Track limits turn 4"),
        (e.TrackStatus(id="m", at=10, status="safety_car_ending"), "Safety car in this lap"),
        (e.TrackStatus(id="m", at=10, status="yellow", sectors=(1, 3)), "Yellow flag in sector 1, 3"),
        (e.PitLane(id="m", at=10, open=False), "Pit lane closed"),
        (e.SessionStarted(id="m", at=10), "Start"),
        (e.SessionEnded(id="m", at=10), "Session closed"),
        (e.RaceStopped(id="m", at=10), "Race stopped: it will not be resumed"),
        (e.ResultPublished(id="m", at=10, stage="provisional"), "Result published: provisional"),
        (e.CarRetired(id="m", at=10, car="7", reason="gearbox"), "Car 7 retired: gearbox"),
        (e.CarWithdrawn(id="m", at=10, car="7"), "Car 7 withdrawn"),
        (decided("time", seconds=5.0, reason="contact"), "Car 7: 5 s penalty: contact"),
        (decided("drive_through", stage="investigated"), "Car 7: drive-through (investigated)"),
    ],
)
def test_what_is_written(command: e.AnyCommand, text: str) -> None:
    (notice,) = notices([(command, True)])
    assert (notice.id, notice.at, notice.text, notice.struck) == (command.id, 10, text, False)


def test_every_track_status_has_words() -> None:
    for status in e.Status.__args__:  # type: ignore[attr-defined]  # a Literal
        assert notices([(e.TrackStatus(id="m", at=1, status=status), True)])[0].text


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (decided("time", seconds=12.5), "12.5 s penalty"),
        (decided("stop_go", seconds=10.0), "10 s stop-go"),
        (decided("stop_go"), "stop-go"),
        (decided("laps", laps=1), "1 lap taken"),
        (decided("laps", laps=2, seconds=30.0), "2 laps taken and 30 s"),
        (decided("positions", positions=3), "3 places"),
        (decided("grid_places", positions=5), "5 grid places"),
        (decided("lap_time_deleted", lap=7), "time of lap 7 deleted"),
        (decided("last_of_class"), "last of class"),
        (decided("disqualified"), "disqualified"),
    ],
)
def test_penalties_in_words(decision: e.Decision, text: str) -> None:
    assert penalty_text(decision) == text


def test_in_order_of_time_and_struck_where_they_do_not_hold() -> None:
    later, earlier = e.Message(id="b", at=20, text="later"), e.Message(id="a", at=10, text="earlier")
    assert [(n.text, n.struck) for n in notices([(later, False), (earlier, True)])] == [("earlier", False), ("later", True)]


def test_a_decision_that_goes_on_names_its_car() -> None:
    update = e.DecisionUpdated(id="u", at=20, decision="D1", stage="quashed", reason="video")
    written = notices([(update, True), (decided("drive_through"), True)])
    assert (written[1].text, written[1].car) == ("Decision D1 (car 7): quashed: video", "7")


def test_what_is_written_once_follows_what_is_said_later() -> None:
    written: Written = {}
    update, decision = e.DecisionUpdated(id="u", at=20, decision="D1", stage="quashed"), decided("drive_through")
    (before,) = notices([(update, True)], written)
    assert before.car is None
    after = notices([(update, True), (decision, True)], written)
    assert [n.car for n in after] == ["7", "7"]
    assert notices([(update, True), (decision, True)], written)[1] is after[1]
    assert notices([(update, True), (decision, False)], written)[0].struck


def test_a_voided_message_stays_struck_through_on_the_board(script: type["Script"]) -> None:
    told = script("7")
    told.say(e.EventVoided, at=20, event=told.say(e.Message, at=10, text="Black flag car 7"))
    board = told.fold().board()
    assert [(n.text, n.struck) for n in board.notices if n.kind == "message"] == [("Black flag car 7", True)]


def test_the_facts_are_there_for_other_languages_and_race_controls_own_words_stay_as_they_are() -> None:
    said: list[e.AnyCommand] = [
        e.TrackStatus(id="a", at=1, status="yellow", sectors=(1, 2), cause="7"),
        e.Message(id="b", at=2, text="Track limits at turn 4", car="7"),
        e.Decision(id="c", at=3, decision="d", car="7", penalty="time", seconds=5, reason="pit lane speed"),
        e.DecisionUpdated(id="d", at=4, decision="d", stage="served"),
        e.SegmentStarted(id="e", at=5, segment="Hyperpole", class_="LMP2"),
    ]
    facts = [notice.facts for notice in notices((event, True) for event in said)]
    assert facts == [
        NoticeFacts(type="track_status", status="yellow", sectors=(1, 2), cause="7", car="7"),
        None,
        NoticeFacts(type="decision", decision="d", car="7", penalty="time", seconds=5, reason="pit lane speed", stage="issued"),
        NoticeFacts(type="decision_updated", decision="d", car="7", stage="served"),
        NoticeFacts(type="segment_started", segment="Hyperpole", class_="LMP2"),
    ]
