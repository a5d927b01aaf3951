"""The way of an event: from ``publish`` to the log, as fast as it goes, and from ``publish`` to a screen, at a steady pace.

Beside the service stand, in the same run and on the same kind of broker, what does least: for the log, appends without MQTT and a bare
subscriber that stores nothing; for the screen, that bare subscriber. Publisher and subscriber are processes of their own, speaking paho.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import uvloop
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from websockets.asyncio.client import ClientConnection, connect

from timing.domain.events import AnyEvent, Circuit, Distance, EntryRegistered, Loop, Passing, SessionOpened, SessionStarted
from timing.domain.units import SECOND
from timing.log.record import draft
from timing.log.session_file import Line
from timing.log.sqlite_log import SqliteLog
from timing.services.broker import EmbeddedBroker
from timing.services.logs import configure_logging
from timing.services.mqtt import Address
from timing.services.publisher import publish_lines

SESSION = "bench"
TOPIC = f"timing/v1/{SESSION}/passings/line-1"
START = 1_778_937_000 * SECOND
CARS = 60
WINDOW = 500  # QoS 1 messages under way without acknowledgement
BATCH = 256
WITHIN_S = 120
LATENCY_FLOORS = {50: "1.5 / 2.2", 500: "0.60 / 1.2", 2000: "0.88 / 2.9"}  # ms, p50 / p99: aiomqtt, group commit in a thread, one screen
DURABLE_FLOOR = "18,000 a second (aiomqtt, manual acknowledgement in batches)"


def preparation() -> list[AnyEvent]:
    circuit = Circuit(name="Bench", loops=(Loop(id="SF", line="finish"),))
    opened = SessionOpened(
        id="open",
        at=START - 9,
        session=SESSION,
        name="Bench",
        kind="race",
        rulebook="club-sprint",
        distance=Distance(laps=9999),
        circuit=circuit,
    )
    entries = (EntryRegistered(id=f"e{car}", at=START - 5, car=str(car), class_="A", transponders=(f"t{car}",)) for car in range(CARS))
    return [opened, *entries, SessionStarted(id="start", at=START)]


def passing(number: int) -> Passing:
    """Give the finish-line crossing ``number``: the cars follow each other at a second, each lap takes ninety."""
    lap, car = divmod(number, CARS)
    at = START + (lap + 1) * 90 * SECOND + car * SECOND
    return Passing(decoder="line-1", boot=1, number=number, loop="SF", transponder=f"t{car}", at=at, strength=120, hits=20)


# --- the two processes of paho ------------------------------------------------------------------------------------------------------


def paho_client(address: Address, name: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.on_socket_open = undelayed
    client.max_inflight_messages_set(WINDOW)
    client.connect(address.host, address.port)
    client.loop_start()
    return client


def undelayed(_client: paho.Client, _data: object, sock: object) -> None:
    assert isinstance(sock, socket.socket)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def be_publisher(address: Address, first: int, count: int, rate: int) -> None:
    """Publish, and print the instants (monotonic ns) at which each was handed over."""
    payloads = [draft(SESSION, passing(number)).raw for number in range(first, first + count)]
    client = paho_client(address, "bench-publisher")
    acknowledged: SimpleQueue[int] = SimpleQueue()
    client.on_publish = lambda *_: acknowledged.put(1)
    sent: list[int] = []
    begun = time.monotonic()
    for index, payload in enumerate(payloads):
        if rate:
            time.sleep(max(0.0, begun + index / rate - time.monotonic()))
        elif index >= WINDOW:
            acknowledged.get(timeout=WITHIN_S)
        sent.append(time.monotonic_ns())
        client.publish(TOPIC, payload, qos=1)
    for _ in range(count if rate else min(count, WINDOW)):
        acknowledged.get(timeout=WITHIN_S)
    print(json.dumps(sent))


def be_subscriber(address: Address, count: int) -> None:
    """Subscribe, say so, and print the instants at which each message came."""
    came: SimpleQueue[int] = SimpleQueue()
    ready: SimpleQueue[int] = SimpleQueue()
    client = paho_client(address, "bench-subscriber")
    client.on_subscribe = lambda *_: ready.put(1)
    client.on_message = lambda *_: came.put(time.monotonic_ns())
    client.subscribe(TOPIC, qos=1)
    ready.get(timeout=WITHIN_S)
    print("ready", flush=True)
    print(json.dumps([came.get(timeout=WITHIN_S) for _ in range(count)]))


def role(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


# --- what is measured ---------------------------------------------------------------------------------------------------------------


async def bare(broker: Address, count: int, rate: int) -> tuple[list[int], list[int]]:
    """Give when each message was sent and came to a subscriber that does nothing."""
    subscriber = role("--subscribe", broker, "--count", count)
    assert subscriber.stdout
    assert await asyncio.to_thread(subscriber.stdout.readline) == "ready\n"
    publisher = role("--publish", broker, "--count", count, "--rate", rate)
    sent, _ = await asyncio.to_thread(publisher.communicate)
    came, _ = await asyncio.to_thread(subscriber.communicate)
    return json.loads(sent), json.loads(came)


async def through(broker: Address, screen: ClientConnection, seq: int, *, first: int, count: int, rate: int) -> tuple[list[int], list[int]]:
    """Give when each message was sent and when a frame said that it is on the screen; ``seq`` is the log's last record."""
    publisher = role("--publish", broker, "--first", first, "--count", count, "--rate", rate)
    shown: list[int] = []
    async with asyncio.timeout(WITHIN_S):
        while len(shown) < count:
            frame = json.loads(await screen.recv())
            shown += [time.monotonic_ns()] * (frame["seq"] - seq - len(shown))
    sent, _ = await asyncio.to_thread(publisher.communicate)
    return json.loads(sent), shown


