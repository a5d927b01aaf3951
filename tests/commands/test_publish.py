"""``timing publish`` as people run it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from timing.domain.events import Passing
from timing.log.record import Record
from timing.log.sqlite_log import SqliteLog

NOW = 1_747_401_000_000_000
OPENING = {
    "type": "session_opened", "id": "open", "at": NOW, "session": "race-1", "name": "Race", "kind": "race",
    "rulebook": "mitjet", "distance": {"minutes": 20}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish"}]},
}  # fmt: skip


async def publish(*arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[str]:
    code = "from timing.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "publish", *arguments,
        stdin=asyncio.subprocess.PIPE if given is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(given), 200)
    return subprocess.CompletedProcess(arguments, process.returncode or 0, out.decode(), err.decode())


def passing(number: int) -> dict[str, Any]:
    at = NOW + 3_600_000_000 + number * 1_000
    return {"type": "passing", "at": at, "decoder": "line-1", "boot": 1, "number": number, "loop": "SF", "transponder": "T1"}


class Service:
    """``timing serve`` as a process of its own."""

    def __init__(self, log: Path) -> None:
        self._log = log

    async def start(self, broker: str) -> None:
        code = "from timing.cli import main; main()"
        options = ["--log", str(self._log), "--broker", broker, "--feed-port", "0", "--web-port", "0"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, "serve", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        assert line.startswith(b"parcferme ready")

    def kill(self) -> None:
        self._process.kill()

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    def records(self, session: str = "race-1") -> list[Record]:
        log = SqliteLog(self._log, readonly=True)
        try:
            return list(log.read(session))
        finally:
            log.close()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Callable[[str], Awaitable[Service]]]:
    """Start the service on a broker; each start goes on with the same log."""
    lives: list[Service] = []

    async def start(broker: str) -> Service:
        life = Service(tmp_path / "log.db")
        lives.append(life)
        await life.start(broker)
        return life

    yield start
    for life in lives:
        await life.end()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "race.events.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(event) for event in [OPENING, *(passing(n) for n in range(50))]) + b"\n")
    return path


async def test_it_sends_a_file_and_says_what_became_of_it(broker: Any, service: Any, file: Path) -> None:
    life = await service(broker.url)
    done = await publish(str(file), "--broker", broker.url, "--speed", "max")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "51 events acknowledged, 1 commands accepted\n"
    assert len(life.records()) == 51


async def test_the_hour_before_the_start_is_cut(embedded: Any, service: Any, file: Path) -> None:
    life = await service(embedded.url)
    done = await publish(str(file), "--broker", embedded.url, "--speed", "10", "--max-gap", "0.1")
    assert done.returncode == 0
    assert len(life.records()) == 51


async def test_it_reads_the_input_and_tells_bad_lines(embedded: Any, service: Any, file: Path) -> None:
    life = await service(embedded.url)
    given = await asyncio.to_thread(file.read_bytes) + b"nonsense\n" + msgspec.json.encode({**passing(1), "transponder": "T2"}) + b"\n"
    done = await publish("-", "--broker", embedded.url, "--speed", "max", "--session", "race-9", given=given)
    assert done.returncode == 1
    assert "line 52 is not sent: not a JSON object" in done.stderr
    assert done.stdout.startswith("52 events acknowledged, 1 commands accepted")
    assert len(life.records("race-9")) == 52


@pytest.mark.timeout(240)  # some ten seconds here, more on a busy machine
async def test_kill_9_of_the_service_loses_nothing_and_doubles_nothing(broker: Any, service: Any, tmp_path: Path, eventually: Any) -> None:
    """The publisher goes on; the service comes back with the same log, and what it had not acknowledged comes again."""
    events = [OPENING, *(passing(n) for n in range(4_000))]
    path = tmp_path / "long.events.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(event) for event in events))
    life = await service(broker.url)
    sending = asyncio.create_task(publish(str(path), "--broker", broker.url, "--speed", "2", "--max-gap", "0.1"))
    for count in (500, 1_500, 2_500):
        await eventually(lambda life=life, count=count: len(life.records()) > count, within=60)
        life.kill()
        await life.end()
        life = await service(broker.url)
    done = await sending
    assert (done.returncode, done.stderr) == (0, "")
    await eventually(lambda: len(life.records()) == len(events), within=60)
    numbers = [record.event.number for record in life.records() if isinstance(record.event, Passing)]
    assert sorted(numbers) == list(range(4_000))


async def test_no_service_is_said(embedded: Any, file: Path) -> None:
    done = await publish(str(file), "--broker", embedded.url, "--speed", "max", "--answers", "0.3")
    assert done.returncode == 1
    assert "1 commands without an answer: no service answers" in done.stderr


async def test_misuse_is_one_line_and_exit_status_2(file: Path, tmp_path: Path) -> None:
    for arguments, said in [
        ([str(file), "--speed", "fast"], "is not a speed"),
        ([str(file), "--speed", "0"], "is not a speed"),
        ([str(file), "--broker", "localhost:1883"], "mqtt://HOST:PORT"),
        ([str(tmp_path / "none")], "does not exist"),
        ([], "Missing argument"),
    ]:
        done = await publish(*arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
