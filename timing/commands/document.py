"""``timing document``: the sheet that a timing office hands out, as PDF."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands import sources
from timing.commands.progress import progresses

if TYPE_CHECKING:
    from timing.projections.sheet_parts import Part

PARTS = ("classification", "classes", "points", "grid", "fastest", "chart", "laps", "stops", "decisions", "messages")


@click.command()
@sources.argument
@sources.session_option
@click.option(
    "-o", "--output", metavar="FILE.pdf", required=True, type=click.Path(dir_okay=False, allow_dash=True), help="Where to; - for stdout."
)
@click.option("--version", "number", metavar="N", type=click.IntRange(min=1), help="A published version of the result.")
@click.option("--current", is_flag=True, help="As it stands now, though a version was published.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="This part alone; all if left out. May be repeated.")
def command(*, source: Path, session: str | None, output: str, number: int | None, current: bool, parts: "tuple[Part, ...]") -> None:
    """Print a session's result document as PDF.

    It has the classification, overall and by class, points, the grid, fastest laps, the lap chart, each car's laps, pit stops and stints,
    decisions and the messages of race control; on every page the stage, the document's number and when it was published; with the
    classification the digest, the rulebook's hash and the signature. SOURCE is a session file or a log.

    It is the version that was published last, as it was then; where there is none, the result as it stands. The same log makes the
    same bytes. Printing needs Typst: pip install 'parcferme[archive]'.
    """
    import gc

    from timing.services.printing import check_installed, pdf
    from timing.services.sheets import sheet_of
    from timing.services.whole import written

    if number is not None and current:
        raise click.UsageError("say --version or --current, not both")
    check_installed()
    gc.disable()  # a short-lived process that only builds up: collecting would find nothing and costs a fifth of the time
    with progresses() as report:
        report("fold", 0, 2)
        fold = lambda seq: sources.score(source, session, as_of=seq, tell=seq is None)  # noqa: E731  # what was left out, once
        sheet, version = sheet_of(fold, number, current=current, parts=parts)
        report("typeset", 1, 2)
        made = pdf(sheet)
        report("typeset", 2, 2)
    if output == "-":
        sys.stdout.buffer.write(made)
        return
    with written(Path(output)) as file:
        file.write(made)
    what = "as it stands" if version is None else f"version {version.number}, {version.stage}, document {version.document}"
    click.echo(f"{sheet.title}: {what}: {output}")
