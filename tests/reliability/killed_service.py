"""`timing serve` that kills itself with -9 at a chosen moment, once for each line on standard input: `["POINT", NTH, "serve", …]`.

Each service is forked off a process that has everything imported, so that a thousand of them take minutes. On standard output comes
`pid N`, what the service prints, and `ended STATUS`. Only here is anything of the service replaced, and only by itself with a kill before,
within or after: the program has no such branch.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from timing.cli import main
from timing.log.sqlite_log import SqliteLog
from timing.services import feed
from timing.services.ingest import Ingest
from timing.services.mqtt import Link

LONGEST_COMMIT_S = 0.004


class Fuse:
    """Ends the process the ``nth`` time that it is reached."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def reached(self) -> bool:
        self._left -= 1
        return self._left == 0

    def burn(self) -> None:
        if self.reached():
            kill()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_soon() -> None:
    """Kill from another thread, at some moment of what this one goes on to do."""
    moment = random.uniform(0, LONGEST_COMMIT_S)  # of the system's own chance: each round another

    def wait_and_kill() -> None:
        until = time.perf_counter() + moment
        while time.perf_counter() < until:
            pass
        kill()

    threading.Thread(target=wait_and_kill, daemon=True).start()


class Connection:
    """The log's writing connection, with a fuse at its COMMIT."""

    def __init__(self, real: Any, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._real, self._before, self._after = real, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql != "COMMIT":
            return self._real.execute(sql, *values)
        self._before()
        answer = self._real.execute(sql, *values)
        self._after()
        return answer


def nothing() -> None:
    pass


def at_commit(before: Callable[[], None] = nothing, after: Callable[[], None] = nothing) -> None:
    opening = SqliteLog._open

    def open_(self: SqliteLog, *, readonly: bool) -> None:
        opening(self, readonly=readonly)
        if self._writing is not None:
            self._writing = Connection(self._writing, before, after)  # type: ignore[assignment]  # stands in its place

    SqliteLog._open = open_  # type: ignore[method-assign]


def around(kind: type, name: str, before: Callable[[], None] = nothing, after: Callable[[], None] = nothing) -> None:
    real = getattr(kind, name)

    def method(*arguments: Any) -> Any:
        before()
        answer = real(*arguments)
        after()
        return answer

    setattr(kind, name, method)


def within_frames(fuse: Fuse) -> None:
    real = feed.write

    def write(screen: Any, wire: bytes) -> Any:
        if fuse.reached():
            screen.transport.write(wire[: len(wire) // 2])
            kill()
        return real(screen, wire)

    feed.write = write


def lay(point: str, fuse: Fuse) -> None:
    """Lay the fuse."""

    def soon() -> None:
        if fuse.reached():
            kill_soon()

    match point:
        case "before-append":
            around(SqliteLog, "append", before=fuse.burn)
        case "before-commit":
            at_commit(before=fuse.burn)
        case "in-commit":
            at_commit(before=soon)
        case "after-commit":
            at_commit(after=fuse.burn)
        case "before-answer":
            around(Ingest, "_answer", before=fuse.burn)
        case "before-acknowledgement":
            around(Link, "acknowledge", before=fuse.burn)
        case "after-acknowledgement":
            around(Link, "acknowledge", after=fuse.burn)
        case "in-frame":
            within_frames(fuse)
        case "any":
            pass
        case _:
            raise SystemExit(f"there is no moment {point}")


def serve(point: str, nth: int, arguments: list[str]) -> None:
    lay(point, Fuse(nth))
    sys.argv[1:] = arguments
    main()


if __name__ == "__main__":
    import timing.commands.serve  # and all that follows from it, before the first fork
    import timing.services.app  # noqa: F401

    for line in sys.stdin:
        point, nth, *arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            serve(point, nth, arguments)
        print(f"pid {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)
