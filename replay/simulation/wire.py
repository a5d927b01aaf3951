"""What goes wrong between the loops and the timekeeper: passings lost, decoders that start anew or drift, everything out of order."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TypeAlias

import msgspec

from replay.simulation.decoders import Arrival
from replay.simulation.dice import Dice
from replay.simulation.mishaps import Tower
from replay.simulation.plan import Plan
from timing.domain.events import DecoderClockCorrected, Passing
from timing.domain.units import MILLISECOND, SECOND

Name: TypeAlias = tuple[str, int, int]
"""What a decoder calls a passing: decoder, boot and number."""

_BACKUPS = {"line": "line-backup", "pit-line": "pit-line-backup"}
_STEPS = 3


def disturb(plan: Plan, tower: Tower, arrivals: list[Arrival]) -> tuple[list[Arrival], list[tuple[Passing, Passing]]]:
    """Give what arrives instead, in no order, and of each passing what was heard and what is sent."""
    if "lost" in plan.mishaps:
        arrivals = _lost(tower.dice("lost"), arrivals, plan.rates.get("lost", 0.03))
    restarts, drifting = _restarts(plan, tower, arrivals)
    passings = {name_of(arrival.passing): arrival.passing for arrival in arrivals}
    now = _renamed(passings, restarts)
    now = _drifted(tower, now, drifting)
    arrivals = [Arrival(arrival.at, now[name_of(arrival.passing)]) for arrival in arrivals]
    if "shuffled" in plan.mishaps:
        dice = tower.dice("shuffled")
        arrivals = [
            Arrival(arrival.at + dice.below(int(plan.rates.get("shuffled", 180) * SECOND)), arrival.passing) for arrival in arrivals
        ]
    return arrivals, [(passings[name], sent) for name, sent in now.items()]


def name_of(passing: Passing) -> Name:
    """Give a passing's identity."""
    return (passing.decoder, passing.boot, passing.number)


def _lost(dice: Dice, arrivals: list[Arrival], rate: float) -> list[Arrival]:
    """Lose passings of every decoder; a second one at the line, with a count of its own, heard them all.

    Both are disciplined by the same clock: what they heard of one crossing bears one instant.
    """
    kept: list[Arrival] = []
    numbers: Counter[str] = Counter()
    seen: set[Name] = set()
    for arrival in sorted(arrivals, key=lambda arrival: (arrival.passing.at, name_of(arrival.passing))):
        passing = arrival.passing
        if not dice.chance(rate):
            kept.append(arrival)
        if (backup := _BACKUPS.get(passing.decoder)) and name_of(passing) not in seen:
            seen.add(name_of(passing))
            numbers[backup] += 1
            heard = msgspec.structs.replace(passing, decoder=backup, boot=7, number=numbers[backup])
            kept.append(Arrival(arrival.at + dice.below(800 * MILLISECOND), heard))
    return kept


def _restarts(plan: Plan, tower: Tower, arrivals: list[Arrival]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Choose when each decoder is switched on anew, and between which two of these instants its clock is wrong."""
    decoders = sorted({arrival.passing.decoder for arrival in arrivals})
    restarts: dict[str, list[int]] = {}
    drifting: dict[str, list[int]] = {}
    if "restarts" in plan.mishaps:
        dice = tower.dice("restarts")
        for decoder in decoders:
            restarts[decoder] = sorted(
                plan.start + int(plan.expected_us * dice.random()) for _ in range(dice.below(int(plan.rates.get("restarts", 3)) + 1))
            )
    if "drift" in plan.mishaps:
        dice = tower.dice("drift")
        for decoder in decoders:
            if dice.chance(0.6):
                since = plan.start + int(plan.expected_us * 0.6 * dice.random())
                drifting[decoder] = [since, since + int(plan.expected_us * (0.1 + 0.4 * dice.random()))]
    return {**restarts, **drifting}, drifting


def _renamed(passings: dict[Name, Passing], restarts: dict[str, list[int]]) -> dict[Name, Passing]:
    """Count each decoder's passings anew from each restart on, from nought."""
    renamed: dict[Name, Passing] = {}
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for name, passing in sorted(passings.items(), key=lambda item: (item[1].decoder, item[1].boot, item[1].number)):
        decoder = passing.decoder
        if decoder not in restarts:
            renamed[name] = passing
            continue
        boot = passing.boot * 10 + sum(at <= passing.at for at in restarts[decoder])
        renamed[name] = msgspec.structs.replace(passing, boot=boot, number=counts[decoder, boot])
        counts[decoder, boot] += 1
    return renamed


def _drifted(tower: Tower, passings: dict[Name, Passing], drifting: dict[str, list[int]]) -> dict[Name, Passing]:
    """Let the clocks of decoders run fast between two restarts, in steps; each step is measured later, and corrected.

    A step lies in the decoder's own time, which runs on from the step before: no instant of it is in two of them.
    """
    dice, drifted = tower.dice("drift of clocks"), dict(passings)
    for decoder, (since, until) in sorted(drifting.items()):
        bounds = [since + (until - since) * step // _STEPS for step in range(_STEPS + 1)]
        boots = sorted({p.boot for p in passings.values() if p.decoder == decoder and since <= p.at < until})
        told, offset = tower.later(dice, until), 0
        for begin, end in pairwise(bounds):
            offset += dice.between(20 * MILLISECOND, int(tower.plan.rates.get("drift", 6) * SECOND))
            for name, passing in passings.items():
                if passing.decoder == decoder and begin <= passing.at < end:
                    drifted[name] = msgspec.structs.replace(passing, at=passing.at + offset)
            for boot in boots:
                tower.correct(
                    DecoderClockCorrected, told, told, "against the reference transponder", decoder=decoder, boot=boot,
                    from_=begin + offset, until=end + offset, offset_us=-offset,
                )  # fmt: skip
    return drifted
