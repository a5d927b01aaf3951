"""Qualifying and practice: which laps are timed, in which segment, and the order they make. A deleted time never un-runs anyone."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from msgspec import Struct

from timing.domain.laps import CarLaps
from timing.domain.rulebook import Qualifying

Deleted: TypeAlias = Mapping[str, frozenset[int]]
"""The numbers of each car's laps whose times the stewards deleted."""

_LOST = {"best_lap_deleted": 1, "best_two_deleted": 2}
_NEVER = 2**63
_NONE: frozenset[int] = frozenset()


class Red(Struct, frozen=True):
    """The red flag was out between two instants. ``cause``: the car that brought it about, if race control said so."""

    began: int
    ended: int
    cause: str | None = None


class Run(Struct, frozen=True):
    """A segment as it was run, by all cars or by those of ``class_``.

    ``segment``: its index in the rulebook. ``flag_at``: a lap begun before the chequered flag counts, and none begun later. ``until``: it
    was closed. ``cars``: those that race control let run; ``None``: those that went on from the segment before it, by what was decided when
    it began: ``deleted`` are the times deleted by then, ``out`` the cars out of the session by then.
    """

    segment: int
    since: int
    class_: str | None = None
    flag_at: int | None = None
    until: int | None = None
    cars: frozenset[str] | None = None
    deleted: Deleted = {}
    out: frozenset[str] = frozenset()

    def has(self, lap: "TimedLap") -> bool:
        """Say whether a lap belongs to the segment: begun in it, before the flag, and ended before it was closed."""
        return self.since <= lap.began < self.last_start and (self.until is None or lap.at <= self.until)

    @property
    def last_start(self) -> int:
        """The instant from which no lap begun counts."""
        return min(_NEVER if self.flag_at is None else self.flag_at, _NEVER if self.until is None else self.until)


class TimedLap(Struct, frozen=True, order=True, gc=False):
    """A lap with a time; laps sort by time, then by who ended first."""

    time_us: int
    at: int
    number: int
    began: int


class Mark(Struct, frozen=True, gc=False):
    """What a car did in a segment: the key by which it is ordered there, and its two best laps that count."""

    key: tuple[int, int, int]
    best: TimedLap | None = None
    second: TimedLap | None = None


class Times(Struct):
    """What a car did: its timed laps, fastest first; when it began laps on the track (``flying``), and when it left the pit lane.

    It grows with the car's laps, of which the first ``taken`` are in it. ``marks``: what it came to so far, by segment and deleted laps.
    """

    car: str
    class_: str
    laps: list[TimedLap] = []
    flying: list[int] = []
    left: Sequence[int] = ()
    taken: int = 0
    marks: dict[tuple[int, frozenset[int]], Mark] = {}


class Ranked(Struct, frozen=True):
    """A car in the order. ``segment``: the last one it takes part in, -1 for none; ``best`` and ``second`` are of that segment.

    ``bests_us``: its best time in each segment of the rulebook.
    """

    car: str
    class_: str
    segment: int
    best: TimedLap | None
    second: TimedLap | None
    bests_us: tuple[int | None, ...]


def take(times: Times, laps: CarLaps, reds: Sequence[Red], rules: Qualifying) -> None:
    """Take in the laps that a car has done since. A lap into the pit lane or out of it is no timed lap, as the rules say.

    Nor is one that ended under the red flag.
    """
    if laps.since is None:
        return
    times.marks.clear()
    times.left = laps.exited
    entered, exited = laps.entered, laps.exited
    if not times.flying and not times.taken and not _in_pit(entered, exited, laps.since):
        times.flying.append(laps.since)
    began = laps.ends[times.taken - 1] if times.taken else laps.since
    for number in range(times.taken + 1, len(laps.ends) + 1):
        at, time_us = laps.ends[number - 1], laps.times[number - 1]
        if not _in_pit(entered, exited, at):
            times.flying.append(at)
        through_pits = bisect_right(entered, at) > bisect_right(entered, began) or bisect_right(exited, at) > bisect_right(exited, began)
        if time_us is not None and not (through_pits and rules.pit_laps == "left_out") and not _void(times.car, at, reds, rules):
            insort(times.laps, TimedLap(time_us, at, number, began))
        began = at
    times.taken = len(laps.ends)


def _in_pit(entered: Sequence[int], exited: Sequence[int], at: int) -> bool:
    came, left = bisect_right(entered, at), bisect_right(exited, at)
    return came > 0 and (left == 0 or exited[left - 1] < entered[came - 1])


def _void(car: str, at: int, reds: Sequence[Red], rules: Qualifying) -> bool:
    if rules.causing_red == "session_over" and any(red.cause == car and red.began < at for red in reds):
        return True
    return rules.red == "laps_void" and any(red.began < at < red.ended for red in reds)


