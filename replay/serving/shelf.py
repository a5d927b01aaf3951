"""What there is to replay: the sessions of a log or of a session file, each read when it is first asked for.

A log may grow while it is replayed: who comes later finds what it holds by then, and who is there already goes on with what there was.
Limits and what happens at them: the log is looked at again at most every ``LOOKED_AT_S``; of one session at most ``STATES`` states are in
memory, and while all of them are watched newcomers are given the latest.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from itertools import islice
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
_KEPT = 4  # sessions in memory that nobody watches
LOOKED_AT_S = 10.0
STATES = 4
_log = structlog.get_logger(__name__)


class Shelf:
    """The sessions of one source. ``titles`` lists them; ``recording`` reads one, or gives it again."""

    def __init__(
        self,
        source: Path,
        *,
        session: str | None = None,
        pace: Pace | None = None,
        as_of: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find what there is. ``clock`` gives seconds that only grow. ``as_of``: of the one session, as if no record had come after this.

        Raises:
            TimingError: the source cannot be read, or has no session.
            ConfigurationError: it has no such session, or several of which each has records of such a number.

        """
        self._source = source
        self._pace = pace
        self._as_of = as_of
        self._only = session
        self._clock = clock
        self._kept: dict[str, list[Recording]] = {}
        self._heads: dict[str, int] = {}
        self._changed: tuple[int, ...] = ()
        self._looked_at = clock()
        self._reading = asyncio.Lock()
        self._log = _is_log(source)
        found = _titles_of_log(source) if self._log else [self._read_file().title]
        self.titles: Sequence[Title] = [title for title in found if session in (None, title.session)]
        if not self.titles:
            there = ", ".join(title.session for title in found)
            if not there:
                raise TimingError(f"{source} holds no session yet; there is nothing to replay")
            raise ConfigurationError(f"{source} holds the sessions: {there}; choose one of them with --session, or leave it out for all")
        if as_of is not None and len(self.titles) > 1:
            there = ", ".join(title.session for title in found)
            raise ConfigurationError(f"--as-of is a record of one session; choose with --session: {there}")
        if as_of is not None:
            self._only = self.titles[0].session  # whatever else is opened in a log that grows

    async def recording(self, session: str) -> Recording | None:
        """Give a session's recording, read in a thread of its own; ``None`` where there is no such session."""
        await self.look_again()
        title = next((title for title in self.titles if title.session == session), None)
        if title is None:
            return None
        async with self._reading:
            states = self._kept.get(session, [])
            if not states or (states[-1].last < self._heads.get(session, 0) and len(states) < STATES):
                self._kept[session] = states = [*states, await asyncio.to_thread(self._read, title)]
            return states[-1]

    async def look_again(self) -> None:
        """See what a log holds by now, unless that was just done or nothing was written since; one that is away for now stays as it was."""
        if not self._log or self._clock() - self._looked_at < LOOKED_AT_S:
            return
        async with self._reading:
            if self._clock() - self._looked_at < LOOKED_AT_S:
                return
            try:
                await asyncio.to_thread(self._look)
            except (TimingError, OSError) as error:
                _log.warning("the log cannot be looked at again; what is known of it is shown", reason=str(error))
            self._looked_at = self._clock()

    def forget(self, watched: Collection[Recording]) -> set[Recording]:
        """Let go of recordings that nobody watches, but for the latest of the last few sessions; give those that are kept."""
        for session, states in self._kept.items():
            self._kept[session] = [state for state in states if state in watched or state is states[-1]]
        idle = [session for session, states in self._kept.items() if not any(state in watched for state in states)]
        for session in idle[:-_KEPT]:
            del self._kept[session]
        return {state for states in self._kept.values() for state in states}

    def _look(self) -> None:
        files = [file.stat() for file in (self._source, self._source.with_name(f"{self._source.name}-wal")) if file.exists()]
        changed = tuple(value for file in files for value in (file.st_size, file.st_mtime_ns))
        if changed == self._changed:
            return
        known = {title.session for title in self.titles}
        with closing(SqliteLog(self._source, readonly=True)) as log:
            self._heads = {session: min(log.high_watermark(session), self._as_of or sys.maxsize) for session in log.sessions()}
            new = [_title([next(log.read(session, 1, 1))]) for session in self._heads if session not in known | {"_"}]
        self.titles = [*self.titles, *(title for title in new if self._only in (None, title.session))]
        self._changed = changed

    def _read(self, title: Title) -> Recording:
        if not self._log:
            return self._read_file()
        with closing(SqliteLog(self._source, readonly=True)) as log:
            return Recording(title, list(log.read(title.session, to_seq=self._as_of)), pace=self._pace)

    def _read_file(self) -> Recording:
        from timing.services.rulebooks import Rulebooks  # noqa: PLC0415  # slow to load, and a log has its rules within it
        from timing.services.scoring import Skipped, records_of  # noqa: PLC0415

        skipped: list[Skipped] = []
        try:
            with self._source.open("rb") as lines:
                records = list(islice(records_of(read_lines(lines), self._source, Rulebooks(), skipped), self._as_of))
        except OSError as error:
            raise TimingError(f"{self._source} cannot be read: {error.strerror}; give a session file or a log") from None
        for line in skipped:
            _log.warning("a line is left out", file=str(self._source), line=line.line, reason=line.reason)
        recording = Recording(_title(records), records, pace=self._pace)
        self._kept[recording.title.session] = [recording]
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
