"""What every event log does, and the one in memory, for tests and for files scored without being kept."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from timing.domain.events import Identity
from timing.log.record import GENESIS, Draft, Record, chain_hash, same_content

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

    def read(self, session: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """Give the records of a session in order, ``from_seq`` to ``to_seq``, both included.

        Raises:
            LogDamaged: at a record that cannot be read.

        """

    def sessions(self) -> list[str]:
        """Name the sessions, in the order in which they first appear."""

    def high_watermark(self, session: str) -> int:
        """Give the ``seq`` of the session's last record; 0 where there is none."""

    def close(self) -> None:
        """Let go of the log. Closing twice is harmless."""


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

    def read(self, session: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """See ``EventLog.read``."""
        return iter(self._records.get(session, [])[max(from_seq, 1) - 1 : to_seq])

    def sessions(self) -> list[str]:
        """See ``EventLog.sessions``."""
        return list(self._records)

    def high_watermark(self, session: str) -> int:
        """See ``EventLog.high_watermark``."""
        return len(self._records.get(session, ()))

    def close(self) -> None:
        """See ``EventLog.close``."""
