"""The writer: order, grouping, limits, failure, and followers that miss nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from timing.domain.errors import LogError
from timing.domain.events import Passing
from timing.log.event_log import Appended, MemoryLog
from timing.log.record import Draft, Record, draft
from timing.log.sqlite_log import SqliteLog
from timing.services.writer import LogWriter

PATIENCE = 20.0


def drafts(*numbers: int, session: str = "albi", transponder: str = "T7") -> list[Draft]:
    events = [Passing(at=n + 1, decoder="line-1", boot=1, number=n, loop="SF", transponder=transponder) for n in numbers]
    return [draft(session, event) for event in events]


class SlowDisk(MemoryLog):
    """A log whose sync takes until it is let through, and which can be made to fail; it notes what each commit held."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []
        self.entered, self.let_through = threading.Semaphore(0), threading.Semaphore(0)
        self.failure: Exception | None = None

    def append(self, drafts: Sequence[Draft], recorded_at: int) -> list[Appended]:
        self.entered.release()
        assert self.let_through.acquire(timeout=PATIENCE)
        if self.failure:
            raise self.failure
        self.commits.append(len(drafts))
        return super().append(drafts, recorded_at)

    async def is_syncing(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, timeout=PATIENCE)

    def open_wide(self) -> None:
        self.let_through.release(10_000)


@pytest.fixture
async def disk() -> AsyncIterator[SlowDisk]:
    disk = SlowDisk()
    yield disk
    disk.open_wide()  # no thread is left waiting when a test has failed


async def take(following: AsyncIterator[list[Record]], wanted: int) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(PATIENCE):
        while len(records) < wanted:
            records += await anext(following)
    return records


async def test_what_comes_during_a_sync_goes_into_the_next(disk: SlowDisk) -> None:
    clock = count(1)
    writer = LogWriter(disk, lambda: next(clock))
    first = asyncio.create_task(writer.append(drafts(0)))
    await disk.is_syncing()
    others = [asyncio.create_task(writer.append(drafts(n, n + 1000))) for n in range(1, 51)]
    await asyncio.sleep(0)
    assert not first.done()
    disk.open_wide()
    answers = await asyncio.gather(first, *others)
    assert disk.commits == [1, 100]
    assert [[a.seq for a in own] for own in answers] == [[1], *([n, n + 1] for n in range(2, 102, 2))]
    assert [record.recorded_at for record in disk.read("albi")] == [1] + [2] * 100
    await writer.close()


async def test_everyone_is_told_of_their_own(tmp_path: Path) -> None:
    with closing(SqliteLog(tmp_path / "parcferme.db")) as log:
        writer = LogWriter(log, lambda: 5)
        await writer.append(drafts(1, 2))
        answers = await asyncio.gather(
            writer.append(drafts(2, 3)), writer.append(drafts(1, transponder="T8")), writer.append([]), writer.append(drafts(3, 4))
        )
        told = [[(a.outcome, a.seq) for a in own] for own in answers]
        assert told == [[("same", 2), ("new", 3)], [("conflict", 1)], [], [("same", 3), ("new", 4)]]
        await writer.close()


async def test_appends_keep_the_order_of_the_calls_also_when_they_wait_for_room(disk: SlowDisk) -> None:
    writer = LogWriter(disk, lambda: 1, limit=7)
    disk.open_wide()
    sizes = [1, 3, 2, 9, 1, 5, 4] * 10  # nine are more than the limit: they go alone
    numbers = count()
    tasks = [asyncio.create_task(writer.append(drafts(*(next(numbers) for _ in range(size))))) for size in sizes]
    await asyncio.gather(*tasks)
    assert [r.event.number for r in disk.read("albi") if isinstance(r.event, Passing)] == list(range(sum(sizes)))
    assert max(disk.commits) <= 9
    await writer.close()


async def test_what_is_on_its_way_is_limited(disk: SlowDisk) -> None:
    writer = LogWriter(disk, lambda: 1, limit=10)
    tasks = [asyncio.create_task(writer.append(drafts(n))) for n in range(100)]
    await disk.is_syncing()
    for _ in range(300):  # turns of the loop, more than all of them would need to come in
        await asyncio.sleep(0)
    assert writer._held == 10
    assert not any(task.done() for task in tasks)
    disk.open_wide()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*tasks)
    assert sum(disk.commits) == 100
    assert max(disk.commits) <= 10
    assert writer._held == 0
    await writer.close()


@pytest.mark.parametrize("failure", [LogError("the disk is full"), ValueError("a fault of the program")])
async def test_a_failed_append_is_final(disk: SlowDisk, failure: Exception) -> None:
    writer = LogWriter(disk, lambda: 1, limit=4)
    following = writer.follow()
    disk.let_through.release()
    await writer.append(drafts(0))
    await disk.is_syncing()
    disk.failure = failure
    waiting = [asyncio.create_task(writer.append(drafts(n))) for n in range(1, 9)]  # some on their way, some still at the door
    await disk.is_syncing()
    disk.open_wide()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert {(type(result), str(result)) for result in results} == {(LogError, str(failure))}
    disk.failure = None
    with pytest.raises(LogError, match=str(failure)):
        await writer.append(drafts(9))
    assert [r.seq for r in await take(following, 1)] == [1]
    with pytest.raises(LogError, match=str(failure)):
        await anext(following)
    await writer.close()
    assert disk.commits == [1]


