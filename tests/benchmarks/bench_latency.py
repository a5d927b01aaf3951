"""Publish to screen: how long after a passing is sent a screen shows it, beside a bare MQTT subscriber on the same broker in the same run.

The service runs as a process of its own (embedded broker, log with full sync); publisher, bare subscriber and screen share one other.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt
from websockets.asyncio.client import connect

from timing.services.mqtt import Address, Link

TIMING = Path(sys.executable).parent / "timing"
CARS = 34
SESSION = "bench"
FLOORS = {50: "1.5 / 2.2", 500: "0.60 / 1.2", 2_000: "0.88 / 2.9"}
"""p50 / p99 ms of the least Python with a synced log: aiomqtt, group commit, then `broadcast` (measured once, on two shared cores)."""


def opening(start: int) -> list[tuple[str, dict[str, object]]]:
    """The session's first events, with their channels."""
    circuit = {"name": "Bench", "loops": [{"id": "SF", "line": "finish"}]}
    opened = {
        "session": SESSION,
        "name": "Bench",
        "kind": "race",
        "rulebook": "club-sprint",
        "distance": {"laps": 100_000},
        "circuit": circuit,
    }
    events: list[tuple[str, dict[str, object]]] = [("session", {"type": "session_opened", "id": "open", "at": start, **opened})]
    for car in range(CARS):
        entry = {"type": "entry_registered", "id": f"e{car}", "at": start, "car": str(car), "class": "A", "transponders": [f"T{car}"]}
        events.append(("entries", entry))
    events.append(("session", {"type": "session_started", "id": "start", "at": start}))
    return events


def passing(number: int, at: int) -> bytes:
    """Write a passing of the next car at the line."""
    event = {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": f"T{number % CARS}", "at": at}
    return json.dumps(event).encode()


def percentile(values: list[float], share: float) -> float:
    """Give a percentile in ms."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] * 1e3


class Bench:
    """One screen, one bare subscriber and one publisher, and the instants at which each heard of what."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.sent: list[float] = []
        self.heard: list[float] = []
        self.shown: list[tuple[int, float]] = []
        self.moved = asyncio.Event()
        self.number = 0
        self.ready = asyncio.Barrier(3)

    async def look(self, feed: str) -> None:
        """Be a screen: note when which record was in a frame."""
        async with connect(f"{feed}/v1/sessions/{SESSION}", compression=None, max_size=None) as screen:
            await self.ready.wait()
            async for frame in screen:
                now = time.perf_counter()
                text = str(frame)
                place = text.index('"seq":') + 6
                self.shown.append((int(text[place : text.index(",", place)]), now))
                self.moved.set()

    async def hear(self, broker: str) -> None:
        """Be a bare subscriber: note when each passing came."""
        host, _, port = broker.removeprefix("mqtt://").partition(":")
        async with aiomqtt.Client(host, int(port)) as bare:
            await bare.subscribe(f"timing/v1/{SESSION}/passings/#", qos=1)
            await self.ready.wait()
            async for _ in bare.messages:
                self.heard.append(time.perf_counter())  # it never ends
                self.moved.set()

    async def open(self) -> int:
        """Open the session, and give the number of its events."""
        await self.link.listen([f"timing/v1/{SESSION}/accepted/#"])
        events = opening(time.time_ns() // 1_000)
        for channel, event in events:
            self.link.send(f"timing/v1/{SESSION}/{channel}", json.dumps(event).encode(), qos=1)
        answers = 0
        while answers < len(events):
            arrivals = await self.link.take(100)
            answers += len(arrivals)
            self.link.acknowledge(arrivals)
        return len(events)

    async def send(self, rate: int, seconds: float, opened: int) -> None:
        """Send passings at a rate, wait until all was heard and shown, and print the line."""
        for instants in (self.sent, self.heard, self.shown):
            instants.clear()
        first = self.number
        wall, base = time.time_ns() // 1_000, time.perf_counter()
        for i in range(int(rate * seconds)):
            if (left := base + i / rate - time.perf_counter()) > 0.0005:
                await asyncio.sleep(left)
            payload = passing(self.number, wall + self.number * 2_000_000)
            self.sent.append(time.perf_counter())
            self.link.send(f"timing/v1/{SESSION}/passings/d", payload, qos=1)
            self.number += 1
        async with asyncio.timeout(60):
            while len(self.heard) < len(self.sent) or not self.shown or self.shown[-1][0] < opened + self.number:
                self.moved.clear()
                await self.moved.wait()
        self.report(rate, opened + first + 1)

    def report(self, rate: int, first_seq: int) -> None:
        """Print one rate's line."""
        screen: list[float] = []
        frames = iter(self.shown)
        seq, at = next(frames)
        for i, instant in enumerate(self.sent):
            while seq < first_seq + i:
                seq, at = next(frames)
            screen.append(at - instant)
        bare = [h - s for h, s in zip(self.heard, self.sent, strict=False)]
        ours, theirs = (percentile(screen, 0.5), percentile(screen, 0.99)), (percentile(bare, 0.5), percentile(bare, 0.99))
        frames_a_second = len(self.shown) / (self.sent[-1] - self.sent[0])
        print(
            f"{rate:6,} events/s: screen {ours[0]:6.2f} / {ours[1]:6.2f}   bare subscriber {theirs[0]:5.2f} / {theirs[1]:5.2f}"
            f"   ratio of p50 {ours[0] / theirs[0]:5.1f}   frames/s {frames_a_second:5.0f}   floor {FLOORS.get(rate, '-')}",
            flush=True,
        )


async def main(rates: list[int], seconds: float) -> None:
    """Run the service and measure each rate."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["serve", "--log", f"{folder}/bench.db", "--mqtt-port", "0", "--feed-port", "0", "--web-port", "0"]
        service = await asyncio.create_subprocess_exec(
            str(TIMING), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert service.stdout is not None
        words = (await service.stdout.readline()).decode().split()
        feed, broker = words[words.index("feed") + 1], words[words.index("mqtt") + 1]
        try:
            async with Link(Address(broker), client_id="bench-publisher", clean_session=True) as link:
                bench = Bench(link)
                opened = await bench.open()
                beside = [asyncio.create_task(bench.look(feed)), asyncio.create_task(bench.hear(broker))]
                await bench.ready.wait()
                print("publish to screen, ms p50 / p99; the bare MQTT subscriber hears of it without any log")
                for rate in rates:
                    await bench.send(rate, seconds, opened)
                for task in beside:
                    task.cancel()
                await asyncio.wait(beside)
        finally:
            service.terminate()
            await service.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[50, 500, 2_000], help="events a second")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long at each rate")
    given = parser.parse_args()
    asyncio.run(main(given.rates, given.seconds))
