"""``timing anomalies``: what in a session's evidence cannot be as it was said, and the corrections that would mend it."""

import sys
from pathlib import Path

import click

from timing.commands import sources


@click.command()
@sources.argument
@sources.session_option
@click.option("--all", "everything", is_flag=True, help="List second reads of a crossing too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(*, source: Path, session: str | None, everything: bool, as_json: bool) -> None:
    """List the anomalies of a session.

    Below an anomaly stands the correction that would mend it, where there is one, as the event to publish; `timing preview` says what it
    would change. Nothing is corrected by this command.
    """
    import msgspec

    from timing.domain.units import time_of_day
    from timing.projections.anomalies import anomalies, anomalies_json

    timing = sources.score(source, session)
    if as_json:
        sys.stdout.buffer.write(anomalies_json(timing) + b"\n")
        return
    found = [a for a in anomalies(timing) if everything or a.notable]
    if not found:
        click.echo("No anomalies.")
    for anomaly in found:
        click.echo(f"{time_of_day(anomaly.at)} {anomaly.kind}: {anomaly.text}")
        if anomaly.evidence and everything:
            click.echo(f"    rests on {', '.join(anomaly.evidence)}")
        if anomaly.suggestion:
            click.echo(f"    {msgspec.json.encode(anomaly.suggestion).decode()}")
