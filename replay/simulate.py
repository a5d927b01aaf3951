"""Simulate a race from a plan: the session file's events in order of arrival, and the true result to hold a scorer to."""

from collections.abc import Callable, Iterator
from operator import itemgetter

import msgspec
from msgspec import Struct

from replay.simulation.decoders import Arrival, listen
from replay.simulation.dice import Dice
from replay.simulation.director import Director
from replay.simulation.field import make_field
from replay.simulation.mishaps import Heard, Tower
from replay.simulation.plan import DEMO_SEED, FAULTS, FORMATS, MISHAPS, Faults, Format, Mishap, Plan, plan_for
from replay.simulation.race import Race
from replay.simulation.script import Script
from replay.simulation.truth import Truth, true_result
from replay.simulation.wire import disturb
from timing.domain.events import AnyEvent
from timing.domain.units import MILLISECOND

__all__ = [
    "DEMO_SEED", "FAULTS", "FORMATS", "MISHAPS", "Faults", "Format", "Mishap", "Plan", "Simulation", "Truth", "plan_for", "simulate",
]  # fmt: skip

_encoder = msgspec.json.Encoder()


class Simulation(Struct, frozen=True):
    """A simulated race: ``events`` in order of arrival, the instant of each in ``arrivals``, and the ``truth`` by its own count."""

    plan: Plan
    events: list[AnyEvent]
    arrivals: list[int]
    truth: Truth

    def lines(self) -> Iterator[bytes]:
        """Give the lines of the session file, each with its end."""
        for event in self.events:
            yield _encoder.encode(event) + b"\n"


def simulate(plan: Plan, progress: Callable[[int], None] | None = None) -> Simulation:
    """Simulate the race of a plan. The same plan gives the same race, to the byte, on every machine.

    ``progress`` hears now and then how far the race is, in microseconds since its start.
    """
    starters = make_field(plan)
    dice = Dice(plan.seed, "absent")
    absent = {starters[-1 - dice.below(len(starters) - 1)].number for _ in range(plan.non_starters)}
    script = Script(plan)
    race = Race(plan, starters, Dice(plan.seed, "race"))
    director = Director(plan, race, script, Dice(plan.seed, "director"))
    race.control = director
    script.before_the_start(starters, absent)
    race.start(absent)
    director.prepare()
    race.run((lambda now: progress(now - plan.start)) if progress else None)
    events, arrivals = _arrivals(plan, race, director, script)
    rows = true_result(plan, race.cars, list(script.rulings.values()), absent, director.red_at)
    visits = {car.starter.number: car.visits for car in race.cars if car.visits}
    crossings = {car.starter.number: car.crossings for car in race.cars if car.crossings}
    truth = Truth(plan.session, plan.seed, rows[0].car, race.finish_at, rows, director.neutral, visits, crossings)
    return Simulation(plan, events, arrivals, truth)


def _arrivals(plan: Plan, race: Race, director: Director, script: Script) -> tuple[list[AnyEvent], list[int]]:
    """Put what was said and what was heard in the order in which it arrives; what arrives at once, what was said first."""
    dice = Dice(plan.seed, "arrivals")
    heard = [(at, loop, car.starter.transponder) for at, loop, car in race.formation_lap() + race.trace]
    strangers = [(at, loop, "9000001") for at, loop in director.safety_car_seen]
    tower = Tower(plan, script, {car.starter.transponder: car.starter.number for car in race.cars})
    passings = _listen(plan, tower, heard, strangers)
    said = sorted(script.commands, key=itemgetter(0))
    latest = 0
    arriving: list[tuple[int, int, AnyEvent]] = []
    for at, command in said:
        latest = max(latest + 1, at + 4 * MILLISECOND + dice.below(10 * MILLISECOND))
        arriving.append((latest, -1, command))
    arriving += [(at, -1, correction) for at, correction in tower.said]
    arriving += [(arrival.at, index, arrival.passing) for index, arrival in enumerate(passings)]
    arriving.sort(key=lambda item: item[:2])
    return [event for _, _, event in arriving], [at for at, _, _ in arriving]


def _listen(plan: Plan, tower: Tower, heard: list[Heard], strangers: list[Heard]) -> list[Arrival]:
    """Give the passings that arrive; where something has to be mended, what the loops hear and the decoders send is not the race."""
    if not plan.mishaps:
        return listen(plan, heard, strangers)
    arrivals, sent = disturb(plan, tower, listen(plan, tower.happen(heard), strangers))
    tower.name(sent)
    return arrivals
