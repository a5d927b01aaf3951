"""Real brokers for the tests that speak MQTT, and the one way in which tests wait for something."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol, Self

import pytest
from hypothesis import HealthCheck, settings

from timing.services.broker import EmbeddedBroker
from timing.services.mqtt import Address, probe

# A busy machine is no failure: how long an example may take says nothing here. For every folder, whichever of them are run.
settings.register_profile("ci", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

MOSQUITTO_CONF = Path(__file__).parents[1] / "config" / "mosquitto.conf"

Eventually = Callable[..., Awaitable[None]]


class Broker(Protocol):
    """A broker that a test may treat badly."""

    url: str
    settle: float
    """Seconds after which it has delivered again what was not acknowledged."""

    async def kill(self) -> None:
        """End it at once, as kill -9 does, and have it come back at the same address with what it had stored."""

    async def restart(self) -> None:
        """The same, with no loss of what it has taken: Mosquitto, which stores now and then, is ended in order."""


async def until(condition: Callable[[], Any], within: float = 15.0, what: str = "what the test waits for") -> None:
    """Wait until a condition holds, but not longer than some seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {within:g} s")
        await asyncio.sleep(0.005)


@pytest.fixture
def eventually() -> Eventually:
    """Give ``until`` to the tests."""
    return until


def free_port() -> int:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port: int = candidate.getsockname()[1]
        return port


class Embedded:
    settle = 1.0

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._broker = EmbeddedBroker(folder, **{"ack_wait_ms": 500} | settings)

    async def __aenter__(self) -> Self:
        await self._broker.__aenter__()
        self.url = self._broker.url
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._broker.__aexit__(None, None, None)

    async def kill(self) -> None:
        before, pid = self._broker.restarts, self._broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: self._broker.restarts > before, what="the broker's coming back by itself")

    restart = kill


class Mosquitto:
    """Mosquitto with the settings that the project ships, on a free port and with a folder of its own."""

    settle = 0.0

    def __init__(self, folder: Path, **changes: str) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"{'mqtts' if 'certfile' in changes else 'mqtt'}://127.0.0.1:{self._port}"
        changes |= {
            "listener": f"{self._port} 127.0.0.1",
            "persistence_location": f"{folder}/",
            "user": "root" if os.geteuid() == 0 else "",
        }
        lines = []
        for line in MOSQUITTO_CONF.read_text().splitlines():
            name = line.partition(" ")[0]
            lines.append(f"{name} {changes.pop(name)}" if name in changes else line)
        lines += [f"{name} {value}" for name, value in changes.items() if value]
        folder.mkdir(parents=True, exist_ok=True)
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text("\n".join(lines) + "\n")
        program = os.environ.get("PARCFERME_MOSQUITTO") or shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program, "marked mosquitto: the root conftest sees to it"
        self._program = program

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-c", str(self._conf), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(15):
            await (probe(Address(self.url)) if self.url.startswith("mqtt:") else self._accepts())
        return self

    async def _accepts(self) -> None:
        """Wait until it takes connections; what it says on them only TLS can read."""
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.02)

    async def __aexit__(self, *error: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    async def kill(self) -> None:
        store = self._folder / "mosquitto.db"
        before = store.stat().st_mtime_ns if store.exists() else 0
        self._process.send_signal(signal.SIGUSR1)  # write the store now: what Mosquitto holds in memory only is not what a test is about
        await until(lambda: store.exists() and store.stat().st_mtime_ns != before, what="the broker's writing its store")
        self._process.kill()
        await self._process.wait()
        await self.__aenter__()

    async def restart(self) -> None:
        await self.__aexit__()
        await self.__aenter__()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Callable[..., Mosquitto]:
    """Make a Mosquitto with settings of its own: ``async with mosquitto(name="value") as broker``."""
    return lambda **changes: Mosquitto(tmp_path / "mosquitto", **changes)


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Broker]:
    async with Embedded(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """Each broker that the project stands behind, with nothing in it."""
    async with AsyncExitStack() as stack:
        kind: type[Embedded | Mosquitto] = Embedded if request.param == "embedded" else Mosquitto
        yield await stack.enter_async_context(kind(tmp_path / "broker"))


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
async def patient_broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """Each broker, with so much time for acknowledgements that nothing is delivered again, however busy the machine is."""
    made = Embedded(tmp_path / "broker", ack_wait_ms=60_000) if request.param == "embedded" else Mosquitto(tmp_path / "broker")
    async with made:
        yield made


@pytest.fixture
def unused_port() -> int:
    """Give a port on which nothing listens."""
    return free_port()
