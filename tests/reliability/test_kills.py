"""kill -9 at every moment, again and again on one log: no acknowledged event is lost, none is there twice, and the digests are the same.

``pytest -rP`` shows at which moments how often; docs/reliability.md has the figures.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from replay.simulate import plan_for, simulate
from timing.domain.events import identity
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.services.ingest import BackOff
from timing.services.mqtt import Address, Link
from timing.services.publisher import Progress, publish_lines
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file, score_log

LAUNCHER = Path(__file__).with_name("killed_service.py")
POINTS = (
    "before-append", "before-commit", "in-commit", "after-commit", "before-answer", "before-acknowledgement", "after-acknowledgement",
    "in-frame", "any",
)  # fmt: skip
PACE = 2_000.0  # times life, with no pause longer than a hundredth of a second: a hundred events a second, about
WITHIN_S = 3.0  # of being ready, the moment comes, or the service is killed from outside


class Sent:
    """Races, one after the other, sent for as long as they are wanted; and the answers that came."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self._url, self._folder, self._seed = url, folder, seed
        self.files: list[Path] = []
        self.progress: list[Progress] = []
        self.accepted: dict[tuple[str, str], int] = {}
        self._enough = asyncio.Event()

    def _race(self) -> Path:
        seed = self._seed * 1_000 + len(self.files)
        plan = plan_for("mitjet", seed=seed, cars=6, minutes=4, red=None, safety_cars=(), session=f"race-{seed}", faults="harsh")
        file = self._folder / f"race-{seed}.events.jsonl"
        file.write_bytes(b"".join(simulate(plan).lines()))
        self.files.append(file)
        return file

    async def send(self) -> None:
        while not self._enough.is_set():
            with self._race().open("rb") as lines:
                back_off = BackOff(0.02, 0.2)
                progress = await publish_lines(
                    read_lines(lines), Address(self._url), speed=PACE, max_gap=0.01, window=12, answers_within=1.5, back_off=back_off
                )
            self.progress.append(progress)

    async def listen(self) -> None:
        async with Link(Address(self._url), client_id="listener", clean_session=True) as link:
            await link.listen(["timing/v1/+/accepted/#"])
            while True:
                for arrival in await link.take(1_000):
                    said = json.loads(arrival.payload)
                    key = arrival.topic.split("/")[2], said["id"]
                    assert self.accepted.setdefault(key, said["seq"]) == said["seq"], "one event, one number"

    def enough(self) -> None:
        self._enough.set()


