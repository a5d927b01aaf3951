"""Rows are found in pages without SQLite, and are those that SQLite gives."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from timing.domain.events import Message
from timing.log.carving import Carving
from timing.log.record import Draft, draft
from timing.log.sqlite_log import SqliteLog

Line = tuple[int, str, int, int, str, bytes, bytes]
ALL = "SELECT position, session, seq, recorded_at, identity, event, hash FROM record ORDER BY position"


def carved(path: Path) -> list[Line]:
    carving = Carving(path)
    rows = {row for *_, place in carving.places() for row in carving.read(place)}
    return sorted((r.position, r.session, r.seq, r.recorded_at, r.identity, r.raw, r.hash) for r in rows)


def told(path: Path) -> list[Line]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(ALL).fetchall()


def long_message(number: int, length: int) -> Draft:
    event = Message(id=f"m{number}", at=1_000_000, text="Zoë")
    return draft("zolder", event, msgspec.json.encode({**msgspec.to_builtins(event), "note": "é" * (length // 2)}))


# Around each length at which a row's long part goes to another page: 4,061 bytes, 4,092 more for each page after that, and 489 that stay.
LENGTHS = [*range(3_700, 4_100, 17), *range(7_900, 8_200, 31), 489, 500, 12_345, 70_000]


def test_every_row_of_the_file_is_found_as_sqlite_gives_it(tmp_path: Path, passing: Callable[..., Draft]) -> None:
    path = tmp_path / "log.db"
    with closing(SqliteLog(path)) as log:
        for number, length in enumerate(LENGTHS):
            log.append([passing(number), long_message(number, length), passing(number, "_")], 1_778_936_400_000_000 + number)
    assert carved(path) == told(path)
    assert len(told(path)) == 3 * len(LENGTHS)


def test_rows_of_the_write_ahead_log_are_found_too(tmp_path: Path, passing: Callable[..., Draft]) -> None:
    with closing(SqliteLog(tmp_path / "log.db")) as log:
        for number, length in enumerate(LENGTHS):
            log.append([passing(number), long_message(number, length)], number)
        assert set(told(log.path)) <= set(carved(log.path))
        firsts = {(session, seq) for session, seq, *_ in Carving(log.path).places()}
        assert firsts == {(session, seq) for _, session, seq, *_ in told(log.path)}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3 * 4096), st.binary(max_size=4096 + 200))
def test_no_bytes_at_all_make_it_fail(tmp_path: Path, file: bytes, wal: bytes) -> None:
    path = tmp_path / "noise.db"
    path.write_bytes(b"SQLite format 3\0" + file)
    path.with_name("noise.db-wal").write_bytes(wal)
    carved(path)


@pytest.mark.parametrize("kind", [13, 10, 5, 2, 0])
def test_a_page_of_noise_that_says_it_holds_rows_gives_none(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "noise.db"
    noise = bytes((n * 7_919 + n // 256) % 256 for n in range(4_096))
    path.write_bytes(bytes(4_096) + bytes([kind]) + noise[1:])
    assert carved(path) == []
