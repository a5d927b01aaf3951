"""``timing classify``: as a person and as a program calls it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from timing.commands.classify import command
from timing.log.record import draft
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.services.rulebooks import Rulebooks

ZERO = 1_747_400_000_000_000


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def lines(name: str = "sunday") -> list[dict[str, Any]]:
    drivers = [{"id": "ann", "name": "Ann [bold]Example[/bold]"}]
    told: list[dict[str, Any]] = [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": name, "name": "Sunday race", "kind": "race",
            "rulebook": "fia-f1",
            "distance": {"laps": 3}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
    ]  # fmt: skip
    for car, team in (("007", "Blue"), ("9", "Red"), ("1A", "Green"), ("5", "White")):
        told.append(
            {
                "type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "team": team,
                "transponders": [f"T{car}"],
                "drivers": drivers if car == "007" else [],
            }
        )  # fmt: skip
    told.append({"type": "session_started", "id": "start", "at": at(0)})
    crossings = [("007", lap * 60.0) for lap in (1, 2, 3)] + [("9", lap * 61.2345) for lap in (1, 2, 3)] + [("1A", 190.0)]
    for number, (car, seconds) in enumerate(sorted(crossings, key=lambda crossing: crossing[1]), start=1):
        told.append(
            {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": f"T{car}", "at": at(seconds)}
        )
    told.append(
        {"type": "decision", "id": "d1", "at": at(200), "decision": "D", "car": "007", "penalty": "time", "seconds": 5, "reason": "contact"}
    )
    return told


def session_file(folder: Path, told: list[dict[str, Any]], extra: str = "") -> Path:
    file = folder / "sunday.events.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in told) + extra, encoding="utf-8")
    return file


def log_of(folder: Path, *names: str) -> Path:
    path = folder / "log.db"
    log = SqliteLog(path)
    for name in names:
        decider = Decider(name, Rulebooks().resolve)
        for line in read_lines(msgspec.json.encode(told) for told in lines(name)):
            assert line.event is not None
            event = decider.decide(line.event, 1)
            assert not isinstance(event, Refusal)
            decider.evolve(event)
            log.append([draft(name, event)], recorded_at=at(1))
    log.close()
    return path


def classify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def rows(ran: Result) -> list[dict[str, Any]]:
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert set(document) >= {"session", "status", "rows"}
    found: list[dict[str, Any]] = document["rows"]
    return found


def test_the_json_has_the_contracts_fields_in_finishing_order(tmp_path: Path) -> None:
    found = rows(classify(session_file(tmp_path, lines()), "--json"))
    assert [(row["position"], row["car"], row["laps"], row["status"]) for row in found] == [
        (1, "9", 3, "classified"),
        (2, "007", 3, "classified"),
        (None, "1A", 1, "not_classified"),
        (None, "5", 0, "not_started"),
    ]
    wanted = {"position", "car", "class", "class_position", "laps", "total_us", "gap", "status", "best_lap_us", "penalties"}
    assert all(wanted <= set(row) for row in found)
    assert found[1]["gap"] == {"laps": 0, "time_us": 1_296_500}
    assert [penalty["text"] for penalty in found[1]["penalties"]] == ["5 s penalty"]


def test_the_table_is_for_people(tmp_path: Path) -> None:
    ran = classify(session_file(tmp_path, lines()))
    assert ran.exit_code == 0
    written = [line.rstrip() for line in ran.stdout.splitlines() if line.strip()]
    assert written[0].strip() == "Sunday race · finished"
    first, second, third, last = written[2:]
    assert first.split() == ["1", "9", "Red", "GT", "1", "3", "3:03.703", "1:01.234", "classified"]
    assert second.split()[:5] == ["2", "007", "Ann", "[bold]Example[/bold]", "GT"], "a name is written as it is"
    assert second.split()[-7:] == ["3:05.000", "+1.296", "1:00.000", "classified", "5", "s", "penalty"]
    assert third.endswith("not classified")
    assert last.endswith("not started")


def test_as_of_without_and_another_rulebook(tmp_path: Path) -> None:
    file = session_file(tmp_path, lines())
    assert [row["laps"] for row in rows(classify(file, "--json", "--as-of", "7"))] == [1, 0, 0, 0]
    assert rows(classify(file, "--json", "--without", "d1"))[0]["car"] == "007"
    assert rows(classify(file, "--json", "--rulebook", "imsa"))[2]["status"] == "classified"


@pytest.mark.parametrize("names", [("sunday",), ("sunday", "monday")])
def test_a_log_scores_as_its_file(tmp_path: Path, names: tuple[str, ...]) -> None:
    log = log_of(tmp_path, *names)
    chosen = ["--session", "sunday"] if len(names) > 1 else []
    assert rows(classify(log, "--json", *chosen)) == rows(classify(session_file(tmp_path, lines()), "--json"))


def test_what_is_left_out_is_named_on_stderr(tmp_path: Path) -> None:
    file = session_file(tmp_path, lines(), "{torn")
    ran = classify(file, "--json")
    assert len(rows(ran)) == 4
    assert f"{file}, line {len(lines()) + 1} left out" in ran.stderr
    assert "left out" not in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--session", "monday"], 2, "holds the session sunday, not monday"),
        (["--as-of", "0"], 2, "--as-of"),
        (["--without", "unheard-of"], 2, "there is no event unheard-of in sunday"),
        (["--rulebook", "unheard-of"], 1, "there is no rulebook unheard-of; there are:"),
    ],
)
def test_misuse_is_said_in_a_line(tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    ran = run(session_file(tmp_path, lines()), *arguments)
    assert ran.returncode == status
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("timing")
    return subprocess.run([program, "classify", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("names", "arguments", "says"),
    [
        (("sunday", "monday"), [], "choose one with --session"),
        (("sunday",), ["--session", "friday"], "no session friday"),
        ((), [], "no session"),
    ],
)
def test_a_log_with_other_sessions_names_them(tmp_path: Path, names: tuple[str, ...], arguments: list[str], says: str) -> None:
    ran = run(log_of(tmp_path, *names), *arguments)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_a_file_that_is_no_session_and_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("tyres: 4\n")
    empty, missing = run(tmp_path / "notes.txt"), run(tmp_path / "nowhere")
    assert (empty.returncode, missing.returncode) == (1, 2)
    assert "holds no session" in empty.stderr
    assert "nowhere" in missing.stderr


def test_the_points_of_each_championship_stand_below_the_table(tmp_path: Path) -> None:
    file = session_file(tmp_path, lines())
    assert "Points" not in classify(file).stdout
    ran = classify(file, "--rulebook", "fia-f1-2025")
    below = [line.rstrip() for line in ran.stdout.partition("Points · Drivers")[2].splitlines() if line.strip()]
    assert [line.split()[:3] for line in below[1:3]] == [["1", "9", "25"], ["2", "007", "18"]]
    document = json.loads(classify(file, "--rulebook", "fia-f1-2025", "--json").stdout)
    assert [(row["car"], row["points"]) for row in document["points"][0]["rows"]] == [("9", 25), ("007", 18)]
