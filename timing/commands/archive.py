"""``timing archive``: sessions as tables for analysts, in CSV or Parquet."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands import sources
from timing.commands.progress import progresses

if TYPE_CHECKING:
    from timing.services.tables import Format


@click.command()
@sources.argument
@click.option("--session", "wanted", metavar="S", multiple=True, help="This session alone; all if left out. May be repeated.")
@click.option("--to", "folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Write DIR/SESSION/TABLE.csv.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="Of the files.")
@click.option("--table", "tables", metavar="T", multiple=True, help="This table alone; all if left out. May be repeated.")
@click.option("--list", "listing", is_flag=True, help="Name the tables, and do nothing else.")
def command(*, source: Path, wanted: tuple[str, ...], folder: Path | None, form: "Format", tables: tuple[str, ...], listing: bool) -> None:
    """Write sessions as tables: laps, positions, crossings, stints, stops, flags, decisions, results and more.

    SOURCE is a session file or a log. With --to, each table of each session becomes a file; one that is there is replaced. Without it, one
    --table of one session goes to stdout. What each column tells is written in docs/archive.md. Parquet needs PyArrow: pip install
    'parcferme[archive]'.
    """
    import gc

    from timing.projections.tables import TABLES
    from timing.services.tables import check_format, write_table, write_tables

    gc.disable()  # a short-lived process that only builds up: collecting would find nothing and costs a fifth of the time
    if listing:
        for table in TABLES.values():
            click.echo(f"{table.name:<16}{table.about}")
        return
    if strangers := [name for name in tables if name not in TABLES]:
        raise click.UsageError(f"there is no table {strangers[0]}; there are: {', '.join(TABLES)}")
    check_format(form)
    if folder is None:
        if len(tables) != 1 or len(wanted) > 1:
            raise click.UsageError("say where to with --to DIR; or name one --table of one session, for stdout")
        write_table(tables[0], sources.score(source, wanted[0] if wanted else None), sys.stdout.buffer, form)
        return
    for session in _sessions(source, wanted):
        timing = sources.score(source, session)
        with progresses() as report:
            written = write_tables(timing, folder / timing.session, tables or tuple(TABLES), form, report)
        rows = sum(count for _, count in written)
        click.echo(f"{timing.session}  {len(written)} table{'s' if len(written) != 1 else ''}, {rows} rows  {folder / timing.session}")


def _sessions(source: Path, wanted: tuple[str, ...]) -> tuple[str | None, ...]:
    if wanted or not sources.is_log(source):
        return wanted or (None,)
    from contextlib import closing

    from timing.log.sqlite_log import SqliteLog

    with closing(SqliteLog(source, readonly=True)) as log:
        found = tuple(name for name in log.sessions() if name != "_")
    if not found:
        raise click.UsageError(f"{source} holds no session yet")
    return found
