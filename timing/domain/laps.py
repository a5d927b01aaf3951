"""The laps of one car, from its crossings in order of time: lap times, sectors, pit visits, and what is suspect."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from msgspec import Struct

from timing.domain.crossings import LAP_PREFIX, Crossing, Key
from timing.domain.events import Circuit, Lap
from timing.domain.rulebook import Laps
from timing.domain.units import SECOND

FINISH, SECTOR, PIT_ENTRY, PIT_EXIT, OTHER = range(5)
"""What a crossing of a loop means for a car's laps; plain integers, compared once for every passing of a race."""

_LINES = {"finish": FINISH, "sector": SECTOR, "pit_entry": PIT_ENTRY, "pit_exit": PIT_EXIT}
_ROUND_US = 10 * SECOND  # half of what a first lap takes at least: before, a second read of a sector's loop is an echo
_ANY_LOOP = 2**31  # after every index of a loop, where instants are equal


class Loops(Struct, frozen=True):
    """The circuit's loops by index, as lap counting needs them; ``sectors`` is the number of sectors of a lap, 0 where none is timed."""

    lines: tuple[int, ...]
    in_pit: tuple[bool, ...]
    sector_of: tuple[int, ...]
    sectors: int

    @classmethod
    def of(cls, circuit: Circuit) -> "Loops":
        """Take the loops of a circuit. A sector loop without a number is the next one; two loops of one number are one line."""
        lines: list[int] = []
        numbers: list[int] = []
        for loop in circuit.loops:
            lines.append(_LINES.get(loop.line, OTHER))
            numbers.append((loop.sector or max(numbers, default=0) + 1) if loop.line == "sector" else 0)
        pits = tuple(loop.line == "pit_entry" or (loop.pit and loop.line != "pit_exit") for loop in circuit.loops)
        last = max(numbers, default=0)
        return cls(tuple(lines), pits, tuple(numbers), last + 1 if last else 0)


class Round(Struct, frozen=True):
    """A car was heard at a sector's loop again without the line between: it went round unheard, between ``left_at`` and ``seen_at``.

    ``ended``: the laps it had ended by then. ``left``: the sector's loop it passed last before, 0 for the line; ``seen``: the one after.
    """

    ended: int
    left: int
    left_at: int
    seen: int
    seen_at: int


def first_at_line(crossings: Mapping[str, Sequence[Crossing]], loops: Loops, after: int, until: int) -> int | None:
    """Give the instant at which the first of the cars crosses the line after an instant, or ``None`` while none has."""
    first: int | None = None
    for mine in crossings.values():
        for place in range(bisect_right(mine, (after, _ANY_LOOP)), len(mine)):
            at, loop = mine[place][0], mine[place][1]
            if at > until or (first is not None and at >= first):
                break
            if loops.lines[loop] == FINISH:
                first = at
                break
    return first


