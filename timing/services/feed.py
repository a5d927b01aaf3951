"""The feed: each session's frames over WebSocket, to any number of screens. A frame is serialised once and written to all.

Limits and what happens at them: too many screens, or too many of one address, HTTP 503; an incoming message over 4 KiB, close 1009; one
that is not understood, or too many of them, close 1008; all of these are said in the log. A connection that takes nothing gets no
frames and no answers, and after ``stall_s`` it is cut; one that answers no ping is closed.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Self
from urllib.parse import parse_qs, unquote

import msgspec
import structlog
from msgspec import Struct
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from timing.domain.errors import TimingError
from timing.services.admission import Admission
from timing.services.hub import FeedFull, Hub
from timing.services.refusals import Refusals
from timing.services.replayed import Control
from timing.services.sessions import NoSeat, Seat, Sessions, Usher
from timing.services.spoken import UNDERSTOOD, Allowance, Explain, Resync, understood
from timing.services.tokens import Person

SESSIONS_PATH = "/v1/sessions"

_WRITTEN_AT_ONE_GO = 256  # screens, before other work gets its turn
_log = structlog.get_logger(__name__)


class Limits(Struct, frozen=True, kw_only=True):
    """What a connection may take. Sizes in bytes, times in seconds."""

    max_connections: int = 20_000
    max_of_address: int = 20_000
    max_message: int = 4_096
    write_buffer: int = 65_536
    unsent: int = 131_072
    stall_s: float = 30.0
    open_s: float = 10.0
    ping_s: float = 20.0
    close_s: float = 2.0
    resyncs: int = 10
    resyncs_in_s: float = 10.0
    questions: int = 10
    questions_in_s: float = 10.0
    controls: int = 600
    controls_in_s: float = 10.0
    ask_again_s: float = 5.0


class _Screen(ServerConnection):
    """A connection that tells its hub when it is full and when it can take more; full for too long, it is ended."""

    hub: Hub | None = None
    seat: Seat | None = None
    resume: tuple[str, int] | None = None
    person: Person | None = None
    address = ""
    stall_s = 30.0
    _stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Hear from the transport that its buffer is over the mark."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.stall_s, self.transport.abort)
        if self.hub is not None:
            self.hub.writable(self, False)

    def resume_writing(self) -> None:
        """Hear from the transport that its buffer has drained."""
        super().resume_writing()
        self._stop_waiting()
        if self.hub is not None:
            self.hub.writable(self, True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear from the transport that the connection is over."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def wire_form(payload: bytes) -> bytes:
    """Give a text frame as it goes to every screen: unmasked, uncompressed, in one piece."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def write(screen: ServerConnection, wire: bytes) -> None:
    """Hand a serialised frame to a connection's transport, unless its closing has begun.

    This goes around the library's ``send``, which would serialise for each connection. It may: the feed never sends a message in pieces,
    and the library leaves nothing of its own unwritten between two calls.
    """
    if screen.protocol.state is State.OPEN and not screen.transport.is_closing():
        screen.transport.write(wire)


