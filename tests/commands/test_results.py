"""``timing results``: as a person and as a program calls it."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from timing.commands.results import command
from timing.log.record import draft
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.services.rulebooks import Rulebooks

ZERO = 1_747_400_000_000_000


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def told(*more: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": "sunday", "name": "Sunday race", "kind": "race",
            "rulebook": "fia-f1", "distance": {"laps": 2}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
        *({"type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "transponders": [car]} for car in "79"),
        {"type": "session_started", "id": "start", "at": at(0)},
    ]  # fmt: skip
    for number, (car, seconds) in enumerate([("7", 60.0), ("9", 61.0), ("7", 120.0), ("9", 122.0)], start=1):
        events.append({"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": car, "at": at(seconds)})
    return [*events, *more]


def published(stage: str, n: int, **given: Any) -> dict[str, Any]:
    return {"type": "result_published", "id": f"p{n}", "at": at(300 + n), "stage": stage, **given}


PENALTY = {"type": "decision", "id": "d", "at": at(310), "decision": "D1", "car": "7", "penalty": "time", "seconds": 5, "reason": "contact"}


def session_file(folder: Path, events: list[dict[str, Any]]) -> Path:
    file = folder / "sunday.events.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in events), encoding="utf-8")
    return file


def log_of(folder: Path, events: list[dict[str, Any]]) -> Path:
    path = folder / "race.log"
    log, decider = SqliteLog(path), Decider("sunday", Rulebooks().resolve)
    with session_file(folder, events).open("rb") as lines:
        for line in read_lines(lines):
            assert line.event
            event = decider.decide(line.event, 1)
            assert not isinstance(event, Refusal)
            decider.evolve(event)
            log.append([draft("sunday", event)], recorded_at=at(1))
    log.close()
    return path


def results(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_versions_and_what_each_changed(tmp_path: Path) -> None:
    file = session_file(tmp_path, told(published("provisional", 1, document="12"), PENALTY, published("amended", 2)))
    ran = results(file)
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("1. provisional, document 12, ")
    assert lines[1].strip() == "7 9"
    assert lines[2].startswith("2. amended, document 2, ")
    assert lines[3].strip() == "9 7"
    assert "  decision D1, car 7: 5 s penalty issued: contact" in lines
    assert any(line.startswith("  car 9: result P2 -> P1") for line in lines)


def test_an_amended_result_is_due(tmp_path: Path) -> None:
    ran = results(session_file(tmp_path, told(published("provisional", 1), PENALTY)))
    assert ran.exit_code == 0
    assert "Since then, an amended result is due:\n  decision D1, car 7: 5 s penalty issued: contact\n" in ran.stdout


def test_the_same_from_a_log_as_json_and_one_version_alone(tmp_path: Path) -> None:
    events = told(published("provisional", 1), PENALTY, published("final", 2))
    document = json.loads(results(session_file(tmp_path, events), "--json").stdout)
    log = log_of(tmp_path, events)
    assert json.loads(results(log, "--json").stdout) == document
    assert [(v["number"], v["stage"], v["current"]) for v in document["versions"]] == [(1, "provisional", False), (2, "final", True)]
    one = json.loads(results(log, "--json", "--version", "1").stdout)
    assert one == document["versions"][0]
    assert [row["car"] for row in one["result"]["rows"]] == ["7", "9"]
    assert "Sunday race" in results(log, "--version", "1").stdout


def test_nothing_published(tmp_path: Path) -> None:
    assert results(session_file(tmp_path, told())).stdout == "Sunday race: no result has been published (finished)\n"
    ran = results(session_file(tmp_path, told()), "--version", "1")
    assert ran.exit_code == 2
    assert "sunday has 0 published results" in ran.stderr


def test_a_result_that_is_not_what_its_sender_said_is_named_and_fails(tmp_path: Path) -> None:
    file = session_file(tmp_path, told(published("provisional", 1, digest="0" * 64)))
    ran = results(file)
    assert ran.exit_code == 1
    assert "timing: the digest given is 000000000000…" in ran.stderr
    assert "  the digest given is 000000000000…" in ran.stdout
