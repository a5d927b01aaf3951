"""What a place rests on, as a steward reads it."""

from typing import TYPE_CHECKING

import pytest
from explained import told

from timing.domain import events as e
from timing.domain.rulebook import Laps, Penalties, RedFlag, Rulebook
from timing.domain.units import time_of_day
from timing.projections.explain import explain
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
ZERO = 1_747_400_000 * S


def text(timing: Timing, car: str) -> str:
    return "\n".join(told(timing, car).words)


def test_the_car_ahead_was_eight_thousandths_earlier(script: type["Script"]) -> None:
    timing = script("7 9 3", laps=2).run(car7="60 120", car9="61 120.008", car3="70").fold()
    earlier, later = time_of_day(ZERO + 120 * S), time_of_day(ZERO + 120 * S + 8_000)
    assert f"On the road ahead of 9: same laps (2), 7 crossed the line 0.008 s earlier, at {earlier} against {later}." in text(timing, "7")
    assert [(n.car, n.where, n.by, n.laps, n.time_us) for n in told(timing, "9").road] == [
        ("7", "ahead", "time", 0, 8_000),
        ("3", "behind", "laps", 1, None),
    ]
    assert "On the road behind 9: 9 has 1 lap more (2 against 1)." in text(timing, "3")


def test_a_microsecond_is_shown(script: type["Script"]) -> None:
    timing = script("7 9", laps=2).run(car7="60 120", car9="61 120.000004").fold()
    assert "7 crossed the line 0.000004 s earlier" in text(timing, "9")


def test_level_cars_are_parted_by_the_grid_and_without_one_by_nothing_but_numbers(script: type["Script"]) -> None:
    timing = script("7 9", laps=2).run(car7="60 120", car9="61 120").fold()
    assert "crossed the line at the same microsecond" in text(timing, "9")
    assert "7 is on place 1 of the grid, 9 on 2" in text(timing, "9")
    assert "no lap ended yet; 7 is on place 1 of the grid" in text(script("7 9", laps=2).fold(), "7")


def test_a_penalty_parts_them_in_the_result_and_not_on_the_road(script: type["Script"]) -> None:
    race = script("7 9", laps=2).run(car7="60 120", car9="61 122")
    race.say(
        e.Decision, at=130, decision="D4", car="7", penalty="time", seconds=5, reason="contact with 9", article="27.4", stage="investigated"
    )
    race.say(e.DecisionUpdated, at=140, decision="D4", stage="issued")
    timing = race.fold()
    found = told(timing, "7")
    assert (found.on_the_road, found.position, found.total_us) == (1, 2, 125 * S)
    assert [(n.car, n.where) for n in found.road] == [("9", "behind")]
    assert [(n.car, n.where, n.by, n.time_us) for n in found.result] == [("9", "ahead", "time", 3 * S)]
    (decision,) = found.decisions
    assert (decision.decision, decision.stage, decision.article, decision.reason) == ("D4", "issued", "27.4", "contact with 9")
    assert [step.split()[1] for step in decision.steps] == ["investigated", "issued"]
    assert "Decision D4: 5 s penalty, contact with 9 (art. 27.4)." in text(timing, "7")
    assert "In the result that comes to: 5.000 added." in text(timing, "7")
    assert (found.weighs, told(timing, "9").weighs) == ("5.000 added", None)


def test_places_that_were_decided_are_named(script: type["Script"]) -> None:
    race = script("7 9 3", laps=2).run(car7="60 120", car9="61 122", car3="62 124")
    race.say(e.Decision, at=130, decision="D5", car="7", penalty="positions", positions=1, reason="jump start")
    timing = race.fold()
    found = told(timing, "7")
    assert (found.position, found.weighs) == (2, "1 place down")
    ahead = next(n for n in found.result if n.where == "ahead")
    assert (ahead.car, ahead.by) == ("9", "decision")
    assert "places were decided: D5, 1 place for 7" in ahead.why


@pytest.mark.parametrize(
    ("penalty", "rules", "lines"),
    [
        ("drive_through", Penalties(), ["penalties.convert_within_laps = 3", "penalties.drive_through_s = 20"]),
        ("stop_go", Penalties(), ["penalties.convert_within_laps = 3", "penalties.stop_go_s = 30"]),
        (
            "drive_through",
            Penalties(per_circuit_us={"Spa": 18 * S, "Ring": 53 * S}),
            ["penalties.convert_within_laps = 3", "penalties.per_circuit_s = Spa 18, Ring 53"],
        ),
        ("warning", Penalties(), []),
    ],
)
def test_the_table_by_which_a_drive_through_was_converted_is_named(
    script: type["Script"], penalty: str, rules: Penalties, lines: list[str]
) -> None:
    race = script("7 9", laps=2, rules=Rulebook(id="t", title="T", source="The test's rules", penalties=rules))
    race.run(car7="60", car9="61").say(e.Decision, at=90, decision="D1", car="7", penalty=penalty)
    named = ("penalties.unserved", "penalties.lap_conversion")
    assert not [line for line in told(race.fold(), "7").rules if line.key.startswith("penalties.") and line.key not in named]
    race.hear("T7", 120)
    found = [f"{line.key} = {line.value}" for line in told(race.fold(), "7").rules if line.key.startswith("penalties.")]
    assert [line for line in found if not line.startswith(named)] == lines


def test_laps_taken_away_are_said(script: type["Script"]) -> None:
    race = script("7 9", laps=3).run(car7="60 120 180", car9="61 122 183")
    race.say(e.Decision, at=190, decision="D1", car="7", penalty="laps", laps=1)
    assert "9 has 1 lap more (3 against 2); 1 lap taken from 7" in text(race.fold(), "7")
    assert "On the road it did 3 laps." in text(race.fold(), "7")


