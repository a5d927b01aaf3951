"""A session as it is shown: its fold, its frames and its hub. The live projector and a replay show sessions with the same code.

A quiet session's frame is formed at once. A busy one gathers: frames are formed no more often than lets them take a quarter of the
processor, and no more rarely than ``gather_s``. A record that cannot be folded stops the session, which stays visible.
"""

import asyncio
import secrets

import structlog

from timing.domain.errors import TimingError
from timing.domain.events import SessionOpened
from timing.log.record import Record
from timing.projections.board import Board
from timing.projections.frames import Framer
from timing.projections.timing import Timing
from timing.services.anomaly_watch import AnomalyWatch
from timing.services.hub import Hub
from timing.services.sessions import SessionInfo

_WRITE_S = 10e-6  # what handing a frame to one screen costs, about
_FRAMES_SHARE = 0.25

_log = structlog.get_logger(__name__)


class SessionBroken(TimingError):
    """A record of the session could not be folded; its board stands still. Health says so; waiting for more of it is in vain."""


class ShownSession:
    """One session's fold and its frames. ``seq``: the last record folded; ``shown``: the last one that is in the frames.

    ``apply`` folds a record; ``plan`` has a frame formed when its turn has come, ``form`` at once. ``stop`` ends what it has planned.
    """

    def __init__(self, name: str, *, gather_s: float = 0.05) -> None:
        self.name = name
        self.timing = Timing(name)
        self.board: Board | None = None
        self.opened = False
        self.seq = 0
        self.shown = 0
        self.fault: str | None = None
        self._framer = Framer(secrets.token_hex(8))
        self.hub = Hub(self._framer)
        self._gather_s = gather_s
        self._not_before = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._anomalies = AnomalyWatch(name, self.timing)
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def epoch(self) -> str:
        """The epoch of its frames."""
        return self._framer.epoch

    def info(self) -> SessionInfo | None:
        """Give what lists show of the session; ``None`` before it was opened."""
        if self.board is None:
            return None
        head = self.board.session
        return SessionInfo(self.name, head.name, head.kind, head.status, self.seq, self.board.at, self.fault)

    def apply(self, record: Record) -> None:
        """Fold the next record; once one could not be folded, none is any more."""
        if self.fault is not None:
            return
        assert record.seq == self.seq + 1, f"record {record.seq} of session {self.name} comes after {self.seq}"
        try:
            self.timing.apply(record)
        except Exception as fault:  # noqa: BLE001  # whatever is wrong in one session must not end the others
            self._break(record.seq, fault)
            return
        self.seq = record.seq
        self.opened = self.opened or isinstance(record.event, SessionOpened)

    def renew(self, timing: Timing) -> None:
        """Go over to another fold, of another moment: a new epoch begins, whose first frame is formed at once."""
        self._cancel()
        self.timing, self.seq, self.shown, self.fault, self.board = timing, timing.seq, 0, None, None
        self.opened = timing.evidence.opened is not None
        self._framer = Framer(secrets.token_hex(8))
        self._anomalies = AnomalyWatch(self.name, timing, after=asyncio.get_running_loop().time() if timing.seq else None)
        self.hub.renew(self._framer)
        self.form()

    def plan(self) -> None:
        """Form the next frame now, or when its turn has come."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            return
        if loop.time() >= self._not_before:
            self.form()
        else:
            self._timer = loop.call_at(self._not_before, self.form)

    def form(self) -> bool:
        """Form a frame of all that is folded, and hand it to the hub; ``False`` where a screen would show nothing new."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        clock = asyncio.get_running_loop().time
        began = clock()
        if not self.opened or (self.shown == self.seq and not self._anomalies.due(began)):
            return False
        try:
            board = self._anomalies.with_notices(self.timing.board(), clock)
            frame = self._framer.advance(board, self.seq)
        except Exception as fault:  # noqa: BLE001  # whatever is wrong in one session must not end the others
            self.shown = self.seq  # as far as it will ever be: the same board would fail again
            self._break(self.seq, fault)
            return False
        self.board, self.shown = board, self.seq
        if frame is not None:
            self.hub.publish(frame)
        now = clock()
        cost = now - began + self.hub.screens * _WRITE_S
        self._not_before = now + min(self._gather_s, cost / _FRAMES_SHARE)
        if self._look is None and (look_at := self._anomalies.look_at) is not None:
            self._look = asyncio.get_running_loop().call_at(look_at, self._look_again)
        self._answer()
        return frame is not None

    async def wait_for(self, seq: int) -> None:
        """Wait until the frames show record ``seq``; how long at most is the caller's to say.

        Raises:
            SessionBroken: that will not come to pass.

        """
        if self.fault:
            raise SessionBroken(self.fault)
        if self.shown < seq:
            shown = asyncio.get_running_loop().create_future()
            self._waiting.append((seq, shown))
            await shown

    def stop(self) -> None:
        """End: no frame is formed any more, and nobody waits for one."""
        self._cancel()
        for _, shown in self._waiting:
            shown.cancel()

    def _cancel(self) -> None:
        for timer in (self._timer, self._look):
            if timer is not None:
                timer.cancel()
        self._timer = self._look = None

    def _look_again(self) -> None:
        """Show the anomalies of what came in since the last look, though nothing more may come."""
        self._look = None
        self.form()

    def _answer(self) -> None:
        for seq, shown in self._waiting:
            if seq <= self.shown and not shown.done():
                shown.set_result(None)
        self._waiting = [(seq, shown) for seq, shown in self._waiting if not shown.done()]

    def _break(self, seq: int, fault: Exception) -> None:
        """Mark the session as broken: no record of it is folded any more."""
        self.fault = self.fault or f"record {seq} could not be folded ({type(fault).__name__}: {fault}); the board stands still since then"
        _log.error("a session cannot be folded", session=self.name, seq=seq, exc_info=fault)
        for _, shown in self._waiting:
            if not shown.done():
                shown.set_exception(SessionBroken(self.fault))
        self._waiting.clear()
