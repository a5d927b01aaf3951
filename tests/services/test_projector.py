"""The projector behind the real writer: what is in the log is on the board, at once when it is quiet, and one bad session stops nobody."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect

from timing.domain.events import (
    AnyEvent,
    Circuit,
    Distance,
    EntryRegistered,
    Loop,
    Message,
    MessageRejected,
    Passing,
    SessionOpened,
    SessionStarted,
)
from timing.domain.units import SECOND
from timing.log.event_log import MemoryLog
from timing.log.record import Record, draft
from timing.projections.board import Board
from timing.projections.frames import receive
from timing.projections.timing import Timing
from timing.services.feed import Feed
from timing.services.hub import Hub
from timing.services.projector import Projector
from timing.services.shown import SessionBroken
from timing.services.writer import LogWriter

START = 1_778_937_000_000_000
CARS = ("007", "1A", "35")
LIMIT_S = 10


def opening(session: str) -> list[AnyEvent]:
    circuit = Circuit(name="Albi", loops=(Loop(id="SF", line="finish"),))
    distance = Distance(laps=1_000)
    return [
        SessionOpened(
            id="open", at=START, session=session, name="Course 1", kind="race", rulebook="club", distance=distance, circuit=circuit
        ),
        *(EntryRegistered(id=f"entry-{car}", at=START, car=car, class_="Senior", transponders=(f"T{car}",)) for car in CARS),
        SessionStarted(id="start", at=START + SECOND),
    ]


def passings(laps: int) -> list[AnyEvent]:
    """Let every car do laps of 60 s, the cars a second apart."""
    crossed = [(lap, place, car) for lap in range(1, laps + 1) for place, car in enumerate(CARS)]
    return [
        Passing(at=START + (60 * lap + place) * SECOND, decoder="line", boot=1, number=number, loop="SF", transponder=f"T{car}")
        for number, (lap, place, car) in enumerate(crossed, start=1)
    ]


class Service:
    """A log, its writer and its projector, running."""

    def __init__(self, log: MemoryLog, **settings: Any) -> None:
        self.log = log
        self.writer = LogWriter(log, lambda: START)
        self.projector = Projector(self.writer, {name: log.high_watermark(name) for name in log.sessions()}, **settings)

    async def tell(self, session: str, events: Sequence[AnyEvent]) -> int:
        """Append events at once, and give the last one's ``seq``."""
        return (await self.writer.append([draft(session, event) for event in events]))[-1].seq

    def hub(self, session: str) -> Hub:
        hub = self.projector.hub(session)
        assert hub is not None
        return hub

    def shown(self, session: str) -> dict[str, Any]:
        """Give the session's snapshot."""
        hub = self.hub(session)
        screen = object()
        frames = hub.join(screen)
        hub.leave(screen)
        shown: dict[str, Any] = msgspec.json.decode(frames[0])
        return shown


@contextlib.asynccontextmanager
async def running(log: MemoryLog | None = None, **settings: Any) -> AsyncIterator[Service]:
    service = Service(log or MemoryLog(), **settings)
    task = asyncio.create_task(service.projector.run())
    try:
        await asyncio.wait_for(service.projector.wait_ready(), LIMIT_S)
        yield service
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await service.writer.close()


def stored(*sessions: str, laps: int = 3) -> MemoryLog:
    log = MemoryLog()
    for session in sessions:
        log.append([draft(session, event) for event in opening(session) + passings(laps)], START)
    return log


def folded(log: MemoryLog, session: str) -> Board:
    """Fold a session anew, by itself."""
    timing = Timing(session)
    for record in log.read(session):
        timing.apply(record)
    return timing.board()


def shows(snapshot: dict[str, Any], board: Board) -> bool:
    said = msgspec.json.decode(msgspec.json.encode(board))
    return bool(snapshot["order"] == said["order"] and snapshot["rows"] == said["rows"] and snapshot["session"] == said["session"])


async def test_what_is_stored_is_shown_when_it_is_ready_and_not_before() -> None:
    log = stored("one", "two")
    idle = Projector(LogWriter(log, lambda: START), {"one": 14})
    assert (idle.ready, idle.sessions(), idle.hub("one"), idle.timing("one")) == (False, [], None, None)
    async with running(log) as service:
        assert [(s.session, s.name, s.kind, s.status, s.seq, s.fault) for s in service.projector.sessions()] == [
            (name, "Course 1", "race", "running", 14, None) for name in ("one", "two")
        ]
        for name in ("one", "two"):
            assert shows(service.shown(name), folded(log, name))
            assert service.shown(name)["seq"] == 14
        assert service.projector.health().ok
        assert service.projector.hub("three") is None


