"""The evidence: every correction finds its passing, before or after it arrives, and nothing depends on the order of arrival."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.projections.evidence import Evidence, entries_of, holding, loop_indices
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
ZERO = 1_747_400_000 * S


def seconds(timing: Timing) -> dict[str, list[float]]:
    """Give each car's crossings of any loop, in seconds from the start."""
    timing.state()
    return {car: [(c[0] - ZERO) / S for c in crossings] for car, crossings in timing.evidence.crossings.items() if crossings}


def void(script: "Script") -> None:
    script.say(e.PassingVoided, at=200, passing=e.PassingKey(decoder="line", boot=1, number=2))


def reassign(script: "Script") -> None:
    script.say(e.PassingReassigned, at=200, passing=e.PassingKey(decoder="line", boot=1, number=2), car="9")


def add(script: "Script") -> None:
    script.say(e.PassingAdded, at=90, car="7", loop="SF")


def swap(script: "Script") -> None:
    script.say(e.TransponderAssigned, at=200, transponder="T7", car="9", from_=ZERO + 100 * S, until=ZERO + 150 * S)


def clock(script: "Script") -> None:
    script.say(e.DecoderClockCorrected, at=200, decoder="line", offset_us=-5 * S, from_=ZERO + 100 * S)


def clock_of_boot(script: "Script") -> None:
    script.say(e.DecoderClockCorrected, at=200, decoder="line", boot=2, offset_us=-5 * S)


def late_entry(script: "Script") -> None:
    script.enter("8", at=200, transponder="T8")


def undone_void(script: "Script") -> None:
    void(script)
    script.say(e.EventVoided, at=201, event=script.events[-1].id)  # type: ignore[union-attr]  # a command


def void_of_undone_void(script: "Script") -> None:
    undone_void(script)
    script.say(e.EventVoided, at=202, event=script.events[-1].id)  # type: ignore[union-attr]  # a command


def added_retimed(script: "Script") -> None:
    script.say(e.EventRetimed, at=95, event=script.say(e.PassingAdded, at=90, car="7", loop="SF"))


def added_and_voided(script: "Script") -> None:
    script.say(e.EventVoided, at=201, event=script.say(e.PassingAdded, at=90, car="7", loop="SF"))


def new_transponder(script: "Script") -> None:
    script.enter("7", at=200, transponder="T8")


