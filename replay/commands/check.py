"""``replay check``: whether a result sheet is what was published, alone or against a log."""

import sys
from contextlib import nullcontext
from pathlib import Path

import click
import msgspec

from replay.verifying.held import held
from replay.verifying.sheet import LARGEST, CheckedSheet, check_sheet, sheets_of
from timing.domain.errors import ConfigurationError, TimingError
from timing.projections.statement import grouped
from timing.services.keys import public_of


@click.command()
@click.argument("sheet", metavar="SHEET.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", metavar="PUBLIC", multiple=True, help="The key that is to have signed: digits, or a PEM file. Repeatable.")
@click.option(
    "--log", metavar="LOG|EXPORT.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The log it came from, as well."
)
@click.option("--version", "number", metavar="N", type=click.IntRange(min=1), help="This one, where the file holds every version.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(*, sheet: Path, keys: tuple[str, ...], log: Path | None, number: int | None, as_json: bool) -> None:
    """Check a result sheet: what `timing results LOG --version N --json` printed, or the document with every version.

    Alone: that the signature is of its statement, that the result on the sheet is the one that was signed, and with --key who signed it.
    With --log also that the log, whole up to there, makes this result.

    Exit status: 0 it holds; 1 something differs, or cannot be read; 2 misuse; 3 it holds, but is not signed by a key that was given, or,
    without a log, not at all.
    """
    public = [public_of(key) for key in keys]
    try:
        with sheet.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise TimingError(f"{sheet} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise TimingError(f"{sheet} is larger than {LARGEST // 1024 // 1024} MiB; a sheet is not")
    chosen = _chosen(sheets_of(content), number)
    with nullcontext() if log is None else held(log, None) as opened:
        against = None if log is None else str(log)
        found = [check_sheet(one, keys=public, held=opened, against=against) for one in chosen]
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        for one in found:
            _print(one, known=bool(keys))
    worst = [one for one in found if one.status == 1] or [one for one in found if one.status]
    if worst:
        click.echo(f"replay: {sheet}: document {worst[0].document}: {worst[0].differences[0].reason}", err=True)
        raise SystemExit(worst[0].status)


def _chosen(sheets: list[dict[str, object]], number: int | None) -> list[dict[str, object]]:
    if number is None:
        if not sheets:
            raise TimingError("no result has been published in it")
        return sheets
    if found := [sheet for sheet in sheets if sheet["number"] == number]:
        return found
    raise ConfigurationError(f"it holds no version {number}; there are: {', '.join(str(sheet['number']) for sheet in sheets) or 'none'}")


def _print(found: CheckedSheet, *, known: bool) -> None:
    click.echo(f"{found.session}  {found.stage}, document {found.document}, record {found.seq}, digest {found.digest[:12]}")
    if found.hash:
        click.echo(f"  head of the chain  {found.hash}")
    if found.key_id:
        whose = "" if known else ", a key that nobody has vouched for here: give it with --key"
        click.echo(f"  signed by          {grouped(found.key_id)}{whose}")
    for note in found.notes:
        click.echo(f"  note               {note}")
    for one in found.differences:
        click.echo(f"  differs            {one.reason}")
        if one.expected is not None or one.found is not None:
            click.echo(f"    expected  {one.expected or 'nothing'}\n    found     {one.found or 'nothing'}")
    verdict = {0: "it holds", 3: "it holds, but for who signed it"}.get(found.status, "it does not hold")
    click.echo(f"  {verdict}{f' against {found.against}' if found.against else ''}")
