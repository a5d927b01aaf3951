"""``timing classify``: the classification of a session file or of a log."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timing.projections.result import Result, ResultRow
    from timing.projections.timing import Timing

SQLITE_HEADER = b"SQLite format 3\x00"


@click.command()
@click.argument("source", metavar="FILE.events.jsonl|LOG", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--session", metavar="S", help="The session, where the log holds more than one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--as-of", metavar="SEQ", type=click.IntRange(min=1), help="As it was known when record SEQ was the last.")
@click.option("--without", metavar="ID", multiple=True, help="As if this event (a decision, a correction …) had not been. May be repeated.")
@click.option("--rulebook", metavar="NAME|FILE.toml", help="As judged by another rulebook.")
@click.option(
    "--rulebooks",
    "folder",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of rulebooks of one's own, before those shipped.",
)
def command(
    *,
    source: Path,
    session: str | None,
    as_json: bool,
    as_of: int | None,
    without: tuple[str, ...],
    rulebook: str | None,
    folder: Path | None,
) -> None:
    """Print the classification of a session.

    SOURCE is a session file (one JSON event a line, beginning with session_opened) or a log. Lines of a file that are not events, and
    commands that the service would have refused, are left out and named on stderr.
    """
    import gc

    gc.disable()  # a short-lived process that only builds up: collecting would find nothing and costs a fifth of the time
    timing = score(source, session, as_of=as_of, without=without, rulebook=rulebook, folder=folder)
    if as_json:
        from timing.projections.result import result_json

        sys.stdout.buffer.write(result_json(timing) + b"\n")
    else:
        from timing.projections.result import result

        print_table(result(timing))


def score(
    source: Path,
    session: str | None,
    *,
    as_of: int | None = None,
    without: tuple[str, ...] = (),
    rulebook: str | None = None,
    folder: Path | None = None,
) -> "Timing":
    """Score a session of a session file or a log, as every command that shows one does. Lines left out are named on stderr."""
    from timing.services.rulebooks import Rulebooks
    from timing.services.scoring import score_file, score_log

    rulebooks = Rulebooks(folder)
    rulebook = None if rulebook is None else rulebooks.choose(rulebook)
    with source.open("rb") as file:
        is_log = file.read(len(SQLITE_HEADER)) == SQLITE_HEADER
    if not is_log:
        timing, skipped = score_file(source, rulebooks, as_of=as_of, without=without, rulebook=rulebook)
        for line in skipped:
            click.echo(f"timing: {source}, line {line.line} left out: {line.reason}", err=True)
        if session and session != timing.session:
            raise click.UsageError(f"{source} holds the session {timing.session}, not {session}")
        return timing
    from timing.log.sqlite_log import SqliteLog

    log = SqliteLog(source, readonly=True)
    try:
        return score_log(log, _choose(log.sessions(), session, source), rulebooks, as_of=as_of, without=without, rulebook=rulebook)
    finally:
        log.close()


def _choose(sessions: list[str], wanted: str | None, source: Path) -> str:
    known = [s for s in sessions if s != "_"]
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return str(wanted)
    if not known:
        raise click.UsageError(f"{source} holds no session yet")
    raise click.UsageError(
        f"choose one with --session: {', '.join(known)}" if wanted is None else f"no session {wanted}; there are: {', '.join(known)}"
    )


def print_table(result: "Result") -> None:
    """Print a classification for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{result.name} · {result.status}", box=None, header_style="bold", pad_edge=False)
    for heading, align in (("Pos", "right"), ("Car", "right"), ("Driver", "left"), ("Class", "left"), ("Cl", "right"), ("Laps", "right")):
        table.add_column(heading, justify="right" if align == "right" else "left")
    for heading in ("Total", "Gap", "Best lap"):
        table.add_column(heading, justify="right")
    table.add_column("Status")
    table.add_column("Penalties")
    for row in result.rows:
        table.add_row(*_cells(row))
    width = None if sys.stdout.isatty() else 160
    Console(width=width, highlight=False, emoji=False, markup=False).print(table)


def _cells(row: "ResultRow") -> tuple[str, ...]:
    from timing.domain.units import format_duration

    def duration(us: int | None) -> str:
        return "" if us is None else format_duration(us)

    gap = (
        f"{row.gap.laps} lap{'s' if row.gap.laps != 1 else ''}"
        if row.gap.laps
        else f"+{duration(row.gap.time_us)}"
        if row.gap.time_us
        else ""
    )
    return (
        str(row.position or ""),
        row.car,
        row.driver or row.team or "",
        row.class_,
        str(row.class_position or ""),
        str(row.laps),
        duration(row.total_us),
        gap,
        duration(row.best_lap_us),
        row.status.replace("_", " "),
        "; ".join(f"{p.text} ({p.stage})" if p.stage != "issued" else p.text for p in row.penalties),
    )
