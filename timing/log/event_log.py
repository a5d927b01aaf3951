"""What every event log does, and the one in memory, for tests and for files scored without being kept."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from timing.domain.errors import LogDamaged, LogError
from timing.domain.events import Identity, identity
from timing.log.record import GENESIS, Draft, Record, chain_hash, same_content, verify_chain

Outcome = Literal["new", "same", "conflict"]


class Appended(Struct, frozen=True, gc=False):
    """What became of a draft.

    ``new``: it is the record ``seq`` now. ``same``: it was there already, as record ``seq``.
    ``conflict``: record ``seq`` has its identity and other content; nothing was written.
    """

    outcome: Outcome
    seq: int
    record: Record | None = None


class EventLog(Protocol):
    """The truth. Appends in order, never changes, never forgets. Sessions are independent of each other."""

    def append(self, drafts: Sequence[Draft], recorded_at: int) -> list[Appended]:
        """Write the drafts, all or none, and return when they are safe.

        Returns:
            one ``Appended`` for each draft, in order.

        Raises:
            LogError: nothing was written, and nothing may be acknowledged.

        """

    def restore(self, records: Sequence[Record]) -> list[Appended]:
        """Write records of one session as another log had them, ``seq``, ``recorded_at`` and ``hash`` included, all or none.

        Raises:
            LogDamaged: a record does not follow from the one before; nothing was written.
            LogError: this log has other records in their place; nothing was written.

        """

    def read(self, session: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """Give the records of a session in order, ``from_seq`` to ``to_seq``, both included, as far as they are there now.

        Raises:
            LogDamaged: at a record that cannot be read.

        """

    def sessions(self) -> list[str]:
        """Name the sessions, in the order in which they first appear."""

    def high_watermark(self, session: str) -> int:
        """Give the ``seq`` of the session's last record; 0 where there is none."""

    def close(self) -> None:
        """Let go of the log. Closing twice is harmless."""


def to_restore(log: EventLog, records: Sequence[Record]) -> tuple[list[Appended], Sequence[Record]]:
    """Find which of a session's records a log has already, and which are to be written; both follow the chain.

    Raises:
        LogDamaged, LogError: see ``EventLog.restore``.

    """
    if not records:
        return [], []
    session, first = records[0].session, records[0].seq
    assert all(record.session == session for record in records), "records of one session are restored at a time"
    known = list(log.read(session, max(first - 1, 1), records[-1].seq))
    before = known.pop(0) if first > 1 and known else None
    if before is None and first > 1:
        raise LogError(f"session {session}: this log has {log.high_watermark(session)} records, number {first} does not go on from there")
    verify_chain(records, before.hash if before else GENESIS, first - 1)
    if len({identity(record.event) for record in records}) != len(records):
        raise LogDamaged(f"session {session}: two of records {first} to {records[-1].seq} have one identity", session=session)
    for mine, theirs in zip(known, records, strict=False):
        if mine.hash != theirs.hash:
            raise LogError(f"session {session}: record {mine.seq} is another one in this log; restore into a new log")
    return [Appended("same", record.seq) for record in known], records[len(known) :]


class MemoryLog:
    """An event log that lives as long as the process."""

    def __init__(self) -> None:
        self._records: dict[str, list[Record]] = {}
        self._seqs: dict[tuple[str, Identity], int] = {}

    def append(self, drafts: Sequence[Draft], recorded_at: int) -> list[Appended]:
        """See ``EventLog.append``."""
        return [self._append(draft, recorded_at) for draft in drafts]

    def _append(self, draft: Draft, recorded_at: int) -> Appended:
        records = self._records.setdefault(draft.session, [])
        key = (draft.session, draft.identity)
        if seq := self._seqs.get(key):
            return Appended("same" if same_content(records[seq - 1].event, draft.event) else "conflict", seq)
        seq, previous = len(records) + 1, records[-1].hash if records else GENESIS
        hashed = chain_hash(previous, draft.session, seq, recorded_at, draft.raw)
        record = Record(draft.session, seq, recorded_at, draft.event, draft.raw, hashed)
        records.append(record)
        self._seqs[key] = seq
        return Appended("new", seq, record)

    def restore(self, records: Sequence[Record]) -> list[Appended]:
        """See ``EventLog.restore``."""
        known, fresh = to_restore(self, records)
        for record in fresh:
            if seq := self._seqs.get((record.session, identity(record.event))):
                raise LogError(f"session {record.session}: record {record.seq} has the identity of record {seq}")
        return known + [self._append(Draft(r.session, r.event, r.raw), r.recorded_at) for r in fresh]

    def read(self, session: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """See ``EventLog.read``."""
        return iter(self._records.get(session, [])[max(from_seq, 1) - 1 : None if to_seq is None else max(to_seq, 0)])

    def sessions(self) -> list[str]:
        """See ``EventLog.sessions``."""
        return list(self._records)

    def high_watermark(self, session: str) -> int:
        """See ``EventLog.high_watermark``."""
        return len(self._records.get(session, ()))

    def close(self) -> None:
        """See ``EventLog.close``."""
