"""The event log in an SQLite file: write-ahead log, full sync, one transaction an append, one writer, any number of readers."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from threading import RLock
from typing import Any

from timing.domain.errors import LogDamaged, LogError
from timing.domain.events import AnyEvent, Identity, identity
from timing.log.event_log import Appended, to_restore
from timing.log.record import GENESIS, NOT_AN_EVENT, Draft, Record, chain_hash, decode_recorded, following, same_content
from timing.log.schema import check_structure, connect, create, said_plainly
from timing.log.wal import check_wal
from timing.log.writer_lock import WriterLock, being_written

FETCH = 1_000  # rows a read; more makes the garbage collector's work, and so the whole, slower
CHECKED_ON_OPENING = 100_000  # records in all, about 0.2 s; shared among the sessions, counted from their ends
_ASKED = 500  # identities looked up at one go; SQLite takes so many values
LEAST_CHECKED = 16  # records a session, however many sessions there are

# Steps from one session to the next in the index, so that its cost goes with the sessions, not with the records.
_HEADS = """
WITH RECURSIVE each(session) AS (
  SELECT min(session) FROM record
  UNION ALL SELECT (SELECT min(record.session) FROM record WHERE record.session > each.session) FROM each WHERE each.session IS NOT NULL
)
SELECT session, seq, hash FROM each JOIN record USING (session)
WHERE seq = (SELECT max(seq) FROM record AS last WHERE last.session = each.session)
ORDER BY (SELECT position FROM record AS first WHERE first.session = each.session ORDER BY seq LIMIT 1)
"""
_UNCOUNTED = f"SELECT (SELECT count(*) FROM record) - ifnull(sum(seq), 0) FROM ({_HEADS})"  # noqa: S608  # in one statement: others may be appending
_LATEST = "SELECT ifnull(max(recorded_at), 0) FROM (SELECT recorded_at FROM record ORDER BY position DESC LIMIT 1000)"
_READ = "SELECT seq, recorded_at, event, hash FROM record WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq"
_CHECK = "SELECT seq, recorded_at, event, hash, identity FROM record WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq"
_KINDS = (int, int, bytes, bytes, str)  # of what _CHECK gives; a damaged page may make others of them
_KNOWN = "SELECT seq, event FROM record WHERE session = ? AND identity = ?"
_KNOWN_OF = "SELECT seq, identity FROM record WHERE session = ? AND identity IN ({}) LIMIT 1"
_SINCE = "SELECT position, session, seq, recorded_at, event, hash FROM record WHERE position > ? ORDER BY position LIMIT ?"
# `+seq` keeps SQLite from walking through every passing: commands stand together in the index of identities.
_COMMANDS = """
SELECT seq, recorded_at, event, hash FROM record
WHERE session = ? AND identity >= 'id/' AND identity < 'id0' AND +seq > ? ORDER BY +seq DESC LIMIT ?
"""
_WRITE = "INSERT INTO record (position, session, seq, recorded_at, identity, event, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"

_OUT_OF_ORDER = """
SELECT session, seq, before FROM (
  SELECT session, seq, ifnull(lag(seq) OVER (PARTITION BY session ORDER BY position), 0) AS before FROM record
) WHERE seq != before + 1 LIMIT 1
"""

_WAY_OUT = "the file was left as it is: restore a backup, or save what can be proven with `timing log salvage {path} --to NEW.db`"

Key = tuple[str, Identity]
Row = tuple[int, str, int, int, Identity, bytes, bytes]


class SqliteLog:
    """An ``EventLog`` in a file, made if it is not there. Opening checks it; see docs/log.md.

    One object may be used by several threads. ``readonly`` opens a log beside its writer, or one that nobody writes. ``unchecked``, for
    readers, leaves the checking to the caller, who wants to know of every fault.

    Raises:
        LogInUse: another process, or another ``SqliteLog`` of this one, is writing it.
        LogDamaged: it is not what was written; nothing is repaired.
        LogError: it is not a log, or cannot be opened.

    """

    def __init__(self, path: Path | str, *, readonly: bool = False, unchecked: bool = False) -> None:
        assert readonly or not unchecked, "who writes makes sure of what is there"
        self.path = Path(path).resolve()
        self._write_lock, self._read_lock = RLock(), RLock()
        self._unchecked = unchecked
        self._broken: str | None = "it was opened for reading" if readonly else None
        self._writer_lock = None if readonly else self._may_write()
        self._reading: sqlite3.Connection | None = None
        self._writing: sqlite3.Connection | None = None
        try:
            self._open(readonly=readonly)
        except LogDamaged as error:
            self._let_go()
            raise LogDamaged(f"{error}; {_WAY_OUT.format(path=self.path.name)}", session=error.session, seq=error.seq) from None
        except BaseException:
            self._let_go()
            raise

    def _open(self, *, readonly: bool) -> None:
        """Check everything by reading alone, so that a damaged file stays as it is; only then write."""
        if not readonly:
            if not self.path.exists():
                create(self.path)
            check_wal(self.path)
        self._reading = connect(self.path, readonly=True)
        if self._unchecked:
            self._heads, self._position = {}, 0
            return
        check_structure(self._reading, self.path)
        self._heads = self._load_heads()
        self._position = self.last_position()
        share = max(CHECKED_ON_OPENING // max(len(self._heads), 1), LEAST_CHECKED)
        for session, (seq, _) in self._heads.items():
            self.check(session, max(seq - share + 1, 1), seq)
        if uncounted := self._query(_UNCOUNTED)[0][0]:
            raise LogDamaged(f"{self.path} is damaged: {abs(uncounted)} records too {'many' if uncounted > 0 else 'few'} for its sessions")
        if not readonly:
            self._writing = connect(self.path, readonly=False)
            # What a crash left behind the last commit must not lie there when the next one comes: see check_wal.
            with said_plainly(self.path):
                self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _may_write(self) -> WriterLock:
        if not self.path.parent.is_dir():
            raise LogError(f"there is no folder {self.path.parent} for the log; make it, or give another path")
        return WriterLock(self.path)

    # --- writing ---

    def append(self, drafts: Sequence[Draft], recorded_at: int) -> list[Appended]:
        """See ``EventLog.append``. After a ``LogError`` this object writes no more; what it holds can still be read."""
        with self._write_lock:
            return self._write(drafts, repeat(recorded_at, len(drafts)))

    def restore(self, records: Sequence[Record]) -> list[Appended]:
        """See ``EventLog.restore``."""
        with self._write_lock:
            known, fresh = to_restore(self, records)
            drafts = [Draft(record.session, record.event, record.raw) for record in fresh]
            for start in range(0, len(drafts), _ASKED):
                names = [draft.identity for draft in drafts[start : start + _ASKED]]
                for seq, name in self._query(_KNOWN_OF.format(",".join("?" * len(names))), drafts[0].session, *names):
                    raise LogError(f"session {drafts[0].session}: the identity {name} is that of record {seq} in this log")
            return known + self._write(drafts, (record.recorded_at for record in fresh))

    def _write(self, drafts: Sequence[Draft], recorded: Iterable[int]) -> list[Appended]:
        if self._broken:
            raise LogError(f"{self.path} cannot be written: {self._broken}")
        stamped = list(zip(drafts, recorded, strict=True))
        try:
            try:
                return self._commit(stamped, {})
            except sqlite3.IntegrityError:  # an identity is there already: rare, so looked up only then
                keys = {(draft.session, draft.identity) for draft in drafts}
                return self._commit(stamped, {key: known for key in keys if (known := self._known(*key))})
        except BaseException as error:
            # Whatever it was, what is in the file and what is in memory may differ now; only opening anew makes sure.
            self._broken = f"an append failed ({str(error) or type(error).__name__}); mend that and open the log anew"
            if isinstance(error, sqlite3.Error):
                raise LogError(f"{self.path} cannot be written: {error}; nothing was acknowledged") from None
            raise

    def _commit(self, stamped: Sequence[tuple[Draft, int]], known: dict[Key, tuple[int, AnyEvent]]) -> list[Appended]:
        rows, answers, heads = self._plan(stamped, dict(known))
        if not rows:
            return answers
        db = self._writing
        assert db is not None
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany(_WRITE, rows)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite itself rolls back where the disk is full
                db.execute("ROLLBACK")
            raise
        self._heads.update(heads)
        self._position = rows[-1][0]
        return answers

    def _plan(
        self, stamped: Sequence[tuple[Draft, int]], known: dict[Key, tuple[int, AnyEvent]]
    ) -> tuple[list[Row], list[Appended], dict[str, tuple[int, bytes]]]:
        rows: list[Row] = []
        answers: list[Appended] = []
        heads: dict[str, tuple[int, bytes]] = {}
        for draft, recorded_at in stamped:
            session, event, raw, name = draft.session, draft.event, draft.raw, draft.identity
            if there := known.get((session, name)):
                answers.append(Appended("same" if same_content(there[1], event) else "conflict", there[0]))
                continue
            last, previous = heads.get(session) or self._heads.get(session, (0, GENESIS))
            seq, hashed = last + 1, chain_hash(previous, session, last + 1, recorded_at, raw)
            heads[session] = (seq, hashed)
            known[session, name] = (seq, event)
            rows.append((self._position + len(rows) + 1, session, seq, recorded_at, name, raw, hashed))
            answers.append(Appended("new", seq, Record(session, seq, recorded_at, event, raw, hashed)))
        return rows, answers, heads

    def _known(self, session: str, name: Identity) -> tuple[int, AnyEvent] | None:
        found = self._query(_KNOWN, session, name)
        return (found[0][0], _decoded(session, *found[0])) if found else None

    # --- reading ---

    def read(self, session: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """See ``EventLog.read``."""
        last = self.high_watermark(session)
        return self._read(session, max(from_seq, 1), last if to_seq is None else min(to_seq, last))

    def _read(self, session: str, first: int, last: int) -> Iterator[Record]:
        for start in range(first, last + 1, FETCH):
            end = min(start + FETCH - 1, last)
            rows = self._query(_READ, session, start, end)
            if len(rows) != end - start + 1:
                missing = min(set(range(start, end + 1)) - {row[0] for row in rows})
                raise LogDamaged(f"session {session}: record {missing} is missing", session=session, seq=missing)
            try:
                yield from [Record(session, seq, at, decode_recorded(raw), raw, hashed) for seq, at, raw, hashed in rows]
            except NOT_AN_EVENT:
                yield from (Record(session, seq, at, _decoded(session, seq, raw), raw, hashed) for seq, at, raw, hashed in rows)

    def since(self, position: int, limit: int = FETCH) -> list[tuple[int, Record]]:
        """Give the next records after a ``position`` of the whole log, each with its own position, in the order of their appending."""
        rows = self._query(_SINCE, position, limit)
        return [(place, Record(name, seq, at, _decoded(name, seq, raw), raw, hashed)) for place, name, seq, at, raw, hashed in rows]

    def commands(self, session: str, after: int, limit: int) -> list[Record]:
        """Give the last ``limit`` records of a session after record ``after`` that are no facts, in order."""
        rows = self._query(_COMMANDS, session, after, limit)
        return [Record(session, seq, at, _decoded(session, seq, raw), raw, hashed) for seq, at, raw, hashed in reversed(rows)]

    def last_position(self) -> int:
        """Give the position of the log's last record; 0 where there is none."""
        last: int = self._query("SELECT ifnull(max(position), 0) FROM record")[0][0]
        return last

    def last_recorded_at(self) -> int:
        """Give the latest instant at which a record was written, of the last thousand; 0 where there is none."""
        latest: int = self._query(_LATEST)[0][0]
        return latest

    def sessions(self) -> list[str]:
        """See ``EventLog.sessions``."""
        return list(self._heads if self._writing else self._load_heads())

    def high_watermark(self, session: str) -> int:
        """See ``EventLog.high_watermark``."""
        if self._writing:
            return self._heads.get(session, (0, GENESIS))[0]
        last: int = self._query("SELECT ifnull(max(seq), 0) FROM record WHERE session = ?", session)[0][0]
        return last

    # --- checking ---

    def check(self, session: str, from_seq: int = 1, to_seq: int | None = None, progress: Callable[[int], None] | None = None) -> int:
        """Check that a session's records follow one another, can be read and bear their own identity.

        Args:
            session: the session's name.
            from_seq: the first record to check; it has to follow from the one before it.
            to_seq: the last one, included; None for the last there is now.
            progress: is called now and then with the ``seq`` reached.

        Returns:
            the ``seq`` of the last record checked.

        Raises:
            LogDamaged: at the first record that is not as it was written.

        """
        last = self.high_watermark(session) if to_seq is None else to_seq
        reached = from_seq - 1
        for record in self.checked(session, from_seq, last, progress):
            reached = record.seq
        return reached

    def checked(
        self, session: str, from_seq: int = 1, to_seq: int | None = None, progress: Callable[[int], None] | None = None
    ) -> Iterator[Record]:
        """Give a session's records, each when it was checked; see ``check``."""
        last = self.high_watermark(session) if to_seq is None else to_seq
        before = self._query(_READ, session, from_seq - 1, from_seq - 1) if from_seq > 1 else [(0, 0, b"", GENESIS)]
        if not before:
            raise LogDamaged(f"session {session}: record {from_seq - 1} is missing", session=session, seq=from_seq - 1)
        reached = from_seq - 1
        for record in following(self._bearing_their_names(session, from_seq, last, progress), before[0][3], from_seq - 1):
            yield record
            reached = record.seq
        if reached != max(last, from_seq - 1):
            raise LogDamaged(f"session {session}: record {reached + 1} is missing", session=session, seq=reached + 1)

    def _bearing_their_names(self, session: str, first: int, last: int, progress: Callable[[int], None] | None) -> Iterator[Record]:
        for start in range(first, last + 1, FETCH):
            for seq, at, raw, hashed, name in self._query(_CHECK, session, start, min(start + FETCH - 1, last)):
                if tuple(map(type, (seq, at, raw, hashed, name))) != _KINDS:
                    reason = f"session {session}: record {seq} cannot be read: what it holds is of other kinds than what was written"
                    raise LogDamaged(reason, session=session, seq=seq if type(seq) is int else None)
                event = _decoded(session, seq, raw)
                if identity(event) != name:
                    reason = f"session {session}: record {seq} is kept under the identity {name}, its event has {identity(event)}"
                    raise LogDamaged(reason, session=session, seq=seq, expected=identity(event), found=name)
                yield Record(session, seq, at, event, raw, hashed)
            if progress:
                progress(min(start + FETCH - 1, last))

    def check_structure(self) -> None:
        """Check the whole file: pages, indexes, table, guards, positions; and, where nobody writes, the write-ahead log.

        Raises:
            LogDamaged: saying what is wrong.

        """
        assert self._reading is not None
        if not being_written(self.path):
            check_wal(self.path)
        with self._read_lock:
            check_structure(self._reading, self.path)
        for session, seq, before in self._query(_OUT_OF_ORDER):
            reason = f"session {session}: record {seq} stands in the file after record {before}"
            raise LogDamaged(reason, session=session, seq=seq, expected=f"record {before + 1}", found=f"record {seq}")
        for count, last in self._query("SELECT count(*), ifnull(max(position), 0) FROM record HAVING count(*) != ifnull(max(position), 0)"):
            raise LogDamaged(f"{self.path} holds {count} records, and the last one has the position {last}")

    # --- the rest ---

    def _load_heads(self) -> dict[str, tuple[int, bytes]]:
        return {session: (seq, hashed) for session, seq, hashed in self._query(_HEADS)}

    def _query(self, sql: str, *values: object) -> list[Any]:
        assert self._reading is not None
        with said_plainly(self.path), self._read_lock:
            return self._reading.execute(sql, values).fetchall()

    def close(self) -> None:
        """See ``EventLog.close``."""
        with self._write_lock, self._read_lock:
            self._broken = self._broken or "it is closed"
            self._let_go()

    def _let_go(self) -> None:
        if self._reading:
            self._reading.close()
        if self._writing:
            self._writing.close()  # the last to go: SQLite then takes the write-ahead log into the file
        if self._writer_lock:
            self._writer_lock.release()


def _decoded(session: str, seq: int, raw: bytes) -> AnyEvent:
    try:
        return decode_recorded(raw)
    except NOT_AN_EVENT as error:
        raise LogDamaged(f"session {session}: record {seq} cannot be read: {error}", session=session, seq=seq) from None
