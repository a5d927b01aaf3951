"""Sends a session file over MQTT, as decoders and race control would: in order, at a pace, and until every event is acknowledged."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from itertools import chain
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from timing.domain.errors import BrokerError, ConfigurationError
from timing.domain.events import Fact, OwnEvent, SessionOpened, channel_of
from timing.log.session_file import Line
from timing.services.ingest import BackOff
from timing.services.mqtt import Address, Arrival, Link

_log = structlog.get_logger(__name__)

Speed = float | Literal["max"]
_ATTEMPTS = 3
"""How often a command without an answer is sent in all."""

_SAID = 20
"""How many faults and rejections are told one by one; the rest is counted."""


class Progress(Struct):
    """How far it is; kept up to date while it runs. ``at``: the instant, in the race, of the last event sent, in microseconds."""

    sent: int = 0
    acknowledged: int = 0
    accepted: int = 0
    rejected: int = 0
    unanswered: int = 0
    faults: int = 0
    passed_over: int = 0
    again: int = 0
    at: int = 0
    told: list[str] = []

    def tell(self, text: str, count: int) -> None:
        """Keep what is to be told to people, within a limit."""
        if count < _SAID:
            self.told.append(text)
        elif count == _SAID:
            self.told.append("… and more of the kind; they are counted at the end")

    @property
    def whole(self) -> bool:
        """Whether every event was sent, acknowledged and, where answers are given, accepted."""
        return not (self.faults or self.rejected or self.unanswered)


class _Item(Struct, frozen=True, gc=False):
    line: int
    at: int
    topic: str
    payload: bytes
    command: str | None


class Pace:
    """When each event is due, in the event loop's time: ``speed`` times as fast as it was, and no pause longer than ``max_gap`` seconds.

    What is of an instant before ``begin`` goes at once.
    """

    def __init__(self, speed: Speed, max_gap: float | None, begin: int = 0) -> None:
        self._begin = begin
        self._speed = speed
        self._max_gap = max_gap
        self._due: float | None = None
        self._latest = 0

    def due(self, at: int, now: float) -> float:
        """Give the instant at which an event of the instant ``at`` is sent; one that is out of order goes at once."""
        if self._speed == "max":
            return now
        if self._due is None or at <= self._begin:
            self._due, self._latest = now, max(at, self._latest)
        gap = max(0, at - self._latest) / 1_000_000 / self._speed
        self._due += gap if self._max_gap is None else min(gap, self._max_gap)
        self._latest = max(self._latest, at)
        return self._due


async def publish_lines(
    lines: Iterable[Line],
    address: Address,
    *,
    session: str | None = None,
    speed: Speed = 1.0,
    max_gap: float | None = None,
    pace: Pace | None = None,
    window: int = 500,
    answers_within: float = 10.0,
    reach_within: float | None = 10.0,
    progress: Progress | None = None,
    stop: asyncio.Event | None = None,
    back_off: BackOff | None = None,
) -> Progress:
    """Send the events of a session file, QoS 1, in order, and wait until the broker has acknowledged each.

    At most ``window`` events are on their way unacknowledged. Commands are answered by the service: those without an answer are sent
    again twice, which is harmless, within ``answers_within`` seconds of silence at the end. After a loss of the broker it goes on where
    it was, however long that takes: cancel it, or set ``stop``, after which nothing more is sent.

    Args:
        lines: as ``read_lines`` gives them; those with a fault are told and passed over, and so is what a log recorded as rejected.
        address: of the broker.
        session: sends it as this session; else the one that its ``session_opened`` names.
        speed: 1 is the pace of the events' own ``at``, 2 twice as fast; "max" as fast as they are acknowledged.
        max_gap: the longest pause in seconds; longer ones, as before the start, are cut to it. ``None``: as they are.
        pace: another pace than ``speed`` and ``max_gap`` make.
        window: see above.
        answers_within: see above; 0 does not wait for answers.
        reach_within: how long, in seconds, the broker is tried for the first time. ``None``: without an end.
        progress: kept up to date, for those who show it.
        stop: see above.
        back_off: pauses between attempts to reach the broker.

    Raises:
        ConfigurationError: the session cannot be told from the lines.
        BrokerError: the broker was never reached.

    """
    publisher = _Publisher(
        address, window=window, answers_within=answers_within, reach_within=reach_within, progress=progress, stop=stop, back_off=back_off
    )
    await publisher.run(lines, session, pace or Pace(speed, max_gap))
    return publisher.progress


class _Publisher:
    def __init__(
        self,
        address: Address,
        *,
        window: int,
        answers_within: float,
        reach_within: float | None,
        progress: Progress | None,
        stop: asyncio.Event | None,
        back_off: BackOff | None,
    ) -> None:
        self.progress = progress or Progress()
        self._address = address
        self._window = window
        self._answers_within = answers_within
        self._reach_within = reach_within
        self._reached = False
        self._stop = stop or asyncio.Event()
        self._back_off = back_off or BackOff()
        self._next: tuple[_Item, float] | None = None  # taken from the lines and not sent yet, and when it is due
        self._flight: dict[int, _Item] = {}  # on their way on this connection, by message id
        self._unanswered: dict[str, _Item] = {}
        self._moved = asyncio.Event()  # an acknowledgement, an answer or a loss

    async def run(self, lines: Iterable[Line], session: str | None, pace: Pace) -> None:
        items = _items(lines, session, self.progress)
        first = next(items, None)
        if first is None:
            return
        items = chain([first], items)
        name = first.topic.split("/")[2]
        began = asyncio.get_running_loop().time()
        while True:
            try:
                await self._connected(name, items, pace)
                break
            except BrokerError as error:
                trying = asyncio.get_running_loop().time() - began
                if not self._reached and self._reach_within is not None and trying > self._reach_within:
                    raise
                pause = self._back_off.pause()
                _log.warning("no connection to the broker; trying again", reason=str(error), seconds=round(pause, 1))
                if await _within(self._stop, pause):
                    break
        self.progress.unanswered = len(self._unanswered)

    async def _connected(self, session: str, items: Iterator[_Item], pace: Pace) -> None:
        """Do what can be done on one connection; returns when all is done."""
        name = f"publish-{uuid.uuid4().hex[:12]}"
        async with Link(self._address, client_id=name, clean_session=True, on_delivered=self._delivered) as link:
            await link.listen([f"timing/v1/{session}/accepted/#", f"timing/v1/{session}/rejected/#"])
            self._reached = True
            async with _beside(self._hear(link)):
                await self._send_lost(link)
                self._back_off.reset()
                while await self._turn(link, items, pace):
                    self._send_next(link)
                while self._flight:
                    await self._movement(link)
                if self._answers_within and not self._stop.is_set():
                    await self._await_answers(link)

    # --- sending ---

    def _send(self, link: Link, item: _Item) -> None:
        self._flight[link.send(item.topic, item.payload, qos=1)] = item
        if item.command is not None and self._answers_within:
            self._unanswered.setdefault(item.command, item)

    def _send_next(self, link: Link) -> None:
        assert self._next is not None
        item, _ = self._next
        self._send(link, item)
        self._next = None
        self.progress.sent += 1
        self.progress.at = max(self.progress.at, item.at)

    async def _send_lost(self, link: Link) -> None:
        """Begin a new connection with what the last one may have lost: what was not acknowledged, and what was not answered."""
        lost = {item.line: item for item in chain(self._flight.values(), self._unanswered.values())}
        self._flight.clear()
        await self._send_again(link, lost.values())

    async def _send_again(self, link: Link, items: Iterable[_Item]) -> None:
        for item in sorted(items, key=lambda item: item.line):
            while len(self._flight) >= self._window:
                await self._movement(link)
            self._send(link, item)
            self.progress.again += 1

    async def _turn(self, link: Link, items: Iterator[_Item], pace: Pace) -> bool:
        """Wait until the next event may be sent: its instant has come, and there is room in the window. False: there is none, or stop."""
        loop = asyncio.get_running_loop()
        if self._next is None:
            item = next(items, None)
            if item is None:
                return False
            self._next = item, pace.due(item.at, loop.time())
        while len(self._flight) >= self._window:
            await self._movement(link)
        while (left := self._next[1] - loop.time()) > 0 and not self._stop.is_set():
            await _within(self._stop, min(left, 1.0))
            if link.lost:
                raise await link.ended()
        return not self._stop.is_set()

    async def _movement(self, link: Link, seconds: float | None = None) -> bool:
        """Wait for an acknowledgement or an answer; False after ``seconds`` of silence."""
        if link.lost:
            raise await link.ended()
        self._moved.clear()
        return await _within(self._moved, seconds)

    # --- hearing ---

    def _delivered(self, mid: int) -> None:
        self._flight.pop(mid, None)
        self.progress.acknowledged = max(self.progress.acknowledged, self.progress.sent - len(self._flight))
        self._moved.set()

    async def _hear(self, link: Link) -> None:
        try:
            while True:
                arrivals = await link.take(1_000)
                for arrival in arrivals:
                    self._heard(arrival)
                link.acknowledge(arrivals)
        except BrokerError:
            pass  # whoever sends meets it too, and sees to it
        finally:
            self._moved.set()

    def _heard(self, arrival: Arrival) -> None:
        try:
            said = _answers.decode(arrival.payload)
        except msgspec.MsgspecError:
            return  # not from a service of ours
        known = self._unanswered.pop(said.id, None) if said.id else None
        self._moved.set()
        if "/accepted/" in arrival.topic:
            self.progress.accepted += known is not None
            return
        self.progress.tell(f"{f'line {known.line}: ' if known else ''}rejected ({said.code}): {said.reason}", self.progress.rejected)
        self.progress.rejected += 1

    async def _await_answers(self, link: Link) -> None:
        """Wait for the answers; in silence, ask again by sending again."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._send_again(link, self._unanswered.values())
            while self._unanswered and await self._movement(link, self._answers_within / _ATTEMPTS):
                pass
        while self._flight:
            await self._movement(link)


