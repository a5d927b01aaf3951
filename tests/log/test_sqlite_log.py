"""What the log in a file promises beyond the contract: nothing altered, one writer, damage noticed."""

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from timing.domain.errors import LogDamaged, LogError, LogInUse
from timing.log import sqlite_log
from timing.log.record import Draft, Record
from timing.log.schema import GUARDS
from timing.log.sqlite_log import SqliteLog

MakeDraft = Callable[..., Draft]
NOW = 1_778_936_400_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parcferme.db"


@pytest.fixture
def written(path: Path, passing: MakeDraft, message: MakeDraft) -> list[Record]:
    """Write a log of two sessions, close it, and give the records of the first."""
    with closing(SqliteLog(path)) as log:
        for start in range(0, 300, 10):
            log.append([passing(n) for n in range(start, start + 10)], NOW + start)
            log.append([message(f"m{start}", session="zolder")], NOW + start)
        return list(log.read("albi"))


def tamper(path: Path, *statements: str) -> None:
    """Do to the file what somebody does who knows how to put the guards back as they were."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert db.execute(statement).rowcount
        for guard in GUARDS.values():
            db.execute(guard)


def test_a_log_opened_again_goes_on(path: Path, written: list[Record], passing: MakeDraft) -> None:
    with closing(SqliteLog(path)) as log:
        assert list(log.read("albi")) == written
        assert log.sessions() == ["albi", "zolder"]
        assert [(a.outcome, a.seq) for a in log.append([passing(0), passing(300)], NOW)] == [("same", 1), ("new", 301)]
        log.check_structure()
        assert log.check("albi") == 301


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE record SET recorded_at = 1 WHERE position = 5", "never altered"),
        ("UPDATE record SET event = x'7b7d'", "never altered"),
        ("DELETE FROM record", "never deleted"),
        ("DELETE FROM record WHERE position = (SELECT max(position) FROM record)", "never deleted"),
        ("INSERT OR REPLACE INTO record SELECT * FROM record WHERE position = 5", "comes after the last one"),
        ("REPLACE INTO record SELECT 331, session, 301, recorded_at, identity, event, hash FROM record WHERE position = 5", "is new"),
        ("INSERT INTO record SELECT 331, session, 400, recorded_at, 'id/new', event, hash FROM record WHERE position = 5", "comes after"),
        ("INSERT INTO record SELECT 500, session, 301, recorded_at, 'id/new', event, hash FROM record WHERE position = 5", "comes after"),
    ],
)
def test_the_file_itself_refuses_to_be_altered(path: Path, written: list[Record], statement: str, reason: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        with pytest.raises(sqlite3.IntegrityError, match=reason):
            db.execute(statement)
        assert db.execute("SELECT count(*) FROM record").fetchone() == (330,)


@pytest.mark.parametrize("seq", [1, 2, 150, 299, 300])
@pytest.mark.parametrize(
    "change",
    [
        "recorded_at = recorded_at + 1",
        "recorded_at = -1",
        "hash = zeroblob(32)",
        "event = CAST(replace(CAST(event AS TEXT), 'T7', 'T8') AS BLOB)",
        "event = x'7b7d'",
        "event = x'ff'",
        "identity = 'id/other'",
    ],
)
def test_an_altered_record_is_named_on_opening(path: Path, written: list[Record], seq: int, change: str) -> None:
    tamper(path, f"UPDATE record SET {change} WHERE session = 'albi' AND seq = {seq}")  # noqa: S608  # the texts above
    with pytest.raises(LogDamaged, match=f"session albi: record {seq} ") as caught:
        SqliteLog(path)
    assert (caught.value.session, caught.value.seq) == ("albi", seq)
    with pytest.raises(LogDamaged):
        SqliteLog(path, readonly=True)


def test_a_missing_record_is_named_on_opening(path: Path, written: list[Record]) -> None:
    tamper(path, "DELETE FROM record WHERE session = 'albi' AND seq = 42")
    with pytest.raises(LogDamaged, match="record 42 is missing"):
        SqliteLog(path)


def test_a_record_moved_to_another_session_is_noticed(path: Path, written: list[Record]) -> None:
    tamper(path, "UPDATE record SET session = 'zolder', seq = 31 WHERE session = 'albi' AND seq = 300")
    with pytest.raises(LogDamaged, match="session zolder: record 31"):
        SqliteLog(path)


def test_opening_checks_the_ends_of_long_sessions_and_verify_the_rest(
    path: Path, written: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "CHECKED_ON_OPENING", 100)  # 50 for each of the two sessions
    tamper(path, "UPDATE record SET recorded_at = 1 WHERE session = 'albi' AND seq = 250")
    with closing(SqliteLog(path, readonly=True)) as log, pytest.raises(LogDamaged, match="record 250"):
        log.check("albi")
    tamper(path, "UPDATE record SET recorded_at = 1 WHERE session = 'albi' AND seq = 251")
    with pytest.raises(LogDamaged, match="record 251"):
        SqliteLog(path, readonly=True)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER record_is_never_deleted",
        "CREATE TRIGGER other AFTER INSERT ON record BEGIN SELECT 1; END",
        "CREATE TABLE other (a)",
        "ALTER TABLE record ADD COLUMN other TEXT",
    ],
)
def test_guards_taken_down_are_noticed(path: Path, written: list[Record], statement: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
    with pytest.raises(LogDamaged, match="altered by another program"):
        SqliteLog(path)


def test_a_flipped_byte_is_noticed_or_changes_nothing(path: Path, written: list[Record], tmp_path: Path) -> None:
    whole, dice, noticed = path.read_bytes(), random.Random(7), 0
    for case in range(200):
        place = dice.randrange(len(whole)) if case % 4 else dice.randrange(4096)  # every fourth in the first page
        hurt = tmp_path / f"hurt-{case}.db"
        hurt.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << dice.randrange(8))]) + whole[place + 1 :])
        try:
            with closing(SqliteLog(hurt, readonly=True)) as log:
                log.check_structure()
                assert list(log.read("albi")) == written, f"byte {place}"
        except LogError:
            noticed += 1
        for leftover in tmp_path.glob(f"hurt-{case}.db*"):
            leftover.unlink()
    assert noticed > 100


def test_a_file_cut_off_anywhere_is_noticed(path: Path, written: list[Record]) -> None:
    whole = path.read_bytes()
    for size in {0, 1, 15, 16, 99, 100, 511, 4095, 4096, 4097, len(whole) // 2, len(whole) - 4096, len(whole) - 512, len(whole) - 1}:
        path.write_bytes(whole[:size])
        with pytest.raises(LogError):
            SqliteLog(path)
        assert path.stat().st_size == size, "nothing is repaired"


def test_a_zeroed_file_or_page_is_noticed(path: Path, written: list[Record]) -> None:
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    with pytest.raises(LogError, match="not a log"):
        SqliteLog(path)
    for page in range(1, len(whole) // 4096):
        path.write_bytes(whole[: page * 4096] + bytes(4096) + whole[(page + 1) * 4096 :])
        with pytest.raises(LogDamaged):
            SqliteLog(path)


def test_other_files_are_refused_and_left_alone(path: Path) -> None:
    path.write_text('{"type":"session_opened"}\n' * 500)
    before = path.read_bytes()
    with pytest.raises(LogError, match="not a log"):
        SqliteLog(path)
    assert path.read_bytes() == before
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE flights (number)")
    with pytest.raises(LogError, match="another program"):
        SqliteLog(path)


def test_a_newer_format_is_refused(path: Path, written: list[Record]) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(LogError, match="format 2"):
        SqliteLog(path)


def test_places_where_no_log_can_be(tmp_path: Path) -> None:
    for readonly in (True, False):
        with pytest.raises(LogError, match="is not a file"):
            SqliteLog(tmp_path, readonly=readonly)
    with pytest.raises(LogError, match="there is no log"):
        SqliteLog(tmp_path / "none.db", readonly=True)
    with pytest.raises(LogError, match="there is no folder"):
        SqliteLog(tmp_path / "none" / "parcferme.db")


def test_a_lost_write_ahead_log_leaves_a_prefix(path: Path, tmp_path: Path, passing: MakeDraft) -> None:
    copy = tmp_path / "copy.db"
    with closing(SqliteLog(path)) as log:
        for number in range(3):
            log.append([passing(number)], NOW)
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        log.append([passing(3), passing(4)], NOW)
        shutil.copy(path, copy)  # the file without what stands in the write-ahead log
        first = list(log.read("albi", 1, 3))
    with closing(SqliteLog(copy)) as log:
        assert list(log.read("albi")) == first


def test_a_write_ahead_log_without_its_log_is_not_taken_for_a_new_one(path: Path, passing: MakeDraft) -> None:
    with closing(SqliteLog(path)) as log:
        log.append([passing(1)], NOW)
        path.rename(path.with_suffix(".elsewhere"))
        with pytest.raises(LogInUse):
            SqliteLog(path)
        wal = path.with_name(path.name + "-wal").read_bytes()
    path.with_name(path.name + "-wal").write_bytes(wal)
    with pytest.raises(LogError, match="a part of it, is there"):
        SqliteLog(path)


def test_a_half_made_log_is_made_anew(path: Path) -> None:
    path.with_name(path.name + ".new").write_bytes(b"cut off while it was made")
    with closing(SqliteLog(path)) as log:
        assert log.sessions() == []
    assert not path.with_name(path.name + ".new").exists()


def test_a_second_writer_is_refused(path: Path, tmp_path: Path) -> None:
    other_name = tmp_path / "other-name.db"
    other_name.symlink_to(path)
    program = f"from timing.log.sqlite_log import SqliteLog; SqliteLog({str(path)!r})"
    with closing(SqliteLog(path)):
        for name in (path, other_name):
            with pytest.raises(LogInUse, match="is writing the log"):
                SqliteLog(name)
        child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
        assert "LogInUse: process" in child.stderr
    SqliteLog(path).close()


def test_readers_read_while_it_is_written(path: Path, passing: MakeDraft) -> None:
    done = threading.Event()
    with closing(SqliteLog(path)) as log, closing(SqliteLog(path, readonly=True)) as reader:

        def write() -> None:
            for start in range(0, 3_000, 10):
                log.append([passing(n) for n in range(start, start + 10)], NOW)
            done.set()

        writing = threading.Thread(target=write)
        writing.start()
        looks = 0
        try:
            while not done.is_set():
                for source in (reader, log):
                    seqs = [record.seq for record in source.read("albi")]
                    assert seqs == list(range(1, len(seqs) + 1))
                    assert len(seqs) % 10 == 0, "an append is seen whole or not at all"
                looks += 1
        finally:
            writing.join()
        assert looks
        assert reader.high_watermark("albi") == 3_000
        assert reader.sessions() == ["albi"]
        with pytest.raises(LogError, match="opened for reading"):
            reader.append([passing(1)], NOW)


def test_positions_run_through_all_sessions(path: Path, written: list[Record], message: MakeDraft) -> None:
    with closing(SqliteLog(path)) as log:
        assert log.last_position() == 330
        assert [(place, r.session, r.seq) for place, r in log.since(327)] == [(328, "albi", 299), (329, "albi", 300), (330, "zolder", 30)]
        assert [place for place, _ in log.since(0, limit=3)] == [1, 2, 3]
        assert log.since(330) == []


def test_many_sessions_are_opened_and_told_in_order(path: Path, passing: MakeDraft) -> None:
    names = [f"s{n * 7919 % 1_000:03d}" for n in range(1_000)]
    with closing(SqliteLog(path)) as log:
        log.append([passing(n, name) for n in range(3) for name in names], NOW)
    with closing(SqliteLog(path)) as log:
        assert log.sessions() == names
        assert {log.high_watermark(name) for name in names} == {3}
        assert log.append([passing(3, names[500])], NOW)[0].seq == 4


def test_a_full_disk_stores_nothing_and_ends_writing(path: Path, passing: MakeDraft) -> None:
    with closing(SqliteLog(path)) as log:
        log.append([passing(n) for n in range(10)], NOW)
        before = list(log.read("albi"))
        assert log._writing
        log._writing.execute("PRAGMA max_page_count = 12")
        with pytest.raises(LogError, match="full"):
            log.append([passing(n) for n in range(10, 1_000)], NOW)
        log._writing.execute("PRAGMA max_page_count = 100000")
        with pytest.raises(LogError, match="an append failed"):
            log.append([passing(10)], NOW)
        assert list(log.read("albi")) == before
    with closing(SqliteLog(path)) as log:
        assert list(log.read("albi")) == before
        assert log.append([passing(10)], NOW)[0].seq == 11


def test_another_program_that_appends_is_noticed(path: Path, passing: MakeDraft) -> None:
    with closing(SqliteLog(path)) as log:
        log.append([passing(1)], NOW)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("INSERT INTO record SELECT 2, session, 2, recorded_at, 'id/forged', event, hash FROM record")
        with pytest.raises(LogError, match="comes after the last one"):
            log.append([passing(2)], NOW)


def test_a_closed_log_says_so(path: Path, passing: MakeDraft) -> None:
    log = SqliteLog(path)
    log.append([passing(1)], NOW)
    log.close()
    with pytest.raises(LogError, match="closed"):
        log.append([passing(2)], NOW)
    with pytest.raises(LogError, match="closed"):
        list(log.read("albi"))
