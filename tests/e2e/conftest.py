"""The service as its users run it: `timing serve` as a process of its own, on free ports, that can be killed and started again."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

TIMING = Path(sys.executable).parent / "timing"
_READY = re.compile(r"pages (?P<pages>\S+) feed (?P<feed>\S+) mqtt (?P<mqtt>\S+)")


class Service:
    """`timing serve` with a log of its own. `start` and `kill` may follow each other."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / "race.db"
        self._folder = folder
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self.mqtt = self.feed = self.pages = ""

    async def start(self) -> None:
        ports = ["--mqtt-port", self.mqtt.rpartition(":")[2] or "0", "--feed-port", "0", "--web-port", "0"]
        with (self._folder / "service.log").open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                str(TIMING), "serve", "--log", str(self.log), *ports, *self._arguments, stdout=asyncio.subprocess.PIPE, stderr=said
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            line = (await self._process.stdout.readline()).decode()
        match = _READY.search(line)
        assert match, f"the service did not start: {(self._folder / 'service.log').read_text()}"
        self.pages, self.feed, self.mqtt = match["pages"], match["feed"], match["mqtt"]

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """End it in order, and give its exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            return await self._process.wait()

    async def publish(self, file: Path, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            str(TIMING),
            "publish",
            str(file),
            "--broker",
            self.mqtt,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def snapshot(self, session: str) -> dict[str, Any]:
        async with connect(f"{self.feed}/v1/sessions/{session}", compression=None, max_size=None) as screen:
            frame: dict[str, Any] = json.loads(await screen.recv())
            return frame

    async def result(self, session: str) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.pages}api/sessions/{session}/result")
            answer.raise_for_status()
            result: dict[str, Any] = answer.json()
            return result

    @staticmethod
    async def finished(process: asyncio.subprocess.Process, within: float = 60) -> str:
        """Wait for a command that must succeed."""
        async with asyncio.timeout(within):
            out, err = await process.communicate()
        assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
        return out.decode()


async def run(*arguments: str, status: int = 0) -> str:
    """Run `timing` and give what it printed."""
    process = await asyncio.create_subprocess_exec(str(TIMING), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == status, err.decode()
    return out.decode()


@pytest.fixture
def timing_command() -> Callable[..., Awaitable[str]]:
    return run


@pytest.fixture
async def make_service(tmp_path: Path) -> AsyncIterator[Callable[..., Service]]:
    services: list[Service] = []

    def make(*arguments: str) -> Service:
        folder = tmp_path / f"service-{len(services)}"
        folder.mkdir()
        services.append(Service(folder, *arguments))
        return services[-1]

    yield make
    for service in services:
        await service.stop()


@pytest.fixture(scope="session")
def race_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated club race with late, doubled and unknown passings."""
    file = tmp_path_factory.mktemp("race") / "race.events.jsonl"
    replay = TIMING.with_name("replay")
    subprocess.run([str(replay), "simulate", "--seed", "7", "--faults", "harsh", "-o", str(file)], check=True)
    return file
