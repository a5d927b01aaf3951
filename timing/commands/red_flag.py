"""``timing red-flag``: the result that each way of reading a red flag would give, before race control declares it."""

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands import sources

if TYPE_CHECKING:
    from timing.projections.readings import ReadingResult, RedFlagSheet
    from timing.projections.timing import Timing

_PLACES_SHOWN = 10


@click.command()
@sources.argument
@sources.session_option
@click.option("--at", "at", metavar="INSTANT", help="Suppose the signal then: 14:05:09.5, 2026-06-20T14:05:09Z, or µs since 1970 (UTC).")
@click.option("--signal", type=click.Choice(["now"]), help="Suppose the signal at the latest instant in evidence.")
@click.option("--all", "whole", is_flag=True, help="Show every place, not only the first ten.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(*, source: Path, session: str | None, at: str | None, signal: str | None, whole: bool, as_json: bool) -> None:
    """Show what a red flag comes to under each reading of the count-back.

    The rulebook's own reading comes first; the others are grouped by the result they give, with the places that differ. Without --at or
    --signal it is the last red flag that was shown. Nothing is declared or changed by it.
    """
    if at and signal:
        raise click.UsageError("give --at or --signal, not both")
    timing = sources.score(source, session)
    if not timing.race:
        raise click.UsageError("a count-back is of races; qualifying and practice under red are in the rulebook's chapter qualifying")
    signal_at = timing.state().at if signal else _instant(at, timing) if at else None
    from timing.projections.readings import red_flag_json, red_flag_sheet

    if as_json:
        sys.stdout.buffer.write(red_flag_json(timing, signal_at) + b"\n")
    else:
        _print(red_flag_sheet(timing, signal_at), None if whole else _PLACES_SHOWN)


def _instant(text: str, timing: "Timing") -> int:
    """Read an instant; a time of day is that of the session's day, or of the next where the session had not begun."""
    from timing.domain.units import HOUR, MINUTE, SECOND

    if re.fullmatch(r"\d{9,16}", text):
        return int(text)
    start = timing.state().said.start or timing.state().at
    if match := re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?", text):
        hours, minutes, seconds, fraction = match.groups(default="0")
        day = 24 * HOUR
        of_day = int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND + int(fraction.ljust(6, "0"))
        at = start - start % day + of_day
        return at if at >= start else at + day
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no instant; write 14:05:09.5, 2026-06-20T14:05:09Z or microseconds since 1970") from None
    if read.tzinfo is None:
        raise click.UsageError(f"{text} does not say of which time zone; end it with Z for UTC")
    whole, micro = int(read.timestamp() // 1), read.microsecond
    return whole * SECOND + micro


def _print(sheet: "RedFlagSheet", shown: int | None) -> None:
    from timing.domain.units import time_of_day

    click.echo(f"{sheet.session} · {sheet.rulebook} · signal at {time_of_day(sheet.signal_at)} UTC")
    if sheet.over:
        click.echo("The leader had taken the chequered flag by then: the race was over, and a red flag stops nothing.")
        return
    click.echo(f"C = {sheet.completed}: the laps the leader had completed at the signal")
    if not sheet.declared:
        click.echo(f"If it goes on, the restart order, read at {sheet.restart_basis}: {_row(sheet.restart_order, shown)}")
    grouped: dict[tuple[object, ...], list[ReadingResult]] = {}
    for reading in sheet.readings:
        grouped.setdefault((reading.void, *reading.result), []).append(reading)
    for group in grouped.values():
        first = group[0]
        click.echo("")
        for reading in group:
            click.echo(f"{'* ' if reading.own else '  '}{reading.policy}: {_taken(reading)}")
        placed = tuple(line.car for line in first.result if line.position is not None)
        click.echo(f"    {_row(placed, shown) if placed else 'no result: nobody has a place'}")
        if not first.own and first.result != sheet.readings[0].result:
            click.echo(f"    {_moves(first)}")
    click.echo("\n* the rulebook's own")


def _taken(reading: "ReadingResult") -> str:
    from timing.domain.units import time_of_day

    what = "the restart order" if reading.counted is None else f"end of lap {reading.counted}"
    share = f", {reading.points_percent} % of the points" if reading.points_percent not in {None, 100} else ""
    return f"{what}, {time_of_day(reading.at)}{share}"


def _moves(reading: "ReadingResult") -> str:
    """Say which cars stand elsewhere than in the rulebook's own result."""
    moved = [
        f"{difference.car} {_place(change.before)} -> {_place(change.after)}"
        for difference in reading.moved.cars
        if (change := difference.changes.get("position"))
    ]
    return f"places: {', '.join(moved)}" if moved else "the same places, on other laps or times"


def _place(position: object) -> str:
    return "none" if position is None else f"P{position}"


def _row(cars: tuple[str, ...], shown: int | None) -> str:
    more = f" … ({len(cars)})" if shown is not None and len(cars) > shown else ""
    return " ".join(cars[:shown]) + more
