"""The embedded broker: quick to start, gone with its parent, back when it dies, and keeping what it was given."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from timing.domain.errors import BrokerError
from timing.services import broker as module
from timing.services.broker import EmbeddedBroker, server_program
from timing.services.mqtt import Address, Link

Eventually = Callable[..., Awaitable[None]]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_package_brings_the_program() -> None:
    said = subprocess.run([server_program(), "--version"], capture_output=True, text=True, check=True)
    assert "nats-server" in said.stdout


async def test_it_starts_on_a_free_port_and_leaves_nothing(tmp_path: Path) -> None:
    async with EmbeddedBroker() as broker:
        pid = broker.pid
        assert pid is not None
        assert alive(pid)
        async with Link(Address(broker.url), client_id="a", clean_session=True) as link:
            await link.listen(["timing/v1/#"])
        folder = broker._folder
        assert folder is not None
        assert folder.is_dir()
    assert not alive(pid)
    assert not folder.exists()
    assert broker.pid is None


async def test_a_wished_port_is_taken_if_it_is_free_and_replaced_if_not(tmp_path: Path, unused_port: int) -> None:
    async with EmbeddedBroker(port=unused_port) as first:
        assert first.url == f"mqtt://127.0.0.1:{unused_port}"
        async with EmbeddedBroker(port=unused_port) as second:
            assert second.url != first.url
            async with Link(Address(second.url), client_id="a", clean_session=True):
                pass


async def test_its_folder_belongs_to_one(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "broker"):
        with pytest.raises(BrokerError, match="another service"):
            async with EmbeddedBroker(tmp_path / "broker"):
                pass
    async with EmbeddedBroker(tmp_path / "broker"):
        pass


async def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match="cannot be used"):
        async with EmbeddedBroker(tmp_path / "file" / "broker"):
            pass


async def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"does not start.*(?i:host|address|lookup)"):
        async with EmbeddedBroker(tmp_path / "broker", host="300.0.0.1"):
            pass


async def test_one_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setattr(module, "server_program", lambda: silent)
    with pytest.raises(BrokerError, match="does not answer"):
        async with EmbeddedBroker(tmp_path / "broker", start_within=0.5):
            pass


async def test_it_comes_back_at_the_same_address_when_it_is_killed(tmp_path: Path, eventually: Eventually) -> None:
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        url, first = broker.url, broker.pid
        assert first is not None
        for restarts in (1, 2):
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGKILL)
            await eventually(lambda restarts=restarts: broker.restarts == restarts)
        assert broker.url == url
        assert broker.pid not in {None, first}
        async with Link(Address(url), client_id="a", clean_session=True):
            pass


async def test_messages_for_one_who_is_away_outlive_the_broker(tmp_path: Path, eventually: Eventually) -> None:
    delivered: list[int] = []
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        async with Link(Address(broker.url), client_id="away", clean_session=False) as away:
            await away.listen(["timing/v1/#"])
        async with Link(Address(broker.url), client_id="b", clean_session=True, on_delivered=delivered.append) as link:
            for n in range(100):
                link.send("timing/v1/x/control", b"%d" % n, qos=1)
            await eventually(lambda: len(delivered) == 100)
    async with (
        EmbeddedBroker(tmp_path / "broker") as broker,
        Link(Address(broker.url), client_id="away", clean_session=False) as back,
    ):
        assert back.session_present
        got: list[bytes] = []
        async with asyncio.timeout(10):
            while len(got) < 100:
                got += [arrival.payload for arrival in await back.take(100)]
        assert got == [b"%d" % n for n in range(100)]


PARENT = """
import asyncio, sys
from pathlib import Path
from timing.services.broker import EmbeddedBroker

async def main():
    async with EmbeddedBroker(Path(sys.argv[1])) as broker:
        print("pid", broker.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path, eventually: Eventually) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "broker"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert parent.stdout is not None
    pid = 0
    while line := await parent.stdout.readline():
        if line.startswith(b"pid "):
            pid = int(line.split()[1])
            break
    assert alive(pid)
    parent.kill()
    await parent.wait()
    await eventually(lambda: not alive(pid), within=5)
    async with EmbeddedBroker(tmp_path / "broker"):  # and its folder is free
        pass


async def test_small_packets_do_not_wait_for_each_other(broker: Any) -> None:
    """TCP_NODELAY on both ends: a message there and back, a hundred times, takes no 40 ms each."""
    async with Link(Address(broker.url), client_id="a", clean_session=True) as link:
        sock = link._client.socket()
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await link.listen(["timing/v1/#"])
        began = asyncio.get_running_loop().time()
        for n in range(100):
            link.send("timing/v1/x/control", b"%d" % n, qos=1)
            link.acknowledge(await link.take(1))
        assert asyncio.get_running_loop().time() - began < 3.0
