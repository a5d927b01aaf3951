"""``python -m timing.services.archive_job LOG SESSION WHAT``: print one document of a session, for the service that asks for it.

``WHAT`` is ``laps.csv``, ``laps.parquet`` or another table. Exit status 2: it cannot be made of this session, 4: not on this machine.
"""

import gc
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from timing.domain.errors import ConfigurationError, TimingError
from timing.log.sqlite_log import SqliteLog
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_log
from timing.services.tables import Format, check_format, write_table


def main(arguments: list[str], out: BinaryIO) -> int:
    """Print it to ``out``, or say on stderr why not, and give the exit status."""
    gc.disable()  # a short-lived process that only builds up
    log, session, what, *rest = arguments
    try:
        write = _writer(what, rest)
        with closing(SqliteLog(Path(log), readonly=True)) as opened:
            timing = score_log(opened, session, Rulebooks())
        write(timing, out)
    except ConfigurationError as error:
        return _said(error, 4)
    except TimingError as error:
        return _said(error, 2)
    return 0


def _writer(what: str, rest: list[str]) -> Callable[[Timing, BinaryIO], object]:
    name, _, form = what.rpartition(".")
    assert not rest
    chosen: Format = "parquet" if form == "parquet" else "csv"
    check_format(chosen)
    return lambda timing, out: write_table(name, timing, out, chosen)


def _said(error: TimingError, status: int) -> int:
    sys.stderr.write(f"{' '.join(str(error).split())}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout.buffer))
