"""``replay serve``: the feed and the screens from a log, driven by whoever looks."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from timing.commands import sources

if TYPE_CHECKING:
    from replay.serving.moments import Opening
    from replay.serving.service import Where
    from timing.services.replayed import Speed

PLACES = ("begin", "start", "end")
OPEN = "other machines can reach this replay, and nobody is asked who they are"
ALL = "--session shows one session alone, a proxy in front can ask (docs: replay)"
ONE = "a proxy in front can ask (docs: replay)"


class SpeedType(click.ParamType[Any]):
    """A number from 0.1 to 1000, or ``max``."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Speed":
        """Read it."""
        from timing.services.replayed import FASTEST, SLOWEST

        if value == "max":
            return "max"
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not SLOWEST <= speed <= FASTEST:
            self.fail(f"{value} is not a speed from {SLOWEST:g} to {FASTEST:g}, nor max", param, ctx)
        return speed


class PlaceType(click.ParamType[Any]):
    """A place by its name, or an instant in microseconds since 1970."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """Read it."""
        if value in PLACES:
            return str(value)
        if not (str(value).isascii() and str(value).isdecimal() and len(str(value)) <= 16):
            self.fail(f"{value} is none of {', '.join(PLACES)}, nor an instant in microseconds since 1970", param, ctx)
        return int(value)


class PagesType(click.ParamType[Any]):
    """The address of pages, or ``:PORT``."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it."""
        from timing.services.hosts import PAGES

        if not re.fullmatch(PAGES, value):
            self.fail(f"{value} is no address of pages; give one like https://live.club.example, or :8080", param, ctx)
        return str(value)


@click.command()
@click.argument("source", metavar="LOG|FILE.events.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@sources.session_option
@click.option(
    "--speed", metavar="N|max", type=SpeedType(), default="1", show_default=True, help="How much faster than life: 0.1 to 1000, or max."
)
@click.option(
    "--known",
    type=click.Choice(["then", "now"]),
    default="then",
    show_default=True,
    help="By what had come in then, or by all that is known now.",
)
@click.option(
    "--from",
    "place",
    metavar="begin|start|end|INSTANT",
    type=PlaceType(),
    default="start",
    show_default=True,
    help="Where a replay begins: start is five seconds before the start signal.",
)
@click.option(
    "--as-of",
    metavar="SEQ",
    type=click.IntRange(1),
    help="As if nothing had come in after this record: what is known now is what was known at it.",
)
@click.option("--paused", is_flag=True, help="Begin paused.")
@click.option("--spoilers", is_flag=True, help="Tell screens the end and the marks of the whole session, not only up to their moment.")
@click.option(
    "--pace",
    type=click.Choice(["recorded_at", "at"]),
    help="Pace what was known then by when it was recorded, or by the instants it tells. [default: as the log was kept]",
)
@click.option("--feed-port", metavar="N", type=click.IntRange(0, 65535), default=8765, show_default=True, help="The feed's port; 0: any.")
@click.option("--web-port", metavar="N", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The pages' port; 0: any.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines look on and drive.")
@click.option("--feed-url", metavar="URL", help="The feed as browsers reach it, behind a proxy.")
@click.option(
    "--live-url",
    metavar="URL|:PORT",
    type=PagesType(),
    help="Where the service shows these sessions live; :PORT is on the pages' own host. The screens then lead back there.",
)
def command(source: Path, **given: Any) -> None:
    """Show a log or a session file again: the same feed and screens, at any moment, at any speed.

    Every screen has a moment of its own, or shares one by its name (?moment=NAME in the feed's address). Screens play, pause, seek, step
    and change the way of knowing over the feed. Nothing that comes after its moment is told to a screen. One line with the addresses is
    printed when everything is ready. SIGTERM or Ctrl-C ends it.

    It knows no roles: whoever reaches it sees every session of the log, also those that a service shows to some alone. It listens on this
    machine only, unless --host says otherwise.
    """
    from replay.serving.moments import Opening
    from replay.serving.service import Where
    from timing.commands.serve import run_until_told
    from timing.services.logs import configure_logging

    configure_logging("warning")
    opening = Opening(
        known=given["known"], speed=given["speed"], playing=not given["paused"], place=given["place"], spoilers=given["spoilers"]
    )
    where = Where(given["host"], given["feed_port"], given["web_port"], given["feed_url"], given["live_url"])
    run_until_told(_serve(source, {name: given[name] for name in ("session", "pace", "as_of")}, opening, where))


async def _serve(source: Path, which: dict[str, Any], opening: "Opening", where: "Where") -> None:
    from replay.serving.service import ReplayService
    from replay.serving.shelf import Shelf
    from timing.commands.serve import told_to_end
    from timing.services.hosts import is_loopback

    stop = told_to_end()
    shelf = Shelf(source, **which)
    async with ReplayService(shelf, opening, where) as service:
        if not is_loopback(where.host):
            click.echo(f"replay serve: {OPEN}; {ONE if which['session'] else ALL}", err=True)
        click.echo(str(service))
        await stop.wait()
