"""A copy of a log's file while it is written: SQLite's online backup of one moment, checked record by record before it gets its name."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from timing.domain.errors import LogDamaged, LogError
from timing.log.schema import connect, said_plainly
from timing.log.sqlite_log import SqliteLog

STEP = 256  # pages copied at one go: 1 MiB, so that nobody who reads or writes waits long
_BUSY_S = 0.05


class Head(Struct, frozen=True):
    """How far a session reaches: its last ``seq``, and that record's hash in hexadecimal, which stands for all before it."""

    session: str
    seq: int
    hash: str


def backup(path: Path, target: Path, progress: Callable[[str, int, int], None] | None = None) -> list[Head]:
    """Copy the log at ``path``, as it is at this moment, to ``target``, beside whoever writes it; and check the copy, every record.

    One read transaction lasts for as long as the copying does: it sees one moment, the writer goes on, and its write-ahead log grows
    meanwhile. ``target`` gets its name when the copy is whole, checked and on the disk; until then it is ``target`` with ``.part``.

    Args:
        path: the log's file.
        target: a file that is not there yet.
        progress: is called now and then with what is done (``copy``, or a session that is checked), how far it is, and of how much.

    Returns:
        the sessions of the copy, in the order in which they were opened.

    Raises:
        LogDamaged: the log, or what was copied of it, is not as it was written; no copy is left.
        LogError: the log cannot be read, or the copy not be written.

    """
    if target.exists():
        raise LogError(f"{target} is there already; give a backup a name of its own")
    if not target.parent.is_dir():
        raise LogError(f"there is no folder {target.parent} for the backup; make it, or give another path")
    part = target.with_name(target.name + ".part")
    try:
        _remove(part)
        with closing(connect(path, readonly=True)) as source, said_plainly(path):
            _copy(source, part, progress)
        heads = _checked(part, progress)
        _name(part, target)
    except OSError as error:
        raise LogError(f"{target} cannot be written: {error.strerror}; make room, or give another path") from None
    finally:
        _remove(part)
    return heads


def _copy(source: sqlite3.Connection, part: Path, progress: Callable[[str, int, int], None] | None) -> None:
    source.execute("BEGIN")
    source.execute(
        "SELECT count(*) FROM sqlite_schema"
    ).fetchone()  # from here on it sees this moment; without, appends begin the copy anew

    def report(_: int, left: int, pages: int) -> None:
        if progress:
            progress("copy", pages - left, pages)

    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        try:
            source.backup(copy, pages=STEP, progress=report, sleep=_BUSY_S)
        except sqlite3.OperationalError as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
                raise LogError(f"the backup {part} cannot be written: {error}; make room, or give another path") from None
            raise
    source.execute("ROLLBACK")


def _checked(part: Path, progress: Callable[[str, int, int], None] | None) -> list[Head]:
    heads = []
    try:
        with closing(SqliteLog(part, readonly=True)) as log:
            log.check_structure()
            for session in log.sessions():
                last = log.high_watermark(session)

                def report(seq: int, session: str = session, last: int = last) -> None:
                    if progress:
                        progress(session, seq, last)

                log.check(session, progress=report)
                heads.append(Head(session, last, next(log.read(session, last, last)).hash.hex()))
    except LogDamaged as error:
        raise LogDamaged(f"no backup was made, what was copied is damaged: {error}", session=error.session, seq=error.seq) from None
    return heads


def _name(part: Path, target: Path) -> None:
    """Give the copy its name once it is on the disk; a file of that name that came up meanwhile stays as it is."""
    for place, flags in ((part, os.O_RDWR), (target.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(place, flags)
        try:
            if place is not part:
                try:
                    os.link(part, target)
                except FileExistsError:
                    raise LogError(f"{target} has come up meanwhile; give the backup another name") from None
                part.unlink()
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove(part: Path) -> None:
    """Take away an unfinished copy, and what SQLite laid beside it."""
    for end in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + end).unlink(missing_ok=True)
