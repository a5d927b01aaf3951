"""The laps of one car, from its crossings in order of time: lap times, sectors, pit visits, and what is suspect."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

from timing.domain.crossings import LAP_PREFIX, Crossing, Key
from timing.domain.events import Circuit, Lap
from timing.domain.rulebook import Laps


class Line(IntEnum):
    """What a crossing of a loop means for a car's laps."""

    FINISH = 0
    SECTOR = 1
    PIT_ENTRY = 2
    PIT_EXIT = 3
    OTHER = 4


class Loops(Struct, frozen=True):
    """The circuit's loops by index, as lap counting needs them; ``sectors`` is the number of sectors of a lap, 0 where none is timed."""

    lines: tuple[Line, ...]
    in_pit: tuple[bool, ...]
    sector_of: tuple[int, ...]
    sectors: int

    @classmethod
    def of(cls, circuit: Circuit) -> "Loops":
        """Take the loops of a circuit. A sector loop without a number is the next one; two loops of one number are one line."""
        lines: list[Line] = []
        numbers: list[int] = []
        for loop in circuit.loops:
            lines.append(_LINES.get(loop.line, Line.OTHER))
            numbers.append((loop.sector or max(numbers, default=0) + 1) if loop.line == "sector" else 0)
        pits = tuple(loop.line == "pit_entry" or (loop.pit and loop.line != "pit_exit") for loop in circuit.loops)
        last = max(numbers, default=0)
        return cls(tuple(lines), pits, tuple(numbers), last + 1 if last else 0)


_LINES = {"finish": Line.FINISH, "sector": Line.SECTOR, "pit_entry": Line.PIT_ENTRY, "pit_exit": Line.PIT_EXIT}


class CarLaps:
    """What a car's crossings come to. ``extend`` takes in later crossings; where an earlier one changed, begin anew.

    ``ends``: the instants of its counted crossings of the line. ``times``: lap times in µs, ``None`` where a lap has none.
    ``sectors``: the sector times of each lap. ``entered``: the instants at which it came into the pit lane.
    ``suspects``: crossings that did not count, kept with the reason.
    """

    __slots__ = (
        "_line_loop_at",
        "_sector_at",
        "_sector_seen",
        "_taken",
        "current",
        "ends",
        "entered",
        "exited",
        "facts",
        "in_pit",
        "last_at",
        "sectors",
        "since",
        "suspects",
        "times",
    )

    def __init__(self, since: int | None, facts: Mapping[Key, Lap]) -> None:
        """``since``: where the first lap begins; ``None``: at the car's own first crossing, which ends no lap."""
        self.since = since
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
        self._line_loop_at: int | None = None
        self._sector_at: int | None = since
        self._sector_seen = 0
        self._taken = 0

    def extend(self, crossings: Sequence[Crossing], loops: Loops, rules: Laps, *, start: int, end: int) -> None:
        """Take in the crossings not yet seen, of a list of which the first ones were: those after ``start`` and up to ``end`` count."""
        lines, in_pit = loops.lines, loops.in_pit
        for position in range(self._taken, len(crossings)):
            crossing = crossings[position]
            at, loop = crossing[0], crossing[1]
            if at <= start or at > end:
                continue
            line = lines[loop]
            if line is Line.FINISH:
                if not self._finish_line(crossing, loops, rules):
                    continue
            elif line is Line.SECTOR:
                self._sector(at, loops.sector_of[loop])
            self.last_at = at
            if in_pit[loop] is not self.in_pit:
                self._pit(at, in_pit[loop])
        self._taken = len(crossings)

    def _finish_line(self, crossing: Crossing, loops: Loops, rules: Laps) -> bool:
        at = crossing[0]
        if self._line_loop_at is not None and at - self._line_loop_at < rules.duplicate_window_us:
            self.suspects.append((crossing, "duplicate"))
            return False
        if self.since is None:
            self.since = at
        else:
            began = self.ends[-1] if self.ends else self.since
            if at - began < rules.min_lap_us:
                self.suspects.append((crossing, "short_lap"))
                return False
            self.ends.append(at)
            self._lap_times(crossing, at - began, loops)
        self._line_loop_at = self._sector_at = at
        self._sector_seen = 0
        return True

    def _lap_times(self, crossing: Crossing, measured: int, loops: Loops) -> None:
        if crossing[2].startswith(LAP_PREFIX) and (fact := self.facts.get(crossing[2:])):
            self.times.append(measured if fact.lap_time_us is None else fact.lap_time_us)
            self.sectors.append(fact.sectors_us or ())
        else:
            self.times.append(measured)
            if loops.sectors:
                whole = self._sector_seen == loops.sectors - 1 and self._sector_at is not None
                last = crossing[0] - self._sector_at if whole and self._sector_at is not None else None
                self.current += [None] * (loops.sectors - 1 - len(self.current))
                self.sectors.append((*self.current, last))
            else:
                self.sectors.append(())
        self.current = []

    def _sector(self, at: int, number: int) -> None:
        if number <= self._sector_seen:
            return
        timed = number == self._sector_seen + 1 and self._sector_at is not None
        self.current += [None] * (number - 1 - len(self.current))
        self.current.append(at - self._sector_at if timed and self._sector_at is not None else None)
        self._sector_at, self._sector_seen = at, number

    def _pit(self, at: int, in_pit: bool) -> None:
        self.in_pit = in_pit
        (self.entered if in_pit else self.exited).append(at)