async def test_an_empty_log_is_ready_at_once() -> None:
    async with running() as service:
        assert service.projector.sessions() == []
        assert service.projector.health().ok


async def test_what_is_appended_is_shown_live() -> None:
    async with running() as service:
        seq = await service.tell("one", opening("one"))
        await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        assert service.shown("one")["order"] == list(CARS)
        for passing in passings(5):
            seq = await service.tell("one", [passing])
        await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        assert service.shown("one")["seq"] == seq
        assert shows(service.shown("one"), folded(service.log, "one"))
        assert service.shown("one")["session"]["laps"] == 5


async def test_a_record_that_shows_nothing_new_makes_no_frame_but_is_waited_for() -> None:
    async with running(stored("one")) as service:
        rev = service.hub("one").rev
        rejected = MessageRejected(id="bad", at=START, channel="control", code="not-json", reason="not JSON", payload=b"?")
        seq = await service.tell("one", [rejected])
        await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        assert service.hub("one").rev == rev
        assert service.projector.sessions()[0].seq == seq


async def test_messages_for_no_session_open_none() -> None:
    async with running() as service:
        rejected = MessageRejected(id="bad", at=START, channel="control", code="unknown-session", reason="?", payload=b"?")
        await service.tell("_", [rejected])
        seq = await service.tell("one", opening("one"))
        await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        assert [s.session for s in service.projector.sessions()] == ["one"]


