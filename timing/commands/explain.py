"""``timing explain``: what a car's place rests on, in words."""

import sys
from pathlib import Path

import click

from timing.commands import sources


@click.command()
@sources.argument
@click.argument("car")
@sources.session_option
@click.option("--last", metavar="N", type=click.IntRange(min=0), help="List only the last N crossings.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(*, source: Path, car: str, session: str | None, last: int | None, as_json: bool) -> None:
    """Explain the place of CAR: why it is behind the car ahead and ahead of the car behind, and what that rests on.

    Every crossing with the passing it comes from and what it was taken for, corrections with who made them and why, decisions with their
    life, how the race ended, and the lines of the rulebook that were asked.
    """
    import gc

    import msgspec

    from timing.projections.explain import explain

    gc.disable()  # a short-lived process that only builds up
    timing = sources.score(source, session)
    found = explain(timing, car, last=last)
    if found is None:
        there = ", ".join(sorted(timing.state().said.entries)) or "none"
        raise click.UsageError(f"no car {car} is entered in {timing.session}; the cars are: {there}")
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        click.echo("\n".join(found.words))
