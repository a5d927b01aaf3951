"""What it costs the server's processor to deliver a frame to a screen: the feed against ``websockets.broadcast`` and against bare writes.

All three write the same frames to the same connections in turn, so that their ratios hold on a noisy machine; the clients live in
another process. Run with ``--clients 100 1000 5000``; one client takes one open file on each side.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast

import uvloop
from websockets.asyncio.server import broadcast

from timing.projections.board import Board, Clock, Distance, SessionView
from timing.projections.frames import Framer
from timing.services.feed import Feed, Limits, wire_form
from timing.services.hub import Hub
from timing.services.sessions import SessionInfo

HANDSHAKE = (
    b"GET /v1/sessions/race HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAME = 200  # bytes of a frame
LIMIT_S = 120
PAUSE_S = 40e-6  # for each client, between two frames
FLOORS = {100: (8.5, 5.0), 1_000: (12.6, 9.6), 5_000: (14.5, 13.7)}
"""Microseconds measured elsewhere on a like machine: broadcast, and a frame built once and written to all."""


class Stage:
    """One session with a clock; each tick is a frame of ``FRAME`` bytes."""

    ready = True

    def __init__(self) -> None:
        self.framer = Framer("bench")
        self.ticks = 0
        self.framer.advance(self._board(), 0)
        self.race = Hub(self.framer)

    def _board(self) -> Board:
        envelope = 109 + len(str(self.framer.rev + 1)) + len(str(self.ticks))
        name = f"{self.ticks:0{FRAME - envelope}}"
        head = SessionView(name, "race", "running", "green", "", 0, Distance(), None, Clock(0), False, True, "", 0, (), None)
        return Board(0, head, (), {}, ())

    def tick(self) -> bytes:
        """Form and publish the next frame."""
        self.ticks += 1
        frame = self.framer.advance(self._board(), self.ticks)
        assert frame is not None
        assert len(frame) == FRAME, len(frame)
        self.race.publish(frame)
        return frame

    def sessions(self) -> Sequence[SessionInfo]:
        """List nothing: nobody asks."""
        return []

    def hub(self, session: str) -> Hub | None:
        """Give the only hub."""
        return self.race if session == "race" else None


class Client(asyncio.Protocol):
    """A screen that counts what it hears."""

    heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        cast("asyncio.Transport", transport).write(HANDSHAKE)  # uvloop's is not one by its type

    def data_received(self, data: bytes) -> None:
        """Count."""
        Client.heard += len(data)


async def be_clients(port: int, count: int) -> None:
    """Connect, say what was heard in all whenever it has grown no more for a while, until told to stop."""
    loop = asyncio.get_running_loop()
    for start in range(0, count, 50):
        await asyncio.gather(*(loop.create_connection(Client, "127.0.0.1", port) for _ in range(start, min(start + 50, count))))
    while True:
        print(Client.heard, flush=True)
        if not await asyncio.to_thread(sys.stdin.readline):
            return


class Clients:
    """The clients' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def heard(self) -> int:
        """Ask how many bytes all clients have heard."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        return int(await self._process.stdout.readline())

    async def until_heard(self, size: int) -> None:
        """Wait until all clients together have heard ``size`` bytes."""
        async with asyncio.timeout(LIMIT_S):
            while await self.heard() < size:  # noqa: ASYNC110  # the other process is asked
                await asyncio.sleep(0.01)


async def measure(count: int, frames: int, rounds: int) -> dict[str, float]:
    """Give the microseconds of processor time for each frame delivered, for each way of writing; the best of ``rounds``."""
    stage = Stage()
    async with Feed(stage, host="127.0.0.1", port=0, limits=Limits(ping_s=600)) as feed:
        command = (sys.executable, str(Path(__file__)), "--be-clients", str(feed.port), str(count))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        assert process.stdin is not None
        await asyncio.wait_for(process.stdout.readline(), LIMIT_S)
        clients = Clients(process)
        async with asyncio.timeout(LIMIT_S):
            while feed.screens < count:  # noqa: ASYNC110  # the last clients are still being let in
                await asyncio.sleep(0.01)
        screens = list(feed._screens)  # the very connections the feed writes to
        payload = stage.tick()
        wire = wire_form(payload)

        def by_broadcast() -> None:
            broadcast(screens, payload, text=True)

        def bare() -> None:
            for screen in screens:
                screen.transport.write(wire)

        ways: dict[str, Callable[[], object]] = {"feed": stage.tick, "broadcast": by_broadcast, "bare": bare}
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(rounds):
            for way, write in ways.items():
                best[way] = min(best[way], await one_round(clients, write, frames, count, len(wire)))
        process.stdin.close()
        await asyncio.wait_for(process.wait(), LIMIT_S)
    return best


async def one_round(clients: Clients, write: Callable[[], object], frames: int, count: int, size: int) -> float:
    """Write ``frames`` frames, with a pause after each in which it can be delivered, and wait until all were heard."""
    before = await clients.heard()
    began = time.process_time()
    for _ in range(frames):
        write()
        await asyncio.sleep(max(0.01, count * PAUSE_S))
    await clients.until_heard(before + frames * count * size)
    spent = time.process_time() - began
    return spent / (frames * count) * 1e6


def run(counts: Iterable[int], delivered: int, rounds: int) -> Iterable[dict[str, float]]:
    """Measure with each number of clients."""
    for count in counts:
        frames = max(delivered // count, 5)
        measured = uvloop.run(measure(count, frames, rounds))
        yield {"clients": count, **measured}


def main() -> None:
    """Print a line for each number of clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 1_000, 5_000])
    parser.add_argument("--delivered", type=int, default=20_000, help="frames delivered in each round, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--be-clients", type=int, nargs=2, metavar=("PORT", "COUNT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if asked.be_clients:
        uvloop.run(be_clients(*asked.be_clients))
        return
    room = hard - 100
    for result in run([min(count, room) for count in asked.clients], asked.delivered, asked.rounds):
        if asked.json:
            print(json.dumps(result))
            continue
        count, feed, plain, bare = int(result["clients"]), result["feed"], result["broadcast"], result["bare"]
        line = f"{count:>6} clients: {feed:5.1f} us a frame delivered; {feed / plain:.2f} of broadcast ({plain:.1f})"
        line += f"; {feed / bare:.2f} of bare writes ({bare:.1f})"
        if count in FLOORS:
            line += f"; measured elsewhere {FLOORS[count][1] / FLOORS[count][0]:.2f} of broadcast"
        print(line, flush=True)


if __name__ == "__main__":
    main()
