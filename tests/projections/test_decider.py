"""Commands become events, or are refused with a code for programs and a reason for people."""

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from timing.domain import events as e
from timing.domain.errors import RulebookError
from timing.projections.decider import Decider, Refusal

CIRCUIT = e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"), e.Loop(id="S1", line="sector")))
NOW = 1_000


def resolve(said: str | Mapping[str, Any]) -> dict[str, Any]:
    if said == "unheard-of":
        raise RulebookError("there is no rulebook unheard-of")
    return {"id": "club", "title": "Club", "source": "test"}


def opening(n: int = 1, *, rulebook: str = "club", circuit: e.Circuit = CIRCUIT) -> e.SessionOpened:
    return e.SessionOpened(
        id=f"open{n}", at=1, session="s", name="S", kind="race", rulebook=rulebook, distance=e.Distance(laps=3), circuit=circuit
    )


def entry(car: str, *transponders: str) -> e.EntryRegistered:
    drivers = (e.Driver(id="ann", name="Ann"), e.Driver(id="bob", name="Bob")) if car == "7" else ()
    return e.EntryRegistered(id=f"entry-{car}-{len(transponders)}", at=2, car=car, class_="GT", drivers=drivers, transponders=transponders)


def voided(event: str, n: int = 1) -> e.EventVoided:
    return e.EventVoided(id=f"void-{event}-{n}", at=50, event=event, by="TK", reason="mistaken")


def retimed(event: str, at: int = 60) -> e.EventRetimed:
    return e.EventRetimed(id=f"retime-{event}-{at}", at=at, event=event, by="TK", reason="seen on video")


def status(what: e.Status, at: int) -> e.TrackStatus:
    return e.TrackStatus(id=f"{what}-{at}", at=at, status=what)


def decision(n: int = 1, **given: Any) -> e.Decision:
    return e.Decision(**{"id": f"decision{n}", "at": 40, "decision": "D1", "car": "7", "penalty": "time", "seconds": 5.0, **given})


def updated(stage: e.DecisionStage, n: int = 1, decision: str = "D1") -> e.DecisionUpdated:
    return e.DecisionUpdated(id=f"update{n}", at=45, decision=decision, stage=stage)


def published(stage: Literal["provisional", "amended", "final"], n: int = 1) -> e.ResultPublished:
    return e.ResultPublished(id=f"publish{n}", at=200 + n, stage=stage)


KEY = e.SigningKey(id="key", at=10, key="00" * 32)
START, END = e.SessionStarted(id="start", at=10), e.SessionEnded(id="end", at=100)
STOP = e.RaceStopped(id="stop", at=90)
BY: dict[str, Any] = {"by": "TK", "reason": "seen"}


def told(*said: e.AnyEvent) -> Decider:
    """Tell a session with cars 7 and 9 these commands; each must be taken."""
    decider = Decider("s", resolve)
    for command in (opening(), entry("7", "T7"), entry("9", "T9"), *said):
        event = decider.decide(command, NOW)
        assert not isinstance(event, Refusal), event
        decider.evolve(event)
    return decider