class Feed:
    """Serves the sessions' frames: ``async with Feed(...) as feed`` listens on ``feed.port``. Ends with close code 1001."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        host: str,
        port: int,
        limits: Limits | None = None,
        explain: Callable[[str, str], bytes] | None = None,
        tls: ssl.SSLContext | None = None,
        admission: Admission | None = None,
        usher: Usher | None = None,
    ) -> None:
        """``explain``: gives the frame that answers what a car's place rests on, from session and car; left out, nobody may ask.

        ``usher``: finds each screen its seat, for replays; left out, all screens of a session sit at its hub.
        """
        self._sessions = sessions
        self._host, self._port = host, port
        self._limits = limits or Limits()
        self._explain = explain
        self._tls = tls
        self._admission = admission
        self._doorman: asyncio.Task[None] | None = None
        self._usher = usher
        self._server: Server | None = None
        self._senders: dict[Hub, asyncio.Task[None]] = {}
        self._screens: set[_Screen] = set()
        self._of_address: Counter[str] = Counter()
        self._refusals = Refusals()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None, "the feed is not open"
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    @property
    def screens(self) -> int:
        """The number of screens connected."""
        return len(self._screens)

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            TimingError: the address is taken or not this machine's.

        """
        try:
            self._server = await self._serve()
        except OSError as error:
            # The loop's own text names the address again; what is said of names has negative numbers.
            said = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise TimingError(f"the feed cannot listen on {self._host}:{self._port}: {said}; choose another port (0: any)") from None
        if self._admission is not None:
            self._doorman = asyncio.create_task(self._ask_again(self._admission), name="feed doorman")
        return self

    async def _serve(self) -> Server:
        limits = self._limits
        return await serve(
            self._watch,
            self._host,
            self._port,
            ssl=self._tls,
            process_request=self._answer,
            create_connection=_Screen,
            compression=None,  # for each connection anew it costs three times the processor; a proxy in front can do it
            server_header=None,
            max_size=limits.max_message,
            max_queue=4,
            write_limit=limits.write_buffer,
            open_timeout=limits.open_s,
            ping_interval=limits.ping_s,
            ping_timeout=limits.ping_s,
            close_timeout=limits.close_s,
            backlog=1_024,
        )

    async def __aexit__(self, *exc: object) -> None:
        """Say good-bye to the screens and stop; who does not answer within ``close_s`` is cut off."""
        assert self._server is not None, "the feed is not open"
        if self._doorman is not None:
            self._doorman.cancel()
            await asyncio.wait({self._doorman})
        for sender in self._senders.values():
            sender.cancel()
        for screen in list(self._screens):
            screen.stall_s = 0
            if screen.paused:  # a good-bye would wait behind what it does not read
                screen.transport.abort()
        self._server.close(code=CloseCode.GOING_AWAY, reason="the service is stopping")
        await self._server.wait_closed()
        await asyncio.gather(*self._senders.values(), return_exceptions=True)

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer plain HTTP, and turn away who cannot be served; ``None`` lets the screen in."""
        assert isinstance(connection, _Screen)
        path, _, query = request.path.partition("?")
        connection.address = str((connection.remote_address or ("",))[0])
        if not self._sessions.ready:
            return _json(connection, 503, {"error": "the service is starting; try again in a second"}, {"Retry-After": "1"})
        try:
            if path.rstrip("/") == SESSIONS_PATH:
                self._admit(request, None)
                return _json(connection, 200, {"sessions": self._sessions.sessions()})
            session = _session(path)
            connection.person = self._admit(request, session)
            seat = await self._seat(connection, session, query)
        except NoSeat as refused:
            if refused.status == 503:
                self._refusals.say("screen turned away", connection.loop.time(), reason=str(refused), client=connection.address)
            return _json(connection, refused.status, {"error": str(refused)}, {"Retry-After": "10"} if refused.status == 503 else {})
        connection.hub, connection.seat = seat.hub, seat
        connection.resume, connection.stall_s = _resume(query), self._limits.stall_s
        return None

    def _admit(self, request: Request, session: str | None) -> Person | None:
        return None if self._admission is None else self._admission.admit(request, session)

    async def _seat(self, connection: _Screen, session: str, query: str) -> Seat:
        if self._usher is not None:
            seat = await self._usher(session, query)
        elif (hub := self._sessions.hub(session)) is not None:
            seat = Seat(hub, None if self._explain is None else partial(self._explain, session))
        else:
            raise NoSeat(404, f"there is no session {session!r}; {SESSIONS_PATH} lists the sessions")
        if self._of_address[connection.address] >= self._limits.max_of_address:
            raise NoSeat(503, "too many screens of this address are watching; close some, or try again later")
        if seat.hub.full or len(self._screens) >= self._limits.max_connections:
            raise NoSeat(503, "too many screens are watching; try again later")
        return seat

    async def _ask_again(self, admission: Admission) -> None:
        """Show out whose sign-in is over or revoked."""
        while True:
            await asyncio.sleep(self._limits.ask_again_s)
            gone = [screen for screen in self._screens if screen.person is not None and not admission.holds(screen.person)]
            await asyncio.gather(*(screen.close(CloseCode.POLICY_VIOLATION, "your sign-in is over; sign in again") for screen in gone))

    async def _watch(self, connection: ServerConnection) -> None:
        """Live with one screen, until it leaves or is closed."""
        assert isinstance(connection, _Screen)
        hub, seat = connection.hub, connection.seat
        assert hub is not None
        assert seat is not None
        _tune(connection.transport.get_extra_info("socket"), self._limits.unsent)
        self._serve_hub(hub)
        try:
            frames = hub.join(connection, connection.resume)
        except FeedFull as full:
            await connection.close(CloseCode.TRY_AGAIN_LATER, str(full))
            return
        self._screens.add(connection)
        self._of_address[connection.address] += 1
        try:
            for frame in frames:
                write(connection, wire_form(frame))
            await self._listen(connection, seat)
            self._say_why_shown_out(connection)
        finally:
            hub.leave(connection)
            self._screens.discard(connection)
            self._of_address -= Counter([connection.address])  # which also forgets those of whom there are none
            if not hub.screens and (sender := self._senders.pop(hub, None)):
                sender.cancel()

    async def _listen(self, connection: _Screen, seat: Seat) -> None:
        limits, clock = self._limits, connection.loop.time
        resyncs = Allowance(limits.resyncs, limits.resyncs_in_s)
        questions = Allowance(limits.questions, limits.questions_in_s)
        controls = Allowance(limits.controls, limits.controls_in_s)
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                match understood(message):
                    case Resync() if resyncs.take(clock()):
                        seat.hub.resync(connection)
                    case Resync():
                        await connection.close(CloseCode.POLICY_VIOLATION, "too many resyncs; ask once, and wait for the snapshot")
                    case Explain(car=car) if seat.explain and questions.take(clock()):
                        if not connection.paused:
                            write(connection, wire_form(seat.explain(car)))
                    case Explain() if seat.explain:
                        await connection.close(CloseCode.POLICY_VIOLATION, "too many questions; ask more slowly")
                    case Control() as control if seat.control and controls.take(clock()):
                        said = seat.control(connection, control)
                        if said is not None and not connection.paused:
                            write(connection, wire_form(said))
                    case Control() if seat.control:
                        await connection.close(CloseCode.POLICY_VIOLATION, "too much is asked of the replay; ask more slowly")
                    case fault:
                        await connection.close(CloseCode.POLICY_VIOLATION, fault if isinstance(fault, str) else UNDERSTOOD)

    def _say_why_shown_out(self, screen: _Screen) -> None:
        """Say in the log that a screen said too much, too often, or what nobody may say here."""
        sent = screen.protocol.close_sent
        if sent is not None and sent.code in {CloseCode.POLICY_VIOLATION, CloseCode.MESSAGE_TOO_BIG}:
            self._refusals.say("screen shown out", screen.loop.time(), code=int(sent.code), reason=sent.reason, client=screen.address)

    def _serve_hub(self, hub: Hub) -> None:
        """See that somebody sends what the hub hands out."""
        if hub not in self._senders:
            due = asyncio.Event()
            hub.wake = due.set
            self._senders[hub] = asyncio.create_task(_send(hub, due), name="feed sender")
            self._senders[hub].add_done_callback(_report)


async def _send(hub: Hub, due: asyncio.Event) -> None:
    """Write what is due to the hub's screens, again and again, giving others their turn now and then."""
    while True:
        await due.wait()
        due.clear()
        payload, wire = b"", b""
        for count, (screen, frame) in enumerate(hub.outgoing(), start=1):
            if frame is not payload:
                payload, wire = frame, wire_form(frame)
            assert isinstance(screen, _Screen)
            write(screen, wire)
            if count % _WRITTEN_AT_ONE_GO == 0:
                await asyncio.sleep(0)


