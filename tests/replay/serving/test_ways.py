"""The two ways of knowing: both end as the race did, and at no moment does either know what it could not."""

from collections.abc import Sequence
from typing import Any

import pytest
from simulated import drawn, raced, records

from replay.serving.recording import Recording, Title
from replay.serving.ways import as_it_came
from timing.domain import events as e
from timing.log.record import Record
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

S = 1_000_000
ZERO = 1_747_400_000 * S


def recording(told: Sequence[Record]) -> Recording:
    return Recording(Title(told[0].session, "Race", "race", 0), told)


def result(timing: Timing) -> list[tuple[Any, ...]]:
    placed: list[tuple[Any, ...]] = [(p.position, p.car, p.class_position, p.laps, p.total_us, p.status) for p in timing.classification()]
    return [*placed, tuple(s.car for s in timing.state().standings)]


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_end_as_the_race_did_and_never_run_ahead(seed: int) -> None:
    """Simulated races with lost, doubled, late and strange passings, clocks corrected, events voided and retimed."""
    told = list(records(raced(drawn(seed)), Rulebooks()))
    race = recording(told)
    now = Timing(told[0].session)
    for place, record in enumerate(race.now.records, start=1):
        assert record.seq == place
        race.ready("now", now, record)
        now.apply(record)
        if place % 11 == 0 or place < 60:
            assert now.state().at <= race.now.instants[place - 1], "what came later is not known"
    assert result(now) == result(race.truth)
    assert now.board().rows == race.truth.board().rows
    assert result(race.keyframes("then").fold(len(told))) == result(race.truth)
    assert list(race.now.instants) == sorted(race.now.instants)
    assert list(race.then.instants) == sorted(race.then.instants)


def tell(*said: tuple[float, e.AnyEvent]) -> list[Record]:
    """Record events, each so many seconds after the start."""
    circuit = e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"),))
    rules = Rulebooks().resolve("club-sprint")
    opened = e.SessionOpened(
        id="open", at=ZERO - 60 * S, session="s", name="S", kind="race", rulebook="club-sprint", rules=rules,
        distance=e.Distance(laps=9), circuit=circuit,
    )  # fmt: skip
    first: list[tuple[float, e.AnyEvent]] = [(-60, opened), (0, e.SessionStarted(id="start", at=ZERO))]
    ordered = sorted([*first, *said], key=lambda pair: pair[0])
    return [Record("s", seq, ZERO + round(at * S), event, b"", b"") for seq, (at, event) in enumerate(ordered, start=1)]


def entry(car: str, at: float = -30) -> tuple[float, e.AnyEvent]:
    return at, e.EntryRegistered(id=f"e{car}-{at:g}", at=ZERO + round(at * S), car=car, class_="GT", transponders=(f"T{car}",))


def passing(number: int, car: str, at: float, *, came: float = 0, decoder: str = "d") -> tuple[float, e.AnyEvent]:
    fact = e.Passing(decoder=decoder, boot=1, number=number, loop="SF", transponder=f"T{car}", at=ZERO + round(at * S))
    return at + came, fact


def laps_at(race: Recording, known: Any, at: float) -> dict[str, int]:
    timing = race.keyframes(known).fold(race.way(known).place_at(ZERO + round(at * S)))
    return {s.car: s.laps for s in timing.state().standings}


def correction(kind: Any, at: float, **fields: Any) -> tuple[float, e.AnyEvent]:
    return at, kind(id=f"c{at:g}", at=ZERO + round(at * S), reason="seen", by="TK", **fields)


def test_a_ghost_is_seen_by_the_tower_and_never_by_who_knows_now() -> None:
    key = e.PassingKey(decoder="d", boot=1, number=2)
    race = recording(tell(entry("7"), passing(1, "7", 60), passing(2, "7", 100), correction(e.PassingVoided, 300, passing=key)))
    assert [laps_at(race, "then", at)["7"] for at in (99, 100, 299, 300)] == [1, 2, 2, 1]
    assert [laps_at(race, "now", at)["7"] for at in (99, 100, 299, 300)] == [1, 1, 1, 1]


def test_a_passing_that_came_late_stands_at_its_instant() -> None:
    race = recording(tell(entry("7"), entry("9"), passing(1, "7", 60, came=200), passing(2, "9", 61), passing(3, "9", 121)))
    assert laps_at(race, "then", 130) == {"7": 0, "9": 2}
    assert laps_at(race, "now", 130) == {"7": 1, "9": 2}


