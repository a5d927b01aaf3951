"""The AsyncAPI document: well formed, true to the events and frames that the program takes and sends."""

import copy
import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from timing.domain.errors import MalformedEvent
from timing.domain.events import CHANNELS, AnyEvent, OwnEvent, Passing, channel_of
from timing.log.event_log import Appended
from timing.log.record import decode_event
from timing.projections.board import Board, Clock, Distance, DriverView, Gap, Notice, PenaltyView, ResultView, Row, SessionView
from timing.projections.frames import Framer
from timing.projections.marks import Mark
from timing.reference.asyncapi import document
from timing.reference.examples import EXAMPLES
from timing.services.door import Door, answers
from timing.services.replayed import Control, Replay, ReplayDifference, ReplayMarks, ReplayRefused, Target
from timing.services.rulebooks import Rulebooks

META = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text("utf-8"))
DOCUMENT = document()


def check_payload(message: str, payload: object, doc: dict[str, Any] = DOCUMENT) -> None:
    schema = {"components": doc["components"], **doc["components"]["messages"][message]["payload"]}
    jsonschema.Draft202012Validator(schema).validate(payload)


def test_it_is_an_asyncapi_document() -> None:
    jsonschema.Draft7Validator(META).validate(DOCUMENT)


def test_a_document_that_is_none_is_noticed() -> None:
    broken = copy.deepcopy(DOCUMENT)
    broken["operations"]["show"]["action"] = "shout"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(META).validate(broken)


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == "$ref"] + [r for v in value.values() for r in references(v)]
    return [r for v in value for r in references(v)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DOCUMENT)):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_event_is_on_its_channel_and_has_an_example() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(AnyEvent))
    for event in EXAMPLES:
        name = msgspec.to_builtins(event)["type"]
        if not isinstance(event, OwnEvent):
            channel = DOCUMENT["channels"][channel_of(event).partition("/")[0]]
            assert name in channel["messages"]
    assert set(DOCUMENT["channels"]) == {*CHANNELS, "accepted", "rejected", "desk", "feed"}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_what_the_program_takes_is_what_the_document_says(event: AnyEvent) -> None:
    payload = msgspec.json.encode(event)
    assert decode_event(payload) == event
    check_payload(msgspec.to_builtins(event)["type"], json.loads(payload))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_what_the_program_refuses_the_document_refuses(event: AnyEvent) -> None:
    whole = json.loads(msgspec.json.encode(event))
    for name in whole:
        without = {key: value for key, value in whole.items() if key != name}
        wrong = {**whole, name: {"no": "such value"}}
        for payload in (without, wrong):
            taken = True
            try:
                decode_event(msgspec.json.encode(payload))
            except MalformedEvent:
                taken = False
            try:
                check_payload(whole["type"], payload)
                described = True
            except jsonschema.ValidationError:
                described = False
            assert taken == described, f"{name} in {payload}"


def test_the_frames_that_are_sent_are_as_described() -> None:
    framer = Framer("e1")
    check_payload("snapshot", json.loads(framer.snapshot()))
    delta = framer.advance(board(laps=3), seq=10)
    assert delta is not None
    check_payload("delta", json.loads(delta))
    check_payload("snapshot", json.loads(framer.snapshot()))
    delta = framer.advance(board(laps=4), seq=11)
    assert delta is not None
    changes = json.loads(delta)
    check_payload("delta", changes)
    changes["rows"]["7"]["laps"] = "four"
    with pytest.raises(jsonschema.ValidationError):
        check_payload("delta", changes)


def test_the_answers_are_as_described() -> None:
    door = Door(Rulebooks().resolve)
    opened = msgspec.json.encode(EXAMPLES[0])
    said = [
        ("albi-race-1/session", opened, ["accepted"]),
        ("albi-race-1/control", b"flag: red", ["rejected"]),
        ("albi-race-1/control", b'{"type":"pit_lane","id":"p1","open":"wide"}', ["rejected"]),
        ("nowhere/control", b'{"type":"pit_lane","id":"p1","open":true}', ["rejected", "rejected"]),
        ("albi-race-1/passings/line-1", msgspec.json.encode(next(e for e in EXAMPLES if isinstance(e, Passing))), []),
    ]
    for topic, payload, outcomes in said:
        judged = door.judge(f"timing/v1/{topic}", payload, arrived_at=EXAMPLES[0].at)
        assert judged
        told = answers(judged, Appended("new", 4))
        assert [answer.topic.split("/")[3] for answer in told] == outcomes
        for answer, outcome in zip(told, outcomes, strict=True):
            check_payload(outcome, json.loads(answer.payload))
    with pytest.raises(jsonschema.ValidationError):
        check_payload("rejected", {"reason": "no code"})


def test_what_a_replay_says_and_is_asked_is_as_described() -> None:
    said: list[tuple[str, msgspec.Struct]] = [
        ("replay", Replay("s", "m", "playing", "max", "then", "at", 5, 4, 0, None, None, None, 0)),
        ("replay_marks", ReplayMarks("s", (Mark(5, "leader", "Car 7 leads", "7", 3),))),
        ("replay_difference", ReplayDifference("s", 5, (("7",), ("9",)), {"laps": (1, 2)}, {"7": {"gap": (None, {"laps": 1})}})),
        ("replay_refused", ReplayRefused("s", "seek", "there is none")),
        ("control", Control(do="seek", to=Target(lap=3))),
        ("control", Control(do="play", speed=0.5)),
        ("control", Control()),
    ]
    for message, struct in said:
        check_payload(message, json.loads(msgspec.json.encode(struct)))
    for wrong in ({"kind": "replay", "do": "fly"}, {"kind": "replay", "to": {"moon": 1}}, {"kind": "replay", "speed": 0}):
        with pytest.raises(jsonschema.ValidationError):
            check_payload("control", wrong)


def board(laps: int) -> Board:
    return Board(
        at=1_778_937_000_000_000 + laps,
        session=SessionView(
            name="Albi, race 1", kind="race", status="running", track_status="green", rulebook="default", laps=laps,
            distance=Distance(minutes=20, plus_laps=1), started_at=1_778_937_000_000_000, clock=Clock(elapsed_us=1, remaining_us=2),
            neutralised=False, pit_lane_open=True, circuit="Albi", sectors=3, classes=("Junior",), finished_at=None,
        ),
        order=("7",),
        rows={
            "7": Row(
                position=1, result=ResultView(1, 1, "running", None), class_="Junior", class_position=1, car="7", team=None,
                driver=DriverView("d1", "A. Pujol"), laps=laps, last_lap_us=88_000_000, best_lap_us=None, sectors_us=(1, None, 3),
                gap=Gap(0, 0), interval=Gap(0, 0), class_gap=Gap(0, 0), class_interval=Gap(0, 0), status="running", pit_stops=0,
                penalties=(PenaltyView("D1", "time", "issued", "5 s"),), grid=1, last_crossing_at=1_778_937_000_000_000, stint_laps=laps,
            )
        },
        notices=(Notice("m1", 1_778_937_000_000_000, "message", "Hello"),),
    )  # fmt: skip