async def test_who_is_cancelled_takes_nothing_back(disk: SlowDisk) -> None:
    writer = LogWriter(disk, lambda: 1)
    tasks = [asyncio.create_task(writer.append(drafts(n))) for n in range(4)]
    await disk.is_syncing()
    tasks[0].cancel()
    tasks[2].cancel()
    disk.open_wide()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(r, asyncio.CancelledError) for r in results] == [True, False, True, False]
    await writer.close()
    assert disk.high_watermark("albi") == 4


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest(disk: SlowDisk) -> None:
    writer = LogWriter(disk, lambda: 1, limit=3)
    accepted = [asyncio.create_task(writer.append(drafts(n))) for n in range(3)]
    await disk.is_syncing()
    at_the_door = asyncio.create_task(writer.append(drafts(3)))
    await asyncio.sleep(0)
    closing_it = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    with pytest.raises(LogError, match="closed"):
        await writer.append(drafts(4))
    assert not closing_it.done()
    disk.open_wide()
    async with asyncio.timeout(PATIENCE):
        await closing_it
        await asyncio.gather(*accepted)
        with pytest.raises(LogError, match="closed"):
            await at_the_door
    assert disk.high_watermark("albi") == 3
    await writer.close()
    assert "log-writer" not in {thread.name for thread in threading.enumerate()}


async def test_a_writer_never_used_closes() -> None:
    writer = LogWriter(MemoryLog(), lambda: 1)
    async with asyncio.timeout(PATIENCE):
        await writer.close()
        assert [records async for records in writer.follow()] == []


async def test_followers_get_first_what_is_stored_then_what_comes() -> None:
    log = MemoryLog()
    log.append(drafts(*range(25)) + drafts(*range(7), session="zolder"), 1)
    writer = LogWriter(log, lambda: 2, batch=10)
    following = writer.follow()
    stored = [await anext(following) for _ in range(4)]
    assert [(batch[0].session, batch[0].seq, len(batch)) for batch in stored] == [
        ("albi", 1, 10), ("albi", 11, 10), ("albi", 21, 5), ("zolder", 1, 7),
    ]  # fmt: skip
    waiting = asyncio.create_task(take(following, 3))
    await writer.append([*drafts(7, session="zolder"), *drafts(25), *drafts(0, session="dijon")])
    assert [(r.session, r.seq) for r in await waiting] == [("zolder", 8), ("albi", 26), ("dijon", 1)]
    await writer.append(drafts(25))  # nothing new, nothing told
    await writer.close()
    async with asyncio.timeout(PATIENCE):
        assert [batch async for batch in following] == []


async def test_followers_go_on_from_where_they_are() -> None:
    log = MemoryLog()
    log.append(drafts(*range(5)) + drafts(*range(5), session="zolder"), 1)
    writer = LogWriter(log, lambda: 2)
    following = writer.follow({"albi": 3, "zolder": 5})
    await writer.append(drafts(5) + drafts(5, session="zolder"))
    await writer.close()
    told = [(r.session, r.seq) async for batch in following for r in batch]
    assert told == [("albi", 4), ("albi", 5), ("albi", 6), ("zolder", 6)]
    with pytest.raises(LogError, match="the log ends at 6"):
        await anext(writer.follow({"albi": 7}))
    with pytest.raises(LogError, match="the log ends at 0"):
        await anext(writer.follow({"dijon": 1}))


async def test_a_slow_follower_is_not_queued_for_and_misses_nothing(tmp_path: Path) -> None:
    with closing(SqliteLog(tmp_path / "parcferme.db")) as log:
        writer = LogWriter(log, lambda: 1, kept=10_000, batch=50)
        slow, told = writer.follow(), list[Record]()
        for number in range(0, 2_000, 20):
            await writer.append(drafts(*range(number, number + 20), session="albi" if number % 40 else "zolder"))
            assert writer._recent_size <= 10_000 + 20 * 700
            if number % 500 == 0:
                told += await anext(slow)
        await writer.close()
        async with asyncio.timeout(PATIENCE):
            told += [record async for batch in slow for record in batch]
        for session in ("albi", "zolder"):
            assert [record for record in told if record.session == session] == list(log.read(session))


async def test_many_followers_at_all_paces_miss_nothing(tmp_path: Path) -> None:
    with closing(SqliteLog(tmp_path / "parcferme.db")) as log:
        writer = LogWriter(log, lambda: 1, kept=40_000, batch=64)

        async def follow(pause: int) -> dict[str, list[int]]:
            told: dict[str, list[int]] = {}
            async for batch in writer.follow():
                assert 0 < len(batch) <= 64
                for record in batch:
                    told.setdefault(record.session, []).append(record.seq)
                for _ in range(pause):
                    await asyncio.sleep(0)  # a turn of the loop, not a time
            return told

        async def send(session: str) -> None:
            for number in range(400):
                await writer.append(drafts(number, number + 1_000, session=session))

        followers, sending = [], [asyncio.create_task(send(session)) for session in ("albi", "zolder", "dijon")]
        for pause in (0, 0, 1, 5, 25, 100):
            followers.append(asyncio.create_task(follow(pause)))
            await writer.append(drafts(5_000 + pause, session="albi"))
        async with asyncio.timeout(60):
            await asyncio.gather(*sending)
            await writer.close()
            for told in await asyncio.gather(*followers):
                assert told == {session: list(range(1, log.high_watermark(session) + 1)) for session in log.sessions()}
