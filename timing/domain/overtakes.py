"""Overtaking where it is forbidden: what the loops saw of the order on the road under a neutralisation, pass by pass.

Cars go from loop to loop. Between two loops the track is a queue: who goes in first comes out first. A car that comes out before one that
went in ahead of it has passed it, whatever laps the two are on. What happened between which instants is all that loops can tell, so a pass
in the stretch in which the signal fell may have been made before it, and is not held against anybody.
"""

import hashlib
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from timing.domain.crossings import Crossing
from timing.domain.units import SECOND

Why: TypeAlias = Literal["at_signal", "slow", "retired", "waved_by", "gives_back", "pits_unheard"]
"""What explains a pass: it may have been made before the signal; the car passed was slow, or out; the one passing was waved by, or takes
back the place it lost; no loop hears the pit lane, and the car passed lost as much as a visit there costs."""

_FAR = 2**62
_VISIT_US = 5 * SECOND  # less than a visit to any pit lane costs, more than who is overtaken in a queue loses by the next loop

PIT = -1
"""The position of the loops in the pit lane; those on the track count from 0, the line, on."""


class Overtake(Struct, frozen=True):
    """A pass: ``car`` got past ``over`` before ``loop`` (a circuit's index), which it crossed at ``at`` and the other at ``over_at``.

    ``place``: it is ahead by it; otherwise it lapped the other, or took a lap back. ``why``: what explains it; ``None``: nothing does.
    ``evidence``: the keys of the passings it rests on: both cars into the stretch, both out of it.
    """

    id: str
    car: str
    over: str
    loop: int
    at: int
    over_at: int
    place: bool
    why: Why | None
    evidence: tuple[tuple[str, int, int], ...]


class Pending(Struct, frozen=True):
    """A pass that is not decided: ``over`` has not come out of the stretch yet, into which it went at ``since`` at position ``stretch``.

    ``by``: until then the pass needs no other explanation than what happened on the track.
    """

    car: str
    over: str
    since: int
    stretch: int
    place: bool
    by: int


class Gone(Struct, frozen=True):
    """A car on a stretch of the track: the crossing that led into it, laps then, and when it last crossed the line or left the pits."""

    stretch: int
    crossing: Crossing
    laps: int
    line_at: int


class Questions(Struct, frozen=True):
    """What the watch asks about the race. Each is answered from the evidence alone, so that the order of arrival changes nothing.

    ``signal(crossing, gone)``: the instant of the signal since which a car that crosses so, coming out of that stretch, may pass nobody;
    ``None``: it is free to. ``slow(car, stretch, time_us)``: whether that is slow for it. ``waved(car, since, at)``: whether it was waved
    by between the signal and then. ``retired(car, at)``: whether it was by then.
    """

    signal: Callable[[Crossing, Gone], int | None]
    slow: Callable[[str, int, int], bool]
    waved: Callable[[str, int, int], bool]
    retired: Callable[[str, int], bool]


class _Passed(Struct, frozen=True):
    car: str
    crossing: Crossing
    gone: Gone
    place: bool
    signal: int


