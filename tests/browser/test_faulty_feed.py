"""The feed's client against a feed that fails: frames lost, cut short, from another epoch, or no word at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from timing.projections.frames import Framer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]


class FaultyFeed:
    """Sends what it is told to; answers a resync with a snapshot unless it is `deaf`."""

    def __init__(self) -> None:
        self.framer = Framer("first")
        self.clients: list[ServerConnection] = []
        self.joins: list[str] = []
        self.resyncs = 0
        self.deaf = False
        self.port = 0

    async def client(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.joins.append(connection.request.path)
        await connection.send(self.framer.snapshot(), text=True)
        self.clients.append(connection)
        try:
            async for message in connection:
                assert msgspec.json.decode(message) == {"kind": "resync"}
                self.resyncs += 1
                if not self.deaf:
                    await connection.send(self.framer.snapshot(), text=True)
        except ConnectionClosed:
            pass
        finally:
            self.clients.remove(connection)

    async def send(self, frame: bytes | str | None) -> None:
        assert frame is not None
        assert self.clients
        for connection in tuple(self.clients):
            await connection.send(frame, text=True)

    @property
    def rev(self) -> str:
        return f"{self.framer.epoch}/{self.framer.rev}"


@pytest_asyncio.fixture(loop_scope="module")
async def faulty(stage: Any) -> AsyncIterator[FaultyFeed]:
    """A faulty feed in the place of the stage's own."""
    await stage.close_feed()
    feed = FaultyFeed()
    async with serve(feed.client, "127.0.0.1", stage.feed_port, compression=None):
        yield feed


async def settled(viewer: Any, feed: FaultyFeed) -> None:
    await viewer.shows(feed)
    assert await viewer.page.evaluate("parcferme.feed.state") == msgspec.json.decode(feed.framer.snapshot())


async def test_a_gap_is_mended_by_one_resync(stage: Any, race: Any, view: View, faulty: FaultyFeed) -> None:
    faulty.framer.advance(race.board(), 1)
    viewer = await view(f"{stage.url}/s/course-2")
    await settled(viewer, faulty)
    frames = []
    for seq in range(2, 9):
        race.step(10)
        frames.append(faulty.framer.advance(race.board(), seq))
    for frame in frames[3:]:  # three are lost, four more arrive before the answer can
        await faulty.send(frame)
    await settled(viewer, faulty)
    assert faulty.resyncs == 1
    assert len(faulty.joins) == 1


async def test_old_frames_again_change_nothing(stage: Any, race: Any, view: View, faulty: FaultyFeed) -> None:
    faulty.framer.advance(race.board(), 1)
    old = faulty.framer.snapshot()
    viewer = await view(f"{stage.url}/s/course-2")
    await settled(viewer, faulty)
    race.step(100)
    frame = faulty.framer.advance(race.board(), 2)
    for again in (frame, frame, old, frame):
        await faulty.send(again)
    await settled(viewer, faulty)
    assert faulty.resyncs == 0


async def test_another_epoch_in_the_same_line_is_resynchronised(stage: Any, race: Any, view: View, faulty: FaultyFeed) -> None:
    faulty.framer.advance(race.board(), 1)
    viewer = await view(f"{stage.url}/s/course-2")
    await settled(viewer, faulty)
    faulty.framer = Framer("second")
    faulty.framer.advance(race.board(), 1)
    race.step(60)
    await faulty.send(faulty.framer.advance(race.board(), 2))
    await settled(viewer, faulty)
    assert faulty.resyncs == 1


@pytest.mark.parametrize("junk", ['{"kind":"delta","rev":', "null", '{"kind":"weather"}', "[]"])
async def test_what_is_no_frame_does_no_harm(stage: Any, race: Any, view: View, faulty: FaultyFeed, junk: str) -> None:
    faulty.framer.advance(race.board(), 1)
    viewer = await view(f"{stage.url}/s/course-2")
    viewer.may_lose_connection = True
    await settled(viewer, faulty)
    await faulty.send(junk)
    if junk.startswith("{") and not junk.endswith("}"):  # cut short: the page begins again
        await reached(lambda: len(faulty.joins) == 2 and len(faulty.clients) == 1)
    race.step(30)
    await faulty.send(faulty.framer.advance(race.board(), 2))
    await settled(viewer, faulty)


async def test_silence_is_noticed_a_dead_line_is_left(stage: Any, race: Any, view: View, faulty: FaultyFeed) -> None:
    faulty.framer.advance(race.board(), 1)
    viewer = await view(f"{stage.url}/s/course-2")
    viewer.may_lose_connection = True
    await settled(viewer, faulty)
    short = {"silentAfterMs": 200, "answerWithinMs": 300, "firstRetryMs": 50, "longestRetryMs": 100, "openWithinMs": 5000}
    await viewer.page.evaluate("(limits) => { parcferme.feed.limits = {...parcferme.feed.limits, ...limits}; }", short)
    await faulty.send(faulty.framer.advance(msgspec.structs.replace(race.board(), at=race.board().at + 1, order=()), 2))
    await viewer.becomes("parcferme.feed.state.rev === 2")
    await reached(lambda: faulty.resyncs >= 2)  # asked, answered, asked again: the line carries
    assert len(faulty.joins) == 1
    assert await viewer.page.inner_text(".link") == "Live"
    faulty.deaf = True
    await reached(lambda: len(faulty.joins) >= 2)  # no answer: another line
    assert faulty.joins[1].endswith("?epoch=first&rev=2")


async def reached(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # the feed's own counters, looked at from outside
            await asyncio.sleep(0.02)
