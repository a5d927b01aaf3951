"""``python -m timing.services.archive_job LOG SESSION WHAT``: print one document of a session, for the service that asks for it.

``WHAT`` is ``laps.csv``, ``laps.parquet`` or another table; or ``document.pdf``, followed by a version's number, ``last`` or ``current``,
and the parts. Exit status 2: it cannot be made of this session, 4: not on this machine.
"""

import gc
import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from timing.domain.errors import ConfigurationError, TimingError
from timing.log.sqlite_log import SqliteLog
from timing.projections.sheet_parts import Part
from timing.projections.timing import Timing
from timing.services.printing import check_installed, pdf
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_log
from timing.services.sheets import sheet_of
from timing.services.tables import Format, check_format, write_table


def give_way() -> None:
    """Leave the processor to the race, and be the first to go where memory runs out."""
    os.nice(10)
    with suppress(OSError):  # elsewhere than on Linux there is no such file
        Path("/proc/self/oom_score_adj").write_text("1000")


def main(arguments: list[str], out: BinaryIO) -> int:
    """Print it to ``out``, or say on stderr why not, and give the exit status."""
    gc.disable()  # a short-lived process that only builds up
    log, session, what, *rest = arguments
    try:
        with closing(SqliteLog(Path(log), readonly=True)) as opened:

            def fold(seq: int | None) -> Timing:
                return score_log(opened, session, Rulebooks(), as_of=seq)

            if what == "document.pdf":
                _document(fold, rest, out)
            else:
                _table(fold, what, out)
    except ConfigurationError as error:
        return _said(error, 4)
    except TimingError as error:
        return _said(error, 2)
    return 0


def _document(fold: Callable[[int | None], Timing], rest: list[str], out: BinaryIO) -> None:
    check_installed()
    number, *parts = rest
    asked = msgspec.convert(parts, list[Part])
    sheet, _ = sheet_of(fold, int(number) if number.isdigit() else None, current=number == "current", parts=asked)
    out.write(pdf(sheet))


def _table(fold: Callable[[int | None], Timing], what: str, out: BinaryIO) -> None:
    name, _, form = what.rpartition(".")
    chosen: Format = "parquet" if form == "parquet" else "csv"
    check_format(chosen)
    write_table(name, fold(None), out, chosen)


def _said(error: TimingError, status: int) -> int:
    sys.stderr.write(f"{' '.join(str(error).split())}\n")
    return status


if __name__ == "__main__":
    give_way()
    sys.exit(main(sys.argv[1:], sys.stdout.buffer))