@pytest.mark.parametrize(
    ("correct", "crossings"),
    [
        (lambda _: None, {"7": [60, 120, 180]}),
        (void, {"7": [60, 180]}),
        (undone_void, {"7": [60, 120, 180]}),
        (void_of_undone_void, {"7": [60, 180]}),
        (reassign, {"7": [60, 180], "9": [120]}),
        (add, {"7": [60, 90, 120, 180]}),
        (added_retimed, {"7": [60, 95, 120, 180]}),
        (added_and_voided, {"7": [60, 120, 180]}),
        (swap, {"7": [60, 180], "9": [120]}),
        (clock, {"7": [60, 115, 175]}),
        (clock_of_boot, {"7": [60, 120, 175]}),
        (late_entry, {"7": [60, 120, 180], "8": [61]}),
        (new_transponder, {"7": [61]}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("arrival", ["after", "before", "between", "any"])
def test_a_correction_finds_its_passings_whenever_it_arrives(
    script: type["Script"], correct: Callable[["Script"], None], crossings: dict[str, list[float]], arrival: str
) -> None:
    told = script()
    opened = len(told.events)
    told.hear("T7", 60, 120)
    told.hear("T7", 180, boot=2)
    told.hear("T8", 61, decoder="back")
    heard = len(told.events)
    correct(told)
    head, facts, corrections = told.events[:opened], told.events[opened:heard], told.events[heard:]
    if arrival == "after":
        timing = told.fold()
    elif arrival == "before":
        timing = told.fold([*head, *corrections, *facts])
    elif arrival == "between":  # and looked at on the way
        timing = told.fold([*head, *facts[:2]])
        timing.board()
        for record in told.events[opened + 2 :]:
            timing.evidence.add(record)
        timing._state = None
    else:
        mixed = [*told.events, *corrections]
        random.Random(arrival).shuffle(mixed)
        timing = told.fold(mixed)
    assert seconds(timing) == crossings
    assert timing.digest() == told.fold().digest()


def test_an_unknown_passing_waits_for_its_entry(script: type["Script"]) -> None:
    told = script()
    told.hear("T8", 60)
    told.hear("T7", 60, loop="nowhere")
    timing = told.fold()
    timing.state()
    assert len(timing.evidence.unplaced) == 2
    told.enter("8", at=100)
    assert seconds(told.fold()) == {"8": [60]}
    assert len(told.fold().evidence.unplaced) <= 2


def test_a_void_passing_of_nobody_waits_no_longer(script: type["Script"]) -> None:
    told = script()
    (key,) = told.hear("marshal", 60)
    told.say(e.PassingVoided, at=61, passing=key)
    timing = told.fold()
    timing.state()
    assert not timing.evidence.unplaced


def test_two_passings_of_one_key_are_one(script: type["Script"]) -> None:
    told = script().run(car7="60")
    again = told.events[-1]
    assert seconds(told.fold([*told.events, again, again])) == {"7": [60]}


def test_only_new_crossings_at_the_end_leave_the_car_as_it_was(script: type["Script"]) -> None:
    """``settle`` names who changed, and whether it must be counted anew."""
    told, evidence = script(), Evidence()
    told.hear("T7", 60, 120)
    told.hear("T9", 61)
    for event in told.events:
        evidence.add(event)
    assert evidence.settle() == {"7": False, "9": False}
    assert evidence.settle() == {}
    told.hear("T7", 180, 170)
    told.hear("T9", 122)
    for event in told.events:
        evidence.add(event)
    assert evidence.settle() == {"7": True, "9": False}


@pytest.mark.parametrize(
    ("voids", "holds"),
    [([], True), (["x"], False), (["x", "v0"], True), (["x", "v0", "v1"], False), (["x", "x"], False), (["x", "x", "v0"], False)],
)
def test_a_void_of_a_void_brings_back(voids: list[str], holds: bool) -> None:
    said: dict[str, e.AnyCommand] = {"x": e.SessionStarted(id="x", at=1)}
    for n, event in enumerate(voids):
        said[f"v{n}"] = e.EventVoided(id=f"v{n}", at=2 + n, event=event, by="TK", reason="mistaken")
    assert any(event.id == "x" for event in holding(said)) is holds


def test_a_retimed_command_holds_from_its_new_instant() -> None:
    start = e.SessionStarted(id="x", at=10)
    retimed = e.EventRetimed(id="r", at=7, event="x", by="TK", reason="video")
    later = e.EventRetimed(id="r2", at=9, event="x", by="TK", reason="video")
    undone = e.EventVoided(id="v", at=20, event="r2", by="TK", reason="mistaken")

    def start_of(*said: e.AnyCommand) -> int:
        return next(event.at for event in holding({event.id: event for event in said}) if event.id == "x")

    assert [start_of(start), start_of(start, retimed), start_of(start, later, retimed)] == [10, 7, 9]
    assert start_of(start, retimed, later, undone) == 7


def test_the_last_entry_of_a_number_holds(script: type["Script"]) -> None:
    told = script("7")
    again = told.enter("7", at=-20, class_="Open")
    timing = told.fold()
    timing.state()
    assert [(entry.id, entry.class_) for entry in entries_of(timing.evidence).values()] == [(again, "Open")]


def test_a_circuit_without_a_pit_line_counts_foreign_laps_at_the_line(script: type["Script"]) -> None:
    opened = script().events[0]
    assert isinstance(opened, e.SessionOpened)
    indices = loop_indices(opened)
    assert (indices["\0lap"], indices["\0lap in pit lane"]) == (indices["SF"], indices["SFP"])
