"""``timing log`` as people run it: real processes, their output and exit status."""

import json
import os
import pty
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from timing.domain.events import MessageRejected, Passing
from timing.log.record import draft
from timing.log.schema import GUARDS
from timing.log.sqlite_log import SqliteLog

PATIENCE = 30.0
NOW = 1_778_936_400_123_456
TIMING = [sys.executable, "-c", "from timing.cli import main; main()", "log"]
OPENED = (
    b'{"type":"session_opened","id":"o1","at":1000000,"session":"%s","name":"Race 1","kind":"race","rulebook":"mitjet",'
    b'"distance":{"laps":10},"circuit":{"name":"Albi","loops":[{"id":"SF","line":"finish"}]}}\n'
)

Run = Callable[..., subprocess.CompletedProcess[str]]


def passing(number: int, session: str = "albi") -> Passing:
    return Passing(at=2_000_000 + number, decoder="line-1", boot=1, number=number, loop="SF", transponder="T7")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*TIMING, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE)

    return call


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    file = tmp_path / "albi.events.jsonl"
    line = b'{"type":"passing","at":%d,"decoder":"line-1","boot":1,"number":%d,"loop":"SF","transponder":"T7"}\n'
    file.write_bytes(OPENED % b"albi" + b"".join(line % (2_000_000 + n, n) for n in range(30)))
    return file


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Write a log with the sessions albi and _."""
    path = tmp_path / "stored.db"
    with closing(SqliteLog(path)) as log:
        for number in range(20):
            log.append([draft("albi", passing(number))], NOW + number * 1_000_000)
        event = MessageRejected(id="r1", at=NOW, channel="passings/l", code="unknown-session", reason="there\x1b[2J is none", payload=b"{}")
        log.append([draft("_", event)], NOW)
    return path


def failed(result: subprocess.CompletedProcess[str], status: int) -> str:
    """Give the one line in which a command said what went wrong."""
    assert result.returncode == status, result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("timing: ")
    return result.stderr


def test_a_file_imported_and_exported_is_the_same_log_again(run: Run, plain: Path, tmp_path: Path) -> None:
    imported = run("import", "one.db", plain.name)
    assert (imported.returncode, imported.stdout, imported.stderr) == (0, "albi  31 new, 0 there already\n", "")
    assert run("export", "one.db", "-o", "one.jsonl").returncode == 0
    assert run("import", "two.db", "one.jsonl").returncode == 0
    exported = run("export", "two.db", "--session", "albi")
    assert exported.stdout == (tmp_path / "one.jsonl").read_text()
    assert exported.stdout.count("\n") == 31
    assert run("verify", "one.db").stdout == run("verify", "two.db").stdout
    assert run("import", "two.db", "one.jsonl", plain.name).stdout == "albi  0 new, 31 there already\n" * 2
    assert not list(tmp_path.glob("*.part"))


def test_verify_counts_and_gives_the_last_hash(run: Run, stored: Path) -> None:
    with closing(SqliteLog(stored, readonly=True)) as log:
        heads = {name: list(log.read(name))[-1].hash.hex() for name in log.sessions()}
    assert run("verify", stored.name).stdout == f"albi  20 records  {heads['albi']}\n_  1 record  {heads['_']}\n"
    assert run("verify", stored.name, "--session", "_").stdout == f"_  1 record  {heads['_']}\n"


def test_verify_names_the_first_record_at_fault(run: Run, stored: Path) -> None:
    with closing(sqlite3.connect(stored, isolation_level=None)) as db:
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE record SET recorded_at = recorded_at + 1 WHERE seq IN (7, 9)")
        for guard in GUARDS.values():
            db.execute(guard)
    assert "session albi: record 7 is not what was written" in failed(run("verify", stored.name), 1)


def test_verify_refuses_what_is_no_log(run: Run, plain: Path) -> None:
    assert "is not a log" in failed(run("verify", plain.name), 1)
    assert "there is no log" in failed(run("verify", "none.db"), 1)


def test_a_session_is_chosen_where_there_are_several(run: Run, plain: Path, tmp_path: Path) -> None:
    other = tmp_path / "zolder.events.jsonl"
    other.write_bytes(OPENED % b"zolder")
    assert run("import", "two.db", plain.name, other.name).stdout.count("\n") == 2
    assert "choose one with --session: albi, zolder" in failed(run("export", "two.db"), 2)
    assert "there is no session dijon in two.db; there are: albi, zolder" in failed(run("export", "two.db", "--session", "dijon"), 2)
    assert run("export", "two.db", "--session", "zolder").stdout.count("\n") == 1


def test_a_bad_line_refuses_the_file_unless_it_is_kept(run: Run, plain: Path, tmp_path: Path) -> None:
    with plain.open("ab") as file:
        file.write(b'{"type":"passing","at":3}\n')
    refused = run("import", "one.db", plain.name)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[0].startswith(f"timing: {plain.name}, line 32: bad-field: ")
    assert "--keep-bad" in refused.stderr.splitlines()[1]
    assert "holds no session yet" in run("verify", "one.db").stderr
    kept = run("import", "--keep-bad", "one.db", plain.name)
    assert (kept.returncode, kept.stdout) == (0, "albi  32 new, 0 there already, 1 kept as rejected\n")
    last = json.loads(run("tail", "one.db", "-n", "1", "--json").stdout)
    assert (last["type"], last["seq"], last["code"]) == ("message_rejected", 32, "bad-field")


def test_an_altered_export_is_not_imported(run: Run, stored: Path, tmp_path: Path) -> None:
    assert run("export", stored.name, "--session", "_", "-o", "lost.jsonl").returncode == 0
    lost = tmp_path / "lost.jsonl"
    lost.write_bytes(lost.read_bytes().replace(b"there", b"THERE"))
    assert "record 1 is not what was written" in failed(run("import", "one.db", "lost.jsonl", "--session", "_"), 1)


def test_a_log_in_use_is_read_but_not_written(run: Run, stored: Path, plain: Path) -> None:
    with closing(SqliteLog(stored)):
        assert "is writing the log" in failed(run("import", stored.name, plain.name), 1)
        assert run("verify", stored.name).returncode == 0


def test_tail_is_made_for_reading(run: Run, stored: Path) -> None:
    lines = run("tail", stored.name, "-n", "2").stdout.splitlines()
    assert re.fullmatch(
        r"albi +20 +13:00:19\.123 +passing +at=00:00:02\.000 decoder=line-1 boot=1 number=19 loop=SF transponder=T7", lines[0]
    )
    assert "unknown-session" in lines[1]
    assert "\x1b" not in lines[1]
    assert [line.split()[1] for line in run("tail", stored.name, "--session", "albi").stdout.splitlines()] == [
        str(n) for n in range(11, 21)
    ]
    exported = run("export", stored.name).stdout
    assert run("tail", stored.name, "--session", "albi", "-n", "99", "--json").stdout == exported
    assert run("tail", stored.name, "-n", "0").stdout == ""


def pass_on(output: IO[str], lines: "queue.Queue[str]") -> None:
    for line in output:
        lines.put(line)


@pytest.fixture
def followed(stored: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], "queue.Queue[str]"]]]:
    """Follow the log in a process; its lines come in a queue."""
    started: list[tuple[subprocess.Popen[str], threading.Thread]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], "queue.Queue[str]"]:
        process = subprocess.Popen(
            [*TIMING, "tail", str(stored), "--follow", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        reading = threading.Thread(target=pass_on, args=(process.stdout, lines))
        reading.start()
        started.append((process, reading))
        return process, lines

    yield start
    for process, reading in started:
        process.kill()
        reading.join()
        process.communicate()


@pytest.mark.parametrize("arguments", [(), ("--session", "albi")])
def test_tail_follows_a_log_that_another_process_writes(
    stored: Path, followed: Callable[..., tuple[subprocess.Popen[str], "queue.Queue[str]"]], arguments: tuple[str, ...]
) -> None:
    with closing(SqliteLog(stored)) as log:
        process, lines = followed("-n", "1", *arguments)
        lines.get(timeout=PATIENCE)
        for start in range(20, 26, 2):
            log.append([draft("albi", passing(n)) for n in range(start, start + 2)], NOW)
            assert [lines.get(timeout=PATIENCE).split()[1] for _ in range(2)] == [str(start + 1), str(start + 2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130


def test_a_reader_that_goes_away_is_no_error(stored: Path) -> None:
    with closing(SqliteLog(stored)) as log:
        log.append([draft("albi", passing(n)) for n in range(20, 3_000)], NOW)
    with subprocess.Popen([*TIMING, "export", str(stored)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


def test_long_work_shows_how_far_it_is_on_a_terminal(stored: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        result = subprocess.run(
            [*TIMING, "verify", str(stored)],
            stdout=subprocess.PIPE,
            stderr=theirs,
            check=False,
            timeout=PATIENCE,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        )
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65_536):
                shown += part
        except OSError:
            pass  # how Linux says that the other end of a terminal is closed
    finally:
        os.close(ours)
    assert result.returncode == 0
    assert b"verify albi" in shown


def test_a_backup_is_made_beside_the_writer_and_checked(run: Run, stored: Path, tmp_path: Path) -> None:
    with closing(SqliteLog(stored)) as log:
        made = run("backup", stored.name, "copy.db")
        assert (made.returncode, made.stderr) == (0, "")
        log.append([draft("albi", passing(20))], NOW)
    assert made.stdout == run("verify", "copy.db").stdout
    assert "is there already" in failed(run("backup", stored.name, "copy.db"), 1)
    assert "there is no log" in failed(run("backup", "none.db", "other.db"), 1)
    assert run("export", "copy.db", "--session", "_").stdout == run("export", stored.name, "--session", "_").stdout


def test_a_backup_that_finds_no_room_leaves_nothing(stored: Path, tmp_path: Path) -> None:
    with closing(SqliteLog(stored)) as log:
        log.append([draft("albi", passing(n)) for n in range(20, 3_000)], NOW)
    small = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); {TIMING[2]}"
    result = subprocess.run(
        [sys.executable, "-c", small, "log", "backup", str(stored), str(tmp_path / "copy.db")], capture_output=True, text=True, check=False
    )
    assert "copy.db" in failed(result, 1)
    assert "make room" in result.stderr
    assert not list(tmp_path.glob("copy.db*"))


def test_sessions_are_copied_to_another_log(run: Run, stored: Path, plain: Path) -> None:
    first = run("copy", stored.name, "new.db")
    assert first.stdout.startswith("albi  20 new, 0 there already  ")
    rest = run("copy", stored.name, "new.db", "--all")
    assert [line.split("  ")[:2] for line in rest.stdout.splitlines()] == [
        ["albi", "0 new, 20 there already"],
        ["_", "1 new, 0 there already"],
    ]
    assert run("verify", "new.db").stdout == run("verify", stored.name).stdout
    assert "is the log itself" in failed(run("copy", "new.db", "new.db"), 2)
    assert "not both" in failed(run("copy", "new.db", "other.db", "--all", "--session", "albi"), 2)
    assert "there is no session dijon" in failed(run("copy", "new.db", "other.db", "--session", "dijon"), 2)
    run("import", "third.db", plain.name)
    assert "another" in failed(run("copy", "third.db", "new.db"), 1)


@pytest.mark.parametrize("name", [(), ("verify",), ("backup",), ("export",), ("import",), ("copy",), ("tail",)])
def test_help_is_whole(run: Run, name: tuple[str, ...]) -> None:
    shown = run(*name, "--help")
    assert shown.returncode == 0
    assert "..." not in shown.stdout.replace("FILE...", "").replace("[ARGS]...", "")
    assert "LOG" in shown.stdout or not name
