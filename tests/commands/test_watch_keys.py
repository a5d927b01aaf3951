"""Keys of a real (pseudo) terminal are heard one by one, and the terminal is left as it was."""

import asyncio
import os
import pty
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator

import pytest

from timing.commands.watch_keys import keys, named


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        (b"q", ["q"]),
        (b"Q j", ["q", " ", "j"]),
        (b"\x1b[A\x1b[B\x1bOA\x1b[5~\x1b[6~", ["up", "down", "up", "page-up", "page-down"]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~", ["home", "end", "home", "end"]),
        (b"\x1b[1;5Cc\x1b", ["c"]),
        ("é\x00\x03m".encode(), ["m"]),
        (b"", []),
    ],
)
def test_keys_have_names(sent: bytes, heard: list[str]) -> None:
    assert list(named(sent)) == heard


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "rb", buffering=0, closefd=False) as end:
        monkeypatch.setattr(sys, "stdin", end)
        yield ours, theirs
    os.close(ours)
    os.close(theirs)


async def test_they_are_heard_at_once_and_the_terminal_is_as_before(
    terminal: tuple[int, int], eventually: Callable[..., Awaitable[None]]
) -> None:
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    heard: list[str] = []
    with keys(heard.append):
        assert termios.tcgetattr(theirs) != before
        os.write(ours, b"c\x1b[B")
        await eventually(lambda: heard == ["c", "down"], what="the keys")
    assert termios.tcgetattr(theirs) == before
    os.write(ours, b"x\n")
    await asyncio.sleep(0)
    assert heard == ["c", "down"]


async def test_without_a_terminal_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    with os.fdopen(os.open(os.devnull, os.O_RDONLY)) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with keys(pytest.fail):
            await asyncio.sleep(0)
