"""The leaderboard in a terminal, from a real feed: what it prints is what the feed shows, and it comes back by itself."""

import asyncio
import contextlib
import fcntl
import io
import os
import pty
import re
import runpy
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from timing.commands.watch import FeedUnreachable, first_state, follow, gone_us, session_address, till_redrawn
from timing.commands.watch_screen import View, picture
from timing.commands.watch_table import gap_text
from timing.domain.errors import ConfigurationError
from timing.projections.board import Gap, PenaltyView
from timing.projections.frames import Framer
from timing.services.feed import Feed
from timing.services.hub import Hub
from timing.services.sessions import SessionInfo

make = runpy.run_path(str(Path(__file__).parent.parent / "vectors" / "make_frames.py"))
LIMIT_S = 10


class Stage:
    """A few sessions, one of which has a hub and is driven by the test."""

    ready = True

    def __init__(self, *others: SessionInfo, epoch: str = "one") -> None:
        self.framer = Framer(epoch)
        self.others = others
        self.laps = 0
        self.framer.advance(self.board(), 0)
        self.race = Hub(self.framer)

    def board(self) -> Any:
        leader = make["row"]("007", 1, laps=self.laps)
        second = make["row"]("1A", 2, laps=self.laps - 1, gap=Gap(1, 2_500_000), class_="Junior", status="pit", last_lap_us=None)
        last = make["row"]("35", 3, gap=Gap(0, 12_345_999), penalties=(PenaltyView("D1", "time", "issued", "5 s penalty"),))
        return make["board"]([leader, second, last], laps=self.laps)

    def lap(self) -> None:
        self.laps += 1
        frame = self.framer.advance(self.board(), self.laps)
        assert frame is not None
        self.race.publish(frame)

    def sessions(self) -> Sequence[SessionInfo]:
        return [*self.others, SessionInfo("race", "Course 1", "race", "running", 0, 1)]

    def hub(self, session: str) -> Hub | None:
        return self.race if session == "race" else None


