"""``timing log salvage``: what can be proven of a damaged log, written into a new one, and what had to be left out, said."""

from contextlib import closing
from itertools import islice
from pathlib import Path

import click

from timing.commands.progress import progress
from timing.domain.errors import ConfigurationError, LogInUse, TimingError
from timing.log.salvage import Salvage, Session
from timing.log.sqlite_log import SqliteLog
from timing.log.writer_lock import being_written

CHUNK = 5_000  # records in one transaction


def salvage(path: Path, target: Path, rest: Path | None) -> bool:
    """Save the log ``path`` into ``target``, and say what was saved and what not.

    Returns:
        whether nothing is known to be left out.

    Raises:
        ConfigurationError: ``target`` or ``rest`` is there already.
        LogInUse: the log is being written.
        TimingError: it cannot be read, or nothing in it can be proven.

    """
    for there in filter(None, (target, rest)):
        if there.exists():
            raise ConfigurationError(f"{there} is there already; nothing is written over, give another name")
    if not path.is_file():
        raise TimingError(f"{path} is not a file" if path.exists() else f"there is no log {path}")
    if being_written(path):
        raise LogInUse(f"a process is writing the log {path}, so it is not given up yet; end that process first")
    with progress("look through", path.stat().st_size) as seen:
        saving = Salvage(path, seen)
    if not saving.sessions:
        raise TimingError(f"no record of a log can be found in {path}; look for a backup or an export")
    with closing(SqliteLog(target)) as new:
        for session in saving.sessions:
            _save(saving, session, new)
    for session in saving.sessions:
        click.echo(_told(session))
    if rest is not None:
        _write_rest(saving, rest)
    return not any(session.left_out for session in saving.sessions)


def _save(saving: Salvage, session: Session, new: SqliteLog) -> None:
    with progress(f"save {session.name}", session.last) as done:
        proven = saving.proven(session)
        while chunk := list(islice(proven, CHUNK)):
            new.restore(chunk)
            done(chunk[-1].seq)


def _told(session: Session) -> str:
    saved = f"{session.name}  {session.saved} record{'s' if session.saved != 1 else ''} saved"
    if not session.left_out:
        return f"{saved}, none known to be missing"
    after = session.saved + 1
    state = "is not what was written" if after in session.places else "is missing"
    return f"{saved}; record {after} {state}, and of {after} to {session.last} {session.left_out} were found and left out"


def _write_rest(saving: Salvage, folder: Path) -> None:
    """Write, for each session with something left out, the events that can be read as a session file."""
    try:
        folder.mkdir(parents=True)
        for session in saving.sessions:
            if not session.left_out:
                continue
            file = folder / f"{session.name}.events.jsonl"
            with file.open("wb") as lines:
                count = sum(1 for raw in saving.rest(session) if lines.write(raw + b"\n"))
            click.echo(
                f"{file}  {count} event{'s' if count != 1 else ''} that can be read and not be proven; look at them before an import"
            )
    except OSError as error:
        raise TimingError(f"{error.filename} cannot be written: {error.strerror}") from None
