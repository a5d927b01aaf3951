"""What was acknowledged is there: after kill -9 at any moment, and after the disk was full."""

import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from timing.log.record import Draft
from timing.log.sqlite_log import SqliteLog

APPEND = """
import resource, signal, sys
from timing.domain.errors import LogError
from timing.domain.events import Passing
from timing.log.record import draft
from timing.log.sqlite_log import SqliteLog

path, size, most_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
log = SqliteLog(path)
if most_bytes:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
number = log.high_watermark("albi")
try:
    while True:
        events = [Passing(at=n + 1, decoder="d", boot=1, number=n, loop="SF", transponder="T") for n in range(number, number + size)]
        drafts = [draft("albi", event) for event in events]
        number = log.append(drafts, number)[-1].seq
        print(number, flush=True)
except LogError as error:
    print("LogError", flush=True)
try:
    log.append(drafts[:1], 1)
    print("appended all the same", flush=True)
except LogError:
    print(sum(1 for _ in log.read("albi")), flush=True)
"""


def child(path: Path, size: int, most_bytes: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", APPEND, str(path), str(size), str(most_bytes)], stdout=subprocess.PIPE, text=True)


def test_everything_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path, dice = tmp_path / "parcferme.db", random.Random(11)
    for size, lines in [(1, 0), (1, dice.randrange(1, 300)), (16, dice.randrange(1, 200)), (256, dice.randrange(1, 60)), (40, 1)]:
        with child(path, size) as writing:
            assert writing.stdout is not None
            acknowledged = 0
            for line in writing.stdout:
                acknowledged = int(line)
                if (lines := lines - 1) <= 0:
                    break
            writing.kill()
            acknowledged = max([acknowledged, *(int(line) for line in writing.stdout.read().split("\n")[:-1])])
        assert writing.returncode == -9
        with closing(SqliteLog(path)) as log:
            assert log.high_watermark("albi") >= acknowledged > 0
            assert (log.high_watermark("albi") - acknowledged) % size == 0, "an append is there whole or not at all"
            log.check_structure()
            assert log.check("albi") == log.high_watermark("albi")


def test_a_disk_that_fills_up_loses_nothing_acknowledged(tmp_path: Path, passing: Callable[..., Draft]) -> None:
    path = tmp_path / "parcferme.db"
    with child(path, 50, most_bytes=400_000) as writing:
        assert writing.stdout is not None
        *acknowledged, said, readable = writing.stdout.read().split()
    assert said == "LogError"
    assert int(readable) == int(acknowledged[-1])
    with closing(SqliteLog(path)) as log:
        assert log.high_watermark("albi") in {int(readable), int(readable) + 50}, "what failed may be there, but only whole"
        assert log.check("albi") == log.high_watermark("albi")
        assert log.append([passing(1)], 1)[0].outcome == "new"
