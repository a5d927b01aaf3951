"""Durable ingest: events a second from `timing publish` through the embedded broker into the synced log, beside what its parts do alone.

Alone: a bare aiomqtt subscriber hearing the same messages from the same publisher; and the log appending the same events in batches.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt
import httpx

from timing.log.record import Draft, draft
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.services.broker import EmbeddedBroker
from timing.services.logs import configure_logging
from timing.services.mqtt import Address
from timing.services.publisher import publish_lines

TIMING = Path(sys.executable).parent / "timing"


async def race(folder: Path) -> Path:
    """Have a race of some 20,000 events simulated."""
    file = folder / "race.events.jsonl"
    replay = await asyncio.create_subprocess_exec(
        str(TIMING.with_name("replay")), "simulate", "--format", "endurance", "--minutes", "180", "--output", str(file)
    )
    assert await replay.wait() == 0
    return file


async def through_the_service(file: Path, folder: Path) -> tuple[int, float]:
    """Publish to a service and wait until the last event is in its log; give events and seconds."""
    arguments = ["serve", "--log", str(folder / "bench.db"), "--mqtt-port", "0", "--feed-port", "0", "--web-port", "0"]
    service = await asyncio.create_subprocess_exec(
        str(TIMING), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert service.stdout is not None
        words = (await service.stdout.readline()).decode().split()
        broker, pages = words[words.index("mqtt") + 1], words[words.index("pages") + 1]
        began = time.perf_counter()
        with file.open("rb") as lines:
            progress = await publish_lines(read_lines(lines), Address(broker), speed="max")
        async with httpx.AsyncClient() as client:
            while True:
                counters = (await client.get(f"{pages}health")).json()["parts"]["broker"]
                if counters["facts"] + counters["accepted"] + counters["duplicates"] >= progress.sent:
                    return progress.sent, time.perf_counter() - began
                await asyncio.sleep(0.002)
    finally:
        service.terminate()
        await service.wait()


async def bare_subscriber(file: Path) -> tuple[int, float]:
    """Publish the same to a subscriber that only counts."""
    async with EmbeddedBroker() as broker:
        host, _, port = broker.url.removeprefix("mqtt://").partition(":")
        async with aiomqtt.Client(host, int(port)) as bare:
            await bare.subscribe("timing/v1/+/#", qos=1)
            with file.open("rb") as lines:
                total = sum(1 for _ in lines)
            began = time.perf_counter()
            with file.open("rb") as lines:
                publishing = asyncio.create_task(publish_lines(read_lines(lines), Address(broker.url), speed="max", answers_within=0))
                heard = 0
                async for _ in bare.messages:
                    heard += 1
                    if heard == total:
                        break
                took = time.perf_counter() - began
                await publishing
            return heard, took


def log_alone(file: Path, folder: Path, batch: int) -> tuple[int, float]:
    """Append the same events in batches."""
    with file.open("rb") as lines:
        drafts: list[Draft] = [draft("bench", line.event, line.raw) for line in read_lines(lines) if line.event is not None]
    log = SqliteLog(folder / f"alone-{batch}.db")
    began = time.perf_counter()
    for i in range(0, len(drafts), batch):
        log.append(drafts[i : i + batch], 1)
    took = time.perf_counter() - began
    log.close()
    return len(drafts), took


async def main(file: Path | None) -> None:
    """Measure each and print the ratios."""
    configure_logging("warning")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file = file or await race(folder)
        sent, seconds = await through_the_service(file, folder)
        ours = sent / seconds
        print(f"publish, broker, synced log, all acknowledged and answered: {ours:8,.0f} events/s   ({sent:,} events)")
        heard, seconds = await bare_subscriber(file)
        rate = heard / seconds
        print(f"publish, broker, a bare subscriber, no log:                 {rate:8,.0f} events/s   ours is {ours / rate:.2f} of it")
        for batch in (16, 256):
            appended, seconds = log_alone(file, folder, batch)
            rate = appended / seconds
            print(
                f"the log alone, batches of {batch:3}:                              {rate:8,.0f} events/s   ours is {ours / rate:.2f} of it"
            )
        print("floors: aiomqtt drained in batches 18,000/s; SQLite, full sync, 120 bytes: 76,000 and 376,000/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--race", type=Path, help="a session file; default: a simulated one")
    asyncio.run(main(parser.parse_args().race))
