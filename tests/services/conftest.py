"""Ingest with a real broker, a real log and its real writer, for the tests of services."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from office import MakeOffice, Office

from timing.domain.errors import LogError
from timing.log.event_log import Appended
from timing.log.record import Draft, Record
from timing.log.sqlite_log import SqliteLog
from timing.services.access import Rates
from timing.services.clock import system_clock
from timing.services.door import Door
from timing.services.ingest import BackOff, Ingest
from timing.services.mqtt import Address, Link
from timing.services.rulebooks import Rulebooks
from timing.services.writer import LogWriter

NOW = 1_747_401_000_000_000


class Gate:
    """An appender before the real one, which a test can close: what then comes waits and is not stored; or break."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self.open = asyncio.Event()
        self.open.set()
        self.broken = False
        self.calls = 0
        self.held = 0

    async def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        self.calls += 1
        self.held += len(drafts)
        await self.open.wait()
        self.held -= len(drafts)
        if self.broken:
            raise LogError("the disk is full")
        return await self._writer.append(drafts)


class Intake:
    """One life of an ingesting service."""

    def __init__(self, url: str, path: Path, **settings: Any) -> None:
        self.log = SqliteLog(path)
        self.writer = LogWriter(self.log, system_clock)
        self.gate = Gate(self.writer)
        door = Door(Rulebooks().resolve)
        for session in self.log.sessions():
            for record in self.log.read(session):
                door.restore(session, record.event)
        settings = {"back_off": BackOff(0.02, 0.2), "leave_within": 0.2, **settings}
        self.ingest = Ingest(Address(url), self.gate, door, **settings)
        self.task = asyncio.create_task(self.ingest.run())

    def records(self, session: str = "race-1") -> list[Record]:
        return list(self.log.read(session))

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.writer.close()
        self.log.close()


Start = Callable[..., Intake]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start ingest on a broker; one after the other they share a log, as the lives of one service do."""
    lives: list[Intake] = []

    def begin(url: str, **settings: Any) -> Intake:
        life = Intake(url, tmp_path / "log.db", **settings)
        lives.append(life)
        return life

    yield begin
    for life in lives:
        await life.end()


class Sender:
    """Somebody who sends, and hears the answers."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.delivered = 0

    def send(self, channel: str, event: dict[str, Any] | bytes, session: str = "race-1") -> None:
        payload = event if isinstance(event, bytes) else msgspec.json.encode(event)
        self._link.send(f"timing/v1/{session}/{channel}", payload, qos=1)

    def open_session(self, session: str = "race-1") -> None:
        self.send("session", opening(session), session)

    async def listen(self) -> None:
        while True:
            for arrival in await self._link.take(1_000):
                topic = arrival.topic.removeprefix("timing/v1/")
                self.answers.append((topic, msgspec.json.decode(arrival.payload)))


def opening(session: str = "race-1") -> dict[str, Any]:
    return {
        "type": "session_opened", "id": f"open-{session}", "at": NOW, "session": session, "name": "Race", "kind": "race",
        "rulebook": "mitjet", "distance": {"minutes": 20}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish"}]},
    }  # fmt: skip


def passing(number: int, decoder: str = "line-1", **changes: Any) -> dict[str, Any]:
    event = {"type": "passing", "at": NOW + number, "decoder": decoder, "boot": 1, "number": number, "loop": "SF", "transponder": "T1"}
    return {**event, **changes}


@pytest.fixture
def passings() -> Callable[..., dict[str, Any]]:
    return passing


@pytest.fixture
def sender_of() -> Callable[[str], Any]:
    """Connect somebody who sends to a broker: ``async with sender_of(url) as sender``."""

    @contextlib.asynccontextmanager
    async def connect(url: str) -> AsyncIterator[Sender]:
        sender: Sender

        def count(_: int) -> None:
            sender.delivered += 1

        async with Link(Address(url), client_id=f"sender-{id(url)}", clean_session=True, on_delivered=count) as link:
            sender = Sender(link)
            await link.listen(["timing/v1/+/accepted/#", "timing/v1/+/rejected/#"])
            listening = asyncio.create_task(sender.listen())
            try:
                yield sender
            finally:
                listening.cancel()
                await asyncio.wait({listening})

    return connect


def cut(link: Link) -> None:
    """Break a connection as a cable does."""
    sock = link._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cutter() -> Callable[[Link], None]:
    return cut


@pytest.fixture(name="opening")
def opening_fixture() -> Callable[..., dict[str, Any]]:
    return opening


@pytest.fixture
async def make_office(tmp_path: Path) -> AsyncIterator[MakeOffice]:
    """Make a desk, and open the session race-1 there."""
    offices: list[Office] = []

    async def begin(rates: Rates | None = None, origins: tuple[str, ...] = ()) -> Office:
        office = await Office(tmp_path, rates, origins).__aenter__()
        offices.append(office)
        async with office.program("timekeeper", name="Tim") as timekeeper:
            answer = await timekeeper.post("/api/sessions/race-1/session", json=opening())
            assert answer.json() == {"id": "open-race-1", "seq": 1}
        return office

    yield begin
    for office in offices:
        await office.__aexit__()


@pytest.fixture
async def office(make_office: MakeOffice) -> Office:
    return await make_office()
