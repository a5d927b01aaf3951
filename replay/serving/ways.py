"""The two ways of knowing a session: its records in the order in which they came in, or in that in which what they say happened."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter
from statistics import median
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from timing.domain.crossings import LAP_PREFIX, Key, key_of
from timing.domain.events import (
    AnyEvent,
    Correction,
    DecoderClockCorrected,
    EntryRegistered,
    EventRetimed,
    EventVoided,
    Lap,
    MessageRejected,
    Passing,
    PassingAdded,
    PassingReassigned,
    PassingVoided,
    SessionOpened,
    TransponderAssigned,
)
from timing.domain.units import MINUTE
from timing.log.record import Record
from timing.projections.timing import Timing

Pace: TypeAlias = Literal["recorded_at", "at"]

_LIVE_US = 2 * MINUTE  # a log whose records came in no later than this, most of them, was kept live
_LEAP_US = 10 * MINUTE
_FAR = 2**62
_DEEP = 100  # events that void one another, one after the other
_in_time = attrgetter("at", "id")
_WITHIN = 20  # so many facts that follow tell whether one has leapt


class Way(Struct, frozen=True):
    """Records in one order, numbered from 1 in it, and the instant of each on the replay's clock, which never goes back."""

    records: Sequence[Record]
    instants: Sequence[int]
    paced_by: Pace

    def __len__(self) -> int:
        return len(self.records)

    @property
    def begin(self) -> int:
        """The first instant."""
        return self.instants[0]

    @property
    def end(self) -> int:
        """The last instant."""
        return self.instants[-1]

    def place_at(self, instant: int) -> int:
        """Give how many records there are up to an instant, that instant included."""
        return bisect_right(self.instants, instant)


def as_it_came(records: Sequence[Record], pace: Pace | None = None) -> Way:
    """Give the records in the order in which they came in.

    They are paced by when they were recorded where they were recorded live (most within two minutes of the instant they tell), otherwise,
    in session files and logs that were imported, by the latest instant told until then. ``pace`` says which.
    """
    if pace is None:
        late = [abs(record.recorded_at - record.event.at) for record in records]
        pace = "recorded_at" if median(late) <= _LIVE_US else "at"
    instants = _recorded(records) if pace == "recorded_at" else _told(records)
    return Way([_numbered(place, record, record.event) for place, record in enumerate(records, start=1)], instants, pace)


def as_it_was(records: Sequence[Record], truth: Timing, then: Way) -> Way:
    """Give the records in the order in which what they tell happened, as all of them together tell it.

    A fact stands at its instant by the clock as it was corrected, an event that was retimed at its new instant; a correction just before
    what it corrects, an entry or a transponder that was told late just before the first thing that was heard of it. So the records up to an
    instant tell what is known now of that moment, and nothing of later ones.
    """
    instants_of = _Instants(records, truth)
    opened = next((r for r in records if isinstance(r.event, SessionOpened)), records[0])
    dated: list[tuple[int, int, int, Record, AnyEvent]] = []
    backdated: dict[int, list[Record]] = {}
    for record in records:
        event = record.event
        instant = instants_of(event)
        if isinstance(event, EventRetimed):
            dated.append((instant, 0, record.seq, record, event))  # its instant is what it is about
        elif _is_knowledge(event, instant):
            backdated.setdefault(instant, []).append(record)
        else:
            dated.append((instant, 1, record.seq, record, event))
    for instant, group in backdated.items():
        group.sort(key=lambda r: (r.event.at, r.seq))
        for before, record in enumerate(reversed(group), start=1):
            at = max(instant - before, 0)
            dated.append((at, 0, record.seq, record, msgspec.structs.replace(record.event, at=at)))
    dated.sort(key=lambda d: (d[3] is not opened, d[:3]))
    begin, end = opened.event.at, max(then.end, opened.event.at)
    instants: list[int] = []
    latest = begin
    for instant, *_ in dated:
        latest = min(max(latest, instant), end)
        instants.append(latest)
    return Way([_numbered(place, d[3], d[4]) for place, d in enumerate(dated, start=1)], instants, "at")


def _numbered(place: int, record: Record, event: AnyEvent) -> Record:
    return Record(record.session, place, record.recorded_at, event, b"", b"")  # what it was written as is of no use here, and large


def _recorded(records: Iterable[Record]) -> list[int]:
    instants: list[int] = []
    latest = 0
    for record in records:
        latest = max(latest, record.recorded_at)
        instants.append(latest)
    return instants


