"""``replay simulate``: a seeded race as a session file."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from replay.simulate import DEMO_SEED, FAULTS, FORMATS, MISHAPS, Faults, Format, Mishap, Plan, Simulation, plan_for, simulate
from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.units import HOUR, format_duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 1 << 18


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=DEMO_SEED, show_default=True, help="The race: the same seed is the same race.")
@click.option("--format", "kind", type=click.Choice(FORMATS), default="mitjet", show_default=True, help="What kind of race.")
@click.option("--cars", type=int, help="How many cars. [mitjet 34, sprint 24, endurance 60]")
@click.option("--minutes", type=click.IntRange(1, 10_000), help="A race by time. [mitjet 20, endurance 360]")
@click.option("--plus-laps", type=click.IntRange(0, 100), help="Laps after the time is over. [mitjet 1, endurance 0]")
@click.option("--laps", type=click.IntRange(1, 10_000), help="A race by laps; with --minutes, whichever is over first. [sprint 15]")
@click.option("--finish", type=click.Choice(["flag", "red"]), default="flag", show_default=True,
              help="Whether the race ends with the chequered flag, or is stopped by red and not resumed.")  # fmt: skip
@click.option("--virtual", type=click.IntRange(0, 9), default=0, help="How often the virtual safety car or a full course yellow is called.")
@click.option("--faults", default="mild", show_default=True,
              help="What goes wrong, joined by commas; the race is the same. How badly decoders behave: none, mild or harsh (double reads, "
                   "late passings; outages, repetitions, reboots). "
                   f"What has to be mended, and is: {', '.join(MISHAPS)}. Or all.")  # fmt: skip
@click.option("--start", metavar="INSTANT", help="The start signal: 2026-05-16T13:10:00Z, or microseconds since 1970. [that Saturday]")
@click.option("--session", metavar="NAME", help="The session's name in topics. [mitjet-albi-1]")
@click.option("--rulebook", metavar="NAME", help="The rulebook that the session names. [mitjet]")
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-",
              help="The session file. [standard output]")  # fmt: skip
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="The true result, as JSON, by the simulation's own count.")
def command(*, output: Path, truth: Path | None, **options: Any) -> None:
    """Generate a believable race as a session file.

    Without options it is the demo race: 34 Mitjet 2L at Albi over 20 minutes and a lap, with two safety cars, stops, a spin, a late red
    flag and a short sprint to the chequered flag.
    """
    plan = plan_of(**options)
    with _progress(plan) as progress:
        simulation = simulate(plan, progress)
    _write(simulation, output)
    if truth is not None:
        with _opened(truth) as file:
            file.write(msgspec.json.format(msgspec.json.encode(simulation.truth), indent=1) + b"\n")


def plan_of(
    *,
    seed: int, kind: Format, cars: int | None, minutes: int | None, plus_laps: int | None, laps: int | None, finish: str, virtual: int,
    faults: str, start: str | None, session: str | None, rulebook: str | None,
) -> Plan:  # fmt: skip
    """Give the plan that the options ask for; they alone make it, so a command line is a race."""
    red_end = {"stopped": True, "red": 0.72} if finish == "red" else {}
    badly, mishaps = _faults(faults)
    return plan_for(
        kind, seed=seed, cars=cars, minutes=minutes, plus_laps=plus_laps, laps=laps, faults=badly, mishaps=mishaps,
        virtual=tuple((turn + 0.5) / virtual for turn in range(virtual)), session=_session(session), rulebook=rulebook,
        start=None if start is None else _instant(start), **red_end,
    )  # fmt: skip


def _faults(text: str) -> tuple[Faults, tuple[Mishap, ...]]:
    """Read how badly the decoders behave and what has to be mended; the order in which they are named is no matter."""
    words = set(text.split(","))
    if "all" in words:
        words = words - {"all"} | set(MISHAPS) | ({"harsh"} if not words & set(FAULTS) else set())
    if strangers := words - set(FAULTS) - set(MISHAPS):
        raise ConfigurationError(f"--faults {min(strangers)} is none; choose among {', '.join((*FAULTS, *MISHAPS))}, all")
    badly = [word for word in FAULTS if word in words]
    if len(badly) > 1:
        raise ConfigurationError(f"decoders behave one way: choose one of {', '.join(badly)} in --faults")
    return badly[0] if badly else "mild", tuple(word for word in MISHAPS if word in words)


def _instant(text: str) -> int:
    if text.isascii() and text.isdigit():
        at = int(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ConfigurationError(f"--start {text} is no instant; write it as 2026-05-16T13:10:00Z") from None
        if moment.tzinfo is None:
            raise ConfigurationError(f"--start {text} does not say of which zone; add Z for UTC, or +02:00")
        past = moment - _EPOCH
        at = (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
    if not HOUR <= at <= 2**52:
        raise ConfigurationError(f"--start {text} is out of range; give an instant of this century, in microseconds if it is a number")
    return at


def _session(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise ConfigurationError(f"--session {name} cannot be a topic's part; use small letters, digits and hyphens, 64 at most")
    return name


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[int], None] | None]:
    """Show how far the race is, where it takes long enough and somebody looks."""
    if plan.expected_us < 2 * HOUR or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # only where somebody looks
    from rich.progress import BarColumn, Progress, TextColumn  # the same

    with Progress(
        TextColumn("simulating"), BarColumn(), TextColumn("{task.fields[clock]}"), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=plan.expected_us, clock="")
        yield lambda elapsed: bar.update(task, completed=elapsed, clock=format_duration(elapsed, 0))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise TimingError(f"{path} cannot be written: {os.strerror(error.errno or 0)}; choose another place") from None


def _write(simulation: Simulation, output: Path) -> None:
    if str(output) == "-":
        _stream(simulation, sys.stdout.buffer)
    else:
        with _opened(output) as file:
            _stream(simulation, file)


def _stream(simulation: Simulation, file: IO[bytes]) -> None:
    gathered = bytearray()
    for line in simulation.lines():
        gathered += line
        if len(gathered) >= _AT_ONCE:
            file.write(gathered)
            gathered.clear()
    file.write(gathered)
    file.flush()
