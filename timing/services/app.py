"""The service put together, in the one place where its parts meet: log, broker, ingest, projector, feed and pages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

import structlog
from msgspec import Struct, to_builtins
from starlette.middleware import Middleware

from timing.log.sqlite_log import SqliteLog
from timing.services.access import Access, Rates, origins_checked
from timing.services.access_folder import AccessFolder
from timing.services.admission import Admission
from timing.services.archive_pages import Archive
from timing.services.broker import EmbeddedBroker
from timing.services.broker_users import BrokerUsers
from timing.services.clock import Clock, SteadyClock, system_clock, warn_if_behind
from timing.services.closed import Closed
from timing.services.desk import Desk
from timing.services.documents import document
from timing.services.door import Door
from timing.services.explanations import Explanations
from timing.services.feed import Feed, Limits
from timing.services.hosts import is_loopback
from timing.services.ingest import Ingest
from timing.services.intake import Intake
from timing.services.journal import Journal
from timing.services.keys import SigningKeyFile
from timing.services.mqtt import Address
from timing.services.pages import PageServer
from timing.services.previews import Previews
from timing.services.printing import can_print
from timing.services.projector import Projector
from timing.services.rulebooks import Rulebooks
from timing.services.settings import Settings
from timing.services.sign_in import SignIn
from timing.services.signer import Signer
from timing.services.tls import asking, serving
from timing.services.tokens import Tokens
from timing.services.web import Health, SessionEntry, make_app
from timing.services.writer import LogWriter

_log = structlog.get_logger(__name__)

ACK_WAIT_MS = 2_000
_SETTLE_S = 1.5 * ACK_WAIT_MS / 1_000  # by then the embedded broker has delivered again what was not acknowledged
_CONNECT_WITHIN = 10.0  # seconds that the start waits for the broker; it goes on trying afterwards
_CATCH_UP_WITHIN = 5.0  # seconds that the end waits for the screens to show the last record


class Addresses(Struct, frozen=True):
    """Where the service is reached. ``log`` is the file."""

    pages: str
    feed: str
    mqtt: str
    log: str

    def __str__(self) -> str:
        return f"parcferme ready: pages {self.pages} feed {self.feed} mqtt {self.mqtt} log {self.log}"


class Service:
    """Everything that ``timing serve`` runs. ``async with Service(settings) as service`` has it ready; ``run`` waits for its end."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self._clock = clock or SteadyClock()
        self._wall = clock or system_clock  # tokens are made and read by other programs too
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Open the log, fold what is in it, and listen.

        Raises:
            LogError: the log cannot be used.
            BrokerError: the embedded broker does not start.
            TimingError: an address is taken, or not this machine's.

        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End in order: nothing more is taken in, what was is written, shown and acknowledged, then the doors close."""
        await self._stack.aclose()

    async def _start(self) -> None:
        settings, stack = self.settings, self._stack
        key = self._signing_key = None if settings.signing_key is None else SigningKeyFile(settings.signing_key)
        self.log = await asyncio.to_thread(SqliteLog, settings.log)
        stack.callback(self.log.close)
        resolve = Rulebooks(settings.rulebooks).resolve
        door = Door(resolve)
        await asyncio.to_thread(_restore, door, self.log)
        folder = await asyncio.to_thread(AccessFolder, settings.access_folder)
        self.users = BrokerUsers(folder.path)
        self.broker = await self._broker(stack)
        address = self._outside() if self.broker is None else self.broker.address
        warn_if_behind(self._clock(), self.log.last_recorded_at())
        self.writer = LogWriter(self.log, self._clock)
        stack.push_async_callback(self.writer.close)
        stored = {session: self.log.high_watermark(session) for session in self.log.sessions()}
        self.projector = Projector(self.writer, stored, gather_ms=settings.gather_ms)
        explanations = Explanations(self.projector.timing, asyncio.get_running_loop().time)
        self.access = _access(settings, folder, self._wall, asyncio.get_running_loop().time)
        tls = None if settings.certificate is None else serving(settings.certificate, settings.key)
        feed = Feed(
            self.projector,
            host=settings.feed_host,
            port=settings.feed_port,
            limits=Limits(max_connections=settings.max_screens, max_of_address=settings.max_screens_per_address),
            explain=explanations.answer,
            tls=tls,
            admission=Admission(self.access),
        )
        self.feed = await stack.enter_async_context(feed)
        self.desk = Desk(self.access, door, Intake(self.writer, door, self._clock), self._clock)
        previews = Previews(self.projector.timing, resolve, self.access)
        archive = Archive(settings.log, self.projector.timing, self.access.watching)
        journal = Journal(self.access, self.log)
        asked = [
            *SignIn(self.access, self._wall).routes(),
            *self.desk.routes(),
            journal.route(),
            previews.route(),
            *archive.routes(),
        ]
        app = make_app(
            self,
            feed_port=self.feed.port,
            feed_url=settings.feed_url,
            asked=asked,
            guards=[Middleware(Closed, access=self.access)],
            counterpart=settings.replay_url,
            sheets=can_print(),
        )
        pages = PageServer(
            app,
            settings.web_host,
            settings.web_port,
            tls=tls,
            root_path=settings.root_path,
            trusted_proxies=settings.trusted_proxies,
            connections=settings.web_connections,
        )
        self.pages = await stack.enter_async_context(pages)
        await stack.enter_async_context(self._running(self.projector.run(), "projector"))
        stack.push_async_callback(self._show_the_last)
        await self.projector.wait_ready()
        if key is not None:
            await stack.enter_async_context(self._signing(Signer(key, self.writer, self.projector, stored, self._clock)))
        settle = _SETTLE_S if self.broker else 0.0
        self.ingest = Ingest(
            address, self.writer, door, client_id=settings.client_id, batch=settings.batch, settle=settle, clock=self._clock
        )
        await stack.enter_async_context(self._running(self.ingest.run(), "ingest"))
        self._address = address
        await self._connected()

    def _outside(self) -> Address:
        settings = self.settings
        if not settings.broker.startswith("mqtts:"):
            return Address(settings.broker)
        return Address(settings.broker, context=asking(settings.broker_ca, settings.broker_certificate, settings.broker_key))

    async def _broker(self, stack: AsyncExitStack) -> EmbeddedBroker | None:
        settings = self.settings
        if settings.broker != "embedded":
            return None
        broker = EmbeddedBroker(
            settings.log.with_name(f"{settings.log.name}-broker"),
            host=settings.mqtt_host,
            port=settings.mqtt_port,
            ack_wait_ms=ACK_WAIT_MS,
            users=self.users,
            anonymous=is_loopback(settings.mqtt_host) if settings.mqtt_anonymous is None else settings.mqtt_anonymous,
            certificate=settings.mqtt_certificate,
            key=settings.mqtt_key,
        )
        await stack.enter_async_context(broker)
        await stack.enter_async_context(self._running(broker.watch_disk(), "broker's disk"))
        return broker

    @asynccontextmanager
    async def _running(self, work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    @asynccontextmanager
    async def _signing(self, signer: Signer) -> AsyncIterator[None]:
        """Let results be signed; at the end, when nothing more is taken in, those that were."""
        async with self._running(signer.run(), "signer"):
            yield
            signing = next(task for task in self._tasks if task.get_name() == "signer")
            waiting = asyncio.create_task(signer.wait_for({s: self.log.high_watermark(s) for s in self.log.sessions()}))
            await asyncio.wait({waiting, signing}, timeout=_CATCH_UP_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()

    async def _connected(self) -> None:
        ingest = next(task for task in self._tasks if task.get_name() == "ingest")
        waiting = asyncio.create_task(self.ingest.wait_connected())
        await asyncio.wait({waiting, ingest}, timeout=_CONNECT_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            _log.warning("the broker cannot be reached yet; the service goes on trying", broker=str(self._address))

    async def _show_the_last(self) -> None:
        await self.writer.close()
        projector = next(task for task in self._tasks if task.get_name() == "projector")
        await asyncio.wait({projector}, timeout=_CATCH_UP_WITHIN)

    @property
    def addresses(self) -> Addresses:
        """Where the service is reached."""
        settings = self.settings
        secure = "s" if settings.certificate else ""
        feed = settings.feed_url or f"ws{secure}://{_reachable(settings.feed_host)}:{self.feed.port}"
        return Addresses(f"http{secure}://{_reachable(settings.web_host)}:{self.pages.port}/", feed, str(self._address), str(settings.log))

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set.

        Raises:
            TimingError: a part could not go on, so nothing does.

        """
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait({stopping, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # raises what ended it
        finally:
            stopping.cancel()

    # --- what the pages ask (web.Source) ---

    def sessions(self) -> Sequence[SessionEntry]:
        """List the sessions in the order in which they were opened."""
        return [SessionEntry(s.session, s.name, s.kind, s.status, s.seq) for s in self.projector.sessions()]

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:
        """Give a document of a session as JSON; ``None`` where there is none of that name."""
        timing = self.projector.timing(session)
        return None if timing is None else document(timing, path, query)

    def health(self) -> Health:
        """Say how each part is. The service is well while it takes events in and shows them."""
        projector = self.projector.health()
        parts = {
            "log": {"ok": not self.writer.failed, "file": str(self.settings.log)},
            "broker": {"ok": self.ingest.connected, "address": str(self._address), **to_builtins(self.ingest.counters)},
            "projector": {"ok": projector.ok, "sessions": projector.sessions, "broken": projector.broken},
            "feed": {"ok": True, "screens": self.feed.screens},
            "desk": {"ok": True, **to_builtins(self.desk.counted), "refused": self.access.refused},
        }
        if isinstance(self._clock, SteadyClock):
            parts["clock"] = {"ok": True, "off_us": self._clock.off_us}
        if self._signing_key is not None:
            parts["signing"] = {"ok": True, "key": self._signing_key.id}
        return Health(all(part["ok"] for part in parts.values()), parts)


def _access(settings: Settings, folder: AccessFolder, clock: Clock, loop_time: Callable[[], float]) -> Access:
    return Access(
        Tokens(folder, clock),
        folder.secret,
        loop_time=loop_time,
        origins=origins_checked(settings.allowed_origins),
        public=settings.viewing == "public",
        rates=Rates(sign_ins=settings.sign_ins_a_minute, commands=settings.commands_a_minute),
    )


def _restore(door: Door, log: SqliteLog) -> None:
    for session in log.sessions():
        for record in log.read(session):
            door.restore(session, record.event)


def _reachable(host: str) -> str:
    """Give the name under which this machine reaches an address it listens on."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # named, not bound
