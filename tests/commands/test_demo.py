"""`timing demo`, as a newcomer meets it: an address, a token, and a flag set with them."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

TIMING = Path(sys.executable).parent / "timing"
Start = Callable[..., Awaitable[list[str]]]


@pytest.fixture
async def demo() -> AsyncIterator[Start]:
    """Start the demo, and give the three lines it prints when it is ready."""
    processes: list[asyncio.subprocess.Process] = []

    async def begin(*arguments: str) -> list[str]:
        ports = ["--mqtt-port", "0", "--feed-port", "0", "--web-port", "0"]
        process = await asyncio.create_subprocess_exec(str(TIMING), "demo", *ports, *arguments, stdout=asyncio.subprocess.PIPE)
        processes.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(30):
            return [(await process.stdout.readline()).decode().strip() for _ in range(3 if "--host" not in arguments else 2)]

    yield begin
    for process in processes:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def test_from_the_demo_to_a_flag(demo: Start) -> None:
    opened, how, token = await demo("--speed", "50")
    match = re.search(r"open (http://127\.0\.0\.1:\d+/)", opened)
    assert match
    pages = match[1]
    assert f"sign in at {pages}sign-in" in how
    async with httpx.AsyncClient(base_url=pages, headers={"x-parcferme": "1"}) as browser:
        assert (await browser.get("/sign-in")).status_code == 200
        assert (await browser.post("/api/sign-in", json={"token": token})).json()["roles"] == ["administrator"]
        async with asyncio.timeout(30):
            while not (sessions := (await browser.get("/api/sessions")).json()["sessions"]):
                pass
        session = sessions[0]["session"]
        flag = {"type": "track_status", "id": "mine", "status": "yellow", "sectors": [1]}
        answer = await browser.post(f"/api/sessions/{session}/control", json=flag)
        assert (answer.status_code, answer.json()["id"]) == (200, "mine")


async def test_where_others_may_listen_no_token_is_shown(demo: Start) -> None:
    _, instead = await demo("--host", "0.0.0.0")  # noqa: S104  # what it is about
    assert instead.startswith("No token for race control is shown")
