"""Qualifying and practice: which laps are timed, in which segment, and the order they make. A deleted time never un-runs anyone."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from timing.domain.laps import CarLaps
from timing.domain.rulebook import Qualifying

Deleted: TypeAlias = Mapping[str, Collection[int]]
"""The numbers of each car's laps whose times the stewards deleted."""

_LOST = {"best_lap_deleted": 1, "best_two_deleted": 2}
_NEVER = 2**63


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


class Times(Struct, frozen=True):
    """What a car did: its timed laps, fastest first; when it began laps on the track, and when it left the pit lane or began any."""

    car: str
    class_: str
    laps: tuple[TimedLap, ...] = ()
    flying: tuple[int, ...] = ()
    seen: tuple[int, ...] = ()


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


def times_of(car: str, class_: str, laps: CarLaps, reds: Sequence[Red], rules: Qualifying) -> Times:
    """Take a car's timed laps. A lap into the pit lane or out of it is none, nor one that ended under the red flag, as the rules say."""
    timed: list[TimedLap] = []
    entered, exited = laps.entered, laps.exited
    began = laps.since or 0
    flying = []
    for number, (at, time_us) in enumerate(zip(laps.ends, laps.times, strict=True), start=1):
        if not _in_pit(entered, exited, began):
            flying.append(began)
        through_pits = bisect_right(entered, at) > bisect_right(entered, began) or bisect_right(exited, at) > bisect_right(exited, began)
        if time_us is not None and not (through_pits and rules.pit_laps == "left_out") and not _void(car, at, reds, rules):
            timed.append(TimedLap(time_us, at, number, began))
        began = at
    if laps.since is not None and not _in_pit(entered, exited, began):
        flying.append(began)
    timed.sort()
    return Times(car, class_, tuple(timed), tuple(flying), tuple(sorted((*exited, *flying))))


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
        grid: Mapping[str, int] | None = None,
    ) -> None:
        """Find who took part in which segment. ``deleted``: the times deleted as of now. ``grid``: the order of those who did nothing."""
        grid = grid or {}
        last = max(grid.values(), default=0) + 1
        self._cars = sorted(cars, key=lambda c: (grid.get(c.car, last), c.car))
        self._runs = sorted(runs, key=lambda run: (run.segment, run.since))
        self._reds, self._rules, self._deleted = reds, rules, deleted or {}
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
            mine = [segment for segment, cars in self.entrants.items() if times.car in cars]
            bests = [self._laps(times, segment, self._deleted) for segment in range(count)]
            segment = max(mine, default=-1)
            laps = bests[segment] if mine else []
            best, second = (*laps[:2], None, None)[:2]
            bests_us = tuple(laps[0].time_us if laps and s in mine else None for s, laps in enumerate(bests))
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
                key = self._key(segment, deleted)
                order = [*sorted((c for c in order if c.car in entrants), key=key), *(c for c in order if c.car not in entrants)]
        return order

    def _key(self, segment: int, deleted: Deleted) -> Callable[[Times], tuple[int, int, int]]:
        def key(times: Times) -> tuple[int, int, int]:
            laps = self._laps(times, segment, deleted)
            if not laps:
                return _NEVER, -self._attempt(times, segment), 0
            second = laps[1].time_us if len(laps) > 1 else _NEVER
            return laps[0].time_us, second if self._rules.tie == "second_best_lap" else 0, laps[0].at

        return key

    def _laps(self, times: Times, segment: int, deleted: Deleted) -> list[TimedLap]:
        """Give the laps that count for a car in a segment, fastest first, less what it lost for the red flags it caused there."""
        run = self._run_of(times, segment)
        if run is None:
            return []
        gone = deleted.get(times.car, ())
        laps = [lap for lap in times.laps if run.has(lap) and lap.number not in gone]
        lost = _LOST.get(self._rules.causing_red, 0)
        caused = sum(red.cause == times.car and run.since <= red.began < (run.until or _NEVER) for red in self._reds) if lost else 0
        return laps[lost * caused :]

    def _attempt(self, times: Times, segment: int) -> int:
        run = self._run_of(times, segment)
        if run is None:
            return 0
        flying, seen = (any(run.since <= at < run.last_start for at in instants) for instants in (times.flying, times.seen))
        return 2 if flying else int(seen)


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
