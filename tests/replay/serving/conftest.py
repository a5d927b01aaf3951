"""Replays of simulated races with every kind of mishap and mending: a log on disk, a service on free ports, time that tests advance."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from simulated import logged
from websockets.asyncio.client import ClientConnection, connect

from replay.serving.moments import Opening
from replay.serving.recording import Recording, Title
from replay.serving.service import ReplayService, Where
from replay.serving.shelf import Shelf
from timing.log.record import Record
from timing.log.sqlite_log import SqliteLog
from timing.projections.frames import receive

HARSH = ["--seed", "7", "--cars", "8", "--minutes", "10", "--faults", "all"]
LIMIT_S = 20


class FakeTime:
    """Time that goes on only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._advanced = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        until = None if seconds is None else self.now + seconds
        while not woken.is_set() and (until is None or self.now < until):
            waits = [asyncio.ensure_future(event.wait()) for event in (woken, self._advanced)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()


class Screen:
    """A real client that keeps the session's state as any client does, and what it was told beside the frames."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.state: dict[str, Any] | None = None
        self.frames: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        """Take in the next message."""
        async with asyncio.timeout(LIMIT_S):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        if message["kind"] in ("snapshot", "delta"):
            self.state, verdict = receive(self.state, message)
            assert verdict == "applied", "a screen is told every frame, in order, and never sent back"
            self.frames.append(message)
        else:
            self.told.append(message)
        return message

    async def until(self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Take in messages until one of a kind that is as a test wants it."""
        while True:
            message = await self.next()
            if message["kind"] == kind and where(message):
                return message

    async def ask(self, do: str = "tell", **fields: Any) -> None:
        await self.connection.send(json.dumps({"kind": "replay", "do": do, **fields}))

    async def seek(self, **to: Any) -> dict[str, Any]:
        """Seek, and give the state of the replay that comes of it; the frames are taken in."""
        await self.ask("seek", to=to)
        await self.until("snapshot")
        return await self.until("replay")


Serve = Callable[..., contextlib.AbstractAsyncContextManager[ReplayService]]


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a race in which everything goes wrong and is mended, as a service would have kept it."""
    return logged(tmp_path_factory.mktemp("replay") / "race.db", HARSH)


@pytest.fixture(scope="session")
def harsh(log: Path) -> list[Record]:
    """The records of that log."""
    with contextlib.closing(SqliteLog(log, readonly=True)) as kept:
        return [record for session in kept.sessions() for record in kept.read(session)]


@pytest.fixture(scope="session")
def race(harsh: list[Record]) -> Recording:
    """That race as a recording."""
    return Recording(Title(harsh[0].session, "Race", "race", 0), harsh)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def serve(log: Path, time: FakeTime) -> Serve:
    """Serve a replay: ``async with serve() as service``."""

    @contextlib.asynccontextmanager
    async def start(source: Path | None = None, *, shelf: dict[str, Any] | None = None, **opening: Any) -> AsyncIterator[ReplayService]:
        found = Shelf(source or log, **(shelf or {}))
        async with ReplayService(found, Opening(**opening), Where(feed_port=0, web_port=0), time) as service:
            yield service

    return start


@pytest.fixture
def screen() -> Callable[..., contextlib.AbstractAsyncContextManager[Screen]]:
    """Connect a screen: ``async with screen(service, "?moment=m") as client``; its first snapshot is taken in."""

    @contextlib.asynccontextmanager
    async def join(service: ReplayService, query: str = "") -> AsyncIterator[Screen]:
        session = service.sessions()[0].session
        url = f"ws://127.0.0.1:{service.feed.port}/v1/sessions/{session}{query}"
        async with connect(url, compression=None, max_size=None) as connection:
            client = Screen(connection)
            await client.until("snapshot")
            yield client

    return join