def test_a_corrected_clock_moves_what_it_read_from_the_first_on() -> None:
    clock = correction(e.DecoderClockCorrected, 500, decoder="slow", offset_us=-20 * S)
    race = recording(tell(entry("7"), passing(1, "7", 80, decoder="slow"), passing(2, "7", 140, decoder="slow"), clock))
    assert [laps_at(race, "now", at)["7"] for at in (59, 60, 119, 120)] == [0, 1, 1, 2]
    assert [laps_at(race, "then", at)["7"] for at in (60, 80, 120, 140)] == [0, 1, 1, 2]


def test_of_two_corrections_of_a_clock_the_one_given_last_holds_as_known_now_too() -> None:
    first = correction(e.DecoderClockCorrected, 500, decoder="d", offset_us=-20 * S, from_=ZERO + 100 * S)
    last = correction(e.DecoderClockCorrected, 600, decoder="d", offset_us=-10 * S)
    race = recording(tell(entry("7"), passing(1, "7", 80), passing(2, "7", 140), first, last))
    assert [laps_at(race, "now", at)["7"] for at in (69, 70, 129, 130)] == [0, 1, 1, 2]


def test_an_entry_that_came_late_counts_from_what_was_heard_of_it() -> None:
    race = recording(tell(entry("7"), passing(1, "9", 61), entry("9", 300)))
    assert laps_at(race, "then", 100) == {"7": 0}
    assert laps_at(race, "now", 60) == {"7": 0}
    assert laps_at(race, "now", 61) == {"7": 0, "9": 1}


def test_a_retimed_event_stands_at_its_new_instant_and_a_voided_one_is_struck_from_the_first() -> None:
    flag = 100.0, e.TrackStatus(id="yellow", at=ZERO + 100 * S, status="yellow")
    said = 200.0, e.Message(id="m", at=ZERO + 200 * S, text="Wrong turn")
    retimed = 400.0, e.EventRetimed(id="r", at=ZERO + 90 * S, event="yellow", reason="late", by="RD")
    race = recording(tell(entry("7"), flag, said, retimed, correction(e.EventVoided, 500, event="m")))

    def status(known: Any, at: float) -> tuple[str, list[bool]]:
        board = race.keyframes(known).fold(race.way(known).place_at(ZERO + round(at * S))).board()
        return board.session.track_status, [n.struck for n in board.notices if n.id == "m"]

    assert [status("then", at) for at in (95, 100, 200)] == [("green", []), ("yellow", []), ("yellow", [False])]
    assert [status("now", at) for at in (89, 90, 199, 200)] == [("green", []), ("yellow", []), ("yellow", []), ("yellow", [True])]


def test_a_published_result_is_that_of_its_day_in_both_ways() -> None:
    key = e.PassingKey(decoder="d", boot=1, number=2)
    published = 150.0, e.ResultPublished(id="p", at=ZERO + 150 * S, stage="provisional")
    race = recording(tell(entry("7"), passing(1, "7", 60), passing(2, "7", 100), published, correction(e.PassingVoided, 300, passing=key)))
    then, now = (race.keyframes(known).fold(race.way(known).place_at(ZERO + 200 * S)) for known in ("then", "now"))
    assert then.published["p"].result == now.published["p"].result
    assert now.published["p"].result.rows[0].laps == 2
    assert laps_at(race, "now", 200) == {"7": 1}
    assert not race.keyframes("now").fold(race.now.place_at(ZERO + 149 * S)).published


def test_records_that_were_not_recorded_live_are_paced_by_what_they_tell() -> None:
    told = tell(entry("7"), *(passing(n, "7", 60 * n) for n in range(1, 30)))
    strange = passing(99, "7", 4_000_000)[1]  # a decoder's clock has gone wrong, among passings that are in order
    events = [r.event for r in told[:5]] + [strange] + [r.event for r in told[5:]]
    imported = [Record("s", seq, ZERO + 10**12, event, b"", b"") for seq, event in enumerate(events, start=1)]
    way = as_it_came(imported)
    assert way.paced_by == "at"
    assert way.instants[5] == way.instants[4], "a clock far ahead of all that follows moves nothing"
    assert way.end == ZERO + 29 * 60 * S
    assert as_it_came(imported, "recorded_at").paced_by == "recorded_at"
    assert as_it_came(told).paced_by == "recorded_at"
