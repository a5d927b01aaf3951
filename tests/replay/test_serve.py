"""`replay serve` as its users run it: a process that says where it is, serves, and ends when it is told to."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

REPLAY = [sys.executable, "-c", "from replay.cli import main; main()"]
READY = re.compile(r"parcferme replay ready: pages (\S+) feed (\S+)\n")
LIMIT_S = 30


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from replay.simulate import plan_for, simulate

    file = tmp_path_factory.mktemp("serve") / "race.events.jsonl"
    file.write_bytes(b"".join(simulate(plan_for("mitjet")).lines()))
    return file


@asynccontextmanager
async def served(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, str]]:
    ports = ["--feed-port", "0", "--web-port", "0"]
    process = await asyncio.create_subprocess_exec(*REPLAY, "serve", *arguments, *ports, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            match = READY.fullmatch((await process.stdout.readline()).decode())
        assert match
        yield process, match[1], match[2]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_a_session_file_until_it_is_told_to_end(race: Path) -> None:
    async with served(str(race), "--speed", "max", "--from", "begin") as (process, pages, feed), asyncio.timeout(LIMIT_S):
        async with httpx.AsyncClient() as http:
            sessions = (await http.get(f"{pages}api/sessions")).json()["sessions"]
            assert (await http.get(f"{pages}health")).json()["ok"] is True
            page = await http.get(pages, follow_redirects=True)
            assert (page.status_code, "leaderboard" in page.text) == (200, True)
        async with connect(f"{feed}/v1/sessions/{sessions[0]['session']}", max_size=None) as screen:
            await screen.send('{"kind":"replay"}')
            state = ""
            while state != "ended":
                message = json.loads(await screen.recv())
                state = message.get("state", state)
            await screen.send('{"kind":"resync"}')
            while message["kind"] != "snapshot":
                message = json.loads(await screen.recv())
            assert message["session"]["status"] in ("finished", "provisional", "final")
            process.send_signal(signal.SIGTERM)
            await screen.wait_closed()
            assert screen.close_code == 1001
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["{race}", "--speed", "5000"], 2, "0.1 to 1000"),
        (["{race}", "--from", "noon"], 2, "begin, start, end"),
        (["{race}", "--session", "another"], 2, "choose one of them with --session"),
        (["{race}x"], 2, "does not exist"),
        ([__file__], 1, "session_opened"),
        (["{race}", "--host", "192.0.2.1"], 1, "cannot listen on 192.0.2.1"),
    ],
)
async def test_what_cannot_be_served_is_said_on_one_line(race: Path, arguments: list[str], status: int, said: str) -> None:
    given = [argument.format(race=race) for argument in arguments]
    process = await asyncio.create_subprocess_exec(*REPLAY, "serve", *given, stdout=-1, stderr=-1)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert (process.returncode, out, err.count(b"\n")) == (status, b"", 1)
    assert said in err.decode()


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", b""), ("::1", b""), ("0.0.0.0", b"nobody is asked who they are")])  # noqa: S104
async def test_an_address_that_others_reach_is_told(race: Path, host: str, told: bytes) -> None:
    arguments = [str(race), "--host", host, "--feed-port", "0", "--web-port", "0"]
    process = await asyncio.create_subprocess_exec(*REPLAY, "serve", *arguments, stdout=-1, stderr=-1)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            assert READY.fullmatch((await process.stdout.readline()).decode())
            process.terminate()
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, err.count(b"\n")) == (0, bool(told))
    assert told in err
