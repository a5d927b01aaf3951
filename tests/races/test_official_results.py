"""Real races, scored from their events, give their official results; in any order of arrival."""

import itertools
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from folded import fold
from race_files import events_of

from timing.projections.result import result_json
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

pytestmark = pytest.mark.races

EXCEPTIONS: dict[str, str] = {}
"""Races whose official result does not follow from their events, and why."""

TOLERANCE_US = 2_000  # the sheets round to the millisecond what the events give in microseconds
LONGEST_RACE_S = 1.0


def differences(official: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Compare a classification with the official one, over the cars that the official one names."""
    want = {row["car"]: row for row in official["classified"]}
    got = {row["car"]: row for row in rows}
    found = [f"{car} is missing" for car in want if car not in got]
    order = [row["car"] for row in rows if row["car"] in want]
    found += [f"place {place}: official {a}, here {b}" for place, (a, b) in enumerate(zip(want, order, strict=False), 1) if a != b]
    for car in want.keys() & got.keys():
        there, here = want[car], got[car]
        found += [
            f"{car}: {name} {there[name]}, here {here[name]}"
            for name in ("laps", "class_position")
            if name in there and there[name] != here[name]
        ]
        if "total_us" in there and abs((here["total_us"] or 0) - there["total_us"]) > TOLERANCE_US:
            found.append(f"{car}: total_us {there['total_us']}, here {here['total_us']}")
    return found + [
        f"{car}: disqualified, here {got[car]['status']}"
        for car in official.get("disqualified", [])
        if car in got and got[car]["status"] != "disqualified"
    ]


def test_the_classification_is_the_official_one(race: Path) -> None:
    official = json.loads(race.with_name(race.name.replace(".events.jsonl", ".expected.json")).read_text("utf-8"))
    timing, left_out = score_file(race, Rulebooks())
    assert not left_out
    found = differences(official, json.loads(result_json(timing))["rows"])
    if race.name in EXCEPTIONS:
        assert found, f"it agrees now; take it out of EXCEPTIONS: {EXCEPTIONS[race.name]}"
    else:
        assert not found


def test_any_order_of_arrival_gives_the_same_digest(race: Path) -> None:
    heard = events_of(race)
    chance = random.Random(race.name)
    resent = [*heard, *heard[-1000:]]
    chance.shuffle(resent)
    looks = {chance.randrange(len(resent)) for _ in range(20)}
    turns = itertools.count()
    shuffled = fold(resent, lambda: next(turns) in looks)  # what was seen on the way must not matter to what comes
    assert shuffled.digest() == fold(heard).digest()


def test_the_longest_race_is_scored_within_a_second(longest_race: Path) -> None:
    def once() -> float:
        before = time.process_time()
        result_json(score_file(longest_race, Rulebooks())[0])
        return time.process_time() - before

    assert min(once() for _ in range(3)) < LONGEST_RACE_S


def test_a_wrong_result_would_be_noticed() -> None:
    official = {
        "classified": [{"car": "7", "laps": 10, "total_us": 1_000_000}, {"car": "9", "laps": 10, "class_position": 1}],
        "disqualified": ["3"],
    }
    right: list[dict[str, Any]] = [
        {"car": "7", "laps": 10, "class_position": 1, "total_us": 1_001_999, "status": "classified"},
        {"car": "9", "laps": 10, "class_position": 1, "total_us": None, "status": "classified"},
        {"car": "3", "laps": 10, "class_position": None, "total_us": None, "status": "disqualified"},
    ]
    assert differences(official, right) == []
    assert len(differences(official, [right[1], right[0], right[2]])) == 2
    for row, change in ((0, {"laps": 9}), (0, {"total_us": 1_002_001}), (1, {"class_position": 2}), (2, {"status": "classified"})):
        rows = [{**known, **change} if i == row else known for i, known in enumerate(right)]
        assert len(differences(official, rows)) == 1
    assert "9 is missing" in differences(official, [right[0], right[2]])
