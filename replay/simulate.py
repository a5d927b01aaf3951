"""Simulate a race from a plan: the session file's events in order of arrival, and the true result to hold a scorer to."""

from collections.abc import Callable, Collection, Iterator
from operator import itemgetter

import msgspec
from msgspec import Struct

from replay.simulation.decoders import Arrival, listen
from replay.simulation.dice import Dice
from replay.simulation.director import Director
from replay.simulation.field import Starter, make_field
from replay.simulation.mishaps import Heard, Tower
from replay.simulation.plan import DEMO_SEED, FAULTS, FORMATS, MISHAPS, Faults, Format, Mishap, Plan, plan_for
from replay.simulation.race import Race
from replay.simulation.script import Script
from replay.simulation.timed import Timed, true_ranking
from replay.simulation.truth import Truth, true_result
from replay.simulation.wire import disturb
from timing.domain.events import AnyEvent, channel_of
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

    def lines(self, only: Collection[str] = (), without: Collection[str] = ()) -> Iterator[bytes]:
        """Give the lines of the session file, each with its end; of the channels named ``only``, or of all but those ``without``."""
        for event in self.events:
            if not (only or without) or ((channel := channel_of(event).partition("/")[0]) in only if only else channel not in without):
                yield _encoder.encode(event) + b"\n"


def simulate(plan: Plan, progress: Callable[[int], None] | None = None) -> Simulation:
    """Simulate the race of a plan. The same plan gives the same race, to the byte, on every machine.

    ``progress`` hears now and then how far the race is, in microseconds since its start.
    """
    starters = make_field(plan)
    if plan.kind != "race":
        return _simulate_timed(plan, starters, progress)
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
    heard = [(at, loop, car.starter.transponder) for at, loop, car in race.formation_lap() + race.trace]
    events, arrivals = _arrivals(plan, starters, heard, director.safety_car_seen, script)
    rows = true_result(plan, race.cars, list(script.rulings.values()), absent, director.red_at)
    visits = {car.starter.number: car.visits for car in race.cars if car.visits}
    crossings = {car.starter.number: car.crossings for car in race.cars if car.crossings}
    truth = Truth(plan.session, plan.seed, rows[0].car, race.finish_at, rows, director.neutral, visits, crossings)
    return Simulation(plan, events, arrivals, truth)


def _simulate_timed(plan: Plan, starters: list[Starter], progress: Callable[[int], None] | None) -> Simulation:
    """Simulate qualifying or practice."""
    script = Script(plan)
    script.before_the_start(starters, set())
    timed = Timed(plan, starters, script, Dice(plan.seed, "timed"))
    timed.run((lambda now: progress(now - plan.start)) if progress else None)
    heard = [(at, loop, starter.transponder) for at, loop, starter in sorted(timed.heard, key=lambda heard: (heard[0], heard[2].number))]
    events, arrivals = _arrivals(plan, starters, heard, [], script)
    rows = true_ranking(timed)
    visits = {runner.starter.number: runner.pit_visits for runner in timed.runners if runner.pit_visits}
    crossings = {runner.starter.number: runner.crossings[1 : runner.laps + 1] for runner in timed.runners}
    return Simulation(plan, events, arrivals, Truth(plan.session, plan.seed, rows[0].car, None, rows, [], visits, crossings))


def _arrivals(
    plan: Plan, starters: list[Starter], heard: list[Heard], safety_car: list[tuple[int, str]], script: Script
) -> tuple[list[AnyEvent], list[int]]:
    """Put what was said and what was heard in the order in which it arrives; what arrives at once, what was said first."""
    dice = Dice(plan.seed, "arrivals")
    strangers = [(at, loop, "9000001") for at, loop in safety_car]
    tower = Tower(plan, script, {starter.transponder: starter.number for starter in starters})
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
