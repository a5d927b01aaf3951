"""``replay verify``: whether a log is what was written, and its results what it makes."""

import gc
import re
import sys
from pathlib import Path

import click
import msgspec

from replay.verifying.held import held
from replay.verifying.verdict import CheckedResult, Verdict
from replay.verifying.verify import verify
from timing.commands.progress import progress
from timing.commands.sources import choose
from timing.projections.statement import grouped
from timing.services.keys import public_of

_NAMED = 20  # differences that are named one by one; --json has all


def _hash(_: click.Context, __: click.Parameter, said: tuple[str, ...]) -> tuple[str, ...]:
    heads = tuple(text.lower() for text in said)
    if wrong := next((text for text in heads if not re.fullmatch("[0-9a-f]{16,64}", text)), None):
        raise click.BadParameter(f"{wrong} is no hash: give its hexadecimal digits, 16 at least")
    return heads


@click.command()
@click.argument("source", metavar="LOG|EXPORT.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--session", metavar="S", help="This session alone.")
@click.option("--key", "keys", metavar="PUBLIC", multiple=True, help="The key that is to have signed: digits, or a PEM file. Repeatable.")
@click.option("--head", "heads", metavar="HASH", multiple=True, callback=_hash, help="A hash noted elsewhere, of a record. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(*, source: Path, session: str | None, keys: tuple[str, ...], heads: tuple[str, ...], as_json: bool) -> None:
    """Verify a log, or a session file that `timing log export` wrote.

    Every record: that none is altered, missing, out of its place or under another identity. Then the session is folded again, and every
    result that was published in it is held against what the records before it make: digest, rulebook, places; so is what was signed.
    What differs is named in the order of the records; the first is where a session parts from what was written.

    Without --key a signature is checked with the key that stands beside it: that shows that it was not altered, not whose key it is.

    Exit status: 0 all holds; 1 something differs, or cannot be read; 2 misuse; 3 all holds, but not every result is signed by a key that
    was given.
    """
    gc.disable()  # a short-lived process that only builds up
    public = [public_of(key) for key in keys]
    with held(source, session) as opened:
        chosen = None if session is None else [session if session == "_" else choose(opened.sessions(), session, source)]
        verdict = verify(opened, str(source), chosen, keys=public, heads=heads, progress=progress)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
    else:
        _print(verdict)
    if verdict.differences:
        more = f" (and {len(verdict.differences) - 1} more)" if len(verdict.differences) > 1 else ""
        click.echo(f"replay: {source}: {verdict.differences[0].reason}{more}", err=True)
    raise SystemExit(verdict.status)


def _print(verdict: Verdict) -> None:
    for session in verdict.sessions:
        records = "1 record holds" if session.records == 1 else f"{session.records} records hold"
        click.echo(f"{session.session}  {records}  head {session.hash}")
        for result in session.results:
            click.echo(f"  {_result(result)}")
    for one in verdict.differences[:_NAMED]:
        click.echo(f"differs: {one.reason}")
        if one.expected is not None or one.found is not None:
            click.echo(f"    expected  {one.expected or 'nothing'}\n    found     {one.found or 'nothing'}")
    if len(verdict.differences) > _NAMED:
        click.echo(f"and {len(verdict.differences) - _NAMED} more differences: --json has them all")
    click.echo("all holds" if verdict.holds else "everything holds but the signatures" if verdict.status == 3 else "it does not hold")


def _result(result: CheckedResult) -> str:
    signed = f", signed by {grouped(result.key_id)}" if result.key_id else ", not signed"
    voided = ", voided since" if result.voided else ""
    note = f" ({result.note})" if result.note else ""
    return (
        f"{result.number}. {result.stage}, document {result.document}, record {result.seq}, digest {result.digest[:12]}:"
        f" {'holds' if result.holds else 'DOES NOT HOLD'}{signed}{voided}{note}"
    )