def _report(sender: asyncio.Task[None]) -> None:
    """Say that a sender ended by a fault of its own: its screens stand still from then on."""
    if not sender.cancelled() and (fault := sender.exception()):
        _log.error("a feed sender failed", exc_info=fault)


def _session(path: str) -> str:
    folder, _, name = path.rpartition("/")
    if folder != SESSIONS_PATH:
        raise NoSeat(404, f"there is nothing at this address; {SESSIONS_PATH} lists the sessions")
    return unquote(name)


def _resume(query: str) -> tuple[str, int] | None:
    """Read ``epoch`` and ``rev``; anything that is not both is taken as a first visit."""
    values = parse_qs(query)
    epoch, rev = values.get("epoch", [""])[-1], values.get("rev", [""])[-1]
    return (epoch, int(rev)) if epoch and rev.isascii() and rev.isdecimal() and len(rev) <= 16 else None


def _json(connection: ServerConnection, status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    response = connection.respond(status, msgspec.json.encode(body).decode())
    del response.headers["Content-Type"]
    named = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store", **(headers or {})}
    for name, value in named.items():
        response.headers[name] = value
    return response


def _tune(sock: socket.socket, unsent: int) -> None:
    """Send small frames at once, and keep what waits in the kernel small, so that a slow screen sees late frames dropped, not queued."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent)
