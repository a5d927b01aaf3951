"""Ingest: MQTT into the log. A message is acknowledged only when the log has it; nothing is dropped when much comes at once."""

import asyncio
import random

import structlog
from msgspec import Struct

from timing.domain.errors import BrokerError
from timing.log.event_log import Appended
from timing.services.clock import Clock, system_clock
from timing.services.door import Door, Judged, answers
from timing.services.intake import Appender, Begun, Intake
from timing.services.mqtt import Address, Arrival, Link

_log = structlog.get_logger(__name__)

EVERYTHING = "timing/v1/+/#"
"""One filter, not one for each channel: NATS gives every filter a queue of its own, and order among the channels would be lost.
Our own answers come back through it, and are passed over."""

_SAID_A_SECOND = 20  # rejections said one by one in the service's log; the event log has them all


class Counters(Struct):
    """What came in since the start, our own answers left out: messages, but for ``batches`` and ``connections``."""

    received: int = 0
    facts: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    batches: int = 0
    connections: int = 0


class BackOff:
    """Pauses in seconds: each twice as long as the one before, up to ``latest``, and each cut short by chance by up to a half."""

    def __init__(self, soonest: float = 0.1, latest: float = 10.0) -> None:
        self._soonest, self._latest = soonest, latest
        self._next = soonest

    def pause(self) -> float:
        """Give the next pause."""
        pause, self._next = self._next, min(2 * self._next, self._latest)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  # not a secret: so that not all come back at once

    def reset(self) -> None:
        """Begin with the shortest again."""
        self._next = self._soonest


class _Batch(Struct):
    arrivals: list[Arrival]
    begun: Begun


class Ingest:
    """Takes messages from the broker into the log until it is cancelled.

    ``batch`` messages at most go into one append, and ``ahead`` appends may be under way: beyond that the socket is not read, and the
    broker keeps what it has. ``settle`` seconds after coming back to a session that the broker kept, what it delivers again is put
    before what is new: NATS sends new messages first, and the others when its ``ack_wait`` is over. At the end ``leave_within``
    seconds are given to the appends under way.
    """

    def __init__(
        self,
        address: Address,
        log: Appender,
        door: Door,
        *,
        client_id: str = "parcferme",
        batch: int = 256,
        ahead: int = 4,
        waiting: int = 4_000,
        settle: float = 0.0,
        leave_within: float = 5.0,
        clock: Clock = system_clock,
        back_off: BackOff | None = None,
    ) -> None:
        self._address = address
        self._intake = Intake(log, door, clock)
        self._door = door
        self._client_id = client_id
        self._batch, self._ahead, self._waiting = batch, ahead, waiting
        self._settle, self._leave_within = settle, leave_within
        self._clock = clock
        self._back_off = back_off or BackOff()
        self._second, self._said, self._unsaid = 0, 0, 0
        self.counters = Counters()
        self.connected = False
        self._first = asyncio.Event()

    async def wait_connected(self) -> None:
        """Wait until the broker was reached once; how long at most is the caller's to say."""
        await self._first.wait()

    async def run(self) -> None:
        """Take messages in; come back after each loss of the broker. Cancelled, it ends what it has begun.

        Raises:
            LogError: the log took nothing more; nothing of that was acknowledged.

        """
        while True:
            try:
                link = Link(self._address, client_id=self._client_id, clean_session=False, high=self._waiting)
                async with link:
                    await link.listen([EVERYTHING])
                    await self._take_in(link)
            except BrokerError as error:
                pause = self._back_off.pause()
                _log.warning("no connection to the broker; trying again", reason=str(error), seconds=round(pause, 1))
                await asyncio.sleep(pause)

    async def _take_in(self, link: Link) -> None:
        _log.info("listening to the broker", broker=str(self._address), session_kept=link.session_present)
        if link.session_present and self._settle:
            await link.settle(self._settle)
        self._back_off.reset()
        self.connected = True
        self._first.set()
        self.counters.connections += 1
        begun: asyncio.Queue[_Batch | None] = asyncio.Queue()  # bounded by the slots
        slots = asyncio.Semaphore(self._ahead)
        gathering = asyncio.create_task(self._gather(link, begun, slots), name="ingest: gather")
        finishing = asyncio.create_task(self._finish(link, begun, slots), name="ingest: finish")
        try:
            await asyncio.wait({gathering, finishing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.connected = False
            gathering.cancel()
            await asyncio.wait({gathering})
            begun.put_nowait(None)
            await asyncio.wait({finishing}, timeout=self._leave_within)  # what the log takes in that time is still acknowledged
            finishing.cancel()
            await asyncio.wait({finishing})
        finishing.result()
        gathering.result()

    async def _gather(self, link: Link, begun: asyncio.Queue[_Batch | None], slots: asyncio.Semaphore) -> None:
        while True:
            await slots.acquire()
            arrivals = await link.take(self._batch)
            now = self._clock()
            judged = [j for a in arrivals if (j := self._door.judge(a.topic, a.payload, now)) is not None]
            begun.put_nowait(_Batch(arrivals, self._intake.begin(judged)))

    async def _finish(self, link: Link, begun: asyncio.Queue[_Batch | None], slots: asyncio.Semaphore) -> None:
        try:
            while (batch := await begun.get()) is not None:
                settled = await self._intake.settled(batch.begun)
                self._answer(link, settled)
                link.acknowledge(batch.arrivals)
                self._count(settled)
                await link.flushed()
                slots.release()
        finally:
            while not begun.empty():  # the log has failed, or it is too late: nothing of this is acknowledged
                if behind := begun.get_nowait():
                    behind.begun.appending.cancel()
                    await asyncio.wait({behind.begun.appending})

    def _answer(self, link: Link, settled: list[tuple[Judged, Appended]]) -> None:
        """Answer at QoS 0: whoever misses the answer sends again, which is harmless, and is answered again."""
        if link.lost:
            return
        for judged, appended in settled:
            for answer in answers(judged, appended):
                link.send(answer.topic, answer.payload, qos=0)

    def _count(self, settled: list[tuple[Judged, Appended]]) -> None:
        counters = self.counters
        counters.received += len(settled)
        counters.batches += 1
        for judged, appended in settled:
            if appended.outcome != "new":  # a rejection "in conflict" is one recorded before, at another instant
                counters.duplicates += 1
            elif judged.outcome == "fact":
                counters.facts += 1
            elif judged.outcome == "accepted":
                counters.accepted += 1
            else:
                counters.rejected += 1
                self._say(judged, appended)

    def _say(self, judged: Judged, appended: Appended) -> None:
        second = self._clock() // 1_000_000
        if second != self._second:
            if self._unsaid:
                _log.warning("more messages rejected than are said one by one", unsaid=self._unsaid)
            self._second, self._said, self._unsaid = second, 0, 0
        if self._said >= _SAID_A_SECOND:
            self._unsaid += 1
            return
        self._said += 1
        event = judged.draft.event
        _log.warning(
            "message rejected",
            session=judged.session,
            channel=judged.channel,
            code=getattr(event, "code", None),
            reason=getattr(event, "reason", None),
            kept_as=f"{judged.draft.session}/{appended.seq}",
        )
