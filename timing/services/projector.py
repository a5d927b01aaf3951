"""The projector: follows the log, folds every session's records, and forms the frames that the hubs hand out.

A quiet feed sends at once. A busy one gathers: frames are formed no more often than lets them take a quarter of the processor, and no
more rarely than ``gather_ms``. A record that cannot be folded stops its own session, which stays visible; the others go on.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import structlog
from msgspec import Struct

from timing.domain.errors import TimingError
from timing.domain.events import SessionOpened
from timing.log.record import Record
from timing.projections.board import Board
from timing.projections.frames import Framer
from timing.projections.timing import Timing
from timing.services.anomaly_watch import AnomalyWatch
from timing.services.hub import Hub
from timing.services.sessions import SessionInfo

_AT_ONE_GO_S = 0.005  # of folding, before other work gets its turn
_WRITE_S = 10e-6  # what handing a frame to one screen costs, about
_FRAMES_SHARE = 0.25

_log = structlog.get_logger(__name__)


class SessionBroken(TimingError):
    """A record of the session could not be folded; its board stands still. Health says so; waiting for more of it is in vain."""


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


class _Session:
    """One session's fold and its frames. ``seq``: the last record folded; ``shown``: the last one that is in the frames."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.timing = Timing(name)
        self.framer = Framer(secrets.token_hex(8))
        self.hub = Hub(self.framer)
        self.board: Board | None = None
        self.opened = False
        self.seq = 0
        self.shown = 0
        self.fault: str | None = None
        self.not_before = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self.look: asyncio.TimerHandle | None = None
        self.anomalies = AnomalyWatch(name, self.timing)
        self.waiting: list[tuple[int, asyncio.Future[None]]] = []


class Projector:
    """Keeps every session's board up to date. ``stored``: how far each session reaches in the log at the start."""

    def __init__(self, source: RecordSource, stored: Mapping[str, int], *, gather_ms: int = 50) -> None:
        self._source = source
        self._behind = {session: seq for session, seq in stored.items() if seq > 0}
        self._gather_s = gather_ms / 1_000
        self._sessions: dict[str, _Session] = {}
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
        return [
            SessionInfo(s.name, s.board.session.name, s.board.session.kind, s.board.session.status, s.seq, s.board.at, s.fault)
            for s in self._sessions.values()
            if s.board is not None
        ]

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
        known = self._session(session)
        if known.fault:
            raise SessionBroken(known.fault)
        if known.shown < seq:
            shown = asyncio.get_running_loop().create_future()
            known.waiting.append((seq, shown))
            await shown

    async def run(self) -> None:
        """Fold until cancelled, or until the source ends; what it gave last is still shown then."""
        try:
            await self._catch_up_with(set())
            async for records in self._source.follow():
                await self._fold(records)
                touched = {record.session for record in records}
                if self.ready:
                    for name in touched:
                        self._plan(self._sessions[name])
                else:
                    await self._catch_up_with(touched)
            for session in self._sessions.values():
                self._form(session)
        finally:
            self._stop()

    async def _fold(self, records: list[Record]) -> None:
        """Fold a batch, giving others their turn now and then."""
        clock = asyncio.get_running_loop().time
        until = clock() + _AT_ONE_GO_S
        for record in records:
            session = self._session(record.session)
            if session.fault is None:
                self._apply(session, record)
            if clock() > until:
                await asyncio.sleep(0)
                until = clock() + _AT_ONE_GO_S

    def _apply(self, session: _Session, record: Record) -> None:
        assert record.seq == session.seq + 1, f"record {record.seq} of session {session.name} comes after {session.seq}"
        try:
            session.timing.apply(record)
        except Exception as fault:  # noqa: BLE001  # whatever is wrong in one session must not end the others
            self._break(session, record.seq, fault)
            return
        session.seq = record.seq
        session.opened = session.opened or isinstance(record.event, SessionOpened)

    async def _catch_up_with(self, touched: set[str]) -> None:
        """Note how far the start has come; at its end, form everyone's first frame."""
        for name in touched & self._behind.keys():
            session = self._sessions[name]
            if session.fault or session.seq >= self._behind[name]:
                del self._behind[name]
        if not self._behind:
            for session in list(self._sessions.values()):
                self._form(session)
                await asyncio.sleep(0)
            self._ready.set()
            _log.info("sessions are up to date", sessions=len(self._sessions))

    def _plan(self, session: _Session) -> None:
        """Form the session's next frame now, or when its turn has come."""
        loop = asyncio.get_running_loop()
        if session.timer is not None:
            return
        if loop.time() >= session.not_before:
            self._form(session)
        else:
            session.timer = loop.call_at(session.not_before, self._form, session)

    def _form(self, session: _Session) -> None:
        """Form a frame of all that is folded, and hand it to the hub."""
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None
        clock = asyncio.get_running_loop().time
        began = clock()
        if not session.opened or (session.shown == session.seq and not session.anomalies.due(began)):
            return
        try:
            board = session.anomalies.with_notices(session.timing.board(), clock)
            frame = session.framer.advance(board, session.seq)
        except Exception as fault:  # noqa: BLE001  # whatever is wrong in one session must not end the others
            session.shown = session.seq  # as far as it will ever be: the same board would fail again
            self._break(session, session.seq, fault)
            return
        session.board, session.shown = board, session.seq
        if frame is not None:
            session.hub.publish(frame)
        now = clock()
        cost = now - began + session.hub.screens * _WRITE_S
        session.not_before = now + min(self._gather_s, cost / _FRAMES_SHARE)
        if session.look is None and (look_at := session.anomalies.look_at) is not None:
            session.look = asyncio.get_running_loop().call_at(look_at, self._look, session)
        self._answer(session)

    def _look(self, session: _Session) -> None:
        """Show the anomalies of what came in since the last look, though nothing more may come."""
        session.look = None
        self._form(session)

    def _answer(self, session: _Session) -> None:
        for seq, shown in session.waiting:
            if seq <= session.shown and not shown.done():
                shown.set_result(None)
        session.waiting = [(seq, shown) for seq, shown in session.waiting if not shown.done()]

    def _break(self, session: _Session, seq: int, fault: Exception) -> None:
        """Mark a session as broken: no record of it is folded any more."""
        session.fault = (
            session.fault or f"record {seq} could not be folded ({type(fault).__name__}: {fault}); the board stands still since then"
        )
        _log.error("a session cannot be folded", session=session.name, seq=seq, exc_info=fault)
        for _, shown in session.waiting:
            if not shown.done():
                shown.set_exception(SessionBroken(session.fault))
        session.waiting.clear()

    def _session(self, name: str) -> _Session:
        if name not in self._sessions:
            self._sessions[name] = _Session(name)
        return self._sessions[name]

    def _stop(self) -> None:
        for session in self._sessions.values():
            for timer in (session.timer, session.look):
                if timer is not None:
                    timer.cancel()
            for _, shown in session.waiting:
                shown.cancel()
