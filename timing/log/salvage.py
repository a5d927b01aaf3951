"""What can be proven of a damaged log: of each session the records from its first, as far as the chain of hashes goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from timing.domain.errors import LogError
from timing.domain.events import identity
from timing.log.carving import Carving, Place, Row
from timing.log.record import GENESIS, NOT_AN_EVENT, Record, chain_hash, decode_recorded

Progress = Callable[[int], None]


class Session(Struct):
    """A session as it was found. ``places``: for each ``seq`` where rows that claim it lie; ``first``: the least position of any.

    ``saved`` is the ``seq`` of the last record that was proven, ``last`` the greatest ``seq`` that any row claims.
    """

    name: str
    places: dict[int, list[Place]]
    first: int
    saved: int = 0

    @property
    def last(self) -> int:
        """The greatest ``seq`` that was seen."""
        return max(self.places)

    @property
    def left_out(self) -> int:
        """How many records are known to have been there and are not among the proven."""
        return sum(seq > self.saved for seq in self.places)


class Salvage:
    """The records of a log's file, sound or damaged, that its chain of hashes proves. The file is only read.

    Memory: about 200 bytes a record. ``size``: the bytes of the file and its write-ahead log.
    """

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        """Look through the whole file; ``progress`` hears how many bytes were seen.

        Raises:
            LogError: it cannot be read.

        """
        try:
            self._carving = Carving(path)
        except OSError as error:
            raise LogError(f"{path} cannot be read: {error.strerror}") from None
        self.size = self._carving.size
        found: dict[str, Session] = {}
        for name, seq, position, place in self._carving.places(progress):
            session = found.setdefault(name, Session(name, {}, position))
            session.first = min(session.first, position)
            session.places.setdefault(seq, []).append(place)
        self.sessions = sorted(found.values(), key=lambda session: session.first)

    def proven(self, session: Session) -> Iterator[Record]:
        """Give the session's records from the first on, up to the last that follows from the one before; ``saved`` follows."""
        previous, session.saved = GENESIS, 0
        names: set[str] = set()
        while (record := self._next(session, session.saved + 1, previous)) and (name := identity(record.event)) not in names:
            names.add(name)
            yield record
            previous, session.saved = record.hash, record.seq

    def rest(self, session: Session) -> Iterator[bytes]:
        """Give the JSON text of the events after those that are proven, as far as they can be read: true or not, nobody can tell."""
        for seq in sorted(seq for seq in session.places if seq > session.saved):
            if row := next((row for row in self._rows(session, seq) if _event(row)), None):
                yield row.raw

    def _next(self, session: Session, seq: int, previous: bytes) -> Record | None:
        for row in self._rows(session, seq):
            if row.recorded_at < 0 or chain_hash(previous, session.name, seq, row.recorded_at, row.raw) != row.hash:
                continue
            if (record := _event(row)) and identity(record.event) == row.identity:
                return record
        return None

    def _rows(self, session: Session, seq: int) -> Iterator[Row]:
        for place in session.places.get(seq, ()):
            yield from (row for row in self._carving.read(place) if row.session == session.name and row.seq == seq)


def _event(row: Row) -> Record | None:
    try:
        return Record(row.session, row.seq, row.recorded_at, decode_recorded(row.raw), row.raw, row.hash)
    except NOT_AN_EVENT:
        return None
