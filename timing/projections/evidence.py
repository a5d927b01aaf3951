"""The evidence: facts in the order of their own time, and the commands that hold, whatever the order in which either arrived."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import TypeVar

import msgspec

from timing.domain.crossings import (
    ADDED_PREFIX,
    LAP_LOOP,
    PIT_LAP_LOOP,
    Crossing,
    Key,
    Placement,
    PlacingCommand,
    Touched,
    key_of,
    named_key,
    placement,
)
from timing.domain.events import (
    AnyCommand,
    AnyEvent,
    EntryRegistered,
    Event,
    EventRetimed,
    EventVoided,
    Lap,
    OwnEvent,
    Passing,
    PassingAdded,
    SessionOpened,
)
from timing.projections.signatures import Signatures

_E = TypeVar("_E", bound=Event)
_in_time = attrgetter("at", "id")


class Evidence:
    """Everything that is known of a session. ``add`` takes events in, ``settle`` puts them in their places.

    ``crossings``: of each car, sorted. ``commands``: those that hold, voided ones left out, retimed ones at their new instant, sorted by
    ``at``. ``unplaced``: passings of unknown transponders or loops; they find their place when the entry comes. ``version`` grows when a
    command comes in. ``arrived``: every fact settled, once, in order of arrival, which decides nothing.
    ``placement``: how the last ``settle`` placed. ``own``: what the service itself recorded, which is no evidence.
    """

    def __init__(self) -> None:
        self.opened: SessionOpened | None = None
        self.crossings: dict[str, list[Crossing]] = {}
        self.commands: list[AnyCommand] = []
        self.lap_facts: dict[Key, Lap] = {}
        self.unplaced: dict[Key, Passing | Lap] = {}
        self.own = Signatures()
        self.passings: dict[Key, Passing] = {}
        self.arrived: list[Passing | Lap] = []
        self._said: dict[str, AnyCommand] = {}
        self._added: dict[str, PassingAdded] = {}
        self.placement = Placement.empty()
        self._waiting: list[Passing | Lap] = []
        self._by_kind: dict[type[Event], list[AnyCommand]] = {}
        self._holding: set[str] = set()
        self._unsettled = False
        self.version = 0

    def add(self, event: AnyEvent) -> None:
        """Take in an event of the log. One that is known already changes nothing."""
        if isinstance(event, Passing):
            passings = self.passings
            known = len(passings)
            passings.setdefault((event.decoder, event.boot, event.number), event)
            if len(passings) != known:
                self._waiting.append(event)
        elif isinstance(event, Lap):
            key = key_of(event)
            if key not in self.lap_facts:
                self.lap_facts[key] = event
                self._waiting.append(event)
        elif isinstance(event, OwnEvent):
            self.own.take(event)
        elif event.id not in self._said:
            self._said[event.id] = event
            self._unsettled = True
            if isinstance(event, SessionOpened) and self.opened is None:
                self.opened = event

    def of(self, kind: type[_E]) -> list[_E]:
        """Give the commands of a kind that hold, in order of time."""
        return self._by_kind.get(kind, [])  # type: ignore[return-value]  # keyed by the type itself

    def recorded(self) -> Iterator[AnyEvent]:
        """Give every event settled, once: the commands as they were given, then the facts, each in order of arrival."""
        yield from self._said.values()
        yield from self.arrived

    def said(self) -> Iterable[tuple[AnyCommand, bool]]:
        """Give every command ever recorded, as it was given, and whether it still holds."""
        return ((event, event.id in self._holding) for event in self._said.values())

    def settle(self) -> dict[str, bool]:
        """Put everything in its place, and name the cars whose crossings changed: ``True`` where not only at their end.

        Afterwards ``crossings`` and ``commands`` are what the evidence says, and depend on nothing else.
        """
        changed: dict[str, bool] = {}
        self.arrived += self._waiting  # all of it new: whatever was placed anew was settled with its command
        if self._unsettled:
            self._unsettled = False
            self._settle_commands(changed)
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._place(waiting, changed)
        return changed

    def _settle_commands(self, changed: dict[str, bool]) -> None:
        self.version += 1
        self.commands = holding(self._said)
        self._by_kind = {}
        for command in self.commands:
            self._by_kind.setdefault(type(command), []).append(command)
        self._holding = {command.id for command in self.commands}
        loops = {} if self.opened is None else loop_indices(self.opened)
        now = placement(loops, (c for c in self.commands if isinstance(c, PlacingCommand)))
        touched = self.placement.touches(now)
        if touched:
            waiting = {id(fact) for fact in self._waiting}
            again = [fact for fact in self._concerned(touched) if id(fact) not in waiting]
            self._remove(again, changed)
            self.placement = now
            self._waiting += again
        self._settle_added(changed, everything=touched.everything)

    def _concerned(self, touched: Touched) -> Iterable[Passing | Lap]:
        if touched.everything:
            return [*self.passings.values(), *self.lap_facts.values()]
        laps = [lap for lap in self.lap_facts.values() if touched.concerns(lap)] if self.lap_facts else []
        if touched.only_keys:
            return [*(self.passings[key] for key in touched.keys if key in self.passings), *laps]
        return [*(p for p in self.passings.values() if touched.concerns(p)), *laps]

    def _settle_added(self, changed: dict[str, bool], *, everything: bool) -> None:
        added = {command.id: command for command in self.commands if isinstance(command, PassingAdded)}
        stale = [fact for i, fact in self._added.items() if everything or added.get(i) != fact]
        for fact in stale:
            del self._added[fact.id]
            self._take_out(fact.car, ADDED_PREFIX + fact.id, changed)
        for i, fact in added.items():
            if i not in self._added and (place := self.placement.place(fact)):
                self._added[i] = fact
                insort(self.crossings.setdefault(place[0], []), place[1])
                changed[place[0]] = True

    def _take_out(self, car: str, name: str, changed: dict[str, bool]) -> None:
        self.crossings[car] = [crossing for crossing in self.crossings.get(car, ()) if crossing[2] != name]
        changed[car] = True

    def _remove(self, facts: Iterable[Passing | Lap], changed: dict[str, bool]) -> None:
        for fact in facts:
            if self.unplaced.pop(key_of(fact), None) is None and (place := self.placement.place(fact)):
                car, crossing = place
                crossings = self.crossings[car]
                del crossings[bisect_left(crossings, crossing)]
                changed[car] = True

    def _place(self, facts: Iterable[Passing | Lap], changed: dict[str, bool]) -> None:
        place_lap, place_passing, crossings = self.placement.place_lap, self.placement.place_passing, self.crossings
        voided, unsorted = self.placement.voided, set[str]()
        for fact in facts:
            placed = place_passing(fact) if isinstance(fact, Passing) else place_lap(fact)
            if placed is None:
                if named_key(fact) not in voided:
                    self.unplaced[key_of(fact)] = fact
                continue
            car, crossing = placed
            if car not in changed:
                changed[car] = False
            mine = crossings.get(car)
            if mine:
                if crossing < mine[-1]:
                    unsorted.add(car)
                mine.append(crossing)
            else:
                crossings[car] = [crossing]
        for car in unsorted:
            crossings[car].sort()
            changed[car] = True


def loop_indices(opened: SessionOpened) -> dict[str, int]:
    """Give each loop its index, and the lines on which systems that count laps themselves stand theirs."""
    loops = {loop.id: index for index, loop in enumerate(opened.circuit.loops)}
    finish = [(loop.pit, index) for index, loop in enumerate(opened.circuit.loops) if loop.line == "finish"]
    if finish:
        loops[LAP_LOOP] = min(finish)[1]
        loops[PIT_LAP_LOOP] = max(finish)[1]
    return loops


def holding(said: dict[str, AnyCommand]) -> list[AnyCommand]:
    """Give the commands that hold: neither voided by an event that holds itself, nor at an instant that was corrected.

    Of two retimings of one event (the decider takes only one) the later instant holds.
    """
    voiders: dict[str, list[str]] = {}
    for event in said.values():
        if isinstance(event, EventVoided):
            voiders.setdefault(event.event, []).append(event.id)

    def holds(event_id: str, asked: tuple[str, ...] = ()) -> bool:
        return not any(holds(v, (*asked, event_id)) for v in voiders.get(event_id, ()) if v not in asked)

    kept = [event for i, event in said.items() if not voiders or holds(i)]
    retimed: dict[str, int] = {}
    for event in kept:
        if isinstance(event, EventRetimed):
            retimed[event.event] = max(event.at, retimed.get(event.event, 0))
    if retimed:
        kept = [msgspec.structs.replace(e, at=retimed[e.id]) if e.id in retimed else e for e in kept]
    kept.sort(key=_in_time)
    return kept


def entries_of(evidence: Evidence) -> dict[str, EntryRegistered]:
    """Give each car's entry: the last one that holds."""
    return {entry.car: entry for entry in evidence.of(EntryRegistered)}
