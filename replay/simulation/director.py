"""Race control of the simulated race: it sees to it that what the plan asks for happens, and says what race control would say."""

from collections.abc import Callable
from functools import partial
from itertools import cycle

from replay.simulation.dice import Dice
from replay.simulation.plan import Plan
from replay.simulation.race import VIRTUAL, Race
from replay.simulation.script import Script
from replay.simulation.traffic import PIT_ENTRY, Competitor
from timing.domain.events import CarRetired, DriverChanged, PitLane, RaceStopped, ResultPublished
from timing.domain.units import MILLISECOND, MINUTE, SECOND

_SECTOR = (1, 2, 2, 3)
_AGAIN = 20 * SECOND
_OFFENCES = ("track limits, fourth time", "false start", "speeding in the pit lane", "gaining an advantage off the track")


class Director:
    """The race control of one race. It implements what ``race.RaceControl`` asks for."""

    def __init__(self, plan: Plan, race: Race, script: Script, dice: Dice) -> None:
        self.plan, self.race, self.script, self.dice = plan, race, script, dice
        self.safety_car_seen: list[tuple[int, str]] = []  # the safety car's own passings
        self.neutral: list[tuple[int, int]] = []  # from the signal to the leader at the line
        self.red_at: int | None = None
        self._since = 0
        self._laps_behind = 0
        self._laps_wanted = 1
        self._retirements = plan.retirements
        self._cause: Callable[[int], None] | None = None  # what follows when the car that was asked to stop stands
        self._red_wanted = False
        self._ending = False
        self._resuming = False
        self._named: set[str] = set()  # cars that already have a part in the script
        self._serving_now: set[str] = set()

    def prepare(self) -> None:
        """Put the plan's incidents, stops and decisions on the agenda."""
        start, length, race, dice = self.plan.start, self.plan.expected_us, self.race, self.dice
        for fraction in self.plan.safety_cars:
            race.call(start + int(length * fraction), self._want_safety_car)
        for fraction, kind in zip(self.plan.virtual, cycle(VIRTUAL)):
            race.call(start + int(length * fraction), partial(self._virtual, kind))
        if self.plan.red is not None:
            race.call(start + int(length * self.plan.red), self._want_red)
        for _ in range(self.plan.spins):
            race.call(start + int(length * (0.10 + 0.80 * dice.random())), self._spin)
        for _ in range(max(0, self.plan.retirements - len(self.plan.safety_cars))):
            race.call(start + int(length * (0.15 + 0.75 * dice.random())), self._retire_somebody)
        for index in range(self.plan.drive_throughs):
            race.call(start + int(length * (0.16 + 0.40 * dice.random())) + index * SECOND, self._drive_through)
        for index in range(self.plan.time_penalties - 1):
            race.call(start + int(length * (0.20 + 0.60 * dice.random())) + index * SECOND, self._time_penalty)
        for _ in range(self.plan.repairs):
            race.call(start + int(length * (0.10 + 0.70 * dice.random())), self._repair)
        for car in race.cars:
            if self.plan.stints is not None:
                car.next_stop_at = start + int(self.plan.stints * (0.75 + 0.25 * dice.random()))
            elif len(car.starter.drivers) > 1:
                car.next_stop_at = start + int(length * (0.40 + 0.15 * dice.random()))

    # --- what the race tells -----------------------------------------------------------------------------------------------------

    def at_loop(self, car: Competitor, node: int, now: int) -> None:
        """See ``RaceControl.at_loop``."""
        if car is self.race.head and self.race.picked_up and not self._ending:
            self._follow_safety_car(car, node, now)
        if node == 1 and self.plan.red_on_last_lap and self.red_at is None and car.laps + 1 == self.race.target:
            self._red_wanted = True
        if node == 1 and self._red_wanted and self._may_suspend() and car is self.race.leader():
            self._crash_before_red(car, now)
        if node == 3 and car.box_us is None and self._may_stop(car, now):
            self._send_to_pit(car, now)

    def on_stop(self, car: Competitor, now: int, *, pit: bool) -> None:
        """See ``RaceControl.on_stop``."""
        if pit:
            if car.box_us:
                self._in_box(car, now)
            return
        number = car.starter.number
        sector = _SECTOR[car.leg if car.leg < PIT_ENTRY else 0]
        cause, self._cause = self._cause, None
        if self.race.status == "green":
            self._local_yellow(now + 3 * SECOND, sector, 70 * SECOND)
        self.race.call(now + 4 * SECOND, lambda at: self.script.tell(at, f"Car {number} stopped in sector {sector}", number))
        self.race.call(now + 100 * SECOND, lambda at: self._retired(car, at))
        if cause:
            self.race.call(now + 12 * SECOND, cause)

    def on_rejoin(self, car: Competitor, now: int) -> None:
        """See ``RaceControl.on_rejoin``."""
        if car.serving and car.serving in self._serving_now:
            self.script.update(now + 2 * SECOND, car.serving, "served")
            car.serving = None

    def on_queue(self, now: int) -> None:
        """See ``RaceControl.on_queue``."""
        if self.red_at is None or self._resuming or self.plan.stopped:
            return
        self._resuming = True
        at = max(now + 45 * SECOND, self.red_at + 150 * SECOND)
        self.race.call(at - 40 * SECOND, lambda then: self.script.tell(then, "The race will be resumed behind the safety car"))
        self.race.call(at, self._resume)

    def on_finish(self, car: Competitor, now: int) -> None:  # noqa: ARG002  # what RaceControl hears
        """See ``RaceControl.on_finish``."""
        if now != self.race.finish_at:
            return
        self._ending = True
        if self.neutral and self.neutral[-1][1] == 0:
            self.neutral[-1] = (self.neutral[-1][0], now)
        self.script.flag(now - 500 * MILLISECOND, "chequered")
        self.race.call(now + self.plan.grace_us + MINUTE, self._close)

    # --- safety car --------------------------------------------------------------------------------------------------------------

    def _want_safety_car(self, now: int) -> None:
        if self._over_soon(now):
            return
        if self.race.status != "green" or self._cause or self._red_wanted:
            self.race.call(now + _AGAIN, self._want_safety_car)
        elif self._retirements > 0 and (car := self._pick()):
            self._retirements -= 1
            self._cause = self._safety_car
            car.stop_next = True
        else:
            self.script.tell(now, "Gravel on the track")
            self.race.call(now + 8 * SECOND, self._safety_car)

    def _safety_car(self, now: int) -> None:
        if self._over_soon(now) or self.race.status != "green":
            return
        self.script.flag(now, "safety_car")
        self._begin_neutral(now, 1 if self.plan.expected_us < 60 * MINUTE else self.dice.between(2, 4))
        self.race.neutralise("safety_car", now)

    def _begin_neutral(self, now: int, laps: int) -> None:
        self._laps_behind, self._laps_wanted = -1, laps
        if not self.neutral or self.neutral[-1][1]:  # a red flag under the safety car goes on with the same neutralisation
            self.neutral.append((now, 0))

    def _follow_safety_car(self, car: Competitor, node: int, now: int) -> None:
        if self.race.status == "safety_car_ending" and node == 0:
            self._green(car, now)
            return
        if self.race.status != "safety_car":
            return
        self.safety_car_seen.append((now - 1_600 * MILLISECOND, ("SF", "S1", "ST", "S2")[node]))
        if node == 0:
            self._laps_behind += 1
        if node == 1 and self._laps_behind >= self._laps_wanted - 1:
            self.race.status = "safety_car_ending"
            self.script.flag(now, "safety_car_ending")
            self.script.tell(now + SECOND, "Safety car in this lap")

    def _green(self, car: Competitor, now: int) -> None:
        self.script.flag(now - 800 * MILLISECOND, "green")
        self.race.status, self.race.head, car.free = "green", None, True
        self.neutral[-1] = (self.neutral[-1][0], now)

    def _virtual(self, kind: str, now: int) -> None:
        if self._over_soon(now):
            return
        if self.race.status != "green" or self._cause or self._red_wanted:
            self.race.call(now + _AGAIN, partial(self._virtual, kind))
            return
        self.script.flag(now, kind)
        self._begin_neutral(now, 0)
        self.race.neutralise(kind, now)
        over = now + self.dice.between(40 * SECOND, 100 * SECOND)
        if kind == "vsc":
            self.race.call(over - 12 * SECOND, lambda at: self.script.flag(at, "vsc_ending") if self.race.status == "vsc" else None)
        self.race.call(over, partial(self._virtual_over, kind))

    def _virtual_over(self, kind: str, now: int) -> None:
        if self.race.status != kind or self.race.finish_at is not None:
            return
        self.script.flag(now, "green")
        self.neutral[-1] = (self.neutral[-1][0], now)
        self.race.race_on()

    # --- red flag ----------------------------------------------------------------------------------------------------------------

    def _want_red(self, now: int) -> None:
        if not self._over_soon(now) or self.plan.stopped:
            self._red_wanted = True

    def _may_suspend(self) -> bool:
        return self.race.finish_at is None and (self.race.status == "green" or self.plan.stopped)

    def _crash_before_red(self, leader: Competitor, now: int) -> None:
        near = [car for car in self.race.cars if car.running and car.leg in (0, 1) and car is not leader and not car.stop_next]
        near = [car for car in near if car.starter.number not in self._named] or near
        self._red_wanted = False
        if near and not self._cause:
            car = self.dice.one_of(near)
            self._named.add(car.starter.number)
            self._cause = self._red
            car.stop_next = True
        else:
            self.race.call(now + 10 * SECOND, self._red)

    def _red(self, now: int) -> None:
        if self.race.finish_at is not None:
            return
        self.red_at = now
        self.script.flag(now, "red")
        self.script.say(PitLane, now + SECOND, open=False)
        self.script.tell(now + 8 * SECOND, "Race suspended: barrier to be repaired")
        self._begin_neutral(now, 1)
        self.race.neutralise("red", now)
        if self.plan.stopped:
            self.race.call(now + 6 * MINUTE, self._stop_race)
        if not self.race.on_track():
            self.on_queue(now)

    def _stop_race(self, now: int) -> None:
        self.script.tell(now - 10 * SECOND, "The race will not be resumed")
        self.script.say(RaceStopped, now)
        self.neutral[-1] = (self.neutral[-1][0], now)
        self.race.call(now + MINUTE, self._close)

    def _resume(self, now: int) -> None:
        self.script.flag(now, "safety_car")
        self.script.say(PitLane, now + 20 * SECOND, open=True)
        self.race.resume(now)

    # --- incidents ---------------------------------------------------------------------------------------------------------------

    def _over_soon(self, now: int) -> bool:
        race = self.race
        if race.finish_at is not None:
            return True
        if race.target is not None:
            return race.leader_laps >= race.target - 3
        return race.over_at is not None and now > race.over_at - 3 * self.plan.track.lap_us

    def _pick(self) -> Competitor | None:
        """Pick a car for an incident: one on the track without a part in the script, not of the first three."""
        cars = sorted((car for car in self.race.on_track() if car.finished_at is None), key=lambda car: car.progress)[3:]
        cars = [car for car in cars if car.starter.number not in self._named and car.leg < PIT_ENTRY and not car.stop_next]
        if not cars:
            return None
        car = self.dice.one_of(cars)
        self._named.add(car.starter.number)
        return car

    def _spin(self, now: int) -> None:
        if self.race.finish_at is not None:
            return
        if self.race.status != "green" or self._cause or self._red_wanted:
            self.race.call(now + _AGAIN, self._spin)
        elif car := self._pick():
            car.loss = self.dice.between(20 * SECOND, 30 * SECOND)
            number, leg = car.starter.number, (car.leg + 1) % 4

            def tell(at: int) -> None:
                if car.slow:  # the race may have been neutralised before it came to it
                    self._local_yellow(at, _SECTOR[leg], 18 * SECOND)
                    self.script.tell(at + SECOND, f"Car {number} has spun", number)

            self.race.call(car.exit + 6 * SECOND, tell)

    def _local_yellow(self, at: int, sector: int, length: int) -> None:
        stretches = [stretch for stretch, its in zip(self.race.stretches, _SECTOR, strict=True) if its == sector]

        def shown(now: int) -> None:
            if self.race.status == "green" and self.race.finish_at is None and not any(s.yellow for s in stretches):
                for stretch in stretches:
                    stretch.yellow = True
                self.script.flag(now, "yellow", sector)
                self.race.call(now + length, withdrawn)

        def withdrawn(now: int) -> None:
            if self.race.status == "green" and self.race.finish_at is None and any(s.yellow for s in stretches):
                self.script.flag(now, "green", sector)
            for stretch in stretches:
                stretch.yellow = False

        self.race.call(at, shown)

    def _retire_somebody(self, now: int) -> None:
        if self.race.status != "green" or self._cause:
            self.race.call(now + _AGAIN, self._retire_somebody)
        elif not self._over_soon(now) and self._retirements > 0 and (car := self._pick()):
            self._retirements -= 1
            car.stop_next = True

    def _retired(self, car: Competitor, now: int) -> None:
        car.retired = True
        self.script.say(CarRetired, now, car=car.starter.number, reason="stopped on the track")
        if car.serving:
            self.script.update(now + SECOND, car.serving, "quashed", "the car has retired")
            car.serving = None

    # --- the pit lane ------------------------------------------------------------------------------------------------------------

    def _may_stop(self, car: Competitor, now: int) -> bool:
        race = self.race
        if car.finished_at is not None or race.status in ("red", "safety_car_ending") or car.stop_next:
            return False
        if race.target is not None and car.laps >= race.target - 2:
            return False
        return race.over_at is None or now < race.over_at - 2 * self.plan.track.lap_us or car.serving is not None

    def _send_to_pit(self, car: Competitor, now: int) -> None:
        if car.serving and self.race.status == "green":
            car.box_us = 0
            self._serving_now.add(car.serving)
        elif car.next_stop_at is not None and now >= car.next_stop_at:
            car.box_us = self.dice.between(42 * SECOND, 66 * SECOND)
            car.next_stop_at = now + int(self.plan.stints * (0.9 + 0.1 * self.dice.random())) if self.plan.stints is not None else None

    def _in_box(self, car: Competitor, now: int) -> None:
        drivers = car.starter.drivers
        car.tyres = 0
        if len(drivers) > 1:
            car.driver = (car.driver + 1) % len(drivers)
            self.script.say(DriverChanged, now + 12 * SECOND, car=car.starter.number, driver=drivers[car.driver].id)

    def _repair(self, now: int) -> None:
        if self._over_soon(now):
            return
        if (car := self._pick()) and car.box_us is None:
            length = self.plan.expected_us
            car.box_us = self.dice.between(min(4 * MINUTE, length // 12), min(25 * MINUTE, length // 8))
            number = car.starter.number
            self.race.call(car.exit + 60 * SECOND, lambda at: self.script.tell(at, f"Car {number} in its box for repairs", number))

    # --- the stewards ------------------------------------------------------------------------------------------------------------

    def _drive_through(self, now: int) -> None:
        if self.race.status != "green":
            self.race.call(now + _AGAIN, self._drive_through)
        elif not self._over_soon(now) and (car := self._pick()):
            number = car.starter.number
            decision = self.script.rule(now, number, "drive_through", "causing a collision", stage="noted")

            def issue(at: int) -> None:
                self.script.update(at, decision, "issued")
                if car.running and car.finished_at is None:
                    car.serving = decision
                else:
                    self.script.update(at + SECOND, decision, "quashed", "the car is out of the race")

            self.race.call(now + 45 * SECOND, issue)

    def _time_penalty(self, now: int) -> None:
        if (car := self._pick()) and self.race.finish_at is None:
            self.script.rule(now, car.starter.number, "time", self.dice.one_of(_OFFENCES), seconds=self.dice.one_of((5, 5, 10)))

    def _close(self, now: int) -> None:
        """Close the session, and decide what is left to decide."""
        self.race.stop()
        script = self.script
        script.after_the_finish(now)
        for car in self.race.cars:
            if car.serving:
                script.update(now + 20 * SECOND, car.serving, "quashed", "a time penalty takes its place")
                script.rule(now + 21 * SECOND, car.starter.number, "time", "drive-through not served", seconds=20)
        script.say(ResultPublished, now + 2 * MINUTE, stage="provisional", document="1")
        changed = self.plan.protest
        finished = [car for car in sorted(self.race.cars, key=lambda car: (-car.laps, car.crossings[-1:])) if car.finished_at is not None]
        if self.plan.protest and len(finished) > 1:
            winner = finished.pop(0).starter.number
            protest = script.rule(now + 3 * MINUTE, winner, "disqualified", "protest: the car is below the minimum weight", stage="noted")
            script.update(now + 4 * MINUTE, protest, "investigated")
            script.update(now + 6 * MINUTE, protest, "issued", "the protest is upheld")
        if self.plan.time_penalties and len(finished) > 3:
            car = self.dice.one_of(finished[1:6])
            script.rule(now + 5 * MINUTE, car.starter.number, "time", "track limits in the last lap", seconds=5)
            changed = True
        for _ in range(min(self.plan.disqualifications, len(finished))):
            car = self.dice.one_of(finished)
            finished.remove(car)
            script.rule(now + 7 * MINUTE, car.starter.number, "disqualified", "weight below the minimum")
            changed = True
        if changed:
            script.say(ResultPublished, now + 8 * MINUTE, stage="amended", document="2")
        script.say(ResultPublished, now + 38 * MINUTE, stage="final", document="3" if changed else "2")
