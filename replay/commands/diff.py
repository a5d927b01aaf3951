"""``replay diff``: two ways of knowing or judging one session, side by side."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from replay.comparing.compare import ComparedCar, Comparison, compare
from timing.commands import sources
from timing.domain.errors import ConfigurationError, TimingError
from timing.projections.differences import Line, change_in_words, value_in_words
from timing.projections.timing import Timing
from timing.services.scoring import suppose_all

_T = TypeVar("_T")
_OWN = "-"  # the end, or the session's own rulebook

_COLUMNS = ("on_the_road", "position", "class_position", "laps", "total_us", "best_lap_us", "status")
_HEADINGS = ("Car", "Road", "Result", "In class", "Laps", "Total", "Best lap", "Status")
_WORDS = {"road_laps": "laps on the road"}


class _Seq(click.ParamType[int]):
    name = "seq"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the number of a record, or what stands for the end."""
        if value == _OWN or isinstance(value, int):
            return value
        if not (value.isascii() and value.isdecimal() and int(value) >= 1):
            self.fail(f"{value} is no record: give its number, or {_OWN} for the end", param, ctx)
        return int(value)


@click.command()
@click.argument("logs", metavar="LOG [LOG]", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--session", "sessions", metavar="S", multiple=True, help="The session; twice where it is another one in the second log.")
@click.option("--as-of", nargs=2, metavar="A B", type=_Seq(), help="As it was known at record A, and at record B; - is the end.")
@click.option("--rulebook", nargs=2, metavar="A B", help="As judged by one rulebook and by another; - is the session's own.")
@sources.without_option
@sources.with_option
@sources.folder_option
@click.option("--all", "whole", is_flag=True, help="Show every car, not only those that differ.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(  # noqa: PLR0917  # click gives them by name
    logs: tuple[Path, ...],
    sessions: tuple[str, ...],
    as_of: tuple[Any, Any] | None,
    rulebook: tuple[str, str] | None,
    without: tuple[str, ...],
    with_: tuple[str, ...],
    folder: Path | None,
    whole: bool,
    as_json: bool,
) -> None:
    """Show two ways of knowing or judging a session side by side: places, laps, times, statuses, and for each car why it differs.

    The two are a session at two points of knowledge (--as-of), by two rulebooks (--rulebook), as it is and without an event or with
    another (--without, --with, as in `timing classify`), or in two logs; all of it may be combined. What is left out or added is so on
    the right side alone. LOG may be a session file too.

    Exit status, as that of diff: 0 the same, 1 they differ, 2 trouble.
    """
    gc.disable()  # a short-lived process that only builds up
    if len(logs) > 2 or len(sessions) > 2:
        raise click.UsageError("two sides at most: give one log or two, and --session once or twice")
    if len(logs) == 1 and len(sessions) < 2 and not (as_of or rulebook or without or with_):
        raise click.UsageError("say what to compare: --as-of A B, --rulebook A B, --without ID, --with EVENTS, or a second log")
    with _trouble():
        events = sources.events_of(with_)

        def score(side: int) -> Timing:
            return sources.score(
                logs[side % len(logs)],
                sessions[side % len(sessions)] if sessions else None,
                as_of=_chosen(as_of, side),
                rulebook=_chosen(rulebook, side),
                without=without if side else (),
                folder=folder,
            )

        left, right = score(0), score(1)
        if events:
            suppose_all(right, events)
        found = compare(left, right, (_words(logs, as_of, rulebook, 0), _words(logs, as_of, rulebook, 1, without, with_)))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        _print(found, whole=whole)
    raise SystemExit(0 if found.same else 1)


@contextmanager
def _trouble() -> Iterator[None]:
    """Turn every failure into trouble: status 1 says here that the two differ."""
    try:
        yield
    except ConfigurationError:
        raise
    except TimingError as error:
        raise ConfigurationError(str(error)) from None


def _chosen(given: tuple[_T, _T] | None, side: int) -> _T | None:
    return None if given is None or given[side] == _OWN else given[side]


def _words(  # noqa: PLR0917  # what was typed
    logs: tuple[Path, ...],
    as_of: tuple[Any, Any] | None,
    rulebook: tuple[str, str] | None,
    side: int,
    without: tuple[str, ...] = (),
    with_: tuple[str, ...] = (),
) -> str:
    words = [str(logs[side % len(logs)])]
    if as_of:
        words.append("as of the end" if as_of[side] == _OWN else f"as of record {as_of[side]}")
    if rulebook:
        words.append("by its own rulebook" if rulebook[side] == _OWN else f"by {rulebook[side]}")
    words += [f"without {name}" for name in without]
    words += [f"with {text if len(text) <= 60 else text[:59] + '…'}" for text in with_]
    return ", ".join(words)


def _print(found: Comparison, *, whole: bool) -> None:
    for side, name in ((found.left, "left "), (found.right, "right")):
        click.echo(f"{name}  {side.words}: {side.name}, record {side.seq}, digest {side.digest[:12]}")
    if found.session:
        click.echo("session  " + ", ".join(change_in_words(name.replace("_", " "), name, change) for name, change in found.session.items()))
    for reason in found.reasons:
        click.echo(f"differs  {reason}")
    if found.same:
        click.echo("no difference in the session or any car")
    shown = [car for car in found.cars if car.changes or whole]
    if not shown:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    others = any(_other(car) for car in shown)
    for heading in (*_HEADINGS, *(("Also",) if others else ()), "Why"):
        table.add_column(heading, overflow="fold")
    for car in shown:
        table.add_row(*_cells(car, others=others))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False, emoji=False, markup=False).print(table)


def _cells(car: ComparedCar, *, others: bool) -> tuple[str, ...]:
    other = (_other(car),) if others else ()
    return (car.car, *(_cell(car.left, car.right, name) for name in _COLUMNS), *other, "; ".join(car.reasons))


def _other(car: ComparedCar) -> str:
    """Write what differs and has no column: laps on the road, the class, points."""
    laps = car.changes.get("laps")
    found = {n: c for n, c in car.changes.items() if n not in _COLUMNS and not (n == "road_laps" and c == laps)}
    return ", ".join(change_in_words(_WORDS.get(name, name), name, change) for name, change in found.items())


def _cell(left: Line | None, right: Line | None, name: str) -> str:
    one, other = (None if line is None else value_in_words(name, getattr(line, name)) for line in (left, right))
    if one == other:
        return "" if one in (None, "none") else str(one)
    return f"{one or 'not entered'} -> {other or 'not entered'}"
