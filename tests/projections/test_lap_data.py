"""The laps in columns: what charts are drawn from, whole and as what changed since."""

import random
from pathlib import Path
from typing import Any

import pytest
from lap_mirror import Mirror, whole
from race_table import played
from simulated import drawn, raced, records

from timing.domain import events as e
from timing.log.record import Record
from timing.projections.lap_data import MARKS_KEPT, LapData
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

S = 1_000_000
TABLES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.race"))


def record(seq: int, event: e.AnyEvent) -> Record:
    return Record("s", seq, 1, event, b"", b"")


def test_only_what_changed_is_sent(script: Any) -> None:
    told = script("7 9").run(car7="60 120", car9="61 122")
    timing, mirror = told.fold(), Mirror()
    first = mirror.ask(timing)
    assert first.whole
    assert first.cars["7"].ends_us == [60 * S, 120 * S]
    assert (first.start, first.since) == (1_747_400_000 * S, None)
    assert mirror.ask(timing).cars == {}
    told.run(car7="180")
    for seq, event in enumerate(told.events[timing.seq :], timing.seq + 1):
        timing.apply(record(seq, event))
    then = mirror.ask(timing)
    assert not then.whole
    assert list(then.cars) == ["7"]
    assert (then.cars["7"].from_, then.cars["7"].ends_us, then.cars["7"].times_us) == (2, [180 * S], [60 * S])
    assert mirror.cars == whole(timing)


def test_a_correction_sends_the_laps_from_the_one_it_changed_on(script: Any) -> None:
    told = script("7")
    keys = told.hear("T7", 60, 120, 180, 240)
    timing, mirror = told.fold(), Mirror()
    mirror.ask(timing)
    told.say(e.PassingVoided, at=250, passing=keys[2])
    timing.apply(record(timing.seq + 1, told.events[-1]))
    then = mirror.ask(timing)
    assert (then.cars["7"].from_, then.cars["7"].ends_us) == (2, [240 * S])
    assert mirror.cars["7"].times_us == [60 * S, 60 * S, 120 * S]


def test_laps_are_tagged_with_flags_pit_visits_and_deletions(script: Any) -> None:
    told = script("7").run(car7="60 120")
    told.say(e.TrackStatus, at=130, status="safety_car")
    told.hear("T7", 170, loop="PI")
    told.hear("T7", 200, loop="PO")
    told.run(car7="210 280")
    told.say(e.TrackStatus, at=300, status="green")
    told.run(car7="340 400 460")
    told.say(e.Decision, at=470, decision="D1", car="7", penalty="lap_time_deleted", lap=1, reason="track limits")
    document = LapData().document(told.fold())
    assert document.cars["7"].tags == {1: ("deleted",), 3: ("safety_car", "in", "out"), 4: ("safety_car",), 5: ("safety_car",)}
    assert [(f.kind, f.began_us, f.ended_us) for f in document.flags] == [("safety_car", 130 * S, 300 * S)]


def test_drivers_are_named_from_their_first_lap_on(script: Any) -> None:
    told = script("7").run(car7="60 120")
    told.say(e.DriverChanged, at=130, car="7", driver="bob7")
    assert LapData().document(told.run(car7="200 260").fold()).cars["7"].drivers == [(1, "Ann 7"), (3, "Bob 7")]


def test_a_mark_that_is_forgotten_or_strange_gets_everything(script: Any) -> None:
    told = script("7").run(car7="60")
    timing, data = told.fold(), LapData()
    first = data.document(timing)
    for n in range(MARKS_KEPT):
        timing.apply(
            record(timing.seq + 1, e.Passing(decoder="x", boot=1, number=n, loop="S1", transponder="T7", at=timing.state().at + S))
        )
        data.document(timing)
    assert data.document(timing, first.mark).whole
    assert data.document(timing, "0-0").whole


def test_a_start_that_is_moved_moves_everything(script: Any) -> None:
    told = script("7", start=False)
    start = told.say(e.SessionStarted, at=0)
    timing, mirror = told.run(car7="60 120").fold(), Mirror()
    mirror.ask(timing)
    told.say(e.EventRetimed, at=5, event=start)
    timing.apply(record(timing.seq + 1, told.events[-1]))
    assert mirror.ask(timing).whole
    assert mirror.cars["7"].ends_us == [55 * S, 115 * S]


def test_before_the_start_there_are_no_laps(script: Any) -> None:
    document = LapData().document(script("7", start=False).fold())
    assert (document.start, document.cars, document.flags) == (None, {}, [])


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_in_every_scenario_laps_are_tagged_as_the_neutralisations_have_it(table: Path) -> None:
    timing = played(table).timing
    document = LapData().document(timing)
    for car, laps in timing.laps.items():
        if car not in document.cars:
            continue
        tags = document.cars[car].tags
        for lap in range(1, len(laps.ends) + 1):
            assert tuple(t for t in tags.get(lap, ()) if t != "deleted") == tuple(t for t in timing.neutral.tags(laps, lap) if t != "first")


@pytest.mark.parametrize("seed", range(20))
def test_a_chart_that_follows_knows_what_one_knows_that_comes_late(seed: int) -> None:
    """Races with faults and corrections, looked at now and then: what was taken in bit by bit is what the whole document says."""
    chance, mirror, timing = random.Random(seed), Mirror(), None
    for each in records(raced(drawn(seed)), Rulebooks()):
        timing = timing or Timing(each.session)
        timing.apply(each)
        if chance.random() < 0.05:
            mirror.ask(timing)
    assert timing is not None
    mirror.ask(timing)
    assert mirror.cars == whole(timing)
    assert {car: len(columns.ends_us) for car, columns in mirror.cars.items()} == {
        car: len(laps.ends) for car, laps in timing.laps.items() if laps.ends
    }
