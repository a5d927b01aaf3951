"""``timing results``: the versions of a session's result, as they were published."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands import sources

if TYPE_CHECKING:
    from timing.projections.versions import Version, Versions


@click.command()
@sources.argument
@sources.session_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--version", "number", metavar="N", type=click.IntRange(min=1), help="This version alone, with its classification.")
def command(*, source: Path, session: str | None, as_json: bool, number: int | None) -> None:
    """Print the versions of a session's result: what was published when, and what each changed.

    SOURCE is a session file or a log. A version is the result of the records before the one that published it, and stays so whatever
    comes in later; where the classification has changed since the last, this says that an amended result is due. Exit status 1 where
    a version was not what its sender said it was (another digest or rulebook). What --version N --json prints is a sheet that others can
    check: see `replay check`.
    """
    import msgspec

    from timing.commands.classify import print_table
    from timing.projections.versions import versions

    timing = sources.score(source, session)
    found = versions(timing)
    chosen = _chosen(found, number)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found if chosen is None else chosen) + b"\n")
    elif chosen is not None:
        click.echo(_head(chosen))
        print_table(chosen.result)
    else:
        _print(found)
    if faults := [fault for version in ([chosen] if chosen else found.versions) for fault in version.faults]:
        click.echo(f"timing: {faults[0]}", err=True)
        raise SystemExit(1)


def _chosen(found: "Versions", number: int | None) -> "Version | None":
    if number is None:
        return None
    if number > len(found.versions):
        raise click.UsageError(f"{found.session} has {len(found.versions)} published results; there is no version {number}")
    return found.versions[number - 1]


def _print(found: "Versions") -> None:
    from timing.projections.differences import in_words
    from timing.projections.versions import step_in_words, version_in_words

    if not found.versions:
        click.echo(f"{found.name}: no result has been published ({found.status})")
    for version in found.versions:
        click.echo(_head(version))
        for line in [*version.faults, *version_in_words(version)]:
            click.echo(f"  {line}")
    if found.due:
        click.echo("Since then, an amended result is due:")
        for line in [*map(step_in_words, found.decisions_since), *in_words(found.since)]:
            click.echo(f"  {line}")


def _head(version: "Version") -> str:
    from timing.domain.units import time_of_day
    from timing.projections.statement import grouped

    order = " ".join(row.car for row in version.result.rows if row.position is not None)
    rulebook = f"  rulebook {version.rulebook[:12]}" if version.rulebook else ""
    signed = f"  signed by {grouped(version.signature.key_id)}" if version.signature else ""
    return (
        f"{version.number}. {version.stage}, document {version.document}, {time_of_day(version.at)} UTC, record {version.seq}"
        f"  digest {version.digest[:12]}{rulebook}{signed}\n  {order}"
    )