def test_each_crossing_says_what_it_is_and_whence(script: type["Script"]) -> None:
    rules = Rulebook(id="t", title="T", source="The test's rules, art. 1", laps=Laps(min_lap_us=20 * S))
    race = script("7 9", laps=3, rules=rules)
    race.hear("T7", -30, 5, 60)
    race.hear("T7", 60.3, decoder="spare")
    race.hear("T7", 80, loop="S1", decoder="back")
    (ghost,) = race.hear("T7", 100)
    race.say(e.PassingAdded, at=121, id="hand", car="7", loop="SF", reason="photo", by="TK Ann")
    (other,) = race.hear("T9", 182)
    race.hear("T7", 190, 250)
    race.say(e.PassingVoided, at=200, id="void", passing=ghost, reason="carried", by="TK Bob")
    race.say(e.PassingReassigned, at=200, passing=other, car="7", reason="video", by="TK Ann")
    race.say(e.DecoderClockCorrected, at=200, decoder="spare", offset_us=1_000, reason="GPS", by="TK")
    timing = race.fold()
    found = told(timing, "7")
    assert [(h.verdict, h.lap, h.key.split("/")[0]) for h in found.crossings] == [
        ("before_start", None, "line"),
        ("short_lap", None, "line"),
        ("lap", 1, "line"),
        ("duplicate", None, "spare"),
        ("sector", None, "back"),
        ("lap", 2, "by hand hand"),
        ("lap", 3, "line"),
        ("short_lap", None, "line"),
        ("not_counted", 4, "line"),
    ]
    notes = [h.note for h in found.crossings]
    assert notes[3] == "clock +0.001000 s: GPS (TK)"
    assert notes[5] == "by hand: photo (TK Ann)"
    assert notes[6] == "given to car 7: video (TK Ann)"
    assert [(c.event, c.key) for c in found.corrections] == [("void", f"line/1/{ghost.number}")]
    assert "void: carried (TK Bob)" in text(timing, "7")
    assert f"Passing line/1/{other.number} at " in text(timing, "9")
    assert "given to car 7: video (TK Ann)" in text(timing, "9")
    keys = {rule.key: rule.value for rule in found.rules}
    assert (keys["laps.duplicate_window_s"], keys["laps.min_lap_s"]) == ("1", "20")
    assert {rule.source for rule in found.rules} == {"The test's rules, art. 1"}
    assert "By the rulebook (The test's rules, art. 1):" in text(timing, "7")


def test_a_transponder_that_was_lent_says_by_which_assignment(script: type["Script"]) -> None:
    race = script("7 9", laps=3)
    race.hear("T9", 60)
    lent = race.say(e.TransponderAssigned, at=70, transponder="T9", car="7")
    (heard,) = told(race.fold(), "7").crossings
    assert heard.note == f"transponder T9, on car 7 by {lent}"


def test_only_the_last_crossings_on_demand(script: type["Script"]) -> None:
    timing = script("7", laps=9).run(car7="60 120 180").fold()
    found = explain(timing, "7", last=2)
    assert found
    assert ([h.lap for h in found.crossings], found.earlier) == ([2, 3], 1)
    assert explain(timing, "7", last=0).crossings == ()  # type: ignore[union-attr]  # entered
    assert explain(timing, "99") is None


def test_the_end_is_told_flag_or_count_back(script: type["Script"]) -> None:
    race = script("7 9", laps=2).run(car7="60 120", car9="61")
    assert "after 2 laps." in text(race.fold(), "7")
    assert "Car 9 has not taken the flag; it has 1 lap." in text(race.fold(), "9")
    rules = Rulebook(id="t", title="T", source="test", red_flag=RedFlag(completed_minus=1))
    stopped = script("7 9", laps=9, rules=rules).run(car7="60 120 180", car9="61 122 182")
    stopped.say(e.TrackStatus, at=200, status="red")
    assert "The session is suspended" in text(stopped.fold(), "7")
    stopped.say(e.RaceStopped, at=300)
    found = told(stopped.fold(), "7")
    assert "the leader had completed 3 laps; the result is taken at the end of lap 2" in found.end[0]
    assert found.end[1] == "Of the 3 laps of car 7, 2 count."
    assert {"red_flag.result": "completed_minus", "red_flag.completed_minus": "1"}.items() <= {r.key: r.value for r in found.rules}.items()


def test_before_the_start_and_without_a_start(script: type["Script"]) -> None:
    waiting = script("7 9", laps=2, start=False)
    waiting.hear("T7", -5)
    found = told(waiting.fold(), "7")
    assert found.end == ("The session has not started.",)
    assert [h.verdict for h in found.crossings] == ["before_start"]
    absent = script("7 9", laps=2).run(car7="60 120").fold()
    assert told(absent, "9").end[0].startswith("Car 9 was not seen after the start at ")
    assert "neither has a place" not in text(absent, "7")


def test_qualifying_is_by_best_laps_and_who_set_it_first(script: type["Script"]) -> None:
    timing = script("7 9 3 4", kind="qualifying").run(car7="10 70 130", car9="11 71", car3="5 66", car4="20").fold()
    assert [s.car for s in timing.state().standings] == ["7", "9", "3", "4"]
    level, better = told(timing, "9").road
    assert (level.car, level.by, level.time_us) == ("7", "level", 0)
    assert "the same best lap (1:00.000): 7 set it at" in level.why
    assert (better.car, better.by, better.time_us) == ("3", "best_lap", S)
    assert "3 has a best lap of 1:01.000, 4 no time" in text(timing, "4")
    assert "qualifying.tie" in {rule.key for rule in told(timing, "7").rules}
    assert told(timing, "7").crossings[0].verdict == "first"
