"""What commands read a session from: a session file or a log, scored as the service would have, or as if some things had been otherwise."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timing.domain.events import AnyEvent
    from timing.projections.timing import Timing

_SQLITE_HEADER = b"SQLite format 3\x00"

argument = click.argument("source", metavar="FILE.events.jsonl|LOG", type=click.Path(exists=True, dir_okay=False, path_type=Path))
session_option = click.option("--session", metavar="S", help="The session, where the log holds more than one.")
with_option = click.option(
    "--with", "with_", metavar="EVENTS.jsonl|'{…}'", multiple=True, help="Events to add: a file, or one in JSON. May be repeated."
)
without_option = click.option(
    "--without", metavar="ID", multiple=True, help="As if this event (a decision, a correction …) had not been. May be repeated."
)
rulebook_option = click.option("--rulebook", metavar="NAME|FILE.toml", help="As judged by another rulebook.")
folder_option = click.option(
    "--rulebooks",
    "folder",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of rulebooks of one's own, before those shipped.",
)


def is_log(source: Path) -> bool:
    """Say whether a file is a log, not a session file."""
    with source.open("rb") as file:
        return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER


def score(
    source: Path,
    session: str | None,
    *,
    as_of: int | None = None,
    without: Sequence[str] = (),
    rulebook: str | None = None,
    folder: Path | None = None,
    tell: bool = True,
) -> "Timing":
    """Fold a session of a session file or a log, as every command that shows one does. Lines left out are named on stderr (``tell``).

    Raises:
        TimingError: the file or log cannot be read, or the session cannot be judged so.
        click.UsageError: the session is not there, or not named where there are several.

    """
    from timing.services.rulebooks import Rulebooks
    from timing.services.scoring import score_file, score_log

    rulebooks = Rulebooks(folder)
    rulebook = None if rulebook is None else rulebooks.choose(rulebook)
    if not is_log(source):
        timing, skipped = score_file(source, rulebooks, as_of=as_of, without=without, rulebook=rulebook)
        for line in skipped if tell else ():
            click.echo(f"timing: {source}, line {line.line} left out: {line.reason}", err=True)
        if session and session != timing.session:
            raise click.UsageError(f"{source} holds the session {timing.session}, not {session}")
        return timing
    from timing.log.sqlite_log import SqliteLog

    log = SqliteLog(source, readonly=True)
    try:
        name = choose(log.sessions(), session, source)
        return score_log(log, name, rulebooks, as_of=as_of, without=without, rulebook=rulebook)
    finally:
        log.close()


def choose(sessions: Sequence[str], wanted: str | None, source: Path) -> str:
    """Give the session that is meant.

    Raises:
        click.UsageError: it is not there, or none is named and there are several.

    """
    known = [s for s in sessions if s != "_"]
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return str(wanted)
    if not known:
        raise click.UsageError(f"{source} holds no session yet")
    raise click.UsageError(
        f"choose one with --session: {', '.join(known)}" if wanted is None else f"no session {wanted}; there are: {', '.join(known)}"
    )


def events_of(with_: Sequence[str]) -> "list[AnyEvent]":
    """Read what ``--with`` was given: files of events, or single ones in JSON. They may leave out id, at and by.

    Raises:
        click.UsageError: it is neither, or no event.

    """
    numbered = ((where, line) for text in with_ for where, line in _lines(text))
    return [_event(where, line, number) for number, (where, line) in enumerate(numbered, start=1)]


def _lines(text: str) -> Iterator[tuple[str, bytes]]:
    if text.lstrip().startswith("{"):
        yield "--with", text.encode()
        return
    path = Path(text)
    if not path.is_file():
        raise click.UsageError(f"{text} is neither a file nor a JSON object")
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise click.UsageError(f"{text} cannot be read: {error.strerror}") from None
    yield from ((f"{text}, line {number}", line) for number, line in enumerate(lines, start=1) if line.strip())


def _event(where: str, line: bytes, number: int) -> "AnyEvent":
    from timing.domain.errors import MalformedEvent
    from timing.projections.supposing import event_of

    try:
        return event_of(line, number)
    except MalformedEvent as error:
        raise click.UsageError(f"{where}: {error.code}: {error.reason}") from None
