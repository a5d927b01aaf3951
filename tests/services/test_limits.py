"""The limits that the settings set, in the service as it is run: what is one too many is refused and logged, and the rest goes on."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from timing.domain.roles import Rights
from timing.services.app import Service
from timing.services.settings import Settings

Opening = Callable[..., dict[str, Any]]
FLAG = {"type": "track_status", "status": "red"}


@contextlib.asynccontextmanager
async def served(folder: Path, opening: Opening, **settings: Any) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """Run a service with a session, and give it with a program of somebody who may do everything."""
    configured = Settings(log=folder / "log.db", mqtt_port=0, feed_port=0, web_port=0, **settings)
    async with Service(configured) as service, program(service, "office") as office:
        assert (await office.post("/api/sessions/race-1/session", json=opening("race-1"))).status_code == 200
        yield service, office


def program(service: Service, name: str) -> httpx.AsyncClient:
    token, _ = service.access.tokens.issue(name, Rights(roles=("administrator",)), 3600, once=False)
    return httpx.AsyncClient(base_url=service.addresses.pages, headers={"authorization": f"Bearer {token}"})


async def test_commands_and_sign_ins_are_counted_by_person_and_address(tmp_path: Path, opening: Opening) -> None:
    async with (
        served(tmp_path, opening, commands_a_minute=30, sign_ins_a_minute=4) as (service, office),
        program(service, "other") as other,
    ):
        with structlog.testing.capture_logs() as said:
            taken = [(await office.post("/api/sessions/race-1/control", json={**FLAG, "id": f"f{n}"})).status_code for n in range(4)]
            assert taken == [200, 200, 429, 429], "the opening was the first of three at once"
            assert (await other.post("/api/sessions/race-1/control", json={**FLAG, "id": "other"})).status_code == 200
            tried = [await other.post("/api/sign-in", json={"token": "x"}, headers={"x-parcferme": "1"}) for _ in range(3)]
            assert [answer.status_code for answer in tried] == [401, 401, 429]
        assert [one["code"] for one in said if one["event"] == "request refused"] == [
            "too-often", "too-often", "bad-token", "bad-token", "too-often",
        ]  # fmt: skip
        health = (await other.get("/health")).json()
        assert health["parts"]["desk"]["refused"] == 5


async def test_screens_beyond_the_limit_are_turned_away(tmp_path: Path, opening: Opening) -> None:
    async with served(tmp_path, opening, max_screens=2) as (service, _):
        feed = f"{service.addresses.feed}/v1/sessions/race-1"
        async with connect(feed), connect(feed) as second:
            with structlog.testing.capture_logs() as said, pytest.raises(InvalidStatus) as refused:
                await connect(feed)
            assert refused.value.response.status_code == 503
            assert [(one["event"], one["client"]) for one in said] == [("screen turned away", "127.0.0.1")]
            await second.recv()  # who is there stays


async def test_connections_to_the_pages_beyond_the_limit_are_refused_until_those_that_say_nothing_are_cut(
    tmp_path: Path, opening: Opening, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path, opening, web_connections=3) as (service, office):
        host, port = service.addresses.pages.removeprefix("http://").rstrip("/").split(":")
        with caplog.at_level(logging.WARNING):
            two = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
            assert (await office.get("/health")).status_code == 200, "the third"
            monkeypatch.setattr("timing.services.pages.REQUEST_WITHIN_S", 0.2)
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /health HTTP/1.1\r\nHost: ")  # and no more
            await writer.drain()
            assert (await office.get("/health")).status_code == 503
            assert "Exceeded concurrency limit" in caplog.text
            async with asyncio.timeout(10):
                assert await reader.read() == b"", "it is cut"
                while (await office.get("/health")).status_code != 200:
                    pass
        for each in (*two, (reader, writer)):
            each[1].close()


async def test_who_goes_on_asking_stays(tmp_path: Path, opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timing.services.pages.REQUEST_WITHIN_S", 0.3)
    async with served(tmp_path, opening) as (service, _):
        host, port = service.addresses.pages.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        clock = asyncio.get_running_loop().time
        began, answered = clock(), 0
        while clock() < began + 1 or answered < 3:  # for longer than a connection may say nothing
            writer.write(b"GET /health HTTP/1.1\r\n")
            await writer.drain()
            writer.write(b"Host: 127.0.0.1\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
            await reader.readexactly(length)
            answered += 1
        writer.close()