class Field:
    """The cars of a session and the segments they ran: ``order`` is how they stand."""

    def __init__(
        self,
        cars: Iterable[Times],
        runs: Iterable[Run],
        rules: Qualifying,
        *,
        reds: Sequence[Red] = (),
        deleted: Deleted | None = None,
        void: Deleted | None = None,
        grid: Mapping[str, int] | None = None,
    ) -> None:
        """Find who took part in which segment.

        ``deleted``: the times deleted as of now. ``void``: those that never counted, whoever went on. ``grid``: the order of those who did
        nothing.

        The cars' marks are kept: they hold for these runs, reds and rules.
        """
        grid = grid or {}
        last = max(grid.values(), default=0) + 1
        self._cars = sorted(cars, key=lambda c: (grid.get(c.car, last), c.car))
        self._runs = sorted(runs, key=lambda run: (run.segment, run.since))
        self._reds, self._rules, self._deleted, self._void = reds, rules, deleted or {}, void or {}
        self.entrants: dict[int, set[str]] = {}
        for run in self._runs:
            self.entrants.setdefault(run.segment, set()).update(self._entrants(run))

    def order(self) -> list[Ranked]:
        """Give the cars in order: those of the last segment first, then those of the one before it that did not go on, and so on.

        In each, who has a time by best lap; equal laps as the rules say. Without a time: who began a flying lap stands before who left the
        pit lane, and who did before who stayed in it (FIA F1 2025 art. 39), each as they stood in the segment before, or on the grid.
        """
        count = max(len(self._rules.segments), 1)
        ranked = []
        for times in self._order(_NEVER, self._deleted):
            marks = {s: self._mark(times, s, self._deleted) for s, cars in self.entrants.items() if times.car in cars}
            segment = max(marks, default=-1)
            best, second = (marks[segment].best, marks[segment].second) if marks else (None, None)
            bests = [marks[s].best if s in marks else None for s in range(count)]
            bests_us = tuple([None if lap is None else lap.time_us for lap in bests])
            ranked.append(Ranked(times.car, times.class_, segment, best, second, bests_us))
        return ranked

    def run_of(self, car: Ranked) -> Run | None:
        """Give the run of the last segment that a car takes part in."""
        return self._run_of(car, car.segment)

    def _run_of(self, times: Times | Ranked, segment: int) -> Run | None:
        return next((run for run in self._runs if run.segment == segment and run.class_ in (None, times.class_)), None)

    def _entrants(self, run: Run) -> set[str]:
        """Find who takes part in a run. What is decided after it began changes nothing any more: who has run has run."""
        cars = {times.car for times in self._cars if run.class_ in (None, times.class_)}
        if run.cars is not None:
            return cars & run.cars
        before = [s for s, went in self.entrants.items() if s < run.segment and went & cars]
        if not before:
            return cars - run.out if run.segment else cars
        went_on: set[str] = set()
        segment, counts = self._rules.segments[max(before)], dict[str, int]()
        for times in self._order(run.segment, run.deleted):
            if times.car not in self.entrants[max(before)] & cars or times.car in run.out:
                continue
            of = times.class_ if segment.per_class else ""
            counts[of] = counts.get(of, 0) + 1
            if segment.advance is None or counts[of] <= segment.advance:
                went_on.add(times.car)
        return went_on

    def _order(self, until_segment: int, deleted: Deleted) -> list[Times]:
        order = self._cars
        for segment, entrants in sorted(self.entrants.items()):
            if segment < until_segment:
                marked = [(self._mark(times, segment, deleted).key, times) for times in order if times.car in entrants]
                marked.sort(key=itemgetter(0))
                order = [*(times for _, times in marked), *(times for times in order if times.car not in entrants)]
        return order

    def _mark(self, times: Times, segment: int, deleted: Deleted) -> Mark:
        gone = deleted.get(times.car, _NONE) | self._void.get(times.car, _NONE)
        mark = times.marks.get((segment, gone))
        if mark is None:
            mark = times.marks[segment, gone] = self._marked(times, self._run_of(times, segment), gone)
        return mark

    def _marked(self, times: Times, run: Run | None, gone: frozenset[int]) -> Mark:
        """Take the laps that count in a segment, less the best ones, which the car lost for the red flags that it caused there."""
        if run is None:
            return Mark((_NEVER, 0, 0))
        lost = _LOST.get(self._rules.causing_red, 0)
        if lost:
            lost *= sum(red.cause == times.car and run.since <= red.began < (run.until or _NEVER) for red in self._reds)
        counting = (lap for lap in times.laps if run.has(lap) and lap.number not in gone)
        best, second = (*islice(counting, lost, lost + 2), None, None)[:2]
        if best is None:
            return Mark((_NEVER, -_attempt(times, run), 0))
        second_us = 0 if self._rules.tie == "first_set" else _NEVER if second is None else second.time_us
        return Mark((best.time_us, second_us, best.at), best, second)


def _attempt(times: Times, run: Run) -> int:
    """Say how far a car without a time came: it began a flying lap (2), left the pit lane (1), or neither."""
    for worth, instants in ((2, times.flying), (1, times.left)):
        place = bisect_left(instants, run.since)
        if place < len(instants) and instants[place] < run.last_start:
            return worth
    return 0


def beyond_percent(order: Iterable[Ranked], rules: Qualifying) -> frozenset[str]:
    """Name the cars whose best lap of the first segment is beyond the percentage, and that did not go on from it.

    The percentage is of the fastest lap of that segment (FIA F1 2025 art. 39: 107 % of the fastest in Q1), overall or of the class.
    """
    if not rules.percent:
        return frozenset()
    order = list(order)
    fastest: dict[str, int] = {}
    for car in order:
        of, best = _of(car, rules), car.bests_us[0]
        if best is not None:
            fastest[of] = min(best, fastest.get(of, best))
    slow = (car for car in order if car.segment <= 0 and car.bests_us[0] is not None)
    return frozenset(car.car for car in slow if (car.bests_us[0] or 0) * 100 > fastest[_of(car, rules)] * rules.percent)


def _of(car: Ranked, rules: Qualifying) -> str:
    return car.class_ if rules.percent_of == "class" else ""
