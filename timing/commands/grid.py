"""``timing grid``: a starting grid from a session's result, best laps or second-best laps, inverted, with places lost and holes."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timing.domain.grids import Lost, Places
    from timing.domain.parts import GridSource
    from timing.domain.rulebook import Grid
    from timing.projections.timing import Timing


class PenaltyType(click.ParamType["Lost"]):
    """``7=5`` or ``7=back``."""

    name = "penalty"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> "Lost":
        """Read a car and the places it loses."""
        from timing.domain.grids import Lost

        match = re.fullmatch(r"([0-9A-Za-z-]{1,8})=(\d{1,3}|back)", value)
        if not match:
            self.fail(f"{value}: say 7=5 (car 7, five places) or 7=back", param, ctx)
        return Lost(match[1], None if match[2] == "back" else int(match[2]))


@click.command()
@click.argument("sources", metavar="FILE.events.jsonl|LOG[:SESSION]...", nargs=-1, required=True)
@click.option(
    "--from",
    "way",
    metavar="WAY",
    help="best | second-best | race | inverted:N | sum | issued. Left out: the result of a race, the best laps of anything else.",
)
@click.option(
    "--result-version", "version", metavar="N|latest|now", help="The published result it is made from. Left out: the latest, or now."
)
@click.option("--penalty", "penalties", metavar="CAR=PLACES|back", multiple=True, type=PenaltyType(), help="Places lost. May be repeated.")
@click.option("--penalties", "elsewhere", metavar="FILE|LOG[:SESSION]", multiple=True, help="Grid places imposed in another session.")
@click.option("--withdrawn", metavar="CAR", multiple=True, help="This car does not start. May be repeated.")
@click.option("--rulebook", metavar="NAME|FILE.toml", help="Make it by another rulebook's [grid].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--event", is_flag=True, help="Print the grid_set event, to be sent on the channel session of the race.")
def command(
    *,
    sources: tuple[str, ...],
    way: str | None,
    version: str | None,
    penalties: tuple["Lost", ...],
    elsewhere: tuple[str, ...],
    withdrawn: tuple[str, ...],
    rulebook: str | None,
    as_json: bool,
    event: bool,
) -> None:
    """Print a starting grid.

    It is made from a session's published result and stays as it is whatever is decided about that session later: the event names
    the digest of what it was made from. Grid places that the source's stewards imposed are taken into it. With --from issued, the
    grid that was issued for the session is given again without the cars withdrawn since. --from sum takes several sessions.
    """
    import msgspec

    from timing.services.clock import system_clock
    from timing.services.rulebooks import Rulebooks

    timings = [_load(source, version) for source in sources]
    first = timings[0][0]
    rulebooks = Rulebooks()
    rules = first.rules if rulebook is None else rulebooks.rulebook(rulebooks.choose(rulebook))
    chosen = way or ("race" if first.race else "best")
    lost = [*_imposed([timing for timing, _ in timings]), *_imposed([_load(source, None)[0] for source in elsewhere]), *penalties]
    known = {car for timing, _ in timings for car in timing.state().said.entries}
    if strangers := {*withdrawn, *(one.car for one in penalties)} - known:
        raise click.UsageError(f"car {min(strangers)} is not entered in {first.session}")
    cars = _make([timing for timing, _ in timings], chosen, rules.grid, lost, withdrawn)
    origin = _origin(*timings[-1], chosen)
    if event:
        at = system_clock()
        said = {"type": "grid_set", "id": _id(origin, cars, at), "at": at, "cars": cars, "source": origin}
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    elif as_json:
        rows = [cars[place : place + 2] for place in range(0, len(cars), 2)]
        sys.stdout.buffer.write(msgspec.json.encode({"cars": cars, "rows": rows, "source": origin, "lost": lost}) + b"\n")
    else:
        _print_rows(first, cars, origin)


def _make(timings: Sequence["Timing"], way: str, rules: "Grid", lost: list["Lost"], withdrawn: Sequence[str]) -> "Places":
    from timing.domain.errors import GridUnmakeable
    from timing.domain.grids import make_grid, reissue
    from timing.projections.grid_source import WAYS, issued_grid, ordered

    if way == "issued":
        places = issued_grid(timings[0])
        if places is None:
            raise click.UsageError(f"no grid has been issued for {timings[0].session}; make one from a session (--from {WAYS})")
        return reissue(places, rules, withdrawn)
    try:
        starters, invert = ordered(timings, way)
    except GridUnmakeable as error:
        raise click.UsageError(str(error)) from None
    return make_grid(starters, rules, invert=invert, lost=lost, withdrawn=withdrawn)


def _load(source: str, version: str | None) -> tuple["Timing", int | None]:
    """Score a session as of a published result; give it with the number of that version, ``None`` where it is as it stands."""
    from timing.commands.sources import score
    from timing.projections.versions import versions

    path, session = _parted(source)
    timing = score(path, session)
    if version == "now":
        return timing, None
    published = versions(timing).versions
    if version is None and not published:
        return timing, None
    said = version if version not in (None, "latest") else str(len(published))
    if not said.isdigit() or not 1 <= int(said) <= len(published):
        raise click.UsageError(
            f"{timing.session} has {len(published)} published results, and no version {version}; --result-version now takes it as it stands"
        )
    number = int(said)
    return score(path, session, as_of=published[number - 1].seq - 1), number


def _parted(source: str) -> tuple[Path, str | None]:
    path = Path(source)
    if path.is_file():
        return path, None
    name, _, session = source.rpartition(":")
    if Path(name).is_file():
        return Path(name), session
    raise click.UsageError(f"there is no file {source}; give a session file, a log, or LOG:SESSION")


def _imposed(timings: Sequence["Timing"]) -> list["Lost"]:
    from timing.projections.grid_source import lost_in

    return [lost for timing in timings for lost in lost_in(timing)]


def _origin(timing: "Timing", version: int | None, way: str) -> "GridSource":
    from timing.domain.parts import GridSource

    return GridSource(session=timing.session, by=way, digest=timing.digest().hex(), seq=timing.seq, version=version)


def _id(origin: "GridSource", cars: "Places", at: int) -> str:
    """Name the event after what it says."""
    import hashlib

    import msgspec

    return f"grid-{hashlib.sha256(msgspec.json.encode((origin, cars, at))).hexdigest()[:16]}"


def _print_rows(timing: "Timing", cars: "Places", origin: "GridSource") -> None:
    from rich.console import Console
    from rich.table import Table

    board = timing.board()
    which = f"version {origin.version}" if origin.version else "as it stands"
    table = Table(title=f"Grid from {board.session.name} · {origin.by} · {which} · {origin.digest[:12]}", box=None, header_style="bold")
    for heading, justify in (("Row", "right"), ("", "left"), ("", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for place in range(0, len(cars), 2):
        cells = []
        for number, car in enumerate(cars[place : place + 2], start=place + 1):
            row = board.rows.get(car or "")
            name = "" if row is None else (row.driver.name if row.driver else row.team) or ""
            cells.append(f"{number:>3}  {car or '—':>4}  {name}")
        table.add_row(str(place // 2 + 1), *cells)
    Console(width=None if sys.stdout.isatty() else 120, highlight=False, emoji=False, markup=False).print(table)
