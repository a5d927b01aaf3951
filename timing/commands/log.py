"""``timing log``: check, back up and salvage a log, write session files from it and into it, copy its sessions, and follow it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from timing.commands.progress import progress, progresses
from timing.domain.errors import LogError, TimingError

if TYPE_CHECKING:
    from timing.log.sqlite_log import SqliteLog
    from timing.services.importing import Plan

NAMED_FAULTS = 20  # faults of a file that are named one by one
LOG = click.argument("path", metavar="LOG", type=click.Path(path_type=Path))
SESSION = click.option("--session", metavar="S", help="The session, where there is more than one.")


@click.group()
def command() -> None:
    """Check a log, back it up, write session files from it and into it, copy sessions to another, follow it, and save a damaged one.

    Reading does not disturb a service that is writing the log.
    """


@command.command(short_help="Check that no record is missing, altered or out of its place.")
@LOG
@click.option("--session", metavar="S", help="Check this session alone.")
def verify(*, path: Path, session: str | None) -> None:
    """Check every record of LOG: that none is missing, altered or out of its place.

    Prints for each session how many records it has and the hash of the last, which stands for all of them: whoever noted it elsewhere can
    tell that this is the same log. Exit status 1, naming the record, at the first fault.
    """
    with _open(path) as log:
        log.check_structure()
        sessions = [_choose(log, session)] if session else log.sessions()
        for name in sessions:
            with progress(f"verify {name}", log.high_watermark(name)) as advance:
                count = log.check(name, progress=advance)
            head = next(log.read(name, count, count)).hash.hex() if count else "-"
            click.echo(f"{name}  {count} record{'s' if count != 1 else ''}  {head}")
        if not sessions:
            click.echo(f"{path} holds no session yet", err=True)


@command.command(short_help="Write a session of a log as a session file.")
@LOG
@SESSION
@click.option(
    "-o", "--output", metavar="FILE", default="-", type=click.Path(dir_okay=False, allow_dash=True), help="Where to; stdout if left out."
)
def export(*, path: Path, session: str | None, output: str) -> None:
    """Write a session of LOG as a session file: one event a line, each with its seq, recorded_at and hash.

    `timing log import` makes the same log of it again.
    """
    from timing.services.whole import written

    with _open(path) as log:
        name = _choose(log, session)
        if output == "-":
            _export(log, name, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with written(Path(output)) as file:
            _export(log, name, file)


def _export(log: "SqliteLog", session: str, file: BinaryIO) -> None:
    from timing.log.session_file import export_line

    last = log.high_watermark(session)
    with progress(f"export {session}", last) as advance:
        for record in log.read(session, to_seq=last):
            file.write(export_line(record) + b"\n")
            if record.seq % 1_000 == 0:
                advance(record.seq)


@command.command("import", short_help="Read session files into a log.")
@LOG
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--session", metavar="S", help="The session of a file that does not begin with session_opened.")
@click.option("--keep-bad", is_flag=True, help="Take a file with lines that cannot be taken; keep those lines as message_rejected.")
def import_(*, path: Path, files: tuple[Path, ...], session: str | None, keep_bad: bool) -> None:
    """Read session files into LOG, which is made if it is not there.

    An exported file keeps its seq, recorded_at and hash, and is verified. A plain one goes through the same door as messages over MQTT and
    is recorded now. A file with a line that is malformed or would be refused is not taken at all, unless --keep-bad; importing a file again
    adds nothing.
    """
    import gc

    from timing.log.sqlite_log import SqliteLog

    gc.disable()  # a short-lived process that only builds up: collecting would find nothing and costs a fifth of the time
    with closing(SqliteLog(path)) as log:
        for file in files:
            _import(log, file, session, keep_bad=keep_bad)


def _import(log: "SqliteLog", file: Path, session: str | None, *, keep_bad: bool) -> None:
    from timing.services.clock import system_clock

    now = system_clock()
    plan = _plan(log, file, session, now)
    for fault in plan.faults[:NAMED_FAULTS]:
        click.echo(f"timing: {file}, line {fault.line}: {fault.code}: {fault.reason}", err=True)
    if len(plan.faults) > NAMED_FAULTS:
        click.echo(f"timing: {file}: and {len(plan.faults) - NAMED_FAULTS} lines more", err=True)
    bad = len(plan.faults)
    if bad and not keep_bad:
        lines = "one line" if bad == 1 else f"{bad} lines"
        raise TimingError(f"{file} was not imported for {lines} that cannot be taken; mend them, or keep them as rejected with --keep-bad")
    total = len(plan.records) + len(plan.drafts)
    with progress(f"import {file.name}", total) as advance:
        new = plan.write(log, now, advance)
    click.echo(f"{plan.session}  {new} new, {total - new} there already{f', {bad} kept as rejected' if bad else ''}")


def _plan(log: "SqliteLog", file: Path, session: str | None, now: int) -> "Plan":
    from timing.log.session_file import read_lines
    from timing.services.importing import plan_import
    from timing.services.rulebooks import Rulebooks

    try:
        with file.open("rb") as opened, progress(f"read {file.name}", file.stat().st_size) as advance:
            return plan_import(log, read_lines(_reported(opened, advance)), Rulebooks().resolve, now, session)
    except OSError as error:
        raise TimingError(f"{file} cannot be read: {error.strerror}") from None
    except LogError as error:
        raise TimingError(f"{file} was not imported: {error}") from None


def _reported(lines: BinaryIO, advance: Callable[[int], None]) -> Iterator[bytes]:
    read = 0
    for number, line in enumerate(lines, start=1):
        yield line
        read += len(line)
        if number % 1_000 == 0:
            advance(read)


@command.command(short_help="Copy a log while it is written, and check the copy.")
@LOG
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
def backup(*, path: Path, target: Path) -> None:
    """Copy LOG, as it is at this moment, to FILE, and check every record of the copy.

    The service that writes LOG goes on meanwhile. FILE is a log of its own, and must not be there yet: it gets its name when the copy is
    whole and on the disk. Prints what `timing log verify` prints of it.
    """
    from timing.log.backup import backup as make

    with progresses() as report:
        heads = make(path, target, report)
    for head in heads:
        click.echo(f"{head.session}  {head.seq} record{'s' if head.seq != 1 else ''}  {head.hash}")
    if not heads:
        click.echo(f"{path} holds no session yet", err=True)


@command.command(short_help="Copy sessions to another log, with their chains.")
@LOG
@click.argument("target", metavar="TO", type=click.Path(path_type=Path))
@click.option("--session", "wanted", metavar="S", multiple=True, help="The session, where there is more than one. May be repeated.")
@click.option("--all", "everything", is_flag=True, help="Every session, and _, what came for none.")
def copy(*, path: Path, target: Path, wanted: tuple[str, ...], everything: bool) -> None:
    """Copy sessions of LOG to the log TO, which is made if it is not there.

    Records keep their seq, recorded_at and hash, so that the last hash is the same in both. LOG stays as it is: nothing is ever taken
    out of a log. Copying again adds what has come in since.
    """
    from timing.log.copying import copy_session
    from timing.log.sqlite_log import SqliteLog

    if wanted and everything:
        raise click.UsageError("say --session or --all, not both")
    if path.exists() and target.exists() and path.samefile(target):
        raise click.UsageError(f"{target} is the log itself; give another one")
    with _open(path) as log:
        sessions = log.sessions() if everything else [_choose(log, name) for name in wanted or (None,)]
        with closing(SqliteLog(target)) as other:
            for name in sessions:
                with progress(f"copy {name}", log.high_watermark(name)) as advance:
                    copied = copy_session(log, other, name, advance)
                click.echo(f"{name}  {copied.new} new, {copied.seq - copied.new} there already  {copied.hash}")


@command.command(short_help="Save what can be proven of a damaged log into a new one.")
@LOG
@click.option(
    "--to", "target", metavar="NEW", required=True, type=click.Path(path_type=Path), help="The log to make; it must not be there yet."
)
@click.option("--rest", metavar="FOLDER", type=click.Path(path_type=Path), help="Write what can be read but not be proven here, as files.")
def salvage(*, path: Path, target: Path, rest: Path | None) -> int:
    """Save what can be proven of a damaged LOG into the log NEW: of each session the records from the first to the last before the damage.

    LOG is looked through byte by byte, its write-ahead log too, whatever state they are in, and left as they are; the chain of hashes says
    which records are what was written. Each session is told with what was saved and what had to be left out. With --rest, the events after
    the damage that can still be read become session files, FOLDER/SESSION.events.jsonl, for people to look at and, as far as they hold
    them for true, to import into NEW: they are new records there, recorded now. Exit status 1 if something is known to be left out.
    """
    from timing.commands.log_salvage import salvage as save

    return 0 if save(path, target, rest) else 1


@command.command(short_help="Print the last records of a log, and those that come.")
@LOG
@click.option("--session", metavar="S", help="This session alone.")
@click.option("-n", "--lines", metavar="N", default=10, show_default=True, type=click.IntRange(min=0), help="How many of the last records.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is appended, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print lines of a session file instead.")
def tail(*, path: Path, session: str | None, lines: int, follow: bool, as_json: bool) -> None:
    """Print the last records of LOG, oldest first: session, seq, when it was recorded (UTC), type, and what it says."""
    from timing.commands.log_tail import json_line, readable_line, tailed

    show = json_line if as_json else readable_line
    with _open(path) as log:
        name = _choose(log, session) if session else None
        for records in tailed(log, name, lines, follow=follow):
            for record in records:
                click.echo(show(record))


@contextmanager
def _open(path: Path) -> Iterator["SqliteLog"]:
    from timing.log.sqlite_log import SqliteLog

    with closing(SqliteLog(path, readonly=True)) as log:
        yield log


def _choose(log: "SqliteLog", wanted: str | None) -> str:
    sessions = log.sessions()
    if wanted in sessions:
        return str(wanted)
    if wanted is not None:
        raise click.UsageError(f"there is no session {wanted} in {log.path.name}; there are: {', '.join(sessions) or 'none yet'}")
    opened = [name for name in sessions if name != "_"] or sessions
    if len(opened) == 1:
        return opened[0]
    raise click.UsageError(f"choose one with --session: {', '.join(sessions)}" if sessions else f"{log.path.name} holds no session yet")
