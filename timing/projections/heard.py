"""What was heard of a car, one crossing a line, with what each was taken for; and what was taken from it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from timing.domain.crossings import ADDED_PREFIX, LAP_PREFIX, Crossing, Key, key_of, named_key
from timing.domain.events import Lap, Loop, Passing, PassingAdded, PassingReassigned, PassingVoided, SessionStarted
from timing.domain.laps import CarLaps
from timing.domain.order import Standing
from timing.domain.units import format_duration, time_of_day
from timing.projections.anomaly import named
from timing.projections.evidence import Evidence
from timing.projections.explanation import Heard, TakenAway, Verdict
from timing.projections.qualified import laps_void

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_PASSED: dict[str, Verdict] = {"sector": "sector", "pit_entry": "pit_entry", "pit_exit": "pit_exit"}


def crossings_of(timing: "Timing", standing: Standing, *, last: int | None = None) -> tuple[tuple[Heard, ...], int]:
    """Give a car's crossings and what each was taken for, the ``last`` of them, and how many earlier ones are left out."""
    all_of_it = timing.evidence.crossings.get(standing.car, [])
    opened = timing.evidence.opened
    if opened is None:
        return (), 0
    reader = _Reader(timing, standing, opened.circuit.loops)
    heard = [(crossing, reader.verdict(crossing)) for crossing in all_of_it]
    shown = heard if last is None else heard[max(len(heard) - last, 0) :]
    return tuple(reader.line(crossing, verdict) for crossing, verdict in shown), len(heard) - len(shown)


class _Reader:
    """Reads a car's crossings in order, as its laps were counted from them."""

    def __init__(self, timing: "Timing", standing: Standing, loops: tuple[Loop, ...]) -> None:
        self.evidence, self.loops, self.standing = timing.evidence, loops, standing
        self.state = timing.state()
        self.out: frozenset[int] | None = None
        said = self.state.said
        self.start, self.closed_at = said.start, said.closed_at
        self.horizon_us = timing.rules.laps.horizon_us
        signal, formation = timing.evidence.of(SessionStarted), timing.formation
        self.formation = (signal[0].at, formation.after) if signal and formation else None
        self.timing, self.neutral = timing, timing.neutral
        self.laps: CarLaps | None = timing.laps.get(standing.car)
        self.suspects = dict(self.laps.suspects) if self.laps else {}
        self.ended = 0
        self.passed: set[tuple[str, int | None]] = set()
        self.added = {ADDED_PREFIX + command.id: command for command in timing.evidence.of(PassingAdded)}
        self.given = {named_of(c): c for c in timing.evidence.of(PassingReassigned)}

    def verdict(self, crossing: Crossing) -> tuple[Verdict, int | None]:
        """Say what a crossing was taken for, and which lap it ended."""
        at, loop, laps = crossing[0], self.loops[crossing[1]], self.laps
        if self.start is None or laps is None or at <= self.start:
            return ("formation" if self.formation and self.formation[0] < at <= self.formation[1] else "before_start"), None
        if at > self.start + self.horizon_us or (self.closed_at is not None and at > self.closed_at):
            return "after_close", None
        if crossing in self.suspects:
            return _SUSPECT[self.suspects[crossing]], None
        return self._at_line(at, laps) if loop.line == "finish" else (self._on_the_way(loop), None)

    def _on_the_way(self, loop: Loop) -> Verdict:
        passed = (loop.line, loop.sector)
        again = loop.line == "sector" and passed in self.passed
        self.passed.add(passed)
        return "again" if again else _PASSED.get(loop.line, "heard")

    def _at_line(self, at: int, laps: CarLaps) -> tuple[Verdict, int | None]:
        self.passed.clear()
        if self.ended == len(laps.ends) or laps.ends[self.ended] != at:
            return "first", None  # it ends no lap: the first one begins there, or was begun by another car
        self.ended += 1
        return ("lap" if self.ended <= self.standing.laps else "not_counted"), self.ended

    def line(self, crossing: Crossing, verdict: tuple[Verdict, int | None]) -> Heard:
        """Write a crossing down."""
        at, loop, what, lap = crossing[0], self.loops[crossing[1]], *verdict
        timed = lap and self.laps and lap <= len(self.laps.times) and lap not in self.state.untimed.get(self.standing.car, ())
        time = self.laps.times[lap - 1] if timed and self.laps and lap else None
        tags = self.neutral.tags(self.laps, lap) if lap and self.laps else ()
        best_lap = lap is None or (time is not None and lap not in self._out())
        return Heard(
            at, time_of_day(at), loop.id, loop.line, named(crossing[2:]), what, lap, time, self._note(crossing[2:], at), tags, best_lap
        )

    def _out(self) -> frozenset[int]:
        """Give the laps that are no best laps."""
        if self.out is None:
            said, untimed = self.state.said, self.state.untimed.get(self.standing.car, frozenset())
            deleted = said.penalties[self.standing.car].deleted_laps if self.standing.car in said.penalties else frozenset()
            self.out = untimed | deleted | (laps_void(self.timing, self.laps) if self.laps else frozenset())
        return self.out

    def _note(self, key: Key, at: int) -> str | None:
        if by_hand := self.added.get(key[0]):
            return f"by hand: {by_hand.reason} ({by_hand.by})"
        fact = _fact(self.evidence, key)
        if fact is None:
            return None
        notes = []
        plain = named_key(fact)
        if given := self.given.get(plain):
            notes.append(f"given to car {given.car}: {given.reason} ({given.by})")
        elif isinstance(fact, Passing) and (assigned := self.evidence.placement.assignment(fact.transponder, at)):
            notes.append(f"transponder {fact.transponder}, on car {assigned.car} by {assigned.id}")
        if fact.at != at and (clock := self.evidence.placement.clock_correction(plain[0], plain[1], fact.at)):
            notes.append(f"clock {clock.offset_us / 1_000_000:+.6f} s: {clock.reason} ({clock.by})")
        return "; ".join(notes) or None