@pytest.mark.parametrize(
    ("code", "before", "command"),
    [
        ("already-open", [], opening(2)),
        ("already-started", [START], e.SessionStarted(id="start2", at=11)),
        ("already-ended", [END], e.SessionEnded(id="end2", at=101)),
        ("bad-grid", [], e.GridSet(id="g", at=3, cars=("7", None, "7"))),
        ("unknown-car", [], e.GridSet(id="g", at=3, cars=("7", None, "8"))),
        ("unknown-car", [], e.CarRetired(id="r", at=20, car="8")),
        ("unknown-car", [], e.CarWithdrawn(id="w", at=20, car="8")),
        ("unknown-car", [], e.Message(id="m", at=20, text="Drive", car="8")),
        ("unknown-car", [], e.DriverChanged(id="d", at=20, car="8", driver="ann")),
        ("unknown-car", [], e.TransponderAssigned(id="t", at=20, transponder="T1", car="8")),
        ("unknown-car", [], decision(car="8")),
        ("unknown-car", [], e.PassingAdded(id="p", at=20, car="8", loop="SF", **BY)),
        ("unknown-car", [], e.PassingReassigned(id="p", car="8", passing=e.PassingKey(decoder="d", boot=1, number=1), **BY)),
        ("unknown-loop", [], e.PassingAdded(id="p", at=20, car="7", loop="S9", **BY)),
        ("unknown-driver", [], e.DriverChanged(id="d", at=20, car="7", driver="eve")),
        ("transponder-taken", [], entry("8", "T8", "T7")),
        ("bad-interval", [], e.TransponderAssigned(id="t", at=20, transponder="T1", car="7", from_=30, until=30)),
        ("bad-interval", [], e.DecoderClockCorrected(id="c", decoder="d", offset_us=1, from_=30, until=29, **BY)),
        ("not-suspended", [], STOP),
        ("not-suspended", [status("red", 50), status("green", 60)], STOP),
        ("not-suspended", [status("red", 50), voided("red-50")], STOP),
        ("decision-exists", [decision()], decision(2)),
        ("missing-field", [], decision(seconds=None)),
        ("missing-field", [], decision(penalty="laps")),
        ("missing-field", [], decision(penalty="positions")),
        ("missing-field", [], decision(penalty="grid_places")),
        ("missing-field", [], decision(penalty="lap_time_deleted")),
        ("unknown-decision", [], updated("served")),
        ("decision-quashed", [decision(), updated("quashed")], updated("issued", 2)),
        ("not-from-here", [decision()], updated("noted")),
        ("not-from-here", [decision(), updated("served")], updated("served", 2)),
        ("not-from-here", [decision(stage="noted")], updated("converted")),
        ("not-from-here", [decision(), updated("served")], updated("suspended", 0)),
        ("unknown-decision", [decision(), updated("served"), voided("decision1")], updated("issued", 2)),
        ("decision-exists", [decision(), updated("served"), voided("decision1")], decision(2)),
        ("not-provisional", [published("final")], published("provisional", 2)),
        ("not-provisional", [published("provisional"), published("amended", 2)], published("provisional", 3)),
        ("unknown-event", [], voided("nothing")),
        ("unknown-event", [], retimed("nothing")),
        ("already-voided", [START, voided("start")], voided("start", 2)),
        ("already-retimed", [START, retimed("start")], retimed("start", 61)),
        ("missing-field", [START], retimed("start", 0)),
        ("not-correctable", [], voided("open1")),
        ("not-correctable", [], retimed("open1")),
        ("not-correctable", [KEY], voided("key")),
    ],
)
def test_what_is_refused(code: str, before: list[e.AnyEvent], command: e.AnyEvent) -> None:
    decider = told(*before)
    refused = decider.decide(command, NOW)
    assert isinstance(refused, Refusal), "it was taken"
    assert refused.code == code
    assert len(refused.reason) > 10
    assert decider.decide(command, NOW) == refused, "looking changes nothing"


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("unknown-rulebook", opening(rulebook="unheard-of")),
        ("bad-circuit", opening(circuit=e.Circuit(name="Ring", loops=(e.Loop(id="S1", line="sector"),)))),
        ("bad-circuit", opening(circuit=e.Circuit(name="R", loops=(e.Loop(id="SF", line="finish"), e.Loop(id="SF", line="speed"))))),
    ],
)
def test_what_opens_no_session(code: str, command: e.SessionOpened) -> None:
    decider = Decider("s", resolve)
    refused = decider.decide(command, NOW)
    assert isinstance(refused, Refusal)
    assert refused.code == code
    assert not decider.open


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ([START, voided("start")], e.SessionStarted(id="start2", at=11)),
        ([START, voided("start"), voided("void-start-1")], voided("start", 2)),
        ([START, retimed("start"), voided("retime-start-60")], retimed("start", 61)),
        ([status("red", 50)], STOP),
        ([status("red", 50), status("green", 60), status("red", 70)], STOP),
        ([status("red", 50), status("green", 60), voided("green-60")], STOP),
        ([status("red", 50), status("chequered", 60)], STOP),
        ([status("red", 50), retimed("red-50", 70), status("green", 60)], STOP),
        ([decision(), voided("decision1")], decision(2)),
        ([decision(), updated("quashed"), voided("update1")], updated("served", 2)),
        ([decision(), voided("decision1"), voided("void-decision1-1")], updated("served")),
        ([], entry("7", "T7", "T7b")),
        ([], e.DriverChanged(id="d", at=20, car="9", driver="whoever")),
        ([], e.Message(id="m", at=20, text="Track limits")),
        ([], decision(penalty="disqualified", seconds=None)),
    ],
)
def test_what_is_taken(before: list[e.AnyEvent], command: e.AnyEvent) -> None:
    assert told(*before).decide(command, NOW) == command


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ([decision(), voided("decision1"), voided("void-decision1-1")], decision(2), "decision-exists"),
        ([START, voided("start"), voided("void-start-1")], e.SessionStarted(id="start2", at=11), "already-started"),
        ([START, retimed("start"), voided("retime-start-60"), voided("void-retime-start-60-1")], retimed("start", 61), "already-retimed"),
        ([voided("entry-9-1")], e.CarRetired(id="r", at=20, car="9"), "unknown-car"),
    ],
)
def test_a_void_takes_with_it_what_was_said_and_a_void_undone_brings_it_back(
    before: list[e.AnyEvent], command: e.AnyEvent, code: str
) -> None:
    refused = told(*before).decide(command, NOW)
    assert isinstance(refused, Refusal)
    assert refused.code == code


def test_a_command_without_an_instant_gets_that_of_its_arrival() -> None:
    given = told().decide(e.TrackStatus(id="g", status="green"), NOW)
    assert given == e.TrackStatus(id="g", status="green", at=NOW, stamped=True)


def test_the_whole_rulebook_goes_into_the_opening() -> None:
    given = Decider("s", resolve).decide(opening(), NOW)
    assert isinstance(given, e.SessionOpened)
    assert given.rules == resolve("club")


def test_a_repetition_comes_back_for_the_log_to_tell_from_a_conflict() -> None:
    decider = told(START, END)
    assert decider.decide(START, NOW) == START
    other = e.SessionStarted(id="start", at=77)
    assert decider.decide(other, NOW) == other
    decider.evolve(other)
    assert decider.events["start"] == START, "what is recorded stays"


@pytest.mark.parametrize(
    "fact",
    [
        e.Passing(decoder="d", boot=1, number=1, loop="nowhere", transponder="unknown", at=1),
        e.Lap(source="x", boot=1, number=1, car="8", lap=1, at=1),
    ],
)
def test_facts_are_never_refused(fact: e.AnyEvent) -> None:
    assert told().decide(fact, NOW) is fact
