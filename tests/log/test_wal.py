"""The write-ahead log read without SQLite agrees with SQLite, and tells a torn end from damage in the midst."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from timing.domain.errors import LogDamaged
from timing.log.record import Draft
from timing.log.sqlite_log import SqliteLog
from timing.log.wal import FRAME_HEADER, HEADER, check_wal, read_wal, wal_of

PAGE = 4096
COMMITS = 6


@pytest.fixture
def killed(tmp_path: Path, passing: Callable[..., Draft]) -> Path:
    """A log as kill -9 leaves it: six commits, all of them in the write-ahead log."""
    path = tmp_path / "killed.db"
    with closing(SqliteLog(tmp_path / "log.db")) as log:
        for commit in range(COMMITS):
            log.append([passing(n) for n in range(commit * 40, commit * 40 + 40)], 1_000 + commit)
        shutil.copy(log.path, path)
        shutil.copy(wal_of(log.path), wal_of(path))
    return path


def test_the_frames_are_those_that_sqlite_takes_in(killed: Path) -> None:
    found = read_wal(wal_of(killed).read_bytes())
    assert found.page_size == PAGE
    assert found.header_is_sound
    assert found.strays == 0
    assert sum(frame.ends_commit for frame in found.frames) == COMMITS
    assert all(frame.committed for frame in found.frames)
    content = {frame.page: wal_of(killed).read_bytes()[frame.offset : frame.offset + PAGE] for frame in found.frames}
    with closing(sqlite3.connect(killed)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    file = killed.read_bytes()
    assert all(file[(page - 1) * PAGE : page * PAGE] == its for page, its in content.items())


def test_frames_of_an_earlier_go_are_no_part_of_it(tmp_path: Path, passing: Callable[..., Draft]) -> None:
    """After a checkpoint SQLite writes the next frames over the old ones, with other salts."""
    with closing(SqliteLog(tmp_path / "log.db")) as log:
        log.append([passing(n) for n in range(400)], 1)
        before = len(wal_of(log.path).read_bytes())
        with closing(sqlite3.connect(log.path)) as db:
            db.execute("PRAGMA wal_checkpoint(RESTART)")
        log.append([passing(400)], 2)
        content = wal_of(log.path).read_bytes()
    found = read_wal(content)
    assert len(content) == before
    assert 0 < sum(frame.committed for frame in found.frames) < len(found.frames)
    assert found.strays == 0


@pytest.mark.parametrize("suffix", ["none", "empty"])
def test_without_a_write_ahead_log_there_is_nothing_to_miss(killed: Path, suffix: str) -> None:
    wal_of(killed).unlink()
    if suffix == "empty":
        wal_of(killed).touch()
    check_wal(killed)


def test_a_torn_end_is_no_damage_and_a_hole_in_the_midst_is(killed: Path) -> None:
    whole = wal_of(killed).read_bytes()
    frames = read_wal(whole).frames
    ends = [frame.offset + PAGE for frame in frames if frame.ends_commit]
    wal_of(killed).write_bytes(whole[: ends[-1] - 100])
    check_wal(killed)
    hurt = bytearray(whole)
    hurt[ends[-2] + FRAME_HEADER + 8] ^= 1
    wal_of(killed).write_bytes(hurt)
    check_wal(killed)  # of the last commit nobody can tell
    hurt = bytearray(whole)
    hurt[ends[1] + FRAME_HEADER + 8] ^= 1
    wal_of(killed).write_bytes(hurt)
    with pytest.raises(LogDamaged, match="4 commits after that would be lost"):
        check_wal(killed)
    with pytest.raises(LogDamaged, match="timing log salvage"):
        SqliteLog(killed)
    assert wal_of(killed).read_bytes() == hurt, "it stays as it is"


@pytest.mark.parametrize("place", [0, 3, 9, 16, 20, 24, 31])
def test_a_damaged_head_hides_nothing(killed: Path, place: int) -> None:
    hurt = bytearray(wal_of(killed).read_bytes())
    hurt[place] ^= 16
    wal_of(killed).write_bytes(hurt)
    assert place < HEADER
    with pytest.raises(LogDamaged, match="damaged at its head, and 6 commits"):
        check_wal(killed)


def test_verify_looks_at_it_too_but_not_beside_a_writer(killed: Path, tmp_path: Path) -> None:
    hurt = bytearray(wal_of(killed).read_bytes())
    hurt[HEADER + FRAME_HEADER + 20] ^= 1
    wal_of(killed).write_bytes(hurt)
    with closing(SqliteLog(killed, readonly=True)) as log, pytest.raises(LogDamaged, match="would be lost"):
        log.check_structure()
    with closing(SqliteLog(tmp_path / "log.db")), closing(SqliteLog(tmp_path / "log.db", readonly=True)) as reader:
        reader.check_structure()


def test_what_a_crash_left_behind_the_end_is_gone_before_the_next_commit(killed: Path, passing: Callable[..., Draft]) -> None:
    whole = wal_of(killed).read_bytes()
    ends = [frame.offset + PAGE for frame in read_wal(whole).frames if frame.ends_commit]
    torn = bytearray(whole)
    torn[ends[-2] : ends[-2] + FRAME_HEADER] = bytes(FRAME_HEADER)
    wal_of(killed).write_bytes(torn)
    with closing(SqliteLog(killed)) as log:
        assert log.high_watermark("albi") == 40 * (COMMITS - 1)
        assert wal_of(killed).stat().st_size == 0
        log.append([passing(1_000)], 1)
        assert read_wal(wal_of(killed).read_bytes()).strays == 0
