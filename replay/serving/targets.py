"""Where a screen asks to go: a place among the records, and an instant on the replay's clock."""

from bisect import bisect_left
from functools import cached_property

from msgspec import Struct, structs

from replay.serving.recording import Recording
from replay.serving.ways import Way
from timing.domain.crossings import ADDED_PREFIX, LAP_PREFIX, Key
from timing.domain.errors import TimingError
from timing.domain.events import (
    AnyEvent,
    Decision,
    DecisionUpdated,
    FinishOrderRuled,
    Message,
    PitLane,
    RaceStopped,
    ResultPublished,
    SegmentEnded,
    SegmentStarted,
    SessionEnded,
    SessionStarted,
    TrackStatus,
    identity,
)
from timing.domain.units import SECOND
from timing.projections.marks import MarkKind, leaders
from timing.services.replayed import Known, Target

BEFORE_THE_START_US = 5 * SECOND


class NoSuchPlace(TimingError):
    """There is nothing where a screen asked to go. It is told; the replay stays where it is."""


class Place(Struct, frozen=True):
    """A moment: the first so many records of a way, at an instant of the replay's clock."""

    records: int
    at: int


class Targets:
    """Finds places in one way of knowing a recording. What it looks up is found once and kept."""

    def __init__(self, recording: Recording, known: Known) -> None:
        self._recording = recording
        self._known = known
        self._way: Way = recording.way(known)

    def find(self, target: Target, here: Place) -> Place:  # noqa: PLR0911  # one case a kind of target
        """Give the place that a screen at ``here`` asks for; instants beyond the session's ends are taken as the ends.

        Raises:
            NoSuchPlace: there is none, or not exactly one thing was asked.

        """
        asked = [(f.name, value) for f in structs.fields(target) if (value := getattr(target, f.name)) is not None]
        if len(asked) != 1:
            raise NoSuchPlace("say where to go with exactly one of at, by_us, elapsed_us, lap, seq, event, next, previous, place")
        name, value = asked[0]
        match name:
            case "at":
                return self.at(value)
            case "by_us":
                return self.at(here.at + value)
            case "elapsed_us":
                return self.at(self._started() + value)
            case "lap":
                return self._lap(value)
            case "seq":
                return self._after(min(value, len(self._way)))
            case "event":
                return self._event(value)
            case "place":
                return self.named(value)
        return self._mark(value, here, onwards=name == "next")

    def at(self, instant: int) -> Place:
        """Give the place at an instant."""
        instant = min(max(instant, self._way.begin), self._way.end)
        return Place(self._way.place_at(instant), instant)

    def named(self, name: str) -> Place:
        """Give the ``begin`` (the first instant), the ``start`` (just before the start signal, or the begin without one) or the ``end``."""
        if name == "begin":
            return self.at(self._way.begin)
        if name == "end":
            return Place(len(self._way), self._way.end)
        started = next((n for n, r in enumerate(self._way.records) if isinstance(r.event, SessionStarted | SegmentStarted)), None)
        return self.at(self._way.begin if started is None else self._way.instants[started] - BEFORE_THE_START_US)

    def _started(self) -> int:
        started = self._recording.truth.state().said.start
        if started is None:
            raise NoSuchPlace("the session was not started, so no time has elapsed in it; seek an instant")
        return started

    def _after(self, records: int) -> Place:
        return Place(records, self._way.instants[records - 1] if records else self._way.begin)

    def _event(self, name: str) -> Place:
        place = self._places.get(name) or self._places.get(f"id/{name}") or self._places.get(f"passing/{name}")
        place = place or self._places.get(f"lap/{name}")
        if place is None:
            raise NoSuchPlace(f"there is no event {name} in this session; give its id as it was sent, or decoder/boot/number")
        return self._after(place)

    def _lap(self, lap: int) -> Place:
        if lap == 0:
            return self.at(self._started())
        laps = self._laps
        if not self._recording.truth.race:
            raise NoSuchPlace("only a race has laps of a leader; seek an instant")
        if lap > len(laps):
            raise NoSuchPlace("the leader does not complete so many laps")  # how many would tell how the race goes on
        return self._after(laps[lap - 1])

    def _mark(self, kind: str, here: Place, *, onwards: bool) -> Place:
        places = self._marked.get(kind, [])
        index = bisect_left(places, here.records + 1) if onwards else bisect_left(places, here.records) - 1
        if not 0 <= index < len(places):
            what = "mark" if kind == "any" else f"mark of the kind {kind}"
            raise NoSuchPlace(f"there is no {what} {'after' if onwards else 'before'} this moment")
        return self._after(places[index])

    @cached_property
    def _places(self) -> dict[str, int]:
        return {identity(record.event): place for place, record in enumerate(self._way.records, start=1)}

    @cached_property
    def _laps(self) -> list[int]:
        """Give the places at which the laps of the leader were completed."""
        truth = self._recording.truth
        return [self._places[_named(truth.evidence.crossings[car], at)] for at, car in leaders(truth)]

    @cached_property
    def _marked(self) -> dict[str, list[int]]:
        """Give the places of the marks, by their kind."""
        marked: dict[str, set[int]] = {"any": set()}
        voided = self._voided()
        for place, record in enumerate(self._way.records, start=1):
            if (kind := _kind(record.event)) and getattr(record.event, "id", None) not in voided:
                marked.setdefault(kind, set()).add(place)
        if self._recording.truth.race:
            who = [car for _, car in leaders(self._recording.truth)]
            marked["leader"] = {place for n, place in enumerate(self._laps) if n == 0 or who[n] != who[n - 1]}
        for places in list(marked.values()):
            marked["any"] |= places
        return {kind: sorted(places) for kind, places in marked.items()}

    def _voided(self) -> set[str]:
        """Name what was taken back: as known then it was still a mark."""
        if self._known == "then":
            return set()
        return {command.id for command, holds in self._recording.truth.evidence.said() if not holds}


def _named(crossings: list[tuple[int, int, str, int, int]], at: int) -> str:
    """Name as the log does the event that the first crossing at an instant rests on."""
    key: Key = crossings[bisect_left(crossings, (at,))][2:]
    decoder, boot, number = key
    if decoder.startswith(ADDED_PREFIX):
        return f"id/{decoder.removeprefix(ADDED_PREFIX)}"
    if decoder.startswith(LAP_PREFIX):
        return f"lap/{decoder.removeprefix(LAP_PREFIX)}/{boot}/{number}"
    return f"passing/{decoder}/{boot}/{number}"


def _kind(event: AnyEvent) -> MarkKind | None:
    match event:
        case TrackStatus():
            return "red" if event.status == "red" else "flag"
        case PitLane():
            return "flag"
        case Decision() | DecisionUpdated() | FinishOrderRuled():
            return "decision"
        case Message():
            return "message"
        case SessionStarted() | SegmentStarted() | SegmentEnded() | SessionEnded() | RaceStopped() | ResultPublished():
            return "session"
    return None
