"""Session files into a log: read and judged whole first, so that a file is either taken or nothing of it is written."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from timing.domain.errors import LogDamaged, MalformedEvent, TimingError
from timing.domain.events import AnyEvent, Identity, MessageRejected, OwnEvent, SessionOpened, channel_of, identity
from timing.log.event_log import EventLog, to_restore
from timing.log.record import Draft, Record, same_content
from timing.log.session_file import Line
from timing.projections.decider import ResolveRulebook
from timing.services.door import Door, Judged, Message

CHUNK = 5_000  # records in one transaction; an import cut short is taken up by running it again
CHANNEL = "import"


class Fault(Struct, frozen=True):
    """A line that is not taken: its number from 1, a code for programs, a reason for people."""

    line: int
    code: str
    reason: str


class Plan(Struct):
    """What an import would write: ``records`` of an exported file, or ``drafts`` of a plain one, in order. Nothing is written yet."""

    session: str
    records: list[Record]
    drafts: list[Draft]
    faults: list[Fault]

    def write(self, log: EventLog, now: int, progress: Callable[[int], None] | None = None) -> int:
        """Write it, and say how many records were new. ``progress`` is called with how many were dealt with.

        Raises:
            LogError: a part may have been written; the same import again goes on from there.

        """
        new = 0
        for start in range(0, max(len(self.records), len(self.drafts)), CHUNK):
            end = start + CHUNK
            answers = log.restore(self.records[start:end]) if self.records else log.append(self.drafts[start:end], now)
            new += sum(answer.outcome == "new" for answer in answers)
            if progress:
                progress(start + len(answers))
        return new


def plan_import(log: EventLog, lines: Iterable[Line], resolve: ResolveRulebook, now: int, session: str | None = None) -> Plan:
    """Read a session file and judge every line of it.

    An exported file (each line with ``seq``, ``recorded_at`` and ``hash``) is taken as it is. A plain one goes through the door that MQTT
    messages go through; ``now`` (µs) is then the time of arrival. For each line that is not taken a draft of a ``message_rejected`` stands
    among the drafts in its place.

    Raises:
        LogDamaged: an exported line is not as it was exported.
        TimingError: the file as a whole is none, or not of this ``session``.

    """
    name: str | None = None
    judge: _Judge | None = None
    records: list[Record] = []
    for line in lines:
        if name is None:
            name = _session(line, session)
        if line.exported:
            records.append(_record(line, name))
        else:
            judge = judge or _Judge(log, name, resolve, now)
            judge.take(line)
        if records and judge:
            raise TimingError(
                f"line {line.number}: some lines are exported, with seq and hash, and some are not; import one kind at a time"
            )
    if name is None:
        raise TimingError("the file is empty; a session file begins with session_opened")
    to_restore(log, records)  # the whole chain, before any of it is written
    return Plan(name, records, judge.drafts if judge else [], judge.faults if judge else [])


def _session(first: Line, wanted: str | None) -> str:
    opened = first.event.session if isinstance(first.event, SessionOpened) else None
    if wanted is None and opened is None:
        why = first.fault or "this is not it"
        raise TimingError(f"line {first.number}: a session file begins with session_opened ({why}); or say --session")
    if wanted and opened and wanted != opened:
        raise TimingError(f"line {first.number}: this is the session {opened}, not {wanted}; leave --session out")
    return str(wanted or opened)


def _record(line: Line, session: str) -> Record:
    assert line.exported is not None
    seq, recorded_at, hashed = line.exported
    if line.event is None:
        raise LogDamaged(f"line {line.number}: record {seq} cannot be read: {line.fault}", session=session, seq=seq)
    return Record(session, seq, recorded_at, line.event, line.raw, hashed)


class _Judge:
    """Takes a plain file's lines through the door, each as if it came on the channel where it belongs."""

    def __init__(self, log: EventLog, session: str, resolve: ResolveRulebook, now: int) -> None:
        self.session, self._now = session, now
        self.drafts: list[Draft] = []
        self.faults: list[Fault] = []
        self._door = Door(resolve)
        self._known: dict[Identity, AnyEvent] = {}
        for record in log.read(session):
            self._known[identity(record.event)] = record.event
            self._door.restore(session, record.event)

    def take(self, line: Line) -> None:
        """Put a line among the drafts, or its rejection among drafts and faults."""
        if line.event is None:
            assert line.fault is not None
            self._refuse(line, self._door.reject(self.session, CHANNEL, Message(line.raw, self._now), line.fault))
            return
        channel = CHANNEL if isinstance(line.event, OwnEvent) else channel_of(line.event)
        judged = self._door.judge(f"timing/v1/{self.session}/{channel}", line.raw, self._now)
        assert judged is not None, "no event belongs on a channel of answers"
        if judged.outcome == "rejected":
            self._refuse(line, judged)
            return
        event = judged.draft.event
        known = self._known.setdefault(identity(event), event)
        if same_content(known, event):
            self.drafts.append(judged.draft)
        else:
            fault = MalformedEvent("identity-conflict", f"{identity(event)} is there already, with other content")
            self._refuse(line, self._door.reject(self.session, channel, Message(line.raw, self._now), fault))

    def _refuse(self, line: Line, judged: Judged) -> None:
        rejected = judged.draft.event
        assert isinstance(rejected, MessageRejected)
        self.faults.append(Fault(line.number, rejected.code, rejected.reason))
        self.drafts.append(judged.draft)
