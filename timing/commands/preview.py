"""``timing preview``: what a correction, a decision or another event would change, before it is sent."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands import sources

if TYPE_CHECKING:
    from timing.domain.events import AnyEvent


@click.command()
@sources.argument
@sources.session_option
@click.option("--with", "with_", metavar="EVENTS.jsonl|'{…}'", multiple=True, help="Events to add: a file, or one in JSON. Repeatable.")
@click.option("--without", metavar="ID", multiple=True, help="As if this event had not been. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(*, source: Path, session: str | None, with_: tuple[str, ...], without: tuple[str, ...], as_json: bool) -> None:
    """Show what events would change: places on the road and in the result, laps, times, best laps.

    An event may leave out id, at and by. One that would be refused is named on stderr with the reason, and the exit status is 1. Nothing
    is changed.
    """
    import gc

    import msgspec

    from timing.projections.preview import preview

    if not (with_ or without):
        raise click.UsageError('say what to try: --with \'{"type":"decision",…}\' or --without ID')
    gc.disable()  # a short-lived process that only builds up
    events = [event for text in with_ for event in _events(text)]
    found = preview(sources.score(source, session), events, without=without)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        click.echo("\n".join(found.words) or "Nothing changes.")
    for refused in found.refused:
        click.echo(f"timing: event {refused.event} would be refused: {refused.code}: {refused.reason}", err=True)
    for name in found.unknown:
        click.echo(f"timing: there is no event {name} to leave out", err=True)
    if found.refused or found.unknown:
        raise SystemExit(1)


def _events(text: str) -> Iterator["AnyEvent"]:
    from timing.domain.errors import MalformedEvent
    from timing.projections.preview import event_of

    path = Path(text)
    if text.lstrip().startswith("{"):
        said = [text.encode()]
    elif path.is_file():
        said = [line for line in path.read_bytes().splitlines() if line.strip()]
    else:
        raise click.UsageError(f"{text} is neither a file nor a JSON object")
    for number, line in enumerate(said, start=1):
        try:
            yield event_of(line, number)
        except MalformedEvent as error:
            where = "--with" if text.lstrip().startswith("{") else f"{text}, line {number}"
            raise click.UsageError(f"{where}: {error.code}: {error.reason}") from None
