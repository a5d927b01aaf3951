"""`timing serve` and `replay serve` as processes of their own, for the tests that look at them in a browser."""

import asyncio
import re
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
READY = re.compile(r"parcferme replay ready: pages (\S+) feed (\S+)\n")


class Service:
    """`timing serve` as a process of its own; it comes back on the ports it had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mqtt = self.feed = self.pages = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        ports = [address.rstrip("/").rpartition(":")[2] or "0" for address in (self.mqtt, self.feed, self.pages)]
        arguments = ["--log", str(self.folder / "race.db"), "--mqtt-port", ports[0], "--feed-port", ports[1], "--web-port", ports[2]]
        with (self.folder / "service.log").open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                BIN / "timing", "serve", *arguments, stdout=asyncio.subprocess.PIPE, stderr=said
            )
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), 30)).decode()
        ready = re.search(r"pages (\S+) feed (\S+) mqtt (\S+)", line)
        assert ready, (self.folder / "service.log").read_text()
        self.pages, self.feed, self.mqtt = ready.groups()

    async def end(self, *, kill: bool = False) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            (self._process.kill if kill else self._process.terminate)()
        await asyncio.wait_for(self._process.wait(), 20)

    async def publish(self, lines: list[str]) -> None:
        """Send events as fast as they are acknowledged."""
        file = self.folder / "part.events.jsonl"
        file.write_text("\n".join(lines) + "\n")
        process = await asyncio.create_subprocess_exec(
            BIN / "timing", "publish", file, "--broker", self.mqtt, "--speed", "max", "--session", "demo-1",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()

    async def token(self, role: str) -> str:
        """Issue a token as an operator does."""
        process = await asyncio.create_subprocess_exec(
            BIN / "timing", "token", "new", "--role", role, "--name", "Anna Roy", "--log", self.folder / "race.db",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        token, said = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()
        return token.decode().strip()


class Replaying:
    """`replay serve` as a process of its own; it comes back on the ports it had."""

    def __init__(self, log: Path, *options: str) -> None:
        self.log, self.options = log, options
        self.pages = self.feed = ""

    async def start(self) -> None:
        ports = [address.rstrip("/").rpartition(":")[2] or "0" for address in (self.feed, self.pages)]
        command = [sys.executable, "-c", "from replay.cli import main; main()", "serve", str(self.log), *self.options]
        self.process = await asyncio.create_subprocess_exec(*command, "--feed-port", ports[0], "--web-port", ports[1], stdout=-1)
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            match = READY.fullmatch((await self.process.stdout.readline()).decode())
        assert match
        self.pages, self.feed = match.groups()

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
        await asyncio.wait_for(self.process.wait(), 20)
