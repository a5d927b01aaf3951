"""The moments of a replay: each screen has one of its own, or shares one by its name; those that nobody watches any more end.

Limits and what happens at them: ``MOST`` moments at a time, beyond that HTTP 503; a moment that no screen has watched for ``KEPT_S``
ends, and who comes back later begins anew.
"""

import asyncio
import gc
import secrets
from collections.abc import Mapping, Sequence
from typing import Literal, Self
from urllib.parse import parse_qs

import structlog
from msgspec import Struct

from replay.serving.keyframes import Keyframes
from replay.serving.moment import Moment
from replay.serving.player import LoopTime, Time
from replay.serving.recording import Recording
from replay.serving.shelf import Shelf
from timing.domain.errors import TimingError
from timing.services.hub import Hub
from timing.services.replayed import MOMENT, Known, Speed
from timing.services.sessions import NoSeat, Seat, SessionInfo

MOST = 64
KEPT_S = 60.0
_LOOK_S = 5.0

_log = structlog.get_logger(__name__)


class Opening(Struct, frozen=True):
    """How moments begin: ``place`` is a place by its name, or an instant."""

    known: Known = "then"
    speed: Speed = 1.0
    playing: bool = True
    place: Literal["begin", "start", "end"] | int = "start"
    spoilers: bool = False
    gather_ms: int = 50


