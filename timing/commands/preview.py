"""``timing preview``: what a correction, a decision or another event would change, before it is sent."""

import sys
from pathlib import Path

import click

from timing.commands import sources


@click.command()
@sources.argument
@sources.session_option
@sources.with_option
@sources.without_option
@sources.rulebook_option
@sources.folder_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(
    *,
    source: Path,
    session: str | None,
    with_: tuple[str, ...],
    without: tuple[str, ...],
    rulebook: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show what events, or another rulebook, would change: places on the road and in the result, laps, times, best laps.

    An event may leave out id, at and by. One that would be refused is named on stderr with the reason, and the exit status is 1. Nothing
    is changed. `timing classify` takes the same options and prints the whole classification.
    """
    import gc

    import msgspec

    from timing.projections.preview import preview
    from timing.services.rulebooks import Rulebooks

    if not (with_ or without or rulebook):
        raise click.UsageError('say what to try: --with \'{"type":"decision",…}\', --without ID or --rulebook NAME')
    gc.disable()  # a short-lived process that only builds up
    events, rulebooks = sources.events_of(with_), Rulebooks(folder)
    rules = None if rulebook is None else rulebooks.resolve(rulebooks.choose(rulebook))
    found = preview(sources.score(source, session, folder=folder), events, without=without, rules=rules)
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