def _told(records: Sequence[Record]) -> list[int]:
    """Give the latest instant told until each record; a fact far ahead of those that follow it is a clock gone wrong, and tells nothing."""
    instants: list[int] = []
    latest = records[0].event.at
    for place, record in enumerate(records):
        at = record.event.at
        if at > latest and not (isinstance(record.event, Passing | Lap) and at > latest + _LEAP_US and _leapt(records, place)):
            latest = at
        instants.append(latest)
    return instants


def _leapt(records: Sequence[Record], place: int) -> bool:
    following = sorted(r.event.at for r in records[place : place + _WITHIN])
    return records[place].event.at > following[len(following) // 2] + _LEAP_US


def _is_knowledge(event: AnyEvent, instant: int) -> bool:
    """Say whether an event tells of others, or of who is who, so that it counts from them on and not from when it was said."""
    if isinstance(event, EntryRegistered | TransponderAssigned):
        return instant < event.at
    return isinstance(event, Correction) and not isinstance(event, PassingAdded)


class _Instants:
    """When what each event tells happened, as all events together tell it."""

    def __init__(self, records: Iterable[Record], truth: Timing) -> None:
        truth.state()
        self._evidence = evidence = truth.evidence
        self._holding = {command.id: command.at for command in evidence.commands}
        self._by_id: dict[str, AnyEvent] = {}
        self._heard: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        entries: dict[str, EntryRegistered] = {}
        clocks: list[DecoderClockCorrected] = []
        for record in records:
            event = record.event
            if isinstance(event, Passing):
                self._heard[event.transponder] = min(self(event), self._heard.get(event.transponder, _FAR))
                continue
            if isinstance(event, Lap):
                self._seen[event.car] = min(self(event), self._seen.get(event.car, _FAR))
                continue
            self._by_id.setdefault(event.id, event)
            if isinstance(event, EntryRegistered):
                entries[event.car] = min(entries.get(event.car, event), event, key=_in_time)
            elif isinstance(event, DecoderClockCorrected):
                clocks.append(event)
        self._first_entries = {entry.id for entry in entries.values()}
        self._clocks = self._clocks_from(sorted(clocks, key=_in_time))

    def __call__(self, event: AnyEvent) -> int:
        return self._of(event, 0)

    def _of(self, event: AnyEvent, depth: int) -> int:  # noqa: PLR0911  # one case an event, nothing nested
        match event:
            case Passing():
                return event.at + self._offset(event.decoder, event.boot, event.at)
            case Lap():
                return event.at + self._offset(event.source, event.boot, event.at)
            case EventVoided() | EventRetimed():
                target = self._by_id.get(event.event)
                return event.at if target is None or depth > _DEEP else self._of(target, depth + 1)
            case PassingVoided() | PassingReassigned():
                fact = self._fact((event.passing.decoder, event.passing.boot, event.passing.number))
                return event.at if fact is None else self._of(fact, depth)
            case DecoderClockCorrected():
                return self._clocks[event.id]
            case EntryRegistered() if event.id in self._first_entries:
                heard = [self._heard[t] for t in event.transponders if t in self._heard]
                return min(event.at, self._seen.get(event.car, event.at), *heard)
            case TransponderAssigned():
                return min(event.at, max(self._heard.get(event.transponder, event.at), event.from_ or 0))
            case MessageRejected():
                return event.at
        return self._holding.get(event.id, event.at)

    def _offset(self, decoder: str, boot: int, at: int) -> int:
        correction = self._evidence.placement.clock_correction(decoder, boot, at)
        return correction.offset_us if correction else 0

    def _fact(self, key: Key) -> Passing | Lap | None:
        return self._evidence.passings.get(key) or self._evidence.lap_facts.get((LAP_PREFIX + key[0], key[1], key[2]))

    def _clocks_from(self, given: Sequence[DecoderClockCorrected]) -> dict[str, int]:
        """Give from when on each correction of a clock counts: its first fact on, but never after one of that decoder given later."""
        if not given:
            return {}
        facts: list[Passing | Lap] = [*self._evidence.passings.values(), *self._evidence.lap_facts.values()]
        since: dict[str, int] = {}
        earliest: dict[str, int] = {}
        for correction in reversed(given):
            own = min((self(fact) for fact in facts if _concerns(correction, fact)), default=correction.at)
            since[correction.id] = earliest[correction.decoder] = min(own, earliest.get(correction.decoder, own))
        return since


def _concerns(correction: DecoderClockCorrected, fact: Passing | Lap) -> bool:
    return (
        key_of(fact)[0] in (correction.decoder, LAP_PREFIX + correction.decoder)
        and correction.boot in (None, fact.boot)
        and (correction.from_ is None or correction.from_ <= fact.at)
        and (correction.until is None or fact.at < correction.until)
    )