class Moments:
    """Gives screens their seats, and keeps what they watch going: ``async with Moments(...)``."""

    def __init__(self, shelf: Shelf, opening: Opening, time: Time | None = None, *, most: int = MOST, kept_s: float = KEPT_S) -> None:
        self._shelf = shelf
        self._opening = opening
        self._time = time or LoopTime()
        self._most, self._kept_s = most, kept_s
        self._moments: dict[tuple[str, str], Moment] = {}
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._building: dict[Recording, asyncio.Task[None]] = {}
        self._unwatched: dict[tuple[str, str], float] = {}

    async def __aenter__(self) -> Self:
        """Begin to look after the moments."""
        self._looking = asyncio.create_task(self._look_after(), name="moments")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End them all."""
        tasks = [self._looking, *self._running.values(), *self._building.values()]
        self._running = {}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    @property
    def count(self) -> int:
        """The number of moments."""
        return len(self._moments)

    @property
    def built(self) -> bool:
        """Whether every seek is quick already: the keyframes of all that is watched are made."""
        return all(task.done() for task in self._building.values())

    # --- what the feed asks (sessions.Sessions, sessions.Usher) ---

    @property
    def ready(self) -> bool:
        """Whether screens may come; sessions are read when they do."""
        return True

    def sessions(self) -> Sequence[SessionInfo]:
        """List the sessions, without a word of how they go."""
        return [SessionInfo(t.session, t.name, t.kind, "scheduled", 0, t.opened_at) for t in self._shelf.titles]

    def hub(self, session: str) -> Hub | None:  # noqa: ARG002  # the protocol's signature
        """Give nothing: every screen has its seat from ``usher``."""
        return None

    async def usher(self, session: str, query: str) -> Seat:
        """Find a screen's seat: the moment it names, the one whose epoch it has seen, or a new one of its own.

        Raises:
            NoSeat: there is no such session, the name is none, or there are too many moments.

        """
        values = {name: found[-1] for name, found in parse_qs(query).items()}
        name, known = values.get("moment"), values.get("known")
        if name is not None and not MOMENT.fullmatch(name):
            raise NoSeat(404, f"a moment is called by small letters, digits and dashes, not {name[:64]!r}")
        if known not in (None, "then", "now"):
            raise NoSeat(404, "known is then or now")
        epoch = values.get("epoch")
        moment = self._seen(session, name, epoch)
        if moment is None:
            recording = await self._shelf.recording(session)
            if recording is None:
                raise NoSeat(404, f"there is no session {session[:64]!r}; /v1/sessions lists the sessions")
            # Another screen may have begun it meanwhile.
            moment = self._seen(session, name, epoch) or self._begin(recording, name or secrets.token_hex(6), known)
        return moment.seat

    # --- what the pages ask ---

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:
        """Give a document of a session as of a moment.

        Raises:
            TimingError: no moment is named, or there is none of that name.

        """
        name = query.get("moment")
        if name is None:
            raise TimingError("this is a replay: say as of which moment with ?moment=NAME; the feed's replay frames name it")
        moment = self.moment(session, name)
        if moment is None:
            raise TimingError(f"there is no moment {name[:64]!r} of {session}; connect a screen to it first")
        return moment.document(path, query)

    def moment(self, session: str, name: str) -> Moment | None:
        """Give a moment that there is."""
        return self._moments.get((session, name))

    # --- what keeps them going ---

    def _seen(self, session: str, name: str | None, epoch: str | None) -> Moment | None:
        return self.moment(session, name) if name else self._of_epoch(session, epoch)

    def _of_epoch(self, session: str, epoch: str | None) -> Moment | None:
        return next((m for (s, _), m in self._moments.items() if epoch and s == session and m.shown.epoch == epoch), None)

    def _begin(self, recording: Recording, name: str, known: str | None) -> Moment:
        if len(self._moments) >= self._most:
            raise NoSeat(503, f"{self._most} moments are being watched; share one of them (?moment=NAME), or try again later")
        begin, session = self._opening, recording.title.session
        way: Known = "now" if known == "now" else "then" if known == "then" else begin.known
        moment = Moment(recording, name, self._time, known=way, speed=begin.speed, spoilers=begin.spoilers, gather_ms=begin.gather_ms)
        moment.begin(begin.place, playing=begin.playing)
        key = (session, name)
        self._moments[key] = moment
        task = self._running[key] = asyncio.create_task(moment.run(), name=f"moment {session}/{name}")
        task.add_done_callback(lambda ended: self._ended(key, ended))
        self._build(recording)
        return moment

    def _ended(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        """Forget a moment that ended by a fault of its own: who comes next begins anew."""
        _report(task)
        if self._running.get(key) is task:
            del self._running[key], self._moments[key]

    def _build(self, recording: Recording) -> None:
        """See that the recording's keyframes are made, beside everything else."""
        if recording not in self._building:
            self._building[recording] = task = asyncio.create_task(_build(recording), name="keyframes")
            task.add_done_callback(_report)

    async def _look_after(self) -> None:
        """End the moments that nobody has watched for long."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(min(_LOOK_S, self._kept_s / 2))
            for key, moment in list(self._moments.items()):
                if moment.shown.hub.screens:
                    self._unwatched.pop(key, None)
                elif key in self._moments and clock() - self._unwatched.setdefault(key, clock()) >= self._kept_s:
                    await self._end(key)
            await self._shelf.look_again()
            self._forget()

    def _forget(self) -> None:
        kept = self._shelf.forget({moment.recording for moment in self._moments.values()})
        for recording, task in list(self._building.items()):
            if recording not in kept and task.done():
                del self._building[recording]
                recording.let_go()

    async def _end(self, key: tuple[str, str]) -> None:
        self._unwatched.pop(key, None)
        moment, task = self._moments.pop(key), self._running.pop(key)
        task.cancel()
        await asyncio.wait({task})
        moment.let_go()


async def _build(recording: Recording) -> None:
    """Make the keyframes of both ways of knowing, some milliseconds at a time."""
    known: Known
    for known in ("then", "now"):
        keyframes: Keyframes = recording.keyframes(known)
        for _ in keyframes.build(recording.dear):
            await asyncio.sleep(0)
    gc.collect()
    gc.freeze()  # what was made here stays, and need not be looked through again and again


def _report(task: asyncio.Task[None]) -> None:
    """Say that a task ended by a fault of its own."""
    if not task.cancelled() and (fault := task.exception()):
        _log.error("a part of the replay failed", part=task.get_name(), exc_info=fault)