def _items(lines: Iterable[Line], session: str | None, progress: Progress) -> Iterator[_Item]:
    at = 0
    for line in lines:
        if line.event is None:
            progress.tell(f"line {line.number} is not sent: {line.fault}", progress.faults)
            progress.faults += 1
            continue
        event, raw = line.event, line.raw
        if isinstance(event, OwnEvent):
            progress.passed_over += 1
            continue
        if session is None:
            if not isinstance(event, SessionOpened):
                raise ConfigurationError(f"line {line.number} is no session_opened, so the session is not known; name it with --session")
            session = event.session
        elif isinstance(event, SessionOpened) and event.session != session:
            raw = msgspec.json.encode(_object.decode(raw) | {"session": session})
        if not isinstance(event, Fact) and event.acted_by is not None:  # who did it then is not who sends it now, and no sender may say so
            raw = msgspec.json.encode({name: value for name, value in _object.decode(raw).items() if name != "acted_by"})
        at = event.at or at  # a command may leave the instant to the service
        yield _Item(line.number, at, f"timing/v1/{session}/{channel_of(event)}", raw, None if isinstance(event, Fact) else event.id)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let something run as long as the block does."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for an event; False if it does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


class _Said(Struct):
    id: str | None = None
    code: str = ""
    reason: str = ""


_answers: msgspec.json.Decoder[_Said] = msgspec.json.Decoder(_Said)
_object: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])
