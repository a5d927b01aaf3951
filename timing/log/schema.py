"""The form of the SQLite log: its table, what guards it, and how such a file is made, opened and recognised."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from timing.domain.errors import LogDamaged, LogError

APPLICATION_ID = 0x50466C67  # "PFlg", at byte 68 of the file
FORMAT = 1
BUSY_MS = 5_000
OLDEST_SQLITE = (3, 37, 0)  # the first with STRICT tables

TABLE = """CREATE TABLE record (
  position INTEGER PRIMARY KEY,
  session TEXT NOT NULL,
  seq INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  identity TEXT NOT NULL,
  event BLOB NOT NULL,
  hash BLOB NOT NULL,
  UNIQUE (session, seq),
  UNIQUE (session, identity)
) STRICT"""

# INSERT OR REPLACE deletes what is in its way without firing a DELETE trigger, hence the third.
GUARDS = {
    "record_is_never_updated": """CREATE TRIGGER record_is_never_updated BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'a record is never altered; append a correction'); END""",
    "record_is_never_deleted": """CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'a record is never deleted; append a correction'); END""",
    "record_is_only_appended": """CREATE TRIGGER record_is_only_appended BEFORE INSERT ON record
WHEN NEW.position IS NOT (SELECT ifnull(max(position), 0) + 1 FROM record)
  OR NEW.seq IS NOT (SELECT ifnull(max(seq), 0) + 1 FROM record WHERE session = NEW.session)
  OR EXISTS (SELECT 1 FROM record WHERE session = NEW.session AND identity = NEW.identity)
BEGIN SELECT RAISE(ABORT, 'a record comes after the last one, and its identity is new'); END""",
}

_EXPECTED = {
    ("table", "record", TABLE),
    ("index", "sqlite_autoindex_record_1", None),
    ("index", "sqlite_autoindex_record_2", None),
    *(("trigger", name, sql) for name, sql in GUARDS.items()),
}


@contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ``LogDamaged`` where the file is at fault and ``LogError`` otherwise."""
    try:
        yield
    except UnicodeDecodeError:  # a name in the file's schema, which SQLite repeats in its message
        raise LogDamaged(f"{path} is damaged: its schema cannot be read") from None
    except sqlite3.Error as error:
        extended = getattr(error, "sqlite_errorcode", None)
        code = extended & 0xFF if isinstance(extended, int) else None
        if code == sqlite3.SQLITE_NOTADB:
            raise LogError(
                f"{path} is not a log: its first bytes are not those of an SQLite file; "
                "if it was one, `timing log salvage` may still read it"
            ) from None
        if code == sqlite3.SQLITE_CORRUPT or (
            code is None and isinstance(error, sqlite3.OperationalError)
        ):  # the latter: text not in UTF-8
            raise LogDamaged(f"{path} is damaged: {' '.join(str(error).split())}") from None
        if "unsupported file format" in str(error):  # the schema's own format number, in the file's head
            raise LogDamaged(f"{path} is damaged: its head names a format of SQLite's that there is not") from None
        if code == sqlite3.SQLITE_READONLY:
            raise LogError(
                f"{path} cannot be written; look at the rights of file and folder, or, if they are right, "
                "take it for damaged: `timing log salvage` saves what can be proven"
            ) from None
        raise LogError(f"{path}: {error}") from None


def create(path: Path) -> None:
    """Make an empty log. It gets its name when it is whole, so that a crash leaves no half of one.

    Raises:
        LogError: it cannot be made.

    """
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise LogError(f"{path} is gone, but {wal.name}, a part of it, is there; put the log back, or move {wal.name} away")
    new = path.with_name(path.name + ".new")
    try:
        new.unlink(missing_ok=True)
        with said_plainly(path), closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = EXTRA")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {FORMAT}")
            for statement in (TABLE, *GUARDS.values()):
                db.execute(statement)
            db.execute("PRAGMA journal_mode = WAL")
        new.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise LogError(f"the log {path} cannot be made: {error.strerror}") from None


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """Open an existing log's file. SQLite alone may open it: closing another handle would drop SQLite's locks.

    Raises:
        LogError: it is not a log, or not one this program can use.

    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LogError(f"SQLite {sqlite3.sqlite_version} is too old for the log; use a Python with SQLite 3.37 or newer")
    if not path.is_file():
        raise LogError(f"there is no log {path}" if not path.exists() else f"{path} is not a file")
    if not path.stat().st_size:
        raise LogError(f"{path} is empty, a log never is: it was cut off, or it is another file; move it away or restore it")
    with said_plainly(path):
        db = sqlite3.connect(_address(path, readonly), uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    try:
        with said_plainly(path):
            _recognise(db, path)
            if not readonly:
                _make_durable(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _make_durable(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise LogError(f"{path}: its file system cannot hold a write-ahead log; put the log on a local disk")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 67108864")
    db.execute("BEGIN IMMEDIATE")
    db.execute(f"PRAGMA user_version = {FORMAT}")  # a log that cannot be written is refused now, not at the first event
    db.execute("ROLLBACK")


def _address(path: Path, readonly: bool) -> str:
    address = path.absolute().as_uri()
    if not readonly:
        return f"{address}?mode=rw"
    # On a read-only medium SQLite can make no -shm file; a log that nobody can write may be read without one.
    fixed = not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()
    return f"{address}?mode=ro{'&immutable=1' if fixed else ''}"


def _recognise(db: sqlite3.Connection, path: Path) -> None:
    application, version = db.execute("PRAGMA application_id").fetchone()[0], db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise LogError(f"{path} is an SQLite file of another program, not a log; give another path")
    if version != FORMAT:
        raise LogError(
            f"{path} is a log of format {version}, this program knows format {FORMAT}; use the version that wrote it, or a newer one"
        )


def check_structure(db: sqlite3.Connection, path: Path) -> None:
    """Check the file's pages, every index against the table, and that table and guards stand as they were made.

    The indexes are no mere convenience: through a damaged one a message sent again would be taken for new.

    Raises:
        LogDamaged: saying what is wrong.

    """
    with said_plainly(path):
        faults = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
        found = set(db.execute("SELECT type, name, sql FROM sqlite_schema"))
    if faults != ["ok"]:
        raise LogDamaged(f"{path} is damaged: {'; '.join(' '.join(f.split()) for f in faults)}")
    if names := sorted({str(name) for _, name, _ in found ^ _EXPECTED}):
        raise LogDamaged(f"{path} was altered by another program: {', '.join(names)} not as the log made it")