class Services:
    """Services one after the other, each of which ends by a kill or in order."""

    def __init__(self, folder: Path) -> None:
        self._said = folder / "service.log"
        self.pid = 0
        self.ready = ""

    async def __aenter__(self) -> Self:
        with self._said.open("wb") as said:
            pipe = asyncio.subprocess.PIPE
            self._process = await asyncio.create_subprocess_exec(sys.executable, str(LAUNCHER), stdin=pipe, stdout=pipe, stderr=said)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self.pid:
            self.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def start(self, point: str, nth: int, *arguments: str) -> str:
        """Start one, and give the address of its feed; empty where it was killed before it had one."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([point, nth, "serve", *arguments]).encode() + b"\n")
        async with asyncio.timeout(60):
            self.pid = int((await self._line()).removeprefix("pid "))
            self.ready = line = await self._line()
        if line.startswith("ended"):
            assert line == "ended -9", f"{line}: {self._said.read_text()[-2_000:]}"
            self.pid = 0
        return line.partition(" feed ")[2].partition(" ")[0]

    async def ended(self) -> int:
        """Wait for its end, and give its exit status."""
        if self.pid:
            status = int((await self._line()).removeprefix("ended "))
            self.pid = 0
            assert status in {0, -signal.SIGKILL}, f"{status}: {self._said.read_text()[-2_000:]}"
            return status
        return -signal.SIGKILL

    def kill(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def _line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


class Rounds:
    """One log, and the services on it, started and killed."""

    def __init__(self, url: str, folder: Path, sent: Sent, services: Services) -> None:
        self._sent, self._services = sent, services
        self.log = folder / "race.db"
        self.killed: Counter[str] = Counter()
        self._arguments = ["--log", str(self.log), "--broker", url, "--feed-port", "0", "--web-port", "0"]
        self._heads: dict[str, tuple[int, bytes]] = {}
        self._seqs: dict[tuple[str, str], int] = {}

    async def meet_the_broker(self) -> None:
        """Let the broker learn who listens: before that it has nobody to keep messages for."""
        await self._services.start("any", 1, *self._arguments)
        self._services.kill(signal.SIGTERM)
        assert await self._services.ended() == 0

    async def round(self, point: str, dice: random.Random) -> None:
        """Start the service, have it killed, and look at what it left."""
        feed = await self._services.start(point, dice.randint(1, 6 if point == "in-frame" else 25), *self._arguments)
        screen = asyncio.create_task(look(feed, self.log))
        ending = asyncio.create_task(self._services.ended())
        await asyncio.wait({ending}, timeout=dice.uniform(0.0, 0.5) if point == "any" else WITHIN_S)
        self.killed[point if ending.done() else "any"] += 1
        if not ending.done():
            self._services.kill()
        assert await ending == -signal.SIGKILL
        screen.cancel()
        await asyncio.wait({screen})
        self.check()

    def check(self) -> None:
        """What was there is there as it was, what was answered is there under the number that was told, and nothing is there twice."""
        told = dict(self._sent.accepted)
        with closing(SqliteLog(self.log, readonly=True)) as log:
            log.check_structure()
            for session in log.sessions():
                had, hashed = self._heads.get(session, (0, b""))
                records = list(log.read(session, max(had, 1)))
                assert records, f"session {session} had {had} records and has none"
                if had:
                    assert (records[0].seq, records[0].hash) == (had, hashed), f"session {session}: record {had} is another one now"
                for record in records[1:] if had else records:
                    key = session, identity(record.event)
                    assert key not in self._seqs, f"{key} is record {self._seqs[key]} and record {record.seq}"
                    self._seqs[key] = record.seq
                self._heads[session] = records[-1].seq, records[-1].hash
        for (session, name), seq in told.items():
            assert self._seqs.get((session, f"id/{name}")) == seq, f"{name} of {session} was accepted as record {seq}"

    async def finish(self, sending: asyncio.Task[None]) -> None:
        """Let the service take in what is left, end it in order, and compare with what was sent."""
        self._sent.enough()
        await self._services.start("any", 1, *self._arguments)
        async with asyncio.timeout(90):
            await sending
        self._services.kill(signal.SIGTERM)
        assert await self._services.ended() == 0
        self.check()
        self.compare()

    def compare(self) -> None:
        """Compare what is in the log with what was sent."""
        # An answer may be lost with the service that was to give it; what was sent is looked for in the log itself.
        assert not any(progress.rejected or progress.faults for progress in self._sent.progress), [p.told for p in self._sent.progress]
        with closing(SqliteLog(self.log, readonly=True)) as log:
            assert sorted(log.sessions()) == sorted(session_of(file) for file in self._sent.files)
            for file in self._sent.files:
                session = session_of(file)
                expected, skipped = score_file(file, Rulebooks())
                assert skipped == []
                assert {name for own, name in self._seqs if own == session} == names_in(file)
                assert score_log(log, session, Rulebooks()).digest() == expected.digest(), session

    @property
    def events(self) -> int:
        return len(self._seqs)

    def told(self) -> str:
        each = ", ".join(f"{self.killed[point]} {point}" for point in POINTS if self.killed[point])
        return f"{self.killed.total()} kills ({each}), {len(self._seqs):,} events in {len(self._heads)} sessions: none lost, none twice"


def session_of(file: Path) -> str:
    return file.name.partition(".")[0]


def names_in(file: Path) -> set[str]:
    return {identity(line.event) for line in read_lines(file.read_bytes().splitlines()) if line.event}


async def look(feed: str, log: Path) -> None:
    """Be screens: watch each session as it comes."""
    seen: dict[str, asyncio.Task[None]] = {}
    try:
        while feed:
            with closing(SqliteLog(log, readonly=True)) as reading:
                for session in reading.sessions()[-3:]:
                    if session not in seen or seen[session].done():
                        seen[session] = asyncio.create_task(watch(f"{feed}/v1/sessions/{session}"))
            await asyncio.sleep(0.1)
    finally:
        for task in seen.values():
            task.cancel()
        if seen:
            await asyncio.wait(seen.values())


async def watch(address: str) -> None:
    with contextlib.suppress(OSError, WebSocketException, TimeoutError):
        async with connect(address, compression=None, max_size=None) as screen:
            async for _ in screen:
                pass


async def killed_again_and_again(url: str, folder: Path, rounds: int, seed: int) -> Rounds:
    dice, sent = random.Random(seed), Sent(url, folder, seed)
    async with Services(folder) as services:
        tried = Rounds(url, folder, sent, services)
        await tried.meet_the_broker()
        listening = asyncio.create_task(sent.listen())
        sending = asyncio.create_task(sent.send())
        try:
            for number in range(rounds):
                await tried.round(POINTS[(number + seed) % len(POINTS)], dice)
                assert not sending.done(), sending.result()
            await tried.finish(sending)
        finally:
            for task in (listening, sending):
                task.cancel()
            await asyncio.wait({listening, sending})
    print(tried.told())
    return tried


@pytest.mark.mosquitto
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(2))
async def test_killed_dozens_of_times(mosquitto: Any, tmp_path: Path, seed: int) -> None:
    async with mosquitto() as broker:
        tried = await killed_again_and_again(broker.url, tmp_path, 2 * len(POINTS), seed)
    assert set(tried.killed) == set(POINTS), "each moment comes"


@pytest.mark.long
@pytest.mark.mosquitto
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(100, 120))
async def test_killed_a_thousand_times(mosquitto: Any, tmp_path: Path, seed: int) -> None:
    async with mosquitto() as broker:
        await killed_again_and_again(broker.url, tmp_path, 50, seed)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def broker_killed(folder: Path, kills: int, seed: int, eventually: Any) -> None:
    """Kill the embedded broker again and again while it is sent to; the service starts it anew, and nothing that it took is lost."""
    log = folder / "race.db"

    def stored() -> int:
        with closing(SqliteLog(log, readonly=True)) as reading:
            return reading.last_position()

    def taken() -> set[tuple[str, str]]:
        with closing(SqliteLog(log, readonly=True)) as reading:
            return {(session, identity(record.event)) for session in reading.sessions() for record in reading.read(session, 1)}

    async with Services(folder) as services:
        await services.start("any", 1, "--log", str(log), "--mqtt-port", "0", "--feed-port", "0", "--web-port", "0")
        sent = Sent(services.ready.partition(" mqtt ")[2].partition(" ")[0], folder, seed)
        sending = asyncio.create_task(sent.send())
        try:
            for _ in range(kills):
                had = stored()
                await eventually(lambda had=had: stored() > had + 20 or sending.done(), within=60, what="more events")
                assert not sending.done(), sending.result()
                [broker] = children(services.pid)
                os.kill(broker, signal.SIGKILL)
                await eventually(lambda broker=broker: broker not in children(services.pid), what="its end")
                await eventually(lambda: len(children(services.pid)) == 1, within=30, what="another broker")
            sent.enough()
            async with asyncio.timeout(90):
                await sending
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        # The broker has taken everything; the service, back at it, first lets it deliver again, and the sender does not wait so long.
        wanted = {(session_of(file), name) for file in sent.files for name in names_in(file)}
        await eventually(lambda: wanted <= taken(), within=60, what="everything the broker took")
        services.kill(signal.SIGTERM)
        assert await services.ended() == 0
    rounds = Rounds("", folder, sent, services)
    rounds.check()
    rounds.compare()
    print(f"{kills} kills of the broker, {rounds.events:,} events: none lost, none twice")


async def test_the_broker_is_killed_while_it_is_sent_to(tmp_path: Path, eventually: Any) -> None:
    await broker_killed(tmp_path, 3, 1, eventually)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_the_broker_is_killed_a_hundred_times(tmp_path: Path, eventually: Any) -> None:
    await broker_killed(tmp_path, 100, 2, eventually)
