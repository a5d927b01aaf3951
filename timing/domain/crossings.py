"""From passings to crossings: which car, when, at which loop, once corrections and assignments are taken in."""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from timing.domain.events import (
    DecoderClockCorrected,
    EntryRegistered,
    Lap,
    Passing,
    PassingAdded,
    PassingKey,
    PassingReassigned,
    PassingVoided,
    TransponderAssigned,
)

Key: TypeAlias = tuple[str, int, int]
"""Decoder (or source of laps, or the id of a crossing added by hand), boot and number: what a crossing rests on."""

Crossing: TypeAlias = tuple[int, int, str, int, int]
"""``at``, index of the loop in the circuit, and the key. Crossings sort by time, and the same way whatever the order of arrival."""

Placed: TypeAlias = tuple[str, Crossing]
"""A car and a crossing of it."""

LAP_LOOP, PIT_LAP_LOOP = "\0lap", "\0lap in pit lane"
"""The names in ``Placement.loops`` of the lines on which systems that count laps themselves are taken to stand."""

LAP_PREFIX, ADDED_PREFIX = "\0lap:", "\0added:"
"""What keeps the keys of laps and of crossings added by hand apart from those of decoders, whose names hold no zero byte."""


def key_of(fact: Passing | Lap | PassingAdded) -> Key:
    """Name what a crossing rests on."""
    if isinstance(fact, Passing):
        return (fact.decoder, fact.boot, fact.number)
    if isinstance(fact, Lap):
        return (LAP_PREFIX + fact.source, fact.boot, fact.number)
    return (ADDED_PREFIX + fact.id, 0, 0)


def named_key(fact: Passing | Lap) -> Key:
    """Give the key by which corrections name a fact: its decoder's, or its source's, as it was sent."""
    return (fact.decoder if isinstance(fact, Passing) else fact.source, fact.boot, fact.number)


class Assignment(Struct, frozen=True, order=True):
    """A transponder on a car over an interval of time; the later beginning holds where two overlap."""

    since: int
    given_at: int
    id: str
    until: int
    car: str


class Placement(Struct):
    """How passings become crossings. Two placements that are equal place everything alike.

    ``loops``: index of each loop id. ``owners``: the car of each transponder by entry. ``assigned``: its later assignments, in order.
    ``voided`` and ``reassigned`` by the passing's key, ``clocks`` by decoder, in the order in which the corrections were given.
    """

    loops: dict[str, int]
    owners: dict[str, str]
    assigned: dict[str, list[Assignment]]
    voided: set[Key]
    reassigned: dict[Key, str]
    clocks: dict[str, list[DecoderClockCorrected]]

    @classmethod
    def empty(cls) -> "Placement":
        """Give the placement that places nothing."""
        return cls({}, {}, {}, set(), {}, {})

    def place(self, fact: Passing | Lap | PassingAdded) -> Placed | None:
        """Give the car and its crossing, or ``None`` where transponder or loop is unknown or the passing is void."""
        if isinstance(fact, Passing):
            return self.place_passing(fact)
        if isinstance(fact, Lap):
            return self.place_lap(fact)
        loop = self.loops.get(fact.loop)
        return None if loop is None else (fact.car, (fact.at, loop, *key_of(fact)))

    def place_lap(self, lap: Lap) -> Placed | None:
        """Place a lap of a system that counts them itself; corrections name it by its source, as they name a passing by its decoder."""
        loop = self.loops.get(PIT_LAP_LOOP if lap.pit else LAP_LOOP)
        if loop is None:
            return None
        car, at, source = lap.car, lap.at, lap.source
        if self.voided or self.reassigned:
            named = named_key(lap)
            if named in self.voided:
                return None
            car = self.reassigned.get(named, car)
        if source in self.clocks:
            at += self._offset(source, lap.boot, at)
        return car, (at, loop, LAP_PREFIX + source, lap.boot, lap.number)

    def place_passing(self, passing: Passing) -> Placed | None:
        """Place a passing; see ``place``. It is what a race is made of, so it looks only at what there is."""
        loop = self.loops.get(passing.loop)
        if loop is None:
            return None
        decoder, boot, number, at, transponder = passing.decoder, passing.boot, passing.number, passing.at, passing.transponder
        car = None
        if self.voided or self.reassigned:
            key = (decoder, boot, number)
            if key in self.voided:
                return None
            car = self.reassigned.get(key)
        if decoder in self.clocks:
            at += self._offset(decoder, boot, at)
        if car is None:
            car = self._owner(transponder, at) if transponder in self.assigned else self.owners.get(transponder)
        return None if car is None else (car, (at, loop, decoder, boot, number))

    def _owner(self, transponder: str, at: int) -> str | None:
        assignment = self.assignment(transponder, at)
        return assignment.car if assignment else self.owners.get(transponder)

    def _offset(self, decoder: str, boot: int, at: int) -> int:
        correction = self.clock_correction(decoder, boot, at)
        return correction.offset_us if correction else 0

    def clock_correction(self, decoder: str, boot: int, at: int) -> DecoderClockCorrected | None:
        """Give the correction of a decoder's clock that holds for what it said ``at`` its own instant: of several the one given last."""
        for correction in reversed(self.clocks.get(decoder, ())):
            if (
                (correction.boot is None or correction.boot == boot)
                and (correction.from_ is None or correction.from_ <= at)
                and (correction.until is None or at < correction.until)
            ):
                return correction
        return None

    def assignment(self, transponder: str, at: int) -> Assignment | None:
        """Give the assignment by which a transponder is on another car than its entry says."""
        return next((a for a in reversed(self.assigned.get(transponder, ())) if a.since <= at < a.until), None)

    def touches(self, other: "Placement") -> "Touched":
        """Say whose passings the two placements may place differently."""
        if self.loops != other.loops:
            return Touched(True, frozenset(), frozenset(), frozenset())
        transponders = _differing(self.owners, other.owners) | _differing(self.assigned, other.assigned)
        keys = (self.voided ^ other.voided) | _differing(self.reassigned, other.reassigned)
        return Touched(False, frozenset(transponders), frozenset(keys), frozenset(_differing(self.clocks, other.clocks)))