class CarLaps:
    """What a car's crossings come to. ``extend`` takes in later crossings; where an earlier one changed, begin anew.

    ``ends``: the instants of its counted crossings of the line. ``times``: lap times in µs, ``None`` where a lap has none.
    ``sectors``: the sector times of each lap. ``entered``: the instants at which it came into the pit lane.
    ``suspects``: crossings that did not count, kept with the reason. ``rounds``: where it came round and the line did not hear it.
    ``taken``: how many crossings were taken in; nothing here changes but with it.
    """

    __slots__ = (
        "_bests",
        "_bests_of",
        "_line_loop_at",
        "_sector_at",
        "_sector_seen",
        "current",
        "ends",
        "entered",
        "exited",
        "facts",
        "in_pit",
        "last_at",
        "origin",
        "rounds",
        "sectors",
        "since",
        "suspects",
        "taken",
        "times",
    )

    def __init__(self, since: int | None, facts: Mapping[Key, Lap], origin: int | None = None) -> None:
        """``since``: where the first lap begins; ``None``: at the car's own first crossing, which ends no lap.

        ``origin``: but that lap is timed from here, where the leader crossed the line at a rolling start.
        """
        self.since = since
        self.origin = origin
        self.facts = facts
        self.ends: list[int] = []
        self.times: list[int | None] = []
        self.sectors: list[tuple[int | None, ...]] = []
        self.current: list[int | None] = []
        self.entered: list[int] = []
        self.exited: list[int] = []
        self.suspects: list[tuple[Crossing, str]] = []
        self.in_pit = False
        self.last_at: int | None = None
        self.rounds: list[Round] = []
        self._line_loop_at: int | None = None
        self._sector_at: int | None = since
        self._sector_seen = 0
        self.taken = 0
        self._bests: tuple[int | None, ...] = ()
        self._bests_of = 0

    @property
    def best_sectors(self) -> tuple[int | None, ...]:
        """Its best time in each sector, the lap it is on included; ``None`` where it has none. Found when asked for, from what is new."""
        for sectors in self.sectors[self._bests_of :]:
            self._bests = _least(self._bests, sectors)
        self._bests_of = len(self.sectors)
        return _least(self._bests, self.current) if self.current else self._bests  # what it is on may still prove another lap's

    @property
    def along(self) -> tuple[int, int | None]:
        """How far the car is since the line: the number of the last sector's loop it passed, 0 for none yet, and when it did."""
        return self._sector_seen, self._sector_at

    def extend(self, crossings: Sequence[Crossing], loops: Loops, rules: Laps, *, start: int, end: int, armed: int = 0) -> None:
        """Take in the crossings not yet seen, of a list of which the first ones were: those after ``start`` and up to ``end`` count.

        The line counts after ``armed`` only: where it lies just ahead of the grid, the crossing at the start is none of a lap.
        """
        lines, in_pit, sector_of = loops.lines, loops.in_pit, loops.sector_of
        first = max(self.taken, bisect_right(crossings, (start, _ANY_LOOP)))
        for crossing in crossings[first : bisect_right(crossings, (end, _ANY_LOOP))]:
            at, loop = crossing[0], crossing[1]
            line = lines[loop]
            if line == FINISH:
                if at <= armed:
                    self.suspects.append((crossing, "start"))
                    self.last_at = at
                    continue
                if not self._finish_line(crossing, loops, rules):
                    continue
            elif line == SECTOR:
                self._sector(at, sector_of[loop])
            self.last_at = at
            if in_pit[loop]:
                if not self.in_pit or self._came_round(line):
                    self.in_pit = True
                    self.entered.append(at)
            elif self.in_pit:
                self.in_pit = False
                self.exited.append(at)
        self.taken = len(crossings)

    def _finish_line(self, crossing: Crossing, loops: Loops, rules: Laps) -> bool:
        at = crossing[0]
        line_loop_at = self._line_loop_at
        if line_loop_at is not None and at - line_loop_at < rules.duplicate_window_us:
            self.suspects.append((crossing, "duplicate"))
            return False
        if self.since is None:
            self.since = at if self.origin is None else self.origin
            self.current = []
        else:
            ends = self.ends
            lap_us = at - (ends[-1] if ends else self.since)
            if lap_us < rules.min_lap_us:
                self.suspects.append((crossing, "short_lap"))
                self.last_at = at  # the car is there all the same
                return False
            ends.append(at)
            self._lap_times(crossing, lap_us, loops)
        self._line_loop_at = self._sector_at = at
        self._sector_seen = 0
        return True

    def _lap_times(self, crossing: Crossing, measured: int, loops: Loops) -> None:
        sectors: tuple[int | None, ...] = ()
        fact = self.facts.get(crossing[2:]) if self.facts and crossing[2].startswith(LAP_PREFIX) else None
        if fact is not None:
            sectors = fact.sectors_us or ()
            measured = measured if fact.lap_time_us is None else fact.lap_time_us
        elif loops.sectors:
            current, until_last = self.current, loops.sectors - 1
            if len(current) < until_last:
                current += [None] * (until_last - len(current))
            timed = self._sector_seen == until_last and self._sector_at is not None
            current.append(crossing[0] - self._sector_at if timed and self._sector_at is not None else None)
            sectors = tuple(current)
        self.times.append(measured)
        self.sectors.append(sectors)
        self.current = []

    def _sector(self, at: int, number: int) -> None:
        seen = self._sector_seen
        if number <= seen:
            if not self._came_round_unheard(at, number):
                return
            self.rounds.append(Round(len(self.ends), seen, self._sector_at or at, number, at))
            self.current = [None] * number  # its sectors until here were of the lap before
            self._sector_at, self._sector_seen = at, number
            return
        current = self.current
        if len(current) < number - 1:
            current += [None] * (number - 1 - len(current))
        current.append(at - self._sector_at if number == seen + 1 and self._sector_at is not None else None)
        self._sector_at, self._sector_seen = at, number

    def _came_round_unheard(self, at: int, number: int) -> bool:
        """Say whether this is another lap's passing of a sector's loop, not an echo: since the line, about a lap has gone."""
        began = self.ends[-1] if self.ends else self.since
        if began is None or self._sector_at is None:
            return False
        shortest = min((t for t in self.times if t), default=2 * _ROUND_US)
        if number == self._sector_seen and at - self._sector_at <= max(SECOND, shortest // 2):
            return False
        return at - began > max(SECOND, shortest * 9 // 10)

    def _came_round(self, line: int) -> bool:
        """Say whether a car that is in the pit lane, heard there again, has done a lap between: it left and came in unheard."""
        if line == FINISH:
            return len(self.ends) > 1 and self.ends[-2] >= self.entered[-1]
        return line == PIT_ENTRY and bool(self.ends) and self.ends[-1] >= self.entered[-1]


def _least(bests: tuple[int | None, ...], times: Sequence[int | None]) -> tuple[int | None, ...]:
    """Give the lesser of two times sector by sector, the one there is where one is missing."""
    return tuple(best if us is None or (best is not None and best <= us) else us for best, us in zip_longest(bests, times))
