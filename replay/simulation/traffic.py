"""Cars in a stretch of track: who follows, who gets past, and that nobody does while it is forbidden."""

from dataclasses import dataclass, field

from replay.simulation.dice import Dice
from replay.simulation.field import Starter
from timing.domain.units import MILLISECOND

PIT_ENTRY, PIT_LINE, PIT_EXIT, QUEUE = 4, 5, 6, 7
"""What a car is on its way to when it is not in one of the stretches 0 to 3."""

_FOLLOWING = 320 * MILLISECOND
_BEHIND_SAFETY_CAR = 620 * MILLISECOND
_CLEAR = 180 * MILLISECOND


@dataclass(slots=True, eq=False)
class Competitor:
    """A car in the race. ``leg``: the stretch it is in, or what it is on its way to; it gets there at ``exit``."""

    starter: Starter
    grid: int
    leg: int = 0
    entered: int = 0
    exit: int = 0
    ticket: int = 0
    laps: int = 0
    crossings: list[int] = field(default_factory=list)
    pace: float = 1.0
    driver: int = 0
    tyres: int = 0
    free: bool = True  # has crossed the line under green, so that it may overtake
    slow: bool = False  # everybody may go past: spun, or finished
    running: bool = True
    retired: bool = False
    finished_at: int | None = None
    loss: int = 0  # µs that it will lose in the next stretch
    stop_next: bool = False  # stops in the next stretch for good
    box_us: int | None = None  # the next visit to the pit lane, and how long it stands there
    next_stop_at: int | None = None
    serving: str | None = None  # the drive-through it has to take
    visits: int = 0  # to the pit lane, before the flag

    @property
    def progress(self) -> tuple[int, int, int]:
        """Sort by this, and the car that is furthest on comes first."""
        leg = self.leg if self.leg < PIT_ENTRY else 0 if self.leg == PIT_EXIT else 3
        return (-self.laps, -leg, self.exit)


class Stretch:
    """A stretch between two loops, with the cars in it in the order in which they will leave it."""

    def __init__(self, ease: float) -> None:
        self.ease = ease
        self.cars: list[Competitor] = []
        self.yellow = False

    def join(self, car: Competitor, wish: int, dice: Dice, *, neutral: bool) -> None:
        """Take a car in that would like to leave at ``wish``: behind those it cannot pass."""
        cars = self.cars
        distance = _BEHIND_SAFETY_CAR if neutral else _FOLLOWING
        slot = place = len(cars)
        leave = wish
        if cars and wish < cars[-1].exit + distance:
            leave = cars[-1].exit + distance + int(dice.random() * 90 * MILLISECOND)
        candidate = wish
        while place and candidate < cars[place - 1].exit + distance:
            ahead = cars[place - 1]
            if not (ahead.slow or self._passes(car, ahead, ahead.exit + distance - candidate, dice, neutral=neutral)):
                break
            place -= 1
            candidate = min(candidate, ahead.exit - _CLEAR)
            if not place or candidate >= cars[place - 1].exit + distance:
                slot, leave = place, candidate
        car.exit = leave
        cars.insert(slot, car)

    def _passes(self, car: Competitor, ahead: Competitor, lost: int, dice: Dice, *, neutral: bool) -> bool:
        if neutral or self.yellow or not car.free:
            return False
        if car.laps > ahead.laps:  # blue flags
            return dice.random() < 0.93
        return dice.random() < self.ease * min(0.15 + lost / 600_000, 0.95)

    def rejoin(self, car: Competitor, wish: int) -> None:
        """Take in a car that comes out of the pit lane: into the next hole, holding nobody up."""
        slot = 0
        while slot < len(self.cars) and self.cars[slot].exit + _FOLLOWING <= wish:
            slot += 1
        while slot < len(self.cars) and self.cars[slot].exit - _CLEAR < wish:
            wish = max(wish, self.cars[slot].exit + _FOLLOWING)
            slot += 1
        car.exit = wish
        self.cars.insert(slot, car)

    def slow_down(self, now: int, factor: float) -> list[Competitor]:
        """Let what is left of the stretch take ``factor`` as long, in the order in which the cars came in; give the cars."""
        self.cars.sort(key=lambda car: (car.slow, car.exit if car.slow else car.entered))
        before = 0
        for car in self.cars:
            car.exit = before = max(now + int((car.exit - now) * factor), before + _BEHIND_SAFETY_CAR)
        return self.cars
