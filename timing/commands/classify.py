"""``timing classify``: the classification of a session file or of a log."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands import sources

if TYPE_CHECKING:
    from rich.table import Table

    from timing.projections.points import ChampionshipPoints
    from timing.projections.result import Result, ResultRow


@click.command()
@sources.argument
@sources.session_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--as-of", metavar="SEQ", type=click.IntRange(min=1), help="As it was known when record SEQ was the last.")
@sources.with_option
@sources.without_option
@sources.rulebook_option
@sources.folder_option
def command(
    *,
    source: Path,
    session: str | None,
    as_json: bool,
    as_of: int | None,
    with_: tuple[str, ...],
    without: tuple[str, ...],
    rulebook: str | None,
    folder: Path | None,
) -> None:
    """Print the classification of a session.

    SOURCE is a session file (one JSON event a line, beginning with session_opened) or a log. Lines of a file that are not events, and
    commands that the service would have refused, are left out and named on stderr.

    --as-of, --without, --rulebook and --with may be combined; what is added comes last, and is judged as the service would judge it: an
    event that would be refused is named, and nothing is printed. It may leave out id, at and by. Nothing is stored.
    """
    import gc

    from timing.services.scoring import suppose_all

    gc.disable()  # a short-lived process that only builds up: collecting would find nothing and costs a fifth of the time
    events = sources.events_of(with_)
    timing = sources.score(source, session, as_of=as_of, without=without, rulebook=rulebook, folder=folder)
    if events:
        suppose_all(timing, events)
    if as_json:
        from timing.projections.result import result_json

        sys.stdout.buffer.write(result_json(timing) + b"\n")
    else:
        from timing.projections.result import result

        print_table(result(timing))


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
    console = Console(width=width, highlight=False, emoji=False, markup=False)
    console.print(table)
    for championship in result.points:
        console.print()
        console.print(_points_table(championship))


def _points_table(found: "ChampionshipPoints") -> "Table":
    from rich.table import Table

    note = f" ({found.note})" if found.note else ""
    table = Table(title=f"Points · {found.championship}{note}", title_justify="left", box=None, header_style="bold", pad_edge=False)
    for heading in ("Pos", "Car", "Points"):
        table.add_column(heading, justify="right")
    table.add_column("Class")
    table.add_column("From")
    for row in found.rows:
        table.add_row(str(row.position), row.car, f"{row.points:g}", row.class_, row.why)
    return table


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
