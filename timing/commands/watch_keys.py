"""Keys from a terminal, one by one, while a screen is drawn on it; the terminal is left as it was."""

import asyncio
import contextlib
import os
import re
import sys
import termios
import tty
from collections.abc import Callable, Iterator

_NAMES = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down", b"\x1b[5~": "page-up", b"\x1b[6~": "page-down",
    b"\x1b[H": "home", b"\x1bOH": "home", b"\x1b[1~": "home", b"\x1b[F": "end", b"\x1bOF": "end", b"\x1b[4~": "end",
}  # fmt: skip
_KEY = re.compile(rb"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[^\x1b]|\x1b")


@contextlib.contextmanager
def keys(heard: Callable[[str], None]) -> Iterator[None]:
    """Have ``heard`` called with each key pressed: a letter, ``up``, ``down``, ``page-up``, ``page-down``, ``home`` or ``end``.

    Nothing is heard where the input is no terminal, nor, if it is one, while another process is in front. Call it within the running loop.
    """
    if not sys.stdin.isatty():
        yield
        return
    terminal, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        try:
            pressed = os.read(terminal, 256)
        except OSError:
            pressed = b""
        if not pressed:  # the terminal is gone
            loop.remove_reader(terminal)
        for key in named(pressed):
            heard(key)

    tty.setcbreak(terminal)
    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def named(pressed: bytes) -> Iterator[str]:
    """Give the names of the keys in what a terminal sent; those without a meaning here are left out."""
    for key in _KEY.findall(pressed):
        if key in _NAMES:
            yield _NAMES[key]
        elif len(key) == 1 and key.isascii() and key.decode().isprintable():
            yield key.decode().lower()
