"""The race itself: cars going from loop to loop, until the leader takes the flag and everybody after him."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from replay.simulation.dice import Dice
from replay.simulation.field import Starter
from replay.simulation.plan import Plan
from replay.simulation.traffic import PIT_ENTRY, PIT_EXIT, PIT_LINE, QUEUE, Competitor, Stretch
from timing.domain.units import MILLISECOND, MINUTE, SECOND

NODES = ("SF", "S1", "ST", "S2")

# how long a stretch takes against a racing lap
_HEAD = 1.42  # the first car behind the safety car
_CATCHING_UP = 1.18
_ENDING = 1.10
_RED = 1.60
_COOLING_DOWN = 1.30
_VIRTUAL = 1.35

VIRTUAL = ("vsc", "fcy")
"""The neutralisations without a car: everybody slows down alike, and goes on racing at the signal."""


class RaceControl(Protocol):
    """Who decides what the cars do next: asked at every loop, told what happened."""

    def at_loop(self, car: Competitor, node: int, now: int) -> None:
        """Hear of a car at a loop of the track, before it goes on."""

    def on_stop(self, car: Competitor, now: int, *, pit: bool) -> None:
        """Hear of a car that stands: in its box, or beside the track for good."""

    def on_rejoin(self, car: Competitor, now: int) -> None:
        """Hear of a car that came out of the pit lane."""

    def on_queue(self, now: int) -> None:
        """Hear that every car on the track stands in the queue before the line."""

    def on_finish(self, car: Competitor, now: int) -> None:
        """Hear of a car that took the flag; the first is the winner on the road."""


class Race:
    """Everything that moves. ``trace``: each passing as (instant, loop, car), in order of time."""

    def __init__(self, plan: Plan, starters: list[Starter], dice: Dice) -> None:
        self.plan = plan
        self.dice = dice
        self.cars = [Competitor(starter, grid) for grid, starter in enumerate(starters, start=1)]
        self.stretches = [Stretch(ease) for ease in plan.track.ease]
        self.lengths = [plan.track.lap_us * share // 1000 for share in plan.track.shares]
        self.trace: list[tuple[int, str, Competitor]] = []
        self.status = "green"
        self.head: Competitor | None = None  # who follows the safety car
        self.picked_up = False
        self.queue: list[Competitor] = []
        self.waiting: list[Competitor] = []  # at the closed pit exit
        self.leader_laps = 0
        self.target: int | None = plan.laps
        self.finish_at: int | None = None
        self.over_at = plan.start + plan.minutes * MINUTE if plan.minutes is not None else None
        self.control: RaceControl
        self._agenda: list[tuple[int, int, Competitor | Callable[[int], None]]] = []
        self._ticket = 0
        self._queued_at = 0

    # --- time --------------------------------------------------------------------------------------------------------------------

    def call(self, at: int, action: Callable[[int], None]) -> None:
        """Have something done at an instant."""
        self._ticket += 1
        heappush(self._agenda, (at, self._ticket, action))

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Run until nothing moves any more; ``progress`` hears the instant now and then."""
        steps = 0
        while self._agenda:
            now, ticket, what = heappop(self._agenda)
            if isinstance(what, Competitor):
                if what.ticket == ticket:
                    self._arrive(what, now)
            else:
                what(now)
            steps += 1
            if progress and not steps % 4096:
                progress(now)

    def stop(self) -> None:
        """Let everything stand where it is: the race is over for good."""
        self._agenda.clear()

    def _due(self, car: Competitor) -> None:
        self._ticket += 1
        car.ticket = self._ticket
        heappush(self._agenda, (car.exit, self._ticket, car))

    # --- the start ---------------------------------------------------------------------------------------------------------------

    def start(self, absent: set[str]) -> None:
        """Let the field go from the signal on: from standing, or rolling over the line."""
        start, rows = self.plan.start, [car for car in self.cars if car.starter.number not in absent]
        for car in self.cars:
            car.running = car.starter.number not in absent
        for index, car in enumerate(rows):
            if self.plan.rolling:
                car.entered = start + 1 + index * 230 * MILLISECOND + self.dice.below(60 * MILLISECOND)
                self.trace.append((car.entered, "SF", car))
                wish = car.entered + int(self.lengths[0] * 1.06)
            else:
                car.entered = start + index * 5 * MILLISECOND
                reaction = 180 * MILLISECOND + self.dice.below(350 * MILLISECOND)
                wish = start + reaction + int(self.lengths[0] * 1.12) + index * 190 * MILLISECOND
            self._new_lap(car)
            wish += int(self.lengths[0] * (car.pace - 1.0)) + int(self.dice.spread() * 500 * MILLISECOND)
            self.stretches[0].join(car, wish, self.dice, neutral=False)
        for car in rows:
            self._due(car)

    def formation_lap(self) -> list[tuple[int, str, Competitor]]:
        """Give what the loops hear before the start: the field on its way to the grid."""
        cars = sorted((car for car in self.cars if car.crossings or car.running), key=lambda car: car.grid)
        begun = self.plan.start - self.plan.track.lap_us * 145 // 100
        offset, passings = 0, []
        for length, loop in zip(self.lengths, NODES[1:], strict=False):
            offset += length * 145 // 100
            passings += [(begun + offset + place * 300 * MILLISECOND, loop, car) for place, car in enumerate(cars)]
        return passings

    # --- moving ------------------------------------------------------------------------------------------------------------------

    def _arrive(self, car: Competitor, now: int) -> None:
        if car.leg < PIT_ENTRY:
            left = self.stretches[car.leg].cars.pop(0)
            assert left is car, "cars leave a stretch in the order of their exits"
            node = (car.leg + 1) % 4
            self.trace.append((now, NODES[node], car))
            car.slow = car.finished_at is not None
            if node == 0:
                self._line(car, now)
            self.control.at_loop(car, node, now)
            self._go_on(car, node, now)
        elif car.leg == QUEUE:
            self.queue.append(car)
            self._in_queue(now)
        else:
            self._in_pit_lane(car, now)

    def _go_on(self, car: Competitor, node: int, now: int) -> None:
        if car.stop_next:
            self.take_off(car)
            self.control.on_stop(car, now + self.lengths[node] // 3, pit=False)
            self._in_queue(now)
        elif node == 3 and car.finished_at is not None:
            car.box_us = 0
            self._to_pit(car, now)
        elif node == 3 and self.status == "red":
            self.stand_in_queue(car, now + int(self.lengths[3] * _RED))
        elif node == 3 and car.box_us is not None and self.status != "safety_car_ending":
            self._to_pit(car, now)
        else:
            self._enter(car, node, now, now)

    def _enter(self, car: Competitor, leg: int, entered: int, now: int) -> None:
        factor, neutral = self._pace(car, leg)
        noise = 1.0 + self.dice.spread() * (0.0012 if neutral else 0.0075 * car.starter.steady)
        wish = now + int(self.lengths[leg] * factor * noise) + car.loss
        car.slow = car.slow or car.loss > 4 * SECOND
        car.loss = 0
        car.leg, car.entered = leg, entered
        self.stretches[leg].join(car, wish, self.dice, neutral=neutral)
        self._due(car)

    def _pace(self, car: Competitor, leg: int) -> tuple[float, bool]:
        """Give how fast a car goes against the circuit's best, and whether it may overtake nobody."""
        if self.status == "red":
            return _RED, True
        if car.finished_at is not None:
            return _COOLING_DOWN * car.pace, False
        if self.status in VIRTUAL:
            return _VIRTUAL, True
        if self.status == "safety_car_ending":
            return (_ENDING if leg == 3 else _HEAD) if car is self.head else _ENDING, True
        if self.status == "safety_car":
            return _HEAD if car is self.head and self.picked_up else _CATCHING_UP, True
        return (car.pace, False) if car.free else (_ENDING, True)

    def _new_lap(self, car: Competitor) -> None:
        worn = car.tyres
        cold = 0.022 if worn == 0 else 0.006 if worn == 1 else 0.0
        car.pace = car.starter.paces[car.driver] + cold + 0.00025 * min(worn, 40) + self.dice.spread() * 0.0035 * car.starter.steady
        car.tyres += 1
        if self.status == "green" and self.dice.chance(0.012 * car.starter.steady):
            car.loss = self.dice.between(300 * MILLISECOND, 1900 * MILLISECOND)  # a wheel in the grass

    def _line(self, car: Competitor, now: int) -> None:
        if car is self.head:
            self.picked_up = True
        if self.status in ("green", "yellow"):
            car.free = True
        if car.finished_at is not None or (self.finish_at is not None and now > self.finish_at + self.plan.grace_us):
            return
        car.laps += 1
        car.crossings.append(now)
        self._new_lap(car)
        if car.laps > self.leader_laps:
            self.leader_laps = car.laps
            if self.over_at is not None and now >= self.over_at:
                last = car.laps + self.plan.plus_laps
                self.target = last if self.target is None else min(self.target, last)
                self.over_at = None
            if car.laps == self.target:
                self.finish_at = now
        if self.finish_at is not None:
            car.finished_at, car.slow = now, True
            self.control.on_finish(car, now)

    def take_off(self, car: Competitor) -> None:
        """Take a car out of the race where it is; somebody else follows the safety car then."""
        car.running = car.stop_next = False
        self._new_head(car)

    def _new_head(self, gone: Competitor) -> None:
        if gone is self.head:
            self.head = self.leader()

    def leader(self) -> Competitor | None:
        """Give the car on the track that leads."""
        return min((car for car in self.on_track() if car.finished_at is None), key=lambda car: car.progress, default=None)

    def on_track(self) -> list[Competitor]:
        """Give the cars that are on the track, or stand in the queue."""
        return [car for car in self.cars if car.running and (car.leg < PIT_ENTRY or car.leg == QUEUE)]

    # --- the pit lane ------------------------------------------------------------------------------------------------------------

    def _to_pit(self, car: Competitor, now: int) -> None:
        factor = max(self._pace(car, 3)[0], 1.0)
        car.loss = 0
        car.leg, car.entered, car.exit = PIT_ENTRY, now, now + int(self.lengths[3] * 0.9 * factor) + self.dice.below(SECOND)
        self._new_head(car)
        self._due(car)

    def _in_pit_lane(self, car: Competitor, now: int) -> None:
        before, after = self.plan.track.pit_lane_us
        stand = car.box_us or 0
        if car.leg == PIT_ENTRY:
            car.visits += car.finished_at is None
            self.trace.append((now, "PI", car))
            wait = 0 if car.starter.box_after_line else stand
            car.leg, car.exit = PIT_LINE, now + before + wait + self.dice.below(400 * MILLISECOND)
        elif car.leg == PIT_LINE:
            self.trace.append((now, "SFP", car))
            self._line(car, now)
            if car.finished_at is not None:
                car.running = False  # parc fermé
                return
            self.control.on_stop(car, now, pit=True)
            wait = stand if car.starter.box_after_line else 0
            car.leg, car.exit = PIT_EXIT, now + after + wait + self.dice.below(400 * MILLISECOND)
        elif self.status == "red":
            self.waiting.append(car)
            return
        else:
            self._out_of_pit_lane(car, now)
            return
        self._due(car)

    def _out_of_pit_lane(self, car: Competitor, now: int) -> None:
        self.trace.append((now, "PO", car))
        car.box_us, car.free = None, self.status in ("green", "yellow")
        self.control.on_rejoin(car, now)
        if car.stop_next:
            self.take_off(car)
            self.control.on_stop(car, now, pit=False)
            return
        car.leg, car.entered = 0, now - int(self.lengths[0] * 0.12)
        factor, _ = self._pace(car, 0)
        self.stretches[0].rejoin(car, now + int(self.lengths[0] * (0.92 * factor + 0.03)))
        self._due(car)

    # --- neutralisation ----------------------------------------------------------------------------------------------------------

    def neutralise(self, status: str, now: int) -> None:
        """Slow everybody down at once, in the order in which they are: nobody gets past anybody from now on."""
        self.status, self.picked_up = status, False
        for stretch in self.stretches:
            stretch.yellow = False
            for car in stretch.slow_down(now, _RED if status == "red" else _VIRTUAL if status in VIRTUAL else _CATCHING_UP):
                self._due(car)
        for car in self.cars:
            car.free, car.loss = False, 0
        self.head = self.leader() if status == "safety_car" else None
        if status == "red":
            self._clear_last_stretch(now)

    def race_on(self) -> None:
        """Let everybody race again at once, where they are."""
        self.status = "green"
        for car in self.cars:
            car.free = True

    def _clear_last_stretch(self, now: int) -> None:
        """Let the cars before the line stop there; who is too close to it goes over it, and round once more."""
        last = self.stretches[3]
        near = [car for car in last.cars if car.exit - now <= 5 * SECOND]
        for car in last.cars[len(near) :]:
            self.stand_in_queue(car, car.exit)
        last.cars = near

    def stand_in_queue(self, car: Competitor, at: int) -> None:
        """Have a car stop before the line, behind those that stand there."""
        self._queued_at = max(at, self._queued_at + 2 * SECOND)
        car.leg, car.exit = QUEUE, self._queued_at
        self._due(car)

    def _in_queue(self, now: int) -> None:
        if self.status == "red" and len(self.queue) == len(self.on_track()):
            self.control.on_queue(now)

    def resume(self, now: int) -> None:
        """Let the queue go behind the safety car, and then who waits at the pit exit."""
        self.status, self.picked_up = "safety_car", True
        at = now + 7 * SECOND
        for car in self.queue:
            at += self.dice.between(900 * MILLISECOND, 1500 * MILLISECOND)
            car.leg, car.entered, car.exit = 3, now, at
            self.stretches[3].cars.append(car)
            self._due(car)
        self.queue = []
        self.head = self.leader()
        for car in self.waiting:
            at += 4 * SECOND
            car.exit = at
            self._due(car)
        self.waiting = []
