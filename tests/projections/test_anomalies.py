"""Each kind of anomaly is found where it is and nowhere else, says what it rests on, and its suggestion mends it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from timing.domain import events as e
from timing.domain.rulebook import Laps, Rulebook
from timing.log.record import Record, decode_event
from timing.projections.anomalies import NOTICES, Watch, anomalies, anomaly_notices
from timing.projections.anomaly import Anomaly
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
RULES = Rulebook(id="t", title="T", source="test", laps=Laps(min_lap_us=20 * S))


def but_numbers(timing: Timing) -> list[Anomaly]:
    """List the anomalies of a session whose decoders share one count, so that each of them seems to skip."""
    return [a for a in anomalies(timing) if a.kind != "numbers_missing"]


def only(timing: Timing, kind: str) -> Anomaly:
    (found,) = (a for a in anomalies(timing) if a.kind == kind)
    return found


def mended(told: "Script", anomaly: Anomaly) -> Timing:
    """Fold the session with the correction that is suggested."""
    assert anomaly.suggestion
    event = decode_event(msgspec.json.encode(anomaly.suggestion))
    return told.fold([*told.events, event])


def laps_with_sectors(told: "Script", car: str, *laps: float, missed: int | None = None) -> None:
    """Let a car do laps of 60 s with its sector at 20 s, from these starts; lap ``missed`` ends unheard."""
    for n, start in enumerate(laps, start=1):
        told.hear(f"T{car}", start + 20, loop="S1", decoder="back")
        if n != missed:
            told.hear(f"T{car}", start + 60)


def test_a_race_in_order_has_none(script: type["Script"]) -> None:
    told = script("7 9", laps=3)
    laps_with_sectors(told, "7", 0, 60, 120)
    laps_with_sectors(told, "9", 1, 61, 121)
    assert but_numbers(told.fold()) == []


@pytest.mark.parametrize("arrival", [1, -1])
def test_a_crossing_that_was_missed_is_offered_where_the_car_usually_is(script: type["Script"], arrival: int) -> None:
    told = script("7", laps=9)
    laps_with_sectors(told, "7", 0, 60, 120, 180, 240, missed=4)
    found = only(told.fold([*told.events[:4], *told.events[4:][::arrival]]), "missed_crossing")
    assert found.car == "7"
    assert found.suggestion
    assert abs(found.suggestion["at"] - told.fold().state().said.start - 240 * S) < S
    assert (found.suggestion["type"], found.suggestion["loop"], found.suggestion["car"]) == ("passing_added", "SF", "7")
    after = mended(told, found)
    assert after.board().rows["7"].laps == 5
    assert but_numbers(after) == []


def test_the_lap_under_way_is_enough_to_see_that_one_was_missed(script: type["Script"]) -> None:
    told = script("7", laps=9)
    laps_with_sectors(told, "7", 0, 60, 120, 180, missed=4)
    assert but_numbers(told.fold()) == []
    told.hear("T7", 260, loop="S1", decoder="back")
    found = only(told.fold(), "missed_crossing")
    assert "is not over yet" in found.text
    assert mended(told, found).board().rows["7"].laps == 4


def test_a_lap_with_its_stop_in_the_pit_lane_is_long_and_nothing_was_missed(script: type["Script"]) -> None:
    told = script("7", laps=9)
    laps_with_sectors(told, "7", 0, 60)
    told.hear("T7", 140, loop="S1", decoder="back")
    told.hear("T7", 230, loop="PI", decoder="pit")
    told.hear("T7", 240, loop="SFP", decoder="pit")
    assert but_numbers(told.fold()) == []


def test_a_crossing_missed_in_the_pit_lane_is_offered_there(script: type["Script"]) -> None:
    told = script("7", laps=9)
    laps_with_sectors(told, "7", 0, 60, 120)
    told.hear("T7", 200, loop="S1", decoder="back")
    told.hear("T7", 236, loop="PI", decoder="pit")
    told.hear("T7", 250, loop="PO", decoder="pit")
    told.hear("T7", 265, loop="S1", decoder="back")
    found = only(told.fold(), "missed_crossing")
    assert found.suggestion
    assert found.suggestion["loop"] == "SFP"


def test_the_sectors_of_a_lap_that_was_two_are_those_of_the_second(script: type["Script"]) -> None:
    told = script("7", laps=9)
    laps_with_sectors(told, "7", 0, 60, 120, missed=2)
    assert told.fold().board().rows["7"].sectors_us == (None, 40 * S)


def test_numbers_that_never_came_are_named_until_they_come(script: type["Script"]) -> None:
    told = script("7", laps=9)
    told.hear("T7", 60)
    told.numbers += 3
    told.hear("T7", 120)
    told.numbers += 1
    told.hear("T7", 180)
    found = only(told.fold(), "numbers_missing")
    assert found.count == 4
    assert "Decoder line (boot 1): 4 passings never came, numbers 2-4, 6" in found.text
    assert found.evidence == ("line/1/1", "line/1/5", "line/1/5", "line/1/7")
    told.numbers = 1
    told.hear("T7", 61, 62, 63)
    later = only(told.fold(), "numbers_missing")
    assert later.id == found.id, "an anomaly that changes keeps its name"
    assert later.count == 1
    told.numbers = 5
    told.hear("T7", 121)
    assert not [a for a in anomalies(told.fold()) if a.kind == "numbers_missing"]


def test_another_boot_counts_anew_and_a_number_just_skipped_may_still_come(script: type["Script"]) -> None:
    told = script("7", laps=9)
    told.numbers = 100
    told.hear("T7", 60)
    told.numbers = 0
    told.hear("T7", 120, boot=2)
    assert anomalies(told.fold()) == []
    told.numbers = 5
    told.hear("T7", 180, boot=2)
    watch = Watch(told.fold())
    assert watch.current(settling_us=5 * S) == []
    assert [a.kind for a in watch.current()] == ["numbers_missing"]


def test_numbers_far_apart_cost_nothing(script: type["Script"]) -> None:
    told = script("7", laps=9)
    told.hear("T7", 60)
    told.numbers = 2**52
    told.hear("T7", 120)
    assert only(told.fold(), "numbers_missing").count == 2**52 - 1


@pytest.mark.parametrize("offset", [0.3, -0.3, 4.0, 0.025])
def test_a_second_decoder_that_is_off_by_a_constant_is_mended_as_suggested(script: type["Script"], offset: float) -> None:
    told = script("7 9", laps=20)
    for lap in range(1, 7):
        for car, late in (("7", 0.0), ("9", 1.5)):
            told.hear(f"T{car}", lap * 60 + late)
            told.hear(f"T{car}", lap * 60 + late + offset, decoder="spare")
    told.hear("T7", 420)
    found = only(told.fold(), "decoder_offset")
    assert found.suggestion
    assert (found.suggestion["decoder"], found.suggestion["offset_us"]) == ("spare", round(-offset * S))
    assert ("late" if offset > 0 else "early") in found.text
    after = mended(told, found)
    assert not [a for a in anomalies(after) if a.kind == "decoder_offset"]
    assert after.board().rows["7"].laps == 7
    assert after.board().rows["7"].best_lap_us == 60 * S


def test_an_offset_found_after_a_correction_corrects_that(script: type["Script"]) -> None:
    told = script("7", laps=20)
    for lap in range(1, 10):
        told.hear("T7", lap * 60)
        told.hear("T7", lap * 60 + 0.5, decoder="spare")
    told.say(e.DecoderClockCorrected, at=700, decoder="spare", offset_us=-300_000)
    found = only(told.fold(), "decoder_offset")
    assert found.suggestion
    assert found.suggestion["offset_us"] == -500_000


@pytest.mark.parametrize(("spread", "pairs"), [((0.3, 0.9), 9), ((0.3, 0.3), 4), ((0.005, 0.01), 9)])
def test_without_a_constant_difference_there_is_no_offset(script: type["Script"], spread: tuple[float, float], pairs: int) -> None:
    told = script("7", laps=20)
    for lap in range(1, pairs + 1):
        told.hear("T7", lap * 60)
        told.hear("T7", lap * 60 + spread[lap % 2], decoder="spare")
    assert not [a for a in anomalies(told.fold()) if a.kind == "decoder_offset"]


def test_strangers_are_told_apart(script: type["Script"]) -> None:
    told = script("7 9", laps=9)
    told.hear("T7", 60)
    told.hear("T9", 61)
    told.hear("marshal", 70, 80)
    told.hear("T7", 90, loop="nowhere")
    told.events.append(e.Lap(source="club", boot=1, number=1, car="88", lap=1, at=told.events[-1].at + S))
    timing = told.fold()
    unknown = only(timing, "unknown_transponder")
    assert "Transponder marshal is on no car of this session: 2 passings since" in unknown.text
    assert unknown.suggestion is None
    assert only(timing, "unknown_loop").count == 1
    assert only(timing, "unknown_car").car == "88"


def test_the_one_car_nobody_hears_is_offered_the_one_transponder_nobody_knows(script: type["Script"]) -> None:
    told = script("7 9", laps=9)
    told.hear("T7", 60)
    told.hear("8812345", 61, 121)
    found = only(told.fold(), "unknown_transponder")
    assert "car 9 has not been heard at all" in found.text
    after = mended(told, found)
    assert after.board().rows["9"].laps == 2
    assert anomalies(after) == []


def test_a_decoder_in_another_year_is_told_and_its_passings_are_kept(script: type["Script"]) -> None:
    told = script("7", laps=9)
    told.hear("T7", 60)
    told.hear("T7", 400 * 86_400, decoder="lost")
    found = only(told.fold(), "impossible_time")
    assert "Decoder lost (boot 1) gave 1 passing outside this session" in found.text
    assert found.evidence == ("lost/1/2",)
    assert told.fold().board().rows["7"].laps == 1


def test_short_laps_are_told_one_by_one_and_second_reads_only_listed(script: type["Script"]) -> None:
    told = script("7", laps=9, rules=RULES)
    told.hear("T7", 5, 60, 60.3, 70, 120)
    timing = told.fold()
    short = [a for a in anomalies(timing) if a.kind == "short_lap"]
    assert [(a.evidence, a.notable) for a in short] == [(("line/1/1",), False), (("line/1/4",), True)]
    assert "a lap of 10.000, shorter than a lap can be" in short[1].text
    duplicate = only(timing, "duplicate")
    assert (duplicate.count, duplicate.notable) == (1, False)
    assert [n.id for n in anomaly_notices(anomalies(timing))] == [short[1].id]


def test_the_messages_are_bounded_and_the_latest(script: type["Script"]) -> None:
    told = script("7", laps=9)
    for n in range(NOTICES + 20):
        told.hear(f"stranger-{n}", 60 + n)
    notices = anomaly_notices(anomalies(told.fold()))
    assert len(notices) == NOTICES
    assert [n.at for n in notices] == sorted(n.at for n in notices)
    assert "stranger-69" in notices[-1].text
    assert {n.kind for n in notices} == {"anomaly"}


def test_who_asked_before_is_no_matter(script: type["Script"]) -> None:
    told = script("7 9", laps=20, rules=RULES)
    laps_with_sectors(told, "7", 0, 60, 120, 180, 240, missed=4)
    told.hear("marshal", 70)
    told.numbers += 2
    told.hear("T9", 61, 62, 65)
    told.say(e.PassingVoided, at=300, passing=e.PassingKey(decoder="line", boot=1, number=2))
    timing = Timing("s")
    watch = Watch(timing)
    for seq, event in enumerate(told.events, start=1):
        timing.apply(Record("s", seq, 1, event, b"", b""))
        watch.current()
    assert watch.current() == anomalies(told.fold())


Corrected = Callable[["Script", e.PassingKey], None]


@pytest.mark.parametrize(
    ("correct", "laps"),
    [
        (lambda told, key: told.say(e.PassingVoided, at=9, passing=key), {"7": 1, "9": 0}),
        (lambda told, key: told.say(e.PassingReassigned, at=9, passing=key, car="9"), {"7": 1, "9": 1}),
        (lambda told, key: told.say(e.DecoderClockCorrected, at=9, decoder=key.decoder, offset_us=-70 * S), {"7": 1, "9": 0}),
    ],
    ids=["void", "reassign", "clock"],
)
@pytest.mark.parametrize("first", [True, False])
def test_laps_that_another_system_counts_are_corrected_as_passings_are(
    script: type["Script"], correct: Corrected, laps: dict[str, int], first: bool
) -> None:
    told = script("7 9", laps=9)
    start = told.events[-1].at
    facts = [e.Lap(source="club", boot=1, number=n, car="7", lap=n, at=start + n * 60 * S) for n in (1, 2)]
    said = len(told.events)
    correct(told, e.PassingKey(decoder="club", boot=1, number=2))
    corrections = told.events[said:]
    arrived = [*corrections, *facts] if first else [*facts, *corrections]
    timing = told.fold([*told.events[:said], *arrived])
    assert {car: row.laps for car, row in timing.board().rows.items()} == laps
    assert not timing.evidence.unplaced