@contextmanager
def service(folder: Path) -> Iterator[dict[str, str]]:
    """Run ``timing serve`` and give its addresses."""
    program = "import sys; from timing.cli import main; sys.argv[0] = 'timing'; main()"
    options = ["--log", str(folder / "bench.db"), "--mqtt-port", "0", "--feed-port", "0", "--web-port", "0"]
    quiet = {**os.environ, "TIMING_LOG_LEVEL": "warning"}
    child = subprocess.Popen([sys.executable, "-c", program, "serve", *options], stdout=subprocess.PIPE, text=True, env=quiet)
    try:
        assert child.stdout
        words = child.stdout.readline().split()[2:]
        yield dict(zip(words[::2], words[1::2], strict=True))
    finally:
        child.terminate()
        child.wait(WITHIN_S)


def appended(folder: Path, count: int) -> float:
    """Give how many events a second are appended to the log, without MQTT, in batches of ``BATCH``."""
    log = SqliteLog(folder / "plain.db")
    log.append([draft(SESSION, event) for event in preparation()], START)
    numbers, begun = iter(range(count)), time.perf_counter()
    while batch := [draft(SESSION, passing(number)) for number in islice(numbers, BATCH)]:
        log.append(batch, START)
    rate = count / (time.perf_counter() - begun)
    log.close()
    return rate


def per_second(sent: Sequence[int], came: Sequence[int]) -> float:
    return len(sent) / ((max(came) - sent[0]) / 1e9)


def centiles(sent: Sequence[int], came: Sequence[int]) -> tuple[float, float]:
    """Give the median and the 99th centile of the delays, in milliseconds."""
    delays = sorted((b - a) / 1e6 for a, b in zip(sent, sorted(came), strict=True))
    return delays[len(delays) // 2], delays[len(delays) * 99 // 100]


async def measure(events: int, seconds: float, rates: Sequence[int]) -> None:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        results["appends"] = appended(folder, events)
        async with EmbeddedBroker() as broker:
            address = Address(broker.url)
            results["bare"] = per_second(*await bare(address, events, 0))
            delays_bare = {rate: centiles(*await bare(address, int(rate * seconds), rate)) for rate in rates}
        with service(folder) as where:
            address = Address(where["mqtt"])
            lines = [Line(number, draft(SESSION, event).raw, event) for number, event in enumerate(preparation(), 1)]
            assert (await publish_lines(iter(lines), address, speed="max")).whole
            async with connect(f"{where['feed']}/v1/sessions/{SESSION}", compression=None, max_size=None) as screen:
                seq, first = len(lines), 0
                delays: dict[int, tuple[float, float]] = {}
                for rate in rates:
                    count = int(rate * seconds)
                    delays[rate] = centiles(*await through(address, screen, seq, first=first, count=count, rate=rate))
                    seq, first = seq + count, first + count
                results["service"] = per_second(*await through(address, screen, seq, first=first, count=events, rate=0))
    print(f"publish to log, {events:,} passings, events a second, from the first sent to the last stored and shown:")
    print(f"  the service                {results['service']:>10,.0f}   floor {DURABLE_FLOOR}")
    print(f"  a bare subscriber          {results['bare']:>10,.0f}   the service has {results['service'] / results['bare']:.2f} of it")
    print(
        f"  appends alone              {results['appends']:>10,.0f}   the service has {results['service'] / results['appends']:.2f} of it"
    )
    print("publish to screen, ms, p50 / p99:")
    for rate in rates:
        (p50, p99), (bare50, bare99) = delays[rate], delays_bare[rate]
        print(
            f"  {rate:>5} a second: service {p50:.2f} / {p99:.2f}   bare subscriber {bare50:.2f} / {bare99:.2f}   "
            f"ratio {p50 / bare50:.1f} / {p99 / bare99:.1f}   floor {LATENCY_FLOORS.get(rate, 'not measured')}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000, help="how many are sent as fast as it goes")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each steady pace is kept")
    parser.add_argument("--rates", type=int, nargs="+", default=[50, 500, 2000], help="events a second")
    for name in ("publish", "subscribe"):
        parser.add_argument(f"--{name}", type=Address, help=argparse.SUPPRESS)
    for name in ("first", "count", "rate"):
        parser.add_argument(f"--{name}", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.publish:
        be_publisher(given.publish, given.first, given.count, given.rate)
    elif given.subscribe:
        be_subscriber(given.subscribe, given.count)
    else:
        configure_logging("warning")
        uvloop.run(measure(given.events, given.seconds, given.rates))


if __name__ == "__main__":
    main()
