"""Score a session without a service: from a session file, or from a log, up to a record, without some events, and with others."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.events import AnyEvent, Identity, SessionOpened, identity
from timing.log.event_log import EventLog
from timing.log.record import Record, same_content
from timing.log.session_file import Line, read_lines
from timing.projections.decider import Decider, Refusal
from timing.projections.supposing import suppose
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks


class Skipped(msgspec.Struct):
    """A line of a session file that did not become an event, and why."""

    line: int
    reason: str


def score_file(
    path: Path, rulebooks: Rulebooks, *, as_of: int | None = None, without: Collection[str] = (), rulebook: str | None = None
) -> tuple[Timing, list[Skipped]]:
    """Fold a session file as the service would have: commands are decided, repetitions ignored, malformed lines left out.

    A command without ``at`` is taken to have come in just after the latest instant that the file told until then.
    ``as_of``: only the first so many events that a log would hold, or up to that record of an exported log.
    ``without``: ids or identities of events to leave out. ``rulebook``: judge by another one.

    Raises:
        TimingError: the file cannot be read, or does not open a session.
        ConfigurationError: there is no event of a name in ``without``.

    """
    try:
        with path.open("rb") as lines:
            return _score_lines(read_lines(lines), path, rulebooks, as_of=as_of, without=without, rulebook=rulebook)
    except OSError as error:
        raise TimingError(f"{path} cannot be read: {error.strerror}; give a session file (one JSON event a line) or a log") from None


def _score_lines(
    lines: Iterable[Line], path: Path, rulebooks: Rulebooks, *, as_of: int | None, without: Collection[str], rulebook: str | None
) -> tuple[Timing, list[Skipped]]:
    skipped: list[Skipped] = []
    timing: Timing | None = None
    missed = set(without)
    for record in records_of(lines, path, rulebooks, skipped):
        if as_of is not None and record.seq > as_of:
            break
        if timing is None:
            timing = Timing(record.session)
        if not _left_out(record.event, without, missed):
            timing.apply(msgspec.structs.replace(record, event=_judged(record.event, rulebooks, rulebook)))
    if timing is None:
        raise TimingError(f"{path} has no records up to {as_of}; they are numbered from 1")
    _all_found(missed, timing.session, as_of)
    return timing, skipped


def records_of(lines: Iterable[Line], path: Path, rulebooks: Rulebooks, skipped: list[Skipped]) -> Iterator[Record]:
    """Give the records that a log would hold of a session file, each as it is asked for; the lines left out are added to ``skipped``.

    ``recorded_at`` and ``hash`` are those of an exported log, otherwise 0 and empty.

    Raises:
        TimingError: the file does not open a session.

    """
    decider: Decider | None = None
    known: dict[Identity, AnyEvent] = {}
    session, seq, latest = "", 0, 0
    for line in lines:
        event = line.event
        if event is None:
            skipped.append(Skipped(line.number, str(line.fault)))
            continue
        if decider is None:
            if not isinstance(event, SessionOpened):
                raise TimingError(f"{path}, line {line.number}: a session file begins with session_opened; this is {_type(event)}")
            session, decider = event.session, Decider(event.session, rulebooks.resolve)
        decided = event if line.exported else decider.decide(event, latest + 1)  # what a log had was decided then, by its own rulebook
        if isinstance(decided, Refusal):
            skipped.append(Skipped(line.number, f"{decided.code}: {decided.reason}"))
            continue
        before = known.setdefault(identity(decided), decided)
        if before is not decided:
            if not same_content(before, decided):
                skipped.append(Skipped(line.number, f"identity-conflict: {identity(decided)} was sent before with other content"))
            continue
        seq, recorded_at, hashed = line.exported or (seq + 1, 0, b"")
        latest = max(latest, decided.at)
        yield Record(session, seq, recorded_at, decided, line.raw, hashed)
        decider.evolve(decided)
    if not seq:
        first = f"; line {skipped[0].line}: {skipped[0].reason}" if skipped else ""
        raise TimingError(f"{path} holds no session: its first event must be session_opened{first}")


def score_log(
    log: EventLog,
    session: str,
    rulebooks: Rulebooks,
    *,
    as_of: int | None = None,
    without: Collection[str] = (),
    rulebook: str | None = None,
) -> Timing:
    """Fold a session of a log; see ``score_file``."""
    timing = Timing(session)
    missed = set(without)
    for record in log.read(session, to_seq=as_of):
        if _left_out(record.event, without, missed):
            continue
        event = _judged(record.event, rulebooks, rulebook)
        timing.apply(record if event is record.event else msgspec.structs.replace(record, event=event))
    _all_found(missed, session, as_of)
    return timing


def suppose_all(timing: Timing, events: Sequence[AnyEvent]) -> None:
    """Take events that are assumed into a session that was scored: judged as the service would judge them, had they been sent last.

    Raises:
        TimingError: one of them would be refused, and why; what would be without it was not asked.

    """
    if refused := suppose(timing, events):
        first = refused[0]
        raise TimingError(
            f"event {first.event} that is to be added would be refused: {first.code}: {first.reason}; mend it, or leave it out"
        )


def _left_out(event: AnyEvent, without: Collection[str], missed: set[str]) -> bool:
    if not without:
        return False
    names = {identity(event), getattr(event, "id", None)}.intersection(without)
    missed -= names
    return bool(names)


def _all_found(missed: set[str], session: str, as_of: int | None) -> None:
    """Refuse what would be taken for a result without an event, and is the result itself."""
    if missed:
        until = "" if as_of is None else f" up to record {as_of}"
        raise ConfigurationError(f"there is no event {min(missed)} in {session}{until} that could be left out; give its id as it was sent")


def _judged(event: AnyEvent, rulebooks: Rulebooks, rulebook: str | None) -> AnyEvent:
    if rulebook is None or not isinstance(event, SessionOpened):
        return event
    return msgspec.structs.replace(event, rules=rulebooks.resolve(rulebook))


def _type(event: AnyEvent) -> str:
    return str(event.__struct_config__.tag)
