"""A preview says what would change, judges as the service would, and leaves the session as it is."""

from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.domain.errors import MalformedEvent
from timing.projections.differences import Change
from timing.projections.preview import preview
from timing.projections.supposing import event_of

if TYPE_CHECKING:
    from tests.projections.conftest import Script


PASSING = b'{"type":"passing","decoder":"line","boot":1,"number":1,"loop":"SF","transponder":"?","at":1747400060000000}'
OPENING = (
    b'{"type":"session_opened","at":1,"session":"x","name":"X","kind":"race","rulebook":"fia-f1","distance":{},'
    b'"circuit":{"name":"C","loops":[{"id":"SF","line":"finish"}]}}'
)


def race(script: type["Script"]) -> "Script":
    return script("7 9 3", laps=2).run(car7="60 120", car9="61 122", car3="70 140")


def test_a_penalty_shows_who_gains_and_who_loses(script: type["Script"]) -> None:
    timing = race(script).fold()
    before, board = timing.digest(), timing.board()
    found = preview(timing, [event_of(b'{"type":"decision","decision":"D1","car":"7","penalty":"time","seconds":5}', 1)])
    assert {car.car: car.changes["position"] for car in found.differences.cars} == {"7": Change(1, 2), "9": Change(2, 1)}
    assert found.words[0] == "car 9: result P2 -> P1, in class P2 -> P1"
    assert not found.refused
    assert timing.digest() == before
    assert timing.board() == board


def test_several_events_are_one_preview_in_their_order(script: type["Script"]) -> None:
    timing = race(script).fold()
    given = b'{"type":"decision","decision":"D1","car":"7","penalty":"time","seconds":5}'
    quashed = b'{"type":"decision_updated","decision":"D1","stage":"quashed"}'
    assert preview(timing, [event_of(given, 1), event_of(quashed, 2)]).differences.none
    assert preview(timing, [event_of(quashed, 1), event_of(given, 2)]).refused[0].code == "unknown-decision"


def test_leaving_out_is_the_race_as_if_it_had_not_been(script: type["Script"]) -> None:
    told = race(script)
    opening = told.events[0]
    assert isinstance(opening, e.SessionOpened)
    told.say(e.Decision, at=150, id="given", decision="D1", car="7", penalty="time", seconds=5)
    timing = told.fold()
    found = preview(timing, [], without=["given", "nobody", opening.id])
    assert {car.car: car.changes["position"] for car in found.differences.cars} == {"7": Change(2, 1), "9": Change(1, 2)}
    assert set(found.unknown) == {"nobody", opening.id}, "the opening of a session is not left out"
    found = preview(timing, [], without=["passing/line/1/1"])
    assert next(car for car in found.differences.cars if car.car == "7").changes["laps"] == Change(2, 1)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"type":"decision","decision":"D1","car":"99","penalty":"time","seconds":5}', "unknown-car"),
        (b'{"type":"event_voided","event":"nothing"}', "unknown-event"),
        (b'{"type":"session_started","at":1747400000000000}', "already-started"),
        (
            b'{"type":"passing","decoder":"line","boot":1,"number":1,"loop":"SF","transponder":"T9","at":1747400060000000}',
            "identity-conflict",
        ),
        (PASSING.replace(b"?", b"T7"), "already-there"),
        (OPENING, "not-previewable"),
    ],
)
def test_what_would_be_refused_is_said_and_changes_nothing(script: type["Script"], payload: bytes, code: str) -> None:
    found = preview(race(script).fold(), [event_of(payload, 1)])
    assert [(r.event, r.code) for r in found.refused] == [(1, code)]
    assert found.differences.none


def test_a_passing_that_has_not_come_yet_can_be_tried(script: type["Script"]) -> None:
    payload = b'{"type":"passing","decoder":"line","boot":1,"number":99,"loop":"SF","transponder":"T9","at":1747400119000000}'
    found = preview(race(script).fold(), [event_of(payload, 1)])
    assert next(car for car in found.differences.cars if car.car == "9").changes["position"] == Change(2, 1)


def test_a_correction_needs_neither_name_nor_reason_and_a_fault_is_named() -> None:
    event = event_of(b'{"type":"passing_voided","passing":{"decoder":"d","boot":1,"number":1}}', 4)
    assert isinstance(event, e.PassingVoided)
    assert (event.id, event.by) == ("preview-4", "preview")
    for payload, code in ((b"{", "not-json"), (b"[]", "bad-field"), (b"{}", "unknown-type"), (b'{"type":"message"}', "bad-field")):
        with pytest.raises(MalformedEvent) as raised:
            event_of(payload, 1)
        assert raised.value.code == code