class Touched(Struct, frozen=True):
    """What a change of placement concerns: everything, or some transponders, passings and decoders."""

    everything: bool
    transponders: frozenset[str]
    keys: frozenset[Key]
    decoders: frozenset[str]

    def concerns(self, fact: Passing | Lap) -> bool:
        """Say whether this passing or lap may have another place now."""
        if self.everything or (isinstance(fact, Passing) and fact.transponder in self.transponders):
            return True
        key = named_key(fact)
        return key[0] in self.decoders or key in self.keys

    @property
    def only_keys(self) -> bool:
        """Whether it concerns passings named one by one, and no others."""
        return not (self.everything or self.transponders or self.decoders)

    def __bool__(self) -> bool:
        return self.everything or bool(self.transponders or self.keys or self.decoders)


def _differing(one: dict, other: dict) -> set:  # type: ignore[type-arg]  # any two dictionaries of one kind
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


PlacingCommand: TypeAlias = EntryRegistered | TransponderAssigned | PassingVoided | PassingReassigned | DecoderClockCorrected


def placement(loops: dict[str, int], commands: Iterable[PlacingCommand]) -> Placement:
    """Form the placement from the commands that hold, given in the order of their ``at``."""
    result = Placement.empty()
    result.loops = loops
    entries: dict[str, EntryRegistered] = {}
    for command in commands:
        match command:
            case EntryRegistered():
                entries[command.car] = command
            case TransponderAssigned():
                until = 2**63 if command.until is None else command.until
                result.assigned.setdefault(command.transponder, []).append(
                    Assignment(command.from_ or 0, command.at, command.id, until, command.car)
                )
            case PassingVoided():
                result.voided.add(_key(command.passing))
            case PassingReassigned():
                result.reassigned[_key(command.passing)] = command.car
            case DecoderClockCorrected():
                result.clocks.setdefault(command.decoder, []).append(command)
    for entry in entries.values():
        result.owners.update(dict.fromkeys(entry.transponders, entry.car))
    for assignments in result.assigned.values():
        assignments.sort()
    return result


def _key(passing: PassingKey) -> Key:
    return (passing.decoder, passing.boot, passing.number)
