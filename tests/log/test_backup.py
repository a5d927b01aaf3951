"""Backups: of one moment of a log that goes on being written, checked, and named only when they are whole."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from timing.domain.errors import LogDamaged, LogError
from timing.log import backup as module
from timing.log.backup import backup
from timing.log.record import Draft
from timing.log.schema import GUARDS
from timing.log.sqlite_log import SqliteLog

MakeDraft = Callable[..., Draft]
MANY = 4_000


@pytest.fixture
def log(tmp_path: Path, passing: MakeDraft, message: MakeDraft) -> Iterator[SqliteLog]:
    with closing(SqliteLog(tmp_path / "live.db")) as log:
        log.append([passing(n) for n in range(MANY)], 5)
        log.append([message("m1", session="zolder"), message("m2", session="_")], 6)
        yield log


def records(path: Path) -> dict[str, list[tuple[int, int, bytes, bytes]]]:
    with closing(SqliteLog(path, readonly=True)) as log:
        return {name: [(r.seq, r.recorded_at, r.raw, r.hash) for r in log.read(name)] for name in log.sessions()}


def beside(path: Path) -> set[str]:
    return {file.name for file in path.parent.iterdir() if file.name.startswith(path.name)}


def test_a_backup_is_the_log_of_that_moment(log: SqliteLog, tmp_path: Path) -> None:
    before = records(log.path)
    target = tmp_path / "copy.db"
    heads = backup(log.path, target)
    assert [(h.session, h.seq, h.hash) for h in heads] == [(name, kept[-1][0], kept[-1][3].hex()) for name, kept in before.items()]
    assert beside(target) == {"copy.db"}
    assert records(target) == before


def test_it_can_be_written_on(log: SqliteLog, tmp_path: Path, passing: MakeDraft) -> None:
    target = tmp_path / "copy.db"
    backup(log.path, target)
    with closing(SqliteLog(target)) as copy:
        copy.append([passing(MANY)], 7)
    log.append([passing(MANY)], 7)
    assert records(target) == records(log.path)


def test_appends_between_its_steps_neither_wait_nor_begin_it_anew(
    log: SqliteLog, tmp_path: Path, passing: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP", 4)
    before, done = records(log.path), list[int]()

    def append(what: str, pages: int, of: int) -> None:
        if what == "copy":
            done.append(pages)
            log.append([passing(MANY + len(done))], 7)

    target = tmp_path / "copy.db"
    backup(log.path, target, append)
    assert len(done) > 50
    assert done == sorted(set(done)), "each step went on from the one before"
    assert records(target) == before
    assert log.high_watermark("albi") == MANY + len(done)


def test_a_writer_that_never_rests_does_not_keep_it_from_ending(log: SqliteLog, tmp_path: Path, passing: MakeDraft) -> None:
    stop, appended = threading.Event(), threading.Event()

    def write() -> None:
        number = MANY
        while not stop.is_set():
            log.append([passing(n) for n in range(number, number + 20)], 7)
            number += 20
            appended.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert appended.wait(10)
        for turn in range(3):
            (head, *_) = backup(log.path, tmp_path / f"copy-{turn}.db")
            assert head.seq > MANY
            assert head.seq % 20 == 0, "whole commits only"
    finally:
        stop.set()
        writer.join()
    whole = records(log.path)["albi"]
    for turn in range(3):
        kept = records(tmp_path / f"copy-{turn}.db")["albi"]
        assert kept == whole[: len(kept)]


def test_what_is_there_already_is_left_alone(log: SqliteLog, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("something of mine")
    with pytest.raises(LogError, match="is there already"):
        backup(log.path, target)
    with pytest.raises(LogError, match="no folder"):
        backup(log.path, tmp_path / "none" / "copy.db")
    assert target.read_text() == "something of mine"
    assert beside(target) == {"copy.db"}


def test_a_name_taken_while_it_is_made_is_not_overwritten(log: SqliteLog, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"

    def take(*_: object) -> None:
        target.write_text("something of mine")

    with pytest.raises(LogError, match="has come up meanwhile"):
        backup(log.path, target, take)
    assert target.read_text() == "something of mine"
    assert beside(target) == {"copy.db"}


def test_of_a_damaged_log_no_backup_is_left(log: SqliteLog, tmp_path: Path) -> None:
    log.close()
    with closing(sqlite3.connect(log.path, isolation_level=None)) as db:
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE record SET recorded_at = 1 WHERE session = 'albi' AND seq = 17")
        for guard in GUARDS.values():
            db.execute(guard)
    with pytest.raises(LogDamaged, match=r"no backup was made, what was copied is damaged: session albi: record 17") as caught:
        backup(log.path, tmp_path / "copy.db")
    assert (caught.value.session, caught.value.seq) == ("albi", 17)
    assert beside(tmp_path / "copy.db") == set()


def test_what_a_crash_left_of_another_is_taken_away(log: SqliteLog, tmp_path: Path) -> None:
    for end in (".part", ".part-wal", ".part-shm"):
        (tmp_path / f"copy.db{end}").write_bytes(b"half a page")
    backup(log.path, tmp_path / "copy.db")
    assert beside(tmp_path / "copy.db") == {"copy.db"}
