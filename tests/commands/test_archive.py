"""``timing archive`` as people call it."""

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from timing.log.record import draft
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.services.rulebooks import Rulebooks

RACE = """\
{"type":"session_opened","id":"o","at":1000000,"session":"%s","name":"Race 1","kind":"race","rulebook":"mitjet","distance":{"laps":2},\
"circuit":{"name":"Albi","loops":[{"id":"SF","line":"finish"}]}}
{"type":"entry_registered","id":"e","at":2000000,"car":"007","class":"GT","transponders":["T7"]}
{"type":"session_started","id":"s","at":3000000}
{"type":"passing","decoder":"d","boot":1,"number":1,"loop":"SF","transponder":"T7","at":63000001}
{"type":"passing","decoder":"d","boot":1,"number":2,"loop":"SF","transponder":"T7","at":124000001}
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    program = [sys.executable, "-c", "from timing.cli import main; main()", "archive"]

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "albi.events.jsonl"
    path.write_text(RACE % "albi")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "race.db"
    with closing(SqliteLog(path)) as log:
        for session in ("albi", "zolder"):
            decider = Decider(session, Rulebooks().resolve)
            for line in read_lines((RACE % session).encode().splitlines()):
                assert line.event
                event = decider.decide(line.event, 1)
                assert not isinstance(event, Refusal)
                decider.evolve(event)
                log.append([draft(session, event)], 5)
    return path


def failed(result: subprocess.CompletedProcess[str], status: int) -> str:
    assert result.returncode == status, result.stderr
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_every_session_of_a_log_gets_a_folder(run: Run, log: Path, tmp_path: Path) -> None:
    result = run(log.name, "--to", "out", "--format", "parquet")
    assert (result.returncode, result.stderr) == (0, "")
    assert [line.split("  ")[0] for line in result.stdout.splitlines()] == ["albi", "zolder"]
    assert len(list((tmp_path / "out" / "albi").iterdir())) == len(run(log.name, "--list").stdout.splitlines())
    laps = pl.read_parquet(tmp_path / "out" / "*" / "laps.parquet")
    assert laps.select("session", "car", "lap_time_us").rows() == [
        ("albi", "007", 60_000_001), ("albi", "007", 61_000_000), ("zolder", "007", 60_000_001), ("zolder", "007", 61_000_000),
    ]  # fmt: skip


def test_one_table_goes_to_stdout(run: Run, file: Path, log: Path) -> None:
    from_file = run(file.name, "--table", "laps")
    rows = list(csv.DictReader(io.StringIO(from_file.stdout)))
    assert [(row["car"], row["lap"], row["lap_time"]) for row in rows] == [("007", "1", "00:01:00.000001"), ("007", "2", "00:01:01.000000")]
    assert run(log.name, "--session", "albi", "--table", "laps").stdout == from_file.stdout


def test_again_replaces_what_is_there(run: Run, file: Path, tmp_path: Path) -> None:
    assert "1 table, 2 rows" in run(file.name, "--to", "out", "--table", "laps").stdout
    target = tmp_path / "out" / "albi" / "laps.csv"
    whole = target.read_bytes()
    target.write_text("old")
    run(file.name, "--to", "out", "--table", "laps")
    assert target.read_bytes() == whole
    assert [path.name for path in target.parent.iterdir()] == ["laps.csv"]


def test_misuse_is_one_line(run: Run, file: Path, log: Path, tmp_path: Path) -> None:
    assert "say where to with --to DIR" in failed(run(file.name), 2)
    assert "there is no table lapps; there are: sessions, " in failed(run(file.name, "--table", "lapps"), 2)
    assert "choose one with --session: albi, zolder" in failed(run(log.name, "--table", "laps"), 2)
    assert "no session dijon" in failed(run(log.name, "--session", "dijon", "--to", "out"), 2)
    assert "cannot be written" in failed(run(file.name, "--to", f"{file.name}/x"), 1)
    with closing(SqliteLog(tmp_path / "empty.db")):
        pass
    assert "holds no session yet" in failed(run("empty.db", "--to", "out"), 2)
