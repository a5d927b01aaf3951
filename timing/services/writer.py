"""The commit, in a thread of its own: what comes while one sync runs goes into the next; and the records, handed on to who follows.

Limits: appends wait at the door while ``LIMIT`` drafts are on their way; the last ``KEPT`` bytes of records stay in memory for
followers, and one that lags further behind reads the log again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from threading import Condition, Thread

from msgspec import Struct

from timing.domain.errors import LogError
from timing.log.event_log import Appended, EventLog
from timing.log.record import Draft, Record
from timing.services.clock import Clock

LIMIT = 10_000  # drafts accepted and not yet safe
COMMIT = 2_048  # drafts in one transaction, unless one append alone has more
KEPT = 16 * 1024 * 1024  # bytes of records in memory for followers, about 25,000 passings
WEIGHT = 512  # bytes of a record in memory beside its text
BATCH = 1_000  # records handed to a follower at once, unless one append alone had more


class _Request(Struct, frozen=True, eq=False):
    drafts: Sequence[Draft]
    answer: asyncio.Future[list[Appended]]


class LogWriter:
    """Writes a log from asyncio and hands its records to followers. The log stays its owner's: close it after the writer.

    Everything is called from one event loop; ``clock`` is asked in the thread, once a commit. A failed append is final: every append that
    waits, and every later one, raises ``LogError``, and so does every follower when it has been given what is safe.
    """

    def __init__(self, log: EventLog, clock: Clock, *, limit: int = LIMIT, kept: int = KEPT, batch: int = BATCH) -> None:
        self._log, self._clock = log, clock
        self._limit, self._kept, self._batch = limit, kept, batch
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._work = Condition()
        self._queue: deque[_Request] = deque()  # shared with the thread, under _work
        self._closing = False  # likewise
        self._failure: str | None = None
        self._door, self._room = asyncio.Lock(), asyncio.Event()
        self._held = 0
        self._heads = {session: log.high_watermark(session) for session in log.sessions()}
        self._recent: deque[tuple[int, list[Record]]] = deque()  # the last commits with their sizes, the newest being number _commits
        self._recent_size = 0
        self._commits = 0
        self._news = asyncio.Event()

    @property
    def failed(self) -> bool:
        """Whether an append failed: nothing more is taken."""
        return self._failure is not None

    # --- appending ---

    async def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        """Write drafts, all or none, in the order of the calls; they are safe when this returns.

        Waits while too many are on their way. Cancelled after its turn has come, it takes nothing back.

        Raises:
            LogError: this append or an earlier one failed, or the writer is closed.

        """
        if not drafts:
            return []
        async with self._door:  # first come, first served, also where they wait for room
            while self._held and self._held + len(drafts) > self._limit and not self._refusal():
                self._room.clear()
                await self._room.wait()
            if refusal := self._refusal():
                raise LogError(refusal)
            request = self._accept(drafts)
        return await request.answer

    def _refusal(self) -> str | None:
        return self._failure or ("the log's writer is closed" if self._closing else None)

    def _accept(self, drafts: Sequence[Draft]) -> _Request:
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._loop, self._ended = loop, loop.create_future()
            # A daemon: should the program end without close(), nothing acknowledged hangs on it.
            self._thread = Thread(target=self._commit_all, name="log-writer", daemon=True)
            self._thread.start()
        assert loop is self._loop, "a writer belongs to one event loop"
        request = _Request(drafts, loop.create_future())
        self._held += len(drafts)
        with self._work:
            self._queue.append(request)
            self._work.notify()
        return request

    def _commit_all(self) -> None:
        """Run in the thread, until the writer closes and all is written, or an append fails."""
        assert self._loop is not None
        while requests := self._gather():
            try:
                answers = self._log.append([draft for request in requests for draft in request.drafts], self._clock())
            except Exception as error:  # noqa: BLE001  # whatever it is, nobody may be told that this was stored
                self._loop.call_soon_threadsafe(self._failed, requests, str(error) or type(error).__name__)
                break
            self._loop.call_soon_threadsafe(self._done, requests, answers)
        self._loop.call_soon_threadsafe(self._end)

    def _gather(self) -> list[_Request]:
        with self._work:
            while not self._queue and not self._closing:
                self._work.wait()
            requests: list[_Request] = []
            size = 0
            while self._queue and (not requests or size + len(self._queue[0].drafts) <= COMMIT):
                size += len(self._queue[0].drafts)
                requests.append(self._queue.popleft())
            return requests

    def _done(self, requests: list[_Request], answers: list[Appended]) -> None:
        given = iter(answers)
        for request in requests:
            self._held -= len(request.drafts)
            own = list(islice(given, len(request.drafts)))
            if not request.answer.done():  # whoever asked may have been cancelled
                request.answer.set_result(own)
        self._room.set()
        if fresh := [answer.record for answer in answers if answer.record is not None]:
            self._keep(fresh)

    def _failed(self, requests: list[_Request], reason: str) -> None:
        self._failure = reason
        with self._work:
            requests.extend(self._queue)
            self._queue.clear()
        for request in requests:
            self._held -= len(request.drafts)
            if not request.answer.done():
                request.answer.set_exception(LogError(reason))
        self._room.set()
        self._wake()

    def _end(self) -> None:
        assert self._ended is not None
        self._ended.set_result(None)

    # --- following ---

    def _keep(self, fresh: list[Record]) -> None:
        self._heads.update((record.session, record.seq) for record in fresh)
        self._commits += 1
        size = sum(len(record.raw) + WEIGHT for record in fresh)
        self._recent.append((size, fresh))
        self._recent_size += size
        while self._recent_size > self._kept and len(self._recent) > 1:
            self._recent_size -= self._recent.popleft()[0]
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, positions: Mapping[str, int] | None = None) -> AsyncIterator[list[Record]]:
        """Give every record of every session, without gap or repetition, until the writer is closed.

        First what is stored, session by session, then what is appended, as soon as it is safe and in the order of appending.
        Records of one session always come in the order of ``seq``.

        Args:
            positions: the ``seq`` of the last record the caller has, for each session; sessions left out are given from their start.

        Yields:
            lists of at least one record.

        Raises:
            LogError: the log cannot be read, an append failed, or ``positions`` lie beyond the log's end.

        """
        had = dict(positions or {})
        for session, seq in had.items():
            if seq > self._heads.get(session, 0):
                raise LogError(f"session {session}: following from record {seq}, but the log ends at {self._heads.get(session, 0)}")
        seen = -1
        while True:
            if seen < self._commits - len(self._recent):  # the start, or too far behind: what is missing is no longer kept
                heads, seen = dict(self._heads), self._commits
                async for records in self._stored(had, heads):
                    yield records
                had = heads
                continue
            if seen < self._commits:
                records, seen = self._kept_after(seen)
                had.update((record.session, record.seq) for record in records)
                yield records
                continue
            if self._failure:
                raise LogError(self._failure)
            if self._closing and (self._ended is None or self._ended.done()):
                return
            await self._news.wait()

    async def _stored(self, had: Mapping[str, int], heads: Mapping[str, int]) -> AsyncIterator[list[Record]]:
        for session, head in heads.items():
            for start in range(had.get(session, 0) + 1, head + 1, self._batch):
                yield await asyncio.to_thread(list[Record], self._log.read(session, start, min(start + self._batch - 1, head)))

    def _kept_after(self, seen: int) -> tuple[list[Record], int]:
        records: list[Record] = []
        for _, commit in islice(self._recent, seen - (self._commits - len(self._recent)), None):
            if records and len(records) + len(commit) > self._batch:
                break
            records.extend(commit)
            seen += 1
        return records, seen

    # --- the end ---

    async def close(self) -> None:
        """Finish what was accepted, refuse the rest, let followers come to their end. Closing twice is harmless."""
        with self._work:
            self._closing = True
            self._work.notify()
        self._room.set()
        if self._ended is not None and self._thread is not None:
            await asyncio.shield(self._ended)
            self._thread.join()
        self._wake()
