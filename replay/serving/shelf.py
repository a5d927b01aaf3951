"""What there is to replay: the sessions of a log or of a session file, each read when it is first asked for."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import structlog

from replay.serving.recording import Recording, Title
from replay.serving.ways import Pace
from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.events import SessionOpened
from timing.log.record import Record
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog

_SQLITE_HEADER = b"SQLite format 3\x00"
_KEPT = 4  # recordings in memory that nobody watches
_log = structlog.get_logger(__name__)


class Shelf:
    """The sessions of one source. ``titles`` lists them; ``recording`` reads one, or gives it again."""

    def __init__(self, source: Path, *, session: str | None = None, pace: Pace | None = None) -> None:
        """Find what there is.

        Raises:
            TimingError: the source cannot be read, or has no session.
            ConfigurationError: it has no such session.

        """
        self._source = source
        self._pace = pace
        self._kept: dict[str, Recording] = {}
        self._reading = asyncio.Lock()
        self._log = _is_log(source)
        found = _titles_of_log(source) if self._log else [self._read_file().title]
        self.titles: Sequence[Title] = [title for title in found if session in (None, title.session)]
        if not self.titles:
            there = ", ".join(title.session for title in found)
            if not there:
                raise TimingError(f"{source} holds no session yet; there is nothing to replay")
            raise ConfigurationError(f"{source} holds the sessions: {there}; choose one of them with --session, or leave it out for all")

    async def recording(self, session: str) -> Recording | None:
        """Give a session's recording, read in a thread of its own; ``None`` where there is no such session."""
        title = next((title for title in self.titles if title.session == session), None)
        if title is None:
            return None
        async with self._reading:
            if session not in self._kept:
                self._kept[session] = await asyncio.to_thread(self._read, title)
            return self._kept[session]

    def forget(self, watched: set[str]) -> set[Recording]:
        """Let go of recordings that nobody watches, but for the last few; give those that are kept."""
        idle = [session for session in self._kept if session not in watched]
        for session in idle[:-_KEPT]:
            del self._kept[session]
        return set(self._kept.values())

    def _read(self, title: Title) -> Recording:
        if not self._log:
            return self._read_file()
        with closing(SqliteLog(self._source, readonly=True)) as log:
            return Recording(title, list(log.read(title.session)), pace=self._pace)

    def _read_file(self) -> Recording:
        from timing.services.rulebooks import Rulebooks  # noqa: PLC0415  # slow to load, and a log has its rules within it
        from timing.services.scoring import Skipped, records_of  # noqa: PLC0415

        skipped: list[Skipped] = []
        try:
            with self._source.open("rb") as lines:
                records = list(records_of(read_lines(lines), self._source, Rulebooks(), skipped))
        except OSError as error:
            raise TimingError(f"{self._source} cannot be read: {error.strerror}; give a session file or a log") from None
        for line in skipped:
            _log.warning("a line is left out", file=str(self._source), line=line.line, reason=line.reason)
        recording = Recording(_title(records), records, pace=self._pace)
        self._kept[recording.title.session] = recording
        return recording


def _is_log(source: Path) -> bool:
    try:
        with source.open("rb") as file:
            return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    except OSError as error:
        raise TimingError(f"{source} cannot be read: {error.strerror}; give a session file or a log") from None


def _titles_of_log(source: Path) -> list[Title]:
    with closing(SqliteLog(source, readonly=True)) as log:
        return [_title([record]) for session in log.sessions() for record in log.read(session, 1, 1) if session != "_"]


def _title(records: Sequence[Record]) -> Title:
    opened = records[0].event
    if not isinstance(opened, SessionOpened):
        raise TimingError(f"session {records[0].session} does not begin with session_opened; it cannot be replayed")
    return Title(records[0].session, opened.name, opened.kind, opened.at)
