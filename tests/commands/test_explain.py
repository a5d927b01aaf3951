"""``timing explain``, ``timing anomalies`` and ``timing preview``: as a person and as a program calls them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from timing.commands import anomalies, explain, preview

ZERO = 1_747_400_000_000_000
LOOPS = [{"id": "SF", "line": "finish"}]


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def told() -> list[dict[str, Any]]:
    """A race of two laps: 007 wins by 8 ms from 9; a stranger is heard, and one passing never came."""
    lines: list[dict[str, Any]] = [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": "sunday", "name": "Sunday race", "kind": "race",
            "rulebook": "fia-f1", "distance": {"laps": 2}, "circuit": {"name": "Ring", "loops": LOOPS},
        },
    ]  # fmt: skip
    lines += [
        {"type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "transponders": [f"T{car}"]}
        for car in ("007", "9")
    ]
    lines.append({"type": "session_started", "id": "start", "at": at(0)})
    heard = [("T007", 60.0), ("T9", 61.0), ("marshal", 90.0), ("T007", 120.0), ("T9", 120.008)]
    lines += [
        {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": transponder, "at": at(seconds)}
        for number, (transponder, seconds) in zip((1, 2, 3, 5, 6), heard, strict=True)
    ]
    return lines


@pytest.fixture
def race(tmp_path: Path) -> Path:
    file = tmp_path / "sunday.events.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in told()))
    return file


def run(module: Any, *arguments: str | Path) -> Result:
    return CliRunner().invoke(module.command, [str(argument) for argument in arguments])


def test_a_place_is_explained_in_words_and_as_json(race: Path) -> None:
    words = run(explain, race, "9")
    assert words.exit_code == 0
    assert words.stdout.splitlines()[0] == "Car 9: P2, P2 in GT (classified), 2 laps, 2:00.008; P2 on the road."
    assert "same laps (2), 007 crossed the line 0.008 s earlier" in words.stdout
    document = json.loads(run(explain, race, "9", "--json", "--last", "1").stdout)
    assert (document["position"], document["class"], document["earlier"]) == (2, "GT", 1)
    assert document["crossings"][0]["key"] == "d/1/6"


def test_a_car_that_is_not_there_is_misuse_and_those_that_are_are_named(race: Path) -> None:
    found = run(explain, race, "88")
    assert found.exit_code == 2
    assert "no car 88 is entered in sunday; the cars are: 007, 9" in found.output
    assert run(explain, race, "9", "--session", "monday").exit_code == 2


def test_anomalies_are_listed_with_what_they_suggest(race: Path) -> None:
    found = run(anomalies, race)
    assert found.exit_code == 0
    assert "numbers_missing: Decoder d (boot 1): 1 passing never came, number 4; ask for it again" in found.stdout
    assert "unknown_transponder: Transponder marshal is on no car" in found.stdout
    document = json.loads(run(anomalies, race, "--json").stdout)
    assert {a["kind"] for a in document["anomalies"]} == {"numbers_missing", "unknown_transponder"}
    assert document["count"] == 2
    race.write_text("".join(json.dumps(line) + "\n" for line in told() if line.get("transponder") != "marshal" and line.get("number") != 6))
    race.write_text(race.read_text().replace('"number": 5', '"number": 3'))
    assert run(anomalies, race).stdout == "No anomalies.\n"


def test_a_preview_says_who_wins_then(race: Path, tmp_path: Path) -> None:
    penalty = '{"type":"decision","decision":"D1","car":"007","penalty":"time","seconds":5}'
    found = run(preview, race, "--with", penalty)
    assert found.exit_code == 0
    assert found.stdout.splitlines()[0] == "car 9: result P2 -> P1, in class P2 -> P1"
    events = tmp_path / "tried.jsonl"
    events.write_text(f'{penalty}\n\n{{"type":"decision_updated","decision":"D1","stage":"quashed"}}\n')
    assert run(preview, race, "--with", events).stdout == "Nothing changes.\n"
    document = json.loads(run(preview, race, "--without", "passing/d/1/5", "--json").stdout)
    assert {car["car"] for car in document["differences"]["cars"]} == {"007", "9"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "say what to try"),
        (["--with", '{"type":"decision"}'], 2, "bad-field"),
        (["--with", "nowhere.jsonl"], 2, "neither a file nor a JSON object"),
        (["--with", '{"type":"decision","decision":"D","car":"88","penalty":"warning"}'], 1, "event 1 would be refused: unknown-car"),
        (["--without", "nobody"], 1, "there is no event nobody to leave out"),
    ],
)
def test_what_cannot_be_tried_is_said(race: Path, arguments: list[str], status: int, said: str) -> None:
    found = run(preview, race, *arguments)
    assert found.exit_code == status
    assert said in found.output