def taken_from(timing: "Timing", car: str) -> Iterator[TakenAway]:
    """Name the passings of the car's own transponders that are void or another car's, with who said so and why."""
    evidence = timing.evidence
    for void in evidence.of(PassingVoided):
        fact = _fact(evidence, named_of(void))
        if fact is not None and _meant(evidence, fact) == car:
            yield TakenAway(
                void.id, fact.at, named(key_of(fact)), f"at {time_of_day(fact.at)} at {_place(fact)}, void: {void.reason} ({void.by})"
            )
    for given in evidence.of(PassingReassigned):
        fact = _fact(evidence, named_of(given))
        if fact is not None and given.car != car and _meant(evidence, fact) == car:
            why = f"given to car {given.car}: {given.reason} ({given.by})"
            yield TakenAway(given.id, fact.at, named(key_of(fact)), f"at {time_of_day(fact.at)} at {_place(fact)}, {why}")


def named_of(command: PassingVoided | PassingReassigned) -> Key:
    """Give the key of the fact that a correction names."""
    return (command.passing.decoder, command.passing.boot, command.passing.number)


def _fact(evidence: Evidence, key: Key) -> Passing | Lap | None:
    return evidence.passings.get(key) or evidence.lap_facts.get(key) or evidence.lap_facts.get((LAP_PREFIX + key[0], key[1], key[2]))


def _meant(evidence: Evidence, fact: Passing | Lap) -> str | None:
    """Give the car whose crossing a fact would be if nobody had corrected it."""
    if isinstance(fact, Lap):
        return fact.car
    assigned = evidence.placement.assignment(fact.transponder, fact.at)
    return assigned.car if assigned else evidence.placement.owners.get(fact.transponder)


def _place(fact: Passing | Lap) -> str:
    return fact.loop if isinstance(fact, Passing) else "the line"


_SUSPECT: dict[str, Verdict] = {"duplicate": "duplicate", "short_lap": "short_lap", "start": "at_start"}
_SAID: dict[Verdict, str] = {
    "first": "its first lap begins",
    "pit_entry": "into the pit lane",
    "pit_exit": "out of the pit lane",
    "heard": "heard",
    "again": "the same sector again, without the line between",
    "duplicate": "a second read of the crossing before: does not count",
    "short_lap": "too soon for a lap: does not count",
    "before_start": "before the start",
    "formation": "in a formation lap behind the safety car: does not count",
    "at_start": "over the line as the race starts: ends no lap",
    "after_close": "outside the session: does not count",
}


def crossing_in_words(heard: Heard) -> str:
    """Say a crossing on one line."""
    match heard.verdict:
        case "lap":
            what = f"ends lap {heard.lap}" + ("" if heard.lap_time_us is None else f" in {format_duration(heard.lap_time_us)}")
            what += f", {' '.join(heard.tags)}" if heard.tags else ""
            what += "" if heard.best_lap else ": no best lap"
        case "not_counted":
            what = f"would end lap {heard.lap}, after its race was over: does not count"
        case "sector":
            what = "passes a sector"
        case other:
            what = _SAID[other]
    return f"{heard.time} {heard.loop} [{heard.key}] {what}" + (f" ({heard.note})" if heard.note else "")
