"""The road under a neutralisation: who passed whom, held against what explains it; order-independent, and taken in as it comes."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.crossings import Crossing
from timing.domain.events import CarRetired, Circuit, SessionOpened, WaveBy
from timing.domain.neutralisation import Window, laps_left_out
from timing.domain.overtakes import PIT, Gone, Overtake, Questions, Watch
from timing.domain.units import SECOND
from timing.projections.evidence import entries_of
from timing.projections.terms import Terms

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_AGAIN_US = 5 * SECOND  # heard again at the same loop sooner, a car has not been round
_ANY_LOOP = 2**31


def positions_of(circuit: Circuit) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """Give each loop's place in the lap, and the sector that follows each place.

    The line is first, then the sectors; speed traps and safety car lines have no place that the circuit's description tells.
    """
    numbers: list[int | None] = []
    for loop in circuit.loops:
        if loop.pit or loop.line in ("pit_entry", "pit_exit"):
            numbers.append(PIT)
        elif loop.line == "finish":
            numbers.append(0)
        elif loop.line == "sector":
            numbers.append(loop.sector or max((n for n in numbers if n is not None), default=0) + 1)
        else:
            numbers.append(None)
    on_track = sorted({n for n in numbers if n is not None and n != PIT})
    return tuple(n if n is None or n == PIT else on_track.index(n) for n in numbers), tuple(on_track)


class Road:
    """The road from a signal until everybody races again. ``take`` brings it up to date with the evidence, where it is ``stale``."""

    def __init__(self, timing: "Timing", terms: Terms, opened: SessionOpened) -> None:
        self.terms = terms
        self._timing = timing
        self._positions, self._sectors = positions_of(opened.circuit)
        rules = timing.rules
        self._signals = _signals(terms.windows)
        self._slow_percent = rules.neutralisation.slow_percent
        again_us = max(rules.laps.duplicate_window_us, rules.laps.min_lap_us, _AGAIN_US)
        asks = Questions(self._signal, self.slow, self._waved, self._retired)
        self.watch = Watch(self._positions, again_us, asks)
        self.stale = True
        self.seen = 0
        self._taken: dict[str, int] = {}
        self._last: Crossing | None = None
        self._means: dict[tuple[str, int], int | None] = {}
        self._begin()

    def goes_on(self, terms: Terms) -> bool:
        """Go on under other terms; ``False`` where they say otherwise of what is taken in, and the road is to be begun anew."""
        if terms != self.terms:
            if self._last is not None and self._last[0] >= terms.same_before(self.terms):
                return False
            self.terms, self._signals, self.stale = terms, _signals(terms.windows), True
        return True

    def take(self) -> bool:
        """Take in what came since; ``False`` where it came out of its time, and the road is to be begun anew."""
        if not self.stale:
            return True
        self.stale = False
        new: list[tuple[Crossing, str]] = []
        for car, crossings in self._timing.evidence.crossings.items():
            taken = self._taken.get(car, 0)
            if taken < len(crossings):
                if crossings[taken][0] <= self.terms.began or (self._last is not None and crossings[taken] < self._last):
                    return False
                end = bisect_right(crossings, (self.terms.until, _ANY_LOOP), taken)
                new += [(crossing, car) for crossing in crossings[taken:end]]
                self._taken[car] = end
        self.seen += len(new)
        new.sort()
        for crossing, car in new:
            ends = self._timing.laps[car].ends if car in self._timing.laps else ()
            done = bisect_right(ends, crossing[0])
            self.watch.cross(car, crossing, done, ends[done - 1] if done else 0)
            if self.terms.end_at is not None and crossing[0] >= self.terms.end_at and self._positions[crossing[1]] == 0:
                self.watch.finish(car)
            self._last = crossing
        return True

    def held(self, at: int, standing: frozenset[str]) -> list[tuple[str, str]]:
        """Give the passes for a place that are not decided yet, as (car, over): nothing explains them by the instant ``at``."""
        return [
            (p.car, p.over)
            for p in self.watch.pending()
            if p.place
            and at <= p.by
            and p.over not in standing
            and p.over not in self.terms.retired
            and not self.slow(p.over, p.stretch, at - p.since)
        ]

    def under(self, at: int) -> str:
        """Name the kind of the last neutralisation that began by an instant."""
        return next((w.interval.kind for w in reversed(self.terms.windows) if w.interval.began <= at), self.terms.windows[0].interval.kind)

    def _begin(self) -> None:
        """Put every car where it was at the signal: in the order of their last loops before it, since the start."""
        began, placed, formation = self.terms.began, [], self._timing.formation
        since = formation.after if formation else self._timing.state().said.start or 0
        for car, crossings in self._timing.evidence.crossings.items():
            here = self._taken[car] = bisect_right(crossings, (began, _ANY_LOOP))
            laps = self._timing.laps.get(car)
            if laps is None:
                continue
            for index in range(here - 1, bisect_right(crossings, (since, _ANY_LOOP)) - 1, -1):
                position = self._positions[crossings[index][1]]
                if position is not None:
                    if position != PIT:
                        placed.append((crossings[index], car, position, laps.ends))
                    break
        for crossing, car, position, ends in sorted(placed, key=lambda p: (p[0], p[1])):
            done = bisect_right(ends, crossing[0])
            self.watch.place(car, Gone(position, crossing, done, ends[done - 1] if done else 0))

    def _signal(self, crossing: Crossing, gone: Gone) -> int | None:
        at = crossing[0]
        if self.terms.end_at is not None and gone.line_at >= self.terms.end_at:
            return None
        for signal, window in zip(self._signals, self.terms.windows, strict=True):
            if window.interval.began < at and _not_free(window, at, gone):
                return signal
        return None

    def _waved(self, car: str, since: int, at: int) -> bool:
        return any(since <= waved_at <= at and car in cars for waved_at, cars in self.terms.waves)

    def _retired(self, car: str, at: int) -> bool:
        return car in self.terms.retired and self.terms.retired[car] <= at

    def slow(self, car: str, stretch: int, time_us: int) -> bool:
        """Say whether a car that has been in a stretch of the track for so long is slow, by its own racing laps or else the field's."""
        usual_us = self._mean(car, stretch)
        return usual_us is not None and time_us * 100 > self._slow_percent * usual_us

    def _mean(self, car: str, stretch: int) -> int | None:
        key = (car, stretch)
        if key not in self._means:
            own = self._times(car, stretch)
            times = own or [t for other in self._timing.laps for t in self._times(other, stretch)]
            if not times and len(self._sectors) > 1:  # no sector was timed yet: a lap's time in equal parts
                times = [t // len(self._sectors) for other in self._timing.laps for t in self._times(other, None)]
            self._means[key] = sum(times) // len(times) if times else None
        return self._means[key]

    def _times(self, car: str, stretch: int | None) -> Sequence[int]:
        """Give the times a car took for a stretch, or for whole laps, in its racing laps before the signal."""
        laps = self._timing.laps.get(car)
        if laps is None:
            return ()
        before = bisect_left(laps.ends, self.terms.began)
        out = laps_left_out(laps.ends, laps.since or 0, self.terms.not_raced) | {
            bisect_left(laps.ends, at) + 1 for at in (*laps.entered, *laps.exited)
        }
        found = []
        for lap in range(before):
            if lap + 1 in out:
                continue
            time_us = laps.times[lap]
            if len(self._sectors) > 1 and stretch is not None:
                sectors, sector = laps.sectors[lap], self._sectors[stretch]
                time_us = sectors[sector] if sector < len(sectors) else None
            if time_us is not None:
                found.append(time_us)
        return found


def _signals(windows: Sequence[Window]) -> tuple[int, ...]:
    """Give since when nobody may pass under each window: since the first of those that follow one upon another without racing between."""
    signals: list[int] = []
    for place, window in enumerate(windows):
        follows = place > 0 and windows[place - 1].interval.ended == window.interval.began
        signals.append(signals[-1] if follows else window.interval.began)
    return tuple(signals)


def _not_free(window: Window, at: int, gone: Gone) -> bool:
    if window.free_at is None:
        return True
    if window.at_line:
        return gone.line_at < window.free_at
    if window.interval.until == "next_post":
        return gone.crossing[0] < window.free_at
    return at <= window.free_at


def waves_of(timing: "Timing") -> tuple[tuple[int, frozenset[str]], ...]:
    """Give when which cars were waved by. All that are lapped: by the leader, or by their class's as the rulebook has it."""
    found = []
    for wave in timing.evidence.of(WaveBy):
        cars = frozenset(wave.cars)
        if not cars:
            window = next((w for w in reversed(timing.neutral.windows) if w.interval.began <= wave.at), None)
            by_class = window is not None and window.rule is not None and window.rule.lapped == "waved_by_class"
            cars = _lapped(timing, wave.at, by_class=by_class)
        found.append((wave.at, cars))
    return tuple(found)


def _lapped(timing: "Timing", at: int, *, by_class: bool) -> frozenset[str]:
    entries = entries_of(timing.evidence)
    done = {car: bisect_right(laps.ends, at) for car, laps in timing.laps.items() if car in entries}
    most: dict[str, int] = {}
    for car, laps in done.items():
        group = entries[car].class_ if by_class else ""
        most[group] = max(laps, most.get(group, 0))
    return frozenset(car for car, laps in done.items() if laps < most[entries[car].class_ if by_class else ""])


def retirements(timing: "Timing") -> dict[str, int]:
    """Give when cars retired, by race control's word."""
    return {c.car: c.at for c in reversed(timing.evidence.of(CarRetired))}


def given_back(timing: "Timing", overtake: Overtake, circuit: Circuit) -> int | None:
    """Give when the car that was passed was ahead again at a loop that both passed, or ``None`` while it is not."""
    positions, _ = positions_of(circuit)
    own, other = (_along(timing, car, overtake.at, positions) for car in (overtake.car, overtake.over))
    ahead = next(iter(own), None)
    if ahead is None:
        return None
    shift = 0
    first = next(iter(other), None)
    if first is not None and not overtake.place:
        shift = ahead - first
    return next((other[n - shift] for n in sorted(own)[1:] if n - shift in other and other[n - shift] < own[n]), None)


def _along(timing: "Timing", car: str, since: int, positions: Sequence[int | None]) -> dict[int, int]:
    """Give when a car passed each loop of the track from an instant on, by the loops passed since the start."""
    laps = timing.laps.get(car)
    crossings = timing.evidence.crossings.get(car, [])
    count = max((p for p in positions if p is not None), default=0) + 1
    along: dict[int, int] = {}
    for crossing in crossings[bisect_left(crossings, (since,)) :]:
        position = positions[crossing[1]]
        if position is not None and position != PIT and laps is not None:
            along.setdefault(bisect_right(laps.ends, crossing[0]) * count + position, crossing[0])
    return along