@contextlib.asynccontextmanager
async def silent_after_a_frame(behind: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Stand between a feed and whoever watches: once the event is set, nothing more is passed on, and nothing is closed."""
    silenced = asyncio.Event()

    async def passed_on(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        while data := await read.read(65_536):
            if not silenced.is_set():
                write.write(data)

    async def met(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", behind)
        with contextlib.suppress(OSError):
            await asyncio.gather(passed_on(read, back), passed_on(there, write))
        for writer in (back, write):
            writer.close()

    async with await asyncio.start_server(met, "127.0.0.1", 0) as between:
        yield between.sockets[0].getsockname()[1], silenced


def feed(stage: Stage, port: int = 0) -> Feed:
    return Feed(stage, host="127.0.0.1", port=port)


async def run(*arguments: str) -> tuple[int, str, str]:
    """Run ``timing watch`` as a user does."""
    program = (sys.executable, "-c", "from timing.cli import main; main()", "watch", *arguments)
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    try:
        out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def drawn(view: View, width: int, *, plain: bool = True) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=not plain, color_system=None if plain else "truecolor")
    console.print(picture(view, gone_us(view), width, plain=plain))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_once_prints_the_board_and_ends() -> None:
    stage = Stage()
    async with feed(stage) as server:
        status, out, err = await run("--once", "--plain", f"ws://127.0.0.1:{server.port}")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0][:3] == ["[GREEN]", "Course", "1"]
    assert [line[1] for line in lines[2:5]] == ["007", "1A", "35"]
    assert "\x1b" not in out


async def test_nobody_there_is_said_on_one_line() -> None:
    async with feed(Stage()) as server:
        free = server.port
    status, out, err = await run("--once", f"ws://127.0.0.1:{free}")
    assert (status, out) == (1, "")
    assert err.startswith(f"timing: no feed answers at ws://127.0.0.1:{free}")
    assert err.count("\n") == 1
    status, _, err = await run("--once", "http://127.0.0.1")
    assert status == 2
    assert "is not the address of a feed" in err


async def test_plain_prints_the_board_again_when_it_changes() -> None:
    stage = Stage()
    async with feed(stage) as server:
        program = (sys.executable, "-c", "from timing.cli import main; main()", "watch", "--plain", f"ws://127.0.0.1:{server.port}")
        process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LIMIT_S):
                while b"lap 0" not in await process.stdout.readline():
                    pass
                stage.lap()
                while b"lap 1" not in await process.stdout.readline():
                    pass
        finally:
            process.terminate()
            await process.communicate()


async def test_the_session_is_the_running_one_or_else_the_latest() -> None:
    def over(name: str) -> SessionInfo:
        return SessionInfo(name, name, "race", "final", 9, 1)

    async with feed(Stage(over("first"), over("second"))) as server:
        base = f"ws://127.0.0.1:{server.port}"
        assert await asyncio.to_thread(session_address, base + "/") == f"{base}/v1/sessions/race"
        assert session_address(f"{base}/v1/sessions/first") == f"{base}/v1/sessions/first"
        with pytest.raises(FeedUnreachable, match="404"):
            await first_state(f"{base}/v1/sessions/first")
    with pytest.raises(ConfigurationError):
        session_address("localhost")


async def test_it_comes_back_by_itself_and_takes_up_where_it_was() -> None:
    stage, view = Stage(), View()

    async def until_lap(laps: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            async for _ in watching:
                if view.state and view.trouble is None and view.state["session"]["laps"] == laps:
                    return

    async with feed(stage) as server:
        port = server.port
        watching = follow(f"ws://127.0.0.1:{port}/v1/sessions/race", view)
        await until_lap(0)
        stage.lap()
        await until_lap(1)
    stage.lap()
    async with asyncio.timeout(LIMIT_S):
        await anext(watching)
    assert view.trouble is not None
    assert "connection lost" in drawn(view, 100)
    async with feed(stage, port):
        await until_lap(2)
        assert view.state == msgspec.json.decode(stage.framer.snapshot())
    again = Stage(epoch="two")
    again.laps = 6
    again.lap()
    async with feed(again, port):
        await until_lap(7)
        assert view.state == msgspec.json.decode(again.framer.snapshot())


@pytest.mark.parametrize(
    ("width", "there", "not_there"),
    [
        (40, ["Pos", "Gap", "Status"], ["Last", "Class"]),
        (60, ["Pos", "Gap", "Last"], ["Best", "Pit", "Team"]),
        (90, ["Best", "Laps"], ["Team"]),
        (170, ["Team", "Sectors"], []),
    ],
)
def test_the_width_decides_on_the_columns(width: int, there: list[str], not_there: list[str]) -> None:
    view = View(msgspec.json.decode(Stage().framer.snapshot()), time.monotonic())
    text = drawn(view, width)
    assert all(label in text for label in there)
    assert not any(label in text for label in not_there)
    assert max(map(len, text.splitlines())) <= width


def test_long_names_are_shortened_and_numbers_never() -> None:
    state = msgspec.json.decode(Stage().framer.snapshot())
    for row in state["rows"].values():
        row["driver"]["name"] = "Maximiliane von Hohenzollern-Sigmaringen"
    text = drawn(View(state, 0), 90)
    assert "1:28.123" in text
    assert "+12.345" in text
    assert "Maxim" in text
    assert len(text.splitlines()) == 5


def test_what_colour_says_the_text_says_too() -> None:
    view = View(msgspec.json.decode(Stage().framer.snapshot()), time.monotonic())
    plain, coloured = drawn(view, 170), drawn(view, 170, plain=False)
    words = ["GREEN", "Junior", "Senior", "PIT", "5 s penalty (issued)", "+1 lap", "+12.345", "1:28.123"]
    assert all(word in plain and word in re.sub(r"\x1b\[[0-9;]*m", "", coloured) for word in words)
    assert "\x1b[" in coloured


def test_the_clock_runs_on_while_the_session_runs() -> None:
    state = msgspec.json.decode(Stage().framer.snapshot())
    early = drawn(View(state, time.monotonic() - 30.5), 100)
    assert "5:00 (-15:00)" in early
    state["session"]["status"] = "finished"
    assert "4:30 (-15:30)" in drawn(View(state, time.monotonic() - 30.5), 100)


def test_names_cannot_steer_the_terminal() -> None:
    state = msgspec.json.decode(Stage().framer.snapshot())
    state["session"]["name"] = "Course\x1b[2J [bold]1"
    state["rows"]["007"]["driver"]["name"] = "Zoë\x07\x1b]0;hello"
    text = drawn(View(state, 0), 170)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]1" in text


def test_gaps_are_laps_where_there_are_any() -> None:
    assert [gap_text({"laps": laps, "time_us": 1_234_999}) for laps in (0, 1, 2)] == ["+1.234", "+1 lap", "+2 laps"]


class Terminal:
    """`timing watch` in a pseudo-terminal of a given size; what it drew since the last look."""

    def __init__(self, columns: int, lines: int, *arguments: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        program = (sys.executable, "-c", "from timing.cli import main; main()", "watch", *arguments)
        settings = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
        self.process = subprocess.Popen(
            program, stdin=theirs, stdout=theirs, stderr=theirs, env={**settings, "TERM": "xterm-256color", **environment}
        )
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        os.set_blocking(self._ours, False)
        self.drawn = ""

    def press(self, key: bytes) -> None:
        self.drawn = ""
        os.write(self._ours, key)

    def look(self) -> str:
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self._ours, 65_536):
                self.drawn += part.decode(errors="replace")
        return self.drawn

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


async def test_on_a_terminal_keys_scroll_choose_a_class_and_end_it(eventually: Any) -> None:
    stage = Stage()
    async with feed(stage) as server:
        terminal = Terminal(100, 20, f"ws://127.0.0.1:{server.port}")
        try:
            await eventually(lambda: "Course 1" in terminal.look() and "lap 0" in terminal.drawn and "q quit" in terminal.drawn)
            assert "\x1b[?1049h" in terminal.drawn, "on a screen of its own"
            assert re.search(r"\x1b\[[0-9;]*42m", terminal.drawn), "in colour"
            stage.lap()
            await eventually(lambda: "lap 1" in terminal.look(), what="the next lap")
            terminal.press(b"c")
            await eventually(lambda: "Junior  " in terminal.look() and "1A" in terminal.drawn, what="one class")
            terminal.press(b"q")
            await eventually(lambda: (terminal.look(), terminal.process.poll())[1] is not None, what="the end")
            assert terminal.process.returncode == 0
            assert "\x1b[?1049l" in terminal.drawn
            assert "\x1b[?25h" in terminal.drawn, "with the cursor back"
            assert termios.tcgetattr(terminal._theirs) == terminal.before
        finally:
            terminal.close()


async def test_a_terminal_without_colour_says_it_in_words_and_comes_back_by_itself(eventually: Any) -> None:
    stage = Stage()
    async with feed(stage) as server:
        port = server.port
        terminal = Terminal(46, 12, f"ws://127.0.0.1:{port}/v1/sessions/race", NO_COLOR="1")
        await eventually(lambda: "GREEN" in terminal.look() and "q quit" in terminal.drawn)
        assert not re.search(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7])m", terminal.drawn), "no colour"
    try:
        await eventually(lambda: "connection lost" in terminal.look(), what="the loss")
        async with feed(stage, port):
            stage.lap()
            await eventually(lambda: "lap 1" in terminal.look(), what="the next lap")
            terminal.process.send_signal(signal.SIGINT)
            await eventually(lambda: (terminal.look(), terminal.process.poll())[1] is not None, what="the end")
            assert terminal.process.returncode == 0
    finally:
        terminal.close()


async def test_an_interrupt_while_it_draws_is_not_forgotten_for_a_change_that_came_too() -> None:
    changed = asyncio.Event()

    async def drawing() -> None:
        changed.set()
        watching.cancel()
        await till_redrawn(changed)

    watching = asyncio.create_task(drawing())
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(asyncio.CancelledError):
            await watching


async def test_it_ends_at_once_where_the_feed_has_fallen_silent(eventually: Any) -> None:
    stage = Stage()
    async with feed(stage) as server, silent_after_a_frame(server.port) as (port, silenced):
        terminal = Terminal(100, 20, f"ws://127.0.0.1:{port}/v1/sessions/race")
        try:
            await eventually(lambda: "lap 0" in terminal.look() and "q quit" in terminal.drawn)
            silenced.set()
            terminal.process.send_signal(signal.SIGINT)
            await eventually(lambda: (terminal.look(), terminal.process.poll())[1] is not None, within=8.0, what="the end")
            assert terminal.process.returncode == 0
        finally:
            terminal.close()


async def test_a_class_that_is_not_there_is_said() -> None:
    async with feed(Stage()) as server:
        status, _, err = await run("--class", "Open", "--once", f"ws://127.0.0.1:{server.port}")
        assert status == 2
        assert "there is no class Open" in err
        status, out, err = await run("--class", "junior", "--once", "--messages", "2", f"ws://127.0.0.1:{server.port}")
    assert (status, err) == (0, "")
    assert "1A" in out
    assert "007" not in out
