"""What is saved of a log is proven by its chain; whatever is beside that is told, and not believed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from timing.domain.errors import LogError
from timing.log.record import Draft, Record
from timing.log.salvage import Salvage
from timing.log.schema import GUARDS
from timing.log.sqlite_log import SqliteLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def written(path: Path, passing: Callable[..., Draft]) -> dict[str, list[Record]]:
    with closing(SqliteLog(path)) as log:
        for start in range(0, 200, 20):
            log.append([passing(n) for n in range(start, start + 20)], 1_000 + start)
            log.append([passing(start, "zolder")], 1_000 + start)
        return {name: list(log.read(name)) for name in log.sessions()}


def tamper(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        assert db.execute(statement).rowcount == 1


def test_all_of_a_sound_log_is_saved(path: Path, written: dict[str, list[Record]]) -> None:
    seen: list[int] = []
    saving = Salvage(path, seen.append)
    assert [session.name for session in saving.sessions] == list(written)
    for session in saving.sessions:
        assert list(saving.proven(session)) == written[session.name]
        assert (session.saved, session.left_out) == (len(written[session.name]), 0)
        assert list(saving.rest(session)) == []
    assert seen[0] == 0
    assert saving.size == path.stat().st_size


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE record SET recorded_at = 1 WHERE session = 'albi' AND seq = 120", 81),
        ("UPDATE record SET identity = 'id/other' WHERE session = 'albi' AND seq = 120", 81),
        ("UPDATE record SET hash = zeroblob(32) WHERE session = 'albi' AND seq = 120", 81),
        ("UPDATE record SET event = x'7b7d' WHERE session = 'albi' AND seq = 120", 80),
        ("DELETE FROM record WHERE session = 'albi' AND seq = 120", 80),
    ],
)
def test_what_follows_an_altered_record_is_read_but_not_proven(
    path: Path, written: dict[str, list[Record]], statement: str, found: int
) -> None:
    tamper(path, statement)
    saving = Salvage(path)
    albi, zolder = saving.sessions
    assert list(saving.proven(albi)) == written["albi"][:119]
    assert list(saving.proven(zolder)) == written["zolder"]
    assert len(list(saving.rest(albi))) == found
    assert list(saving.rest(albi))[-1] == written["albi"][-1].raw
    assert albi.last == 200
    assert zolder.left_out == 0


def test_a_record_written_again_under_another_number_is_not_taken_twice(path: Path, written: dict[str, list[Record]]) -> None:
    """A chain that somebody continued with an identity that was there already: whoever restores it would be refused."""
    from timing.log.record import chain_hash

    last, double = written["albi"][-1], written["albi"][0]
    hashed = chain_hash(last.hash, "albi", 201, 5, double.raw)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        db.execute(
            "INSERT INTO record SELECT max(position) + 1, 'albi', 201, 5, ?, ?, ? FROM record", ("passing/other/1/0", double.raw, hashed)
        )
    saving = Salvage(path)
    assert list(saving.proven(saving.sessions[0])) == written["albi"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        Salvage(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    assert Salvage(tmp_path / "empty.db").sessions == []
