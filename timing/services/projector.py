"""The projector: follows the log and has every session's records folded and shown. A broken session stops nobody else."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import structlog
from msgspec import Struct

from timing.log.record import Record
from timing.projections.timing import Timing
from timing.services.hub import Hub
from timing.services.sessions import SessionInfo
from timing.services.shown import ShownSession

_AT_ONE_GO_S = 0.005  # of folding, before other work gets its turn

_log = structlog.get_logger(__name__)


class RecordSource(Protocol):
    """Who hands out the records, and when: the live log, or a paced replay."""

    def follow(self) -> AsyncIterator[list[Record]]:
        """Give every session's records, each session's in order of ``seq`` and without holes."""
        ...


class ProjectorHealth(Struct, frozen=True):
    """How the projector is. ``broken``: what is wrong with which sessions."""

    ready: bool
    sessions: int
    broken: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether everything that is stored can be seen."""
        return self.ready and not self.broken


class Projector:
    """Keeps every session's board up to date. ``stored``: how far each session reaches in the log at the start."""

    def __init__(self, source: RecordSource, stored: Mapping[str, int], *, gather_ms: int = 50) -> None:
        self._source = source
        self._behind = {session: seq for session, seq in stored.items() if seq > 0}
        self._gather_s = gather_ms / 1_000
        self._sessions: dict[str, ShownSession] = {}
        self._ready = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether all that was stored at the start has been folded."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Wait until ``ready``; how long at most is the caller's to say."""
        await self._ready.wait()

    def sessions(self) -> Sequence[SessionInfo]:
        """List the sessions in the order in which they were opened."""
        return [info for s in self._sessions.values() if (info := s.info()) is not None]

    def hub(self, session: str) -> Hub | None:
        """Give a session's hub; ``None`` before the session was opened."""
        known = self._sessions.get(session)
        return None if known is None or known.board is None else known.hub

    def timing(self, session: str) -> Timing | None:
        """Give a session's fold, up to date with all records folded; ``None`` before the session was opened."""
        known = self._sessions.get(session)
        return None if known is None or known.board is None else known.timing

    def health(self) -> ProjectorHealth:
        """Say how the projector is."""
        shown = [s for s in self._sessions.values() if s.opened]
        return ProjectorHealth(self.ready, len(shown), {s.name: s.fault for s in self._sessions.values() if s.fault})

    async def wait_for(self, session: str, seq: int) -> None:
        """Wait until the frames of a session show record ``seq``; how long at most is the caller's to say.

        Raises:
            SessionBroken: that will not come to pass.

        """
        await self._session(session).wait_for(seq)

    async def run(self) -> None:
        """Fold until cancelled, or until the source ends; what it gave last is still shown then."""
        try:
            await self._catch_up_with(set())
            async for records in self._source.follow():
                await self._fold(records)
                touched = {record.session for record in records}
                if self.ready:
                    for name in touched:
                        self._sessions[name].plan()
                else:
                    await self._catch_up_with(touched)
            for session in self._sessions.values():
                session.form()
        finally:
            self._stop()

    async def _fold(self, records: list[Record]) -> None:
        """Fold a batch, giving others their turn now and then."""
        clock = asyncio.get_running_loop().time
        until = clock() + _AT_ONE_GO_S
        for record in records:
            self._session(record.session).apply(record)
            if clock() > until:
                await asyncio.sleep(0)
                until = clock() + _AT_ONE_GO_S

    async def _catch_up_with(self, touched: set[str]) -> None:
        """Note how far the start has come; at its end, form everyone's first frame."""
        for name in touched & self._behind.keys():
            session = self._sessions[name]
            if session.fault or session.seq >= self._behind[name]:
                del self._behind[name]
        if not self._behind:
            for session in list(self._sessions.values()):
                session.form()
                await asyncio.sleep(0)
            self._ready.set()
            _log.info("sessions are up to date", sessions=len(self._sessions))

    def _session(self, name: str) -> ShownSession:
        if name not in self._sessions:
            self._sessions[name] = ShownSession(name, gather_s=self._gather_s)
        return self._sessions[name]

    def _stop(self) -> None:
        for session in self._sessions.values():
            session.stop()
