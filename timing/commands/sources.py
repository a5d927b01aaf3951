"""What commands read a session from: a session file or a log, scored as the service would have."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_SQLITE_HEADER = b"SQLite format 3\x00"

argument = click.argument("source", metavar="FILE.events.jsonl|LOG", type=click.Path(exists=True, dir_okay=False, path_type=Path))
session_option = click.option("--session", metavar="S", help="The session, where the log holds more than one.")


def score(source: Path, session: str | None) -> "Timing":
    """Fold a session. Lines of a file that the service would not have taken are named on stderr.

    Raises:
        TimingError: the file or log cannot be read.
        click.UsageError: the session is not there, or not named where there are several.

    """
    from timing.services.rulebooks import Rulebooks
    from timing.services.scoring import score_file, score_log

    with source.open("rb") as file:
        is_log = file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    if not is_log:
        timing, skipped = score_file(source, Rulebooks())
        for line in skipped:
            click.echo(f"timing: {source}, line {line.line} left out: {line.reason}", err=True)
        if session and session != timing.session:
            raise click.UsageError(f"{source} holds the session {timing.session}, not {session}")
        return timing
    from timing.log.sqlite_log import SqliteLog

    log = SqliteLog(source, readonly=True)
    try:
        known = [s for s in log.sessions() if s != "_"]
        if session is None and len(known) == 1:
            session = known[0]
        if session not in known:
            there = ", ".join(known) or "none yet"
            raise click.UsageError(f"{source} holds the sessions: {there}; choose one with --session")
        return score_log(log, session, Rulebooks())
    finally:
        log.close()
