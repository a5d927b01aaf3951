"""What is to be verified: the records of a log or of an exported session file, handed out only as far as they are what was written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from timing.commands.sources import is_log
from timing.domain.errors import ConfigurationError, LogDamaged, TimingError
from timing.domain.events import Identity, SessionOpened, identity
from timing.log.record import Record, following
from timing.log.session_file import Line, export_line, read_lines
from timing.log.sqlite_log import SqliteLog

Progress = Callable[[int], None]

_EVERY = 1_000  # records between two calls of a progress


class Held(Protocol):
    """A log or a file that holds sessions."""

    def check_structure(self) -> None:
        """Check what is not of a session. Raises ``LogDamaged``."""

    def sessions(self) -> list[str]:
        """Name the sessions. Raises ``LogDamaged``."""

    def size(self, session: str) -> int:
        """Say how many records a session seems to have."""

    def records(self, session: str, progress: Progress) -> Iterator[Record]:
        """Give a session's records as long as each follows from the one before. Raises ``LogDamaged`` at the first that does not."""


@contextmanager
def held(path: Path, session: str | None) -> Iterator[Held]:
    """Open a log or an exported session file; ``session`` names that of a file which does not say it itself.

    Raises:
        TimingError: it is neither, or cannot be opened.
        ConfigurationError: it is a session file without hashes: there is nothing in it that could be verified.

    """
    if not is_log(path):
        yield _File(path, session)
        return
    log = SqliteLog(path, readonly=True, unchecked=True)
    try:
        yield _Log(log)
    finally:
        log.close()


class _Log:
    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    def check_structure(self) -> None:
        self._log.check_structure()

    def sessions(self) -> list[str]:
        return self._log.sessions()

    def size(self, session: str) -> int:
        return self._log.high_watermark(session)

    def records(self, session: str, progress: Progress) -> Iterator[Record]:
        return self._log.checked(session, progress=progress)


class _File:
    """An exported session file. It has to be, byte for byte, what an export writes."""

    def __init__(self, path: Path, session: str | None) -> None:
        self._path = path
        with self._lines() as lines:
            first = next(read_lines(lines), None)
        if first is None:
            raise TimingError(f"{path} is empty")
        opened = first.event.session if isinstance(first.event, SessionOpened) else session
        if first.event is None and b"\0" in first.raw:  # no text: what a page of a log begins with
            raise TimingError(f"{path} is no log, or was damaged at its very beginning: `timing log salvage` saves what can be proven")
        if not first.exported and (first.event is not None or opened is None):
            raise ConfigurationError(
                f"{path} is no log and no export: it has no hashes, so nothing in it can be verified; give what `timing log export` wrote"
            )
        if opened is None:
            raise ConfigurationError(f"{path} does not begin with session_opened; say with --session whose records these are")
        self._session = opened

    @contextmanager
    def _lines(self) -> Iterator[Iterator[bytes]]:
        try:
            with self._path.open("rb") as file:
                yield iter(file)
        except OSError as error:
            raise TimingError(f"{self._path} cannot be read: {error.strerror}") from None

    def check_structure(self) -> None:
        """See that a file has no more than its lines: nothing to check."""

    def sessions(self) -> list[str]:
        return [self._session]

    def size(self, session: str) -> int:  # noqa: ARG002  # the one there is
        with self._lines() as lines:
            return sum(1 for _ in lines)

    def records(self, session: str, progress: Progress) -> Iterator[Record]:
        known: dict[Identity, int] = {}
        for record in following(self._read(session)):
            name = identity(record.event)
            if (before := known.setdefault(name, record.seq)) != record.seq:
                reason = f"session {session}: record {record.seq} has the identity {name}, which is that of record {before}"
                raise LogDamaged(reason, session=session, seq=record.seq, expected="an identity of its own", found=name)
            yield record
            if record.seq % _EVERY == 0:
                progress(record.seq)

    def _read(self, session: str) -> Iterator[Record]:
        with self._lines() as lines:
            for number, text in enumerate(lines, start=1):
                line = next(read_lines([text]), None)
                yield self._record(session, number, text, line)

    def _record(self, session: str, number: int, text: bytes, line: Line | None) -> Record:
        if line is None or line.exported is None or line.event is None:
            fault = "it is empty" if line is None else str(line.fault) if line.fault else "it has no seq, recorded_at and hash ahead"
            raise self._damaged(session, number, f"is no line of an export: {fault}", "a line of an export", repr(text[:80]))
        seq, recorded_at, hashed = line.exported
        record = Record(session, seq, recorded_at, line.event, line.raw, hashed)
        if export_line(record) + b"\n" != text:
            ending = text[len(text.rstrip(b"\r\n")) :]
            what = {b"\r\n": "ends in CR LF, so a program rewrote the file", b"": "has no end, so the file was cut off"}.get(ending)
            raise self._damaged(session, number, what or "is not byte for byte what an export writes")
        return record

    def _damaged(self, session: str, number: int, what: str, expected: str | None = None, found: str | None = None) -> LogDamaged:
        reason = f"session {session}: line {number} of {self._path.name} {what}"
        return LogDamaged(reason, session=session, seq=number, expected=expected, found=found)  # line n of an export is record n
