"""``timing log salvage``, run as a user runs it."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from timing.domain.events import Circuit, Distance, Loop, Passing, SessionOpened
from timing.log.record import draft
from timing.log.sqlite_log import SqliteLog

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from timing.cli import main; main()", *arguments]
        return subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "race.db"
    circuit = Circuit(name="Albi", loops=(Loop(id="SF", line="finish"),))
    opened = SessionOpened(
        id="o", at=1, session="albi", name="Course 1", kind="race", rulebook="mitjet", distance=Distance(laps=5), circuit=circuit
    )
    with closing(SqliteLog(path)) as made:
        made.append([draft("albi", opened)], 1)
        for start in range(0, 300, 10):
            events = [Passing(at=n + 9, decoder="d", boot=1, number=n, loop="SF", transponder="T") for n in range(start, start + 10)]
            made.append([draft("albi", event) for event in events], start + 2)
    return path


def hurt(path: Path) -> None:
    """Change one figure of one event in the file."""
    content = path.read_bytes()
    place = content.index(b'"number":150')
    path.write_bytes(content[: place + 10] + b"9" + content[place + 11 :])


def test_a_damaged_log_is_refused_with_the_way_out_and_that_way_leads_out(run: Run, log: Path, tmp_path: Path) -> None:
    hurt(log)
    before = log.read_bytes()
    refused = run("serve", "--log", "race.db", "--mqtt-port", "0", "--feed-port", "0", "--web-port", "0")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("timing: session albi: record 152 is kept under the identity passing/d/1/150")
    assert "`timing log salvage race.db --to NEW.db`" in refused.stderr
    assert log.read_bytes() == before
    saved = run("log", "salvage", "race.db", "--to", "new.db", "--rest", "rest")
    assert saved.returncode == 1, "something was left out"
    assert saved.stdout.splitlines() == [
        "albi  151 records saved; record 152 is not what was written, and of 152 to 301 150 were found and left out",
        "rest/albi.events.jsonl  150 events that can be read and not be proven; look at them before an import",
    ]
    assert log.read_bytes() == before
    assert run("log", "verify", "new.db").stdout.startswith("albi  151 records")
    imported = run("log", "import", "new.db", "rest/albi.events.jsonl", "--session", "albi", "--keep-bad")
    assert imported.stdout == "albi  150 new, 0 there already, 1 kept as rejected\n", "the damaged one has the number of another now"
    assert run("log", "verify", "new.db").stdout.startswith("albi  301 records")


def test_a_sound_log_is_saved_whole(run: Run, log: Path, tmp_path: Path) -> None:
    saved = run("log", "salvage", "race.db", "--to", "new.db", "--rest", "rest")
    assert (saved.returncode, saved.stdout) == (0, "albi  301 records saved, none known to be missing\n")
    assert run("log", "verify", "new.db").stdout == run("log", "verify", "race.db").stdout
    assert list((tmp_path / "rest").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("none.db", "--to", "new.db"), 1, "there is no log none.db"),
        (("race.db",), 2, "--to"),
        (("race.db", "--to", "race.db"), 2, "race.db is there already"),
        (("race.db", "--to", "no-folder/new.db"), 1, "there is no folder"),
        (("noise.db", "--to", "new.db"), 1, "no record of a log can be found in noise.db"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(run: Run, log: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    log.with_name("noise.db").write_bytes(b"Not a log at all. " * 1_000)
    failed = run("log", "salvage", *arguments)
    assert failed.returncode == status
    assert said in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_a_log_that_is_written_is_not_given_up(run: Run, log: Path) -> None:
    with closing(SqliteLog(log)):
        failed = run("log", "salvage", "race.db", "--to", "new.db")
    assert failed.returncode == 1
    assert "end that process first" in failed.stderr