async def test_a_busy_feed_gathers_and_a_quiet_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = Timing.board

    def laborious(timing: Timing) -> Board:
        until = time.perf_counter() + 0.005
        while time.perf_counter() < until:
            pass
        return forms(timing)

    async with running(stored("one", laps=1), gather_ms=50) as service:
        rev = service.hub("one").rev
        monkeypatch.setattr(Timing, "board", laborious)
        await asyncio.wait_for(service.projector.wait_for("one", await service.tell("one", passings(2)[3:4])), LIMIT_S)
        assert service.hub("one").rev == rev + 1
        told = passings(60)[4:]
        began = time.perf_counter()
        for passing in told:
            await service.tell("one", [passing])
        seq = len(opening("one")) + 4 + len(told)
        await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        took = time.perf_counter() - began
        formed = service.hub("one").rev - rev - 1
        assert 1 <= formed <= took / 0.020 + 2
        assert formed < len(told) / 2
        assert shows(service.shown("one"), folded(service.log, "one"))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Give a switch: from then on, the session ``bad`` cannot fold record ``seq``."""
    apply = Timing.apply

    def switch(seq: int) -> None:
        def fails(timing: Timing, record: Record) -> None:
            if (record.session, record.seq) == ("bad", seq):
                raise ZeroDivisionError("laps by zero")
            apply(timing, record)

        monkeypatch.setattr(Timing, "apply", fails)

    return switch  # type: ignore[return-value]  # a fixture that needs no end of its own: monkeypatch undoes it


async def test_a_session_that_cannot_be_folded_stands_still_and_the_others_go_on(faulty: Callable[[int], None]) -> None:
    async with running(stored("bad", "good")) as service:
        before = service.shown("bad")
        faulty(15)
        waiting = asyncio.create_task(service.projector.wait_for("bad", 16))
        await service.tell("bad", passings(5)[9:])
        seq = await service.tell("good", passings(5)[9:])
        await asyncio.wait_for(service.projector.wait_for("good", seq), LIMIT_S)
        with pytest.raises(SessionBroken, match="record 15 could not be folded"):
            await asyncio.wait_for(waiting, LIMIT_S)
        with pytest.raises(SessionBroken, match="laps by zero"):
            await service.projector.wait_for("bad", 16)
        assert service.shown("bad") == before
        assert service.shown("good")["session"]["laps"] == 5
        faults = {s.session: s.fault for s in service.projector.sessions()}
        assert faults["good"] is None
        assert "ZeroDivisionError: laps by zero" in (faults["bad"] or "")
        health = service.projector.health()
        assert (health.ready, health.ok, list(health.broken)) == (True, False, ["bad"])


async def test_a_stored_record_that_cannot_be_folded_does_not_keep_the_service_from_starting(faulty: Callable[[int], None]) -> None:
    faulty(12)
    async with running(stored("bad", "good")) as service:
        assert service.shown("good")["session"]["laps"] == 3
        assert service.shown("bad")["seq"] == 11
        assert list(service.projector.health().broken) == ["bad"]


async def test_a_board_that_cannot_be_formed_stops_its_own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = Timing.board

    def fails(timing: Timing) -> Board:
        if timing.session == "bad":
            raise AssertionError("rows out of order")
        return forms(timing)

    async with running(stored("bad", "good")) as service:
        monkeypatch.setattr(Timing, "board", fails)
        await service.tell("bad", passings(4)[9:])
        seq = await service.tell("good", passings(4)[9:])
        await asyncio.wait_for(service.projector.wait_for("good", seq), LIMIT_S)
        with pytest.raises(SessionBroken, match="rows out of order"):
            await service.projector.wait_for("bad", seq)
        assert service.shown("bad")["seq"] == 14


async def test_each_start_and_each_session_has_an_epoch_of_its_own() -> None:
    log, epochs = stored("one", "two"), set()
    for _ in range(2):
        async with running(log) as service:
            epochs |= {service.shown(name)["epoch"] for name in ("one", "two")}
    assert len(epochs) == 4


async def test_whoever_waits_is_let_go_at_the_end() -> None:
    async with running(stored("one")) as service:
        waiting = asyncio.create_task(service.projector.wait_for("one", 1_000))
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, LIMIT_S)


async def test_what_was_gathered_when_the_source_ends_is_shown() -> None:
    service = Service(stored("one", laps=1), gather_ms=1_000)
    task = asyncio.create_task(service.projector.run())
    await asyncio.wait_for(service.projector.wait_ready(), LIMIT_S)
    for passing in passings(9)[3:]:
        await service.tell("one", [passing])
    await service.writer.close()
    await asyncio.wait_for(task, LIMIT_S)
    assert shows(service.shown("one"), folded(service.log, "one"))
    assert service.shown("one")["session"]["laps"] == 9


async def test_others_get_their_turn_while_much_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    apply, turns = Timing.apply, 0

    def laborious(timing: Timing, record: Record) -> None:
        until = time.perf_counter() + 0.001
        while time.perf_counter() < until:
            pass
        apply(timing, record)

    class AtOnce:
        async def follow(self) -> AsyncIterator[list[Record]]:
            yield list(stored("long", laps=50).read("long"))

    async def neighbour() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Timing, "apply", laborious)
    idle = asyncio.create_task(neighbour())
    projector = Projector(AtOnce(), {"long": 155})
    await asyncio.wait_for(projector.run(), LIMIT_S)
    idle.cancel()
    assert projector.sessions()[0].seq == 155
    assert 15 <= turns < 155


async def test_from_the_log_to_the_screen_whatever_the_order_of_arrival() -> None:
    told = [*passings(40), *(Message(id=f"m{n}", at=START + n * SECOND, text=f"Message {n}") for n in range(60))]
    random.Random(7).shuffle(told)
    async with running(gather_ms=0) as service, Feed(service.projector, host="127.0.0.1", port=0) as feed:
        seq = await service.tell("one", opening("one"))
        await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        async with connect(f"ws://127.0.0.1:{feed.port}/v1/sessions/one", compression=None, max_size=None) as client:
            for event in told:
                seq = await service.tell("one", [event])
            await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
            state, frames = None, 0
            while state is None or state["rev"] < service.hub("one").rev:
                state, verdict = receive(state, json.loads(await asyncio.wait_for(client.recv(), LIMIT_S)))
                frames += 1
                assert verdict == "applied"
            assert state == service.shown("one")
            assert shows(state, folded(service.log, "one"))
            assert frames > 10


async def test_anomalies_come_among_the_messages_and_the_last_ones_though_nothing_more_comes_in() -> None:
    def strangers(service: Service) -> list[str]:
        return [m["text"] for m in service.shown("one")["messages"] if m["kind"] == "anomaly"]

    async with running(stored("one")) as service:
        assert strangers(service) == []
        for number in (101, 102):  # the second comes while the next look is not yet due
            stranger = Passing(at=START + 500 * SECOND, decoder="line", boot=2, number=number, loop="SF", transponder=f"marshal-{number}")
            seq = await service.tell("one", [stranger])
            await asyncio.wait_for(service.projector.wait_for("one", seq), LIMIT_S)
        async with asyncio.timeout(LIMIT_S):
            while len(strangers(service)) < 2:  # noqa: ASYNC110  # a look has no event to wait for
                await asyncio.sleep(0.01)
        assert "marshal-101 is on no car" in strangers(service)[0]
        assert shows(service.shown("one"), folded(service.log, "one"))
