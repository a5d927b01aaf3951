"""``timing publish``: a session file, sent over MQTT."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import click

from timing.log.session_file import read_lines
from timing.services.mqtt import Address
from timing.services.publisher import Progress, Speed, publish_lines


class SpeedType(click.ParamType[Speed, object]):
    """A number above 0, or ``max``."""

    name = "N|max"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Speed:
        """Read it."""
        if value == "max":
            return "max"
        number = None
        with contextlib.suppress(ValueError):
            number = float(str(value))
        if number is None or not 0 < number < 1e6:
            self.fail(f"{value!r} is not a speed; give a number above 0, or max", param, ctx)
        return number


@click.command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--broker", default="mqtt://127.0.0.1:1883", show_default=True, help="The broker: mqtt://[USER:PASSWORD@]HOST:PORT, or mqtts://."
)
@click.option(
    "--speed", type=SpeedType(), default="1", show_default=True, help="1: as it was; 10: ten times as fast; max: as fast as it is taken."
)
@click.option("--session", metavar="NAME", help="Send it as this session, not as the one that the file names.")
@click.option(
    "--max-gap",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="The longest pause between two events; longer ones, as before the start, are cut. Default: 5, but no limit at speed 1.",
)
@click.option(
    "--answers",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for answers; 0: not.",
)
def command(*, file: Path, broker: str, speed: Speed, session: str | None, max_gap: float | None, answers: float) -> int:
    """Send a session FILE over MQTT, as decoders and race control would ("-": from the input).

    The events go out in the order of the file, QoS 1, and the command ends when the broker has acknowledged every one and the service has
    answered every command. It comes back by itself when the broker goes away. The exit status is 1 if something was rejected, not
    answered, or no event.
    """
    from timing.services.logs import configure_logging

    configure_logging("warning")
    address = Address(broker)
    progress = Progress()
    if max_gap is None and speed != 1.0:
        max_gap = 5.0

    async def send(stream: IO[bytes], total: int | None) -> None:
        async with _shown(progress, total):
            await publish_lines(
                read_lines(stream), address, session=session, speed=speed, max_gap=max_gap, answers_within=answers, progress=progress
            )

    with click.open_file(str(file), "rb") as stream:
        asyncio.run(send(stream, _count(file)))
    _report(progress, answered=bool(answers))
    return 0 if progress.whole else 1


def _count(file: Path) -> int | None:
    if str(file) == "-":
        return None
    with file.open("rb") as stream:
        return sum(1 for line in stream if line.strip())


@contextlib.asynccontextmanager
async def _shown(progress: Progress, total: int | None) -> AsyncIterator[None]:
    """Show the progress on a terminal, five times a second; and what is told, as it is told."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    with Bar(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, state="")
        last, rate, said = 0, 0.0, 0

        async def show() -> None:
            nonlocal last, rate
            while True:
                rate = 0.8 * rate + 0.2 * (progress.acknowledged - last) * 5
                last = progress.acknowledged
                bar.update(task, completed=last, state=_state(progress, rate))
                tell()
                bar.refresh()
                await asyncio.sleep(0.2)

        def tell() -> None:
            nonlocal said
            for text in progress.told[said:]:
                click.echo(text, err=True)
            said = len(progress.told)

        showing = asyncio.create_task(show())
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            tell()


def _state(progress: Progress, rate: float) -> str:
    clock = _clock(progress.at) if progress.at else ""
    return f"acknowledged, {rate:,.0f}/s, on its way {progress.sent - progress.acknowledged}, race time {clock}"


def _clock(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%H:%M:%S UTC")


def _report(progress: Progress, *, answered: bool) -> None:
    parts = [f"{progress.acknowledged} events acknowledged"]
    if answered:
        parts.append(f"{progress.accepted} commands accepted")
    parts += [
        f"{count} {what}"
        for count, what in (
            (progress.rejected, "rejected"),
            (progress.faults, "lines that are no events"),
            (progress.passed_over, "rejected messages of the file passed over"),
        )
        if count
    ]
    click.echo(", ".join(parts))
    if progress.unanswered:
        none = not progress.accepted and not progress.rejected
        who = "no service answers on this broker; is `timing serve` running with it?" if none else "their answers did not come"
        click.echo(f"{progress.unanswered} commands without an answer: {who}", err=True)
