"""The disk fills up while a race is on: the service ends in words, nothing acknowledged is lost, and with room it goes on where it was."""

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from replay.simulate import plan_for, simulate
from timing.domain.events import identity
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.services.ingest import BackOff
from timing.services.mqtt import Address
from timing.services.publisher import publish_lines
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file, score_log

SMALL = 2 * 1024 * 1024
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
from timing.cli import main
main()
"""
READY = re.compile(r"ready: pages \S+ feed \S+ mqtt (\S+)")


class SmallDisk:
    """A file system of two megabytes in a name space of its own, for as long as its keeper lives."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        script = f"mount -t tmpfs -o size={SMALL} tmpfs '{folder}' && echo mounted && exec cat"
        own = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
        self._keeper = subprocess.Popen(own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._keeper.stdout is not None
        self.there = self._keeper.stdout.readline() == b"mounted\n"
        self.within = ["nsenter", "--target", str(self._keeper.pid), "--user", "--mount", "--preserve-credentials", "--wd=/"]
        self.log = folder / "race.db"

    def command(self) -> list[str]:
        return [*self.within, sys.executable, "-c", "from timing.cli import main; main()"]

    def make_room(self) -> None:
        subprocess.run([*self.within, "mount", "-o", "remount,size=64m", str(self._folder)], check=True)

    def fetch(self, folder: Path) -> Path:
        folder.mkdir()
        for name in ("race.db", "race.db-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(Path(f"/proc/{self._keeper.pid}/root{self._folder}") / name, folder / name)
        return folder / "race.db"

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.communicate()


class SmallFiles:
    """A limit to the size of every file that the service and its broker write, where no file system can be mounted."""

    there = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.log = folder / "race.db"
        self._limit = 400_000

    def command(self) -> list[str]:
        return [sys.executable, "-c", LIMITED.format(bytes=self._limit)]

    def make_room(self) -> None:
        self._limit = 1 << 40

    def fetch(self, folder: Path) -> Path:  # noqa: ARG002  # where it lies it can be read
        return self.log

    def close(self) -> None:
        pass


@pytest.fixture(params=[SmallDisk, SmallFiles])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk | SmallFiles]:
    made = request.param(tmp_path / "small")
    try:
        if not made.there:
            pytest.skip("no file system can be mounted here; the limit to the size of files is tried instead")
        yield made
    finally:
        made.close()


@contextlib.asynccontextmanager
async def service(small: Any, said: Path, *arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run the service, and give the address of its broker."""
    settings = ["serve", "--log", str(small.log), "--feed-port", "0", "--web-port", "0", *arguments]
    with said.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(*small.command(), *settings, stdout=asyncio.subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            ready = READY.search((await process.stdout.readline()).decode())
        assert ready, "it does not start"
        yield process, ready[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.parametrize("whose", ["its own broker", "another's broker"])
async def test_a_full_disk_ends_it_and_room_lets_it_go_on(small: Any, embedded: Any, tmp_path: Path, whose: str) -> None:
    file, said = tmp_path / "race.events.jsonl", tmp_path / "said.log"
    file.write_bytes(b"".join(simulate(plan_for("mitjet", seed=5, cars=16, minutes=24, red=None, faults="harsh")).lines()))
    expected, _ = score_file(file, Rulebooks())
    lines = list(read_lines(file.read_bytes().splitlines()))
    broker = ("--broker", embedded.url) if whose == "another's broker" else ("--mqtt-port", "0")
    sending: asyncio.Task[Any] | None = None
    try:
        async with service(small, said, *broker) as (process, mqtt):
            publishing = publish_lines(
                lines, Address(mqtt), speed=400.0, max_gap=0.004, window=50, answers_within=20, back_off=BackOff(0.1, 0.5)
            )
            sending = asyncio.create_task(publishing)
            ending = asyncio.create_task(process.wait())
            await asyncio.wait({ending, sending}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            assert ending.done(), f"it goes on; {sending}; {said.read_text()[-2_000:]}"
            status = ending.result()
        last = said.read_text().splitlines()[-1]
        assert status == 1, last
        assert last.startswith("timing: "), last
        assert "cannot be written: " in last
        assert "nothing was acknowledged" in last  # it is the log that cannot be written, or first the embedded broker's store
        assert not sending.done()
        assert_whole(small.fetch(tmp_path / "full"), lines, expected.session)
        small.make_room()
        again = broker if whose == "another's broker" else ("--mqtt-port", mqtt.rpartition(":")[2])
        async with service(small, said, *again) as (process, _):
            async with asyncio.timeout(60):
                progress = await sending
            assert progress.rejected == progress.faults == 0, progress.told
            process.terminate()
            async with asyncio.timeout(30):
                assert await process.wait() == 0, said.read_text()[-2_000:]
    finally:
        if sending is not None:
            sending.cancel()
            await asyncio.wait({sending})
    log = SqliteLog(small.fetch(tmp_path / "end"), readonly=True)
    try:
        assert {identity(record.event) for record in log.read(expected.session)} == {identity(line.event) for line in lines if line.event}
        assert score_log(log, expected.session, Rulebooks()).digest() == expected.digest()
    finally:
        log.close()


def assert_whole(path: Path, lines: list[Any], session: str) -> None:
    """What is there is sound, and part of what was sent."""
    log = SqliteLog(path, readonly=True)
    try:
        log.check_structure()
        there = [identity(record.event) for record in log.read(session)]
        assert 0 < len(there) < len(lines)
        assert len(set(there)) == len(there)
        assert set(there) < {identity(line.event) for line in lines if line.event}
    finally:
        log.close()
