"""The classification as a document."""

import json
from typing import TYPE_CHECKING

from timing.domain import events as e
from timing.domain.rulebook import rulebook_hash, rules_of
from timing.projections.result import result, result_json

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000


def finished(script: type["Script"]) -> "Script":
    return script("7 9 3 5", laps=3).run(car7="60 120 180", car9="61 122 185", car3="85 160 250")


def gap_of(told: "Script", car: str) -> tuple[int, float]:
    row = next(row for row in result(told.fold()).rows if row.car == car)
    return row.gap.laps, row.gap.time_us / S


def test_the_fields_of_the_contract(script: type["Script"]) -> None:
    document = json.loads(result_json(finished(script).fold()))
    assert (document["session"], document["status"]) == ("s", "finished")
    row = document["rows"][1]
    assert {name: row[name] for name in ("position", "car", "class", "class_position", "laps", "total_us", "status", "best_lap_us")} == {
        "position": 2,
        "car": "9",
        "class": "GT",
        "class_position": 2,
        "laps": 3,
        "total_us": 185 * S,
        "status": "classified",
        "best_lap_us": 61 * S,
    }
    assert row["gap"] == {"laps": 0, "time_us": 5 * S}
    assert row["penalties"] == []


def test_those_without_a_place_stand_last_with_nulls(script: type["Script"]) -> None:
    last = json.loads(result_json(finished(script).fold()))["rows"][-1]
    assert (last["car"], last["position"], last["class_position"], last["total_us"], last["status"]) == (
        "5",
        None,
        None,
        None,
        "not_started",
    )


def test_gaps_are_to_the_winner_with_penalties_in_them(script: type["Script"]) -> None:
    told = finished(script)
    assert gap_of(told, "3") == (0, 70)
    told.say(e.Decision, at=200, decision="D", car="7", penalty="time", seconds=7.0)
    assert [row.car for row in result(told.fold()).rows][:3] == ["9", "7", "3"]
    assert gap_of(told, "9") == (0, 0)
    assert gap_of(told, "7") == (0, 2)
    assert gap_of(told, "3") == (0, 65)


def test_a_lap_taken_from_the_winner_makes_a_gap_of_a_lap_and_no_negative_time(script: type["Script"]) -> None:
    told = finished(script)
    told.say(e.Decision, at=200, decision="D", car="7", penalty="laps", laps=1)
    assert gap_of(told, "7") == (1, 0)
    assert gap_of(told, "9") == (0, 0)


def test_it_names_the_state_it_was_made_from(script: type["Script"]) -> None:
    timing = finished(script).fold()
    document = result(timing)
    assert (document.digest, document.seq) == (timing.digest().hex(), timing.seq)


def test_it_names_the_rules_it_was_made_by(script: type["Script"]) -> None:
    timing = finished(script).fold()
    by = result(timing).rulebook
    assert by is not None
    assert (by.id, by.title, by.hash) == ("test", "Test rules", rulebook_hash(rules_of(timing.rules)))