class Watch:
    """Watches the road from the signal on. ``place`` says where cars are before it; ``cross`` takes crossings in order of time.

    ``positions``: of each loop of the circuit, its place in the lap (0 the line), ``PIT``, or ``None`` where its place is not known.
    ``again_us``: a car heard again at one loop within this time has not been round. ``found``: the passes decided so far.
    """

    def __init__(self, positions: tuple[int | None, ...], again_us: int, questions: Questions) -> None:
        self.positions = positions
        self.found: list[Overtake] = []
        self._round = max((p for p in positions if p is not None), default=0) + 1
        self._pits_heard = PIT in positions
        self._again_us = again_us
        self._asks = questions
        self._on: dict[str, Gone] = {}
        self._queues: list[list[str]] = [[] for _ in range(self._round)]
        self._passed: dict[str, dict[str, _Passed]] = {}
        self._pit_at: dict[str, int] = {}
        self._lost: dict[tuple[str, str], bool] = {}

    def place(self, car: str, gone: Gone) -> None:
        """Put a car where it is at the signal; to be called in the order in which cars crossed their last loops."""
        self._on[car] = gone
        self._queues[gone.stretch].append(car)

    def cross(self, car: str, crossing: Crossing, laps: int, line_at: int) -> None:
        """Take in a crossing. ``laps``: those the car has done with it; ``line_at``: when it ended the last of them."""
        at, loop = crossing[0], crossing[1]
        position = self.positions[loop]
        if position is None:
            return
        gone = self._on.get(car)
        if position == PIT:
            self._leave(car)
            self._pit_at[car] = at
            return
        if gone is not None and gone.stretch == position and at - gone.crossing[0] < self._again_us:
            return
        if gone is not None:
            self._come_out(car, gone, crossing, position, laps)
        else:
            line_at = max(line_at, self._pit_at.get(car, 0))  # out of the pit lane, it races if the others do
        self._on[car] = Gone(position, crossing, laps, line_at)
        self._queues[position].append(car)

    def pending(self) -> list[Pending]:
        """Give the passes of which the car passed has not come out of the stretch."""
        return [
            Pending(p.car, over, self._on[over].crossing[0], self._on[over].stretch, p.place, self._by(p, self._on[over]))
            for over, passed in self._passed.items()
            if over in self._on
            for p in passed.values()
        ]

    def _by(self, passed: _Passed, over: Gone) -> int:
        """Give the instant after which the car passed may have been in the pits; one far ahead where those are heard."""
        return _FAR if self._pits_heard else over.crossing[0] + passed.crossing[0] - passed.gone.crossing[0] + _VISIT_US

    def finish(self, car: str) -> None:
        """Take a car off the road: it has taken the flag."""
        self._leave(car)

    def _leave(self, car: str) -> None:
        gone = self._on.pop(car, None)
        if gone is not None:
            self._queues[gone.stretch].remove(car)
        self._passed.pop(car, None)

    def _come_out(self, car: str, gone: Gone, crossing: Crossing, position: int, laps: int) -> None:
        queue = self._queues[gone.stretch]
        ahead = queue[: queue.index(car)]
        queue.remove(car)
        missed = (position - gone.stretch - 1) % self._round
        passed = list(self._passed.pop(car, {}).values())
        if missed > 1 or (missed and self._round <= 2):  # two loops left out are no order any more
            return
        if missed:  # one loop did not hear it: who seemed to pass it there and is not out yet has not passed it
            between = self._queues[(gone.stretch + 1) % self._round]
            passed = [p for p in passed if p.car not in between]
            ahead = ahead + [c for c in between if self._on[c].crossing[0] < gone.crossing[0]]
        for p in passed:
            self._decide(p, car, gone, crossing)
        signal = self._asks.signal(crossing, gone)
        if signal is None:
            return
        own, reached = self._progress(gone.laps, gone.stretch), self._progress(laps, position)
        for over in ahead:
            passers = self._passed.setdefault(over, {})
            if car not in passers:  # a car that stands beside the track is passed lap after lap
                other = self._on[over]
                place = own <= self._progress(other.laps, other.stretch) < reached
                passers[car] = _Passed(car, crossing, gone, place, signal)

    def _progress(self, laps: int, position: int) -> int:
        return laps * self._round + position

    def _decide(self, passed: _Passed, over: str, gone: Gone, out: Crossing) -> None:
        at, loop = passed.crossing[0], passed.crossing[1]
        asks = self._asks
        why: Why | None = None
        if passed.gone.crossing[0] <= passed.signal:
            why = "at_signal"
        elif self._lost.pop((over, passed.car), None):
            why = "gives_back"
        elif asks.waved(passed.car, passed.signal, at):
            why = "waved_by"
        elif asks.retired(over, out[0]):
            why = "retired"
        elif asks.slow(over, gone.stretch, out[0] - gone.crossing[0]):
            why = "slow"
        elif out[0] > self._by(passed, gone):
            why = "pits_unheard"
        else:
            self._lost[(passed.car, over)] = True
        evidence = (passed.gone.crossing[2:], gone.crossing[2:], passed.crossing[2:], out[2:])
        self.found.append(
            Overtake(name_of("overtake", passed.car, over, loop, at), passed.car, over, loop, at, out[0], passed.place, why, evidence)
        )


def name_of(kind: str, *parts: object) -> str:
    """Name a candidate by what it says, so that the same evidence names it alike whenever it comes in."""
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def hold_back(road: list[str], held: list[tuple[str, str]]) -> list[str]:
    """Order cars as on the road, but each car of ``held`` behind the one it passed. Always all cars, each once.

    A circle of passes, of which none is explained, is left as it is on the road from its first car on.
    """
    behind: dict[str, set[str]] = {}
    here = set(road)
    for car, over in held:
        if car in here and over in here and car != over:
            behind.setdefault(car, set()).add(over)
    if not behind:
        return road
    ordered: list[str] = []
    left = list(road)
    while left:
        car = next((c for c in left if not behind.get(c)), left[0])
        left.remove(car)
        ordered.append(car)
        for waits in behind.values():
            waits.discard(car)
    return ordered
