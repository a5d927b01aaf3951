"""What the decoders make of the race: passings with numbers, and the faults that real ones have. The race itself does not change."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from replay.simulation.dice import Dice
from replay.simulation.plan import Faults, Plan
from timing.domain.events import Passing
from timing.domain.units import MILLISECOND, SECOND

DECODERS = {"SF": "line", "SFP": "pit-line", "S1": "sector-1", "S2": "sector-2", "ST": "trap", "PI": "pit-in", "PO": "pit-out"}

Heard = tuple[int, str, str]  # instant, loop, transponder


class Arrival(Struct, frozen=True):
    """A passing and the instant at which it arrives at the timekeeper's."""

    at: int
    passing: Passing


class Quality(Struct, frozen=True):
    """How often things go wrong, of one; and for how long at most."""

    twice: float = 0.0
    late: float = 0.0
    latest_us: int = 0
    strangers: float = 0.0
    resent: float = 0.0
    outage_us: int = 0
    reboot: float = 0.0


QUALITY: dict[Faults, Quality] = {
    "none": Quality(),
    "mild": Quality(twice=0.003, late=0.002, latest_us=20 * SECOND, strangers=0.001),
    "harsh": Quality(twice=0.03, late=0.02, latest_us=90 * SECOND, strangers=0.01, resent=0.01, outage_us=90 * SECOND, reboot=0.5),
}


def quality_of(plan: Plan) -> Quality:
    """Give how the decoders of a plan behave, with the rates that it names."""
    rates, quality = plan.rates, QUALITY[plan.faults]
    named: dict[str, float] = {name: rates[name] for name in ("twice", "late", "strangers", "resent", "reboot") if name in rates}
    if "outage" in rates:
        named["outage_us"] = int(rates["outage"] * SECOND)
    return msgspec.structs.replace(quality, latest_us=quality.latest_us or 90 * SECOND, **named)


def listen(plan: Plan, heard: Iterable[Heard], strangers: Iterable[Heard]) -> list[Arrival]:
    """Give the passings that arrive, in no order. ``strangers``: what no car's transponder causes, heard where faults are wanted."""
    quality = quality_of(plan)
    dice = Dice(plan.seed, "decoders")
    by_decoder: dict[str, list[tuple[int, str, str, bool]]] = defaultdict(list)
    for at, loop, transponder in heard:
        mine = by_decoder[DECODERS[loop]]
        mine.append((at, loop, transponder, True))
        if quality.twice and dice.chance(quality.twice):
            mine.append((at + dice.between(60 * MILLISECOND, 290 * MILLISECOND), loop, transponder, False))
        if quality.strangers and dice.chance(quality.strangers):
            mine.append((at + dice.between(SECOND, 4 * SECOND), loop, "9000777", True))  # a marshal's car
    if plan.faults != "none" or "strangers" in plan.rates:
        for at, loop, transponder in strangers:
            by_decoder[DECODERS[loop]].append((at, loop, transponder, True))
    arrivals: list[Arrival] = []
    for decoder, passings in sorted(by_decoder.items()):
        passings.sort()
        arrivals += _decoder(plan, quality, dice, decoder, passings)
    return arrivals


def _decoder(plan: Plan, quality: Quality, dice: Dice, decoder: str, passings: list[tuple[int, str, str, bool]]) -> list[Arrival]:
    """Give a decoder's passings their numbers. A reboot begins them anew; after an outage of its line everything comes at once."""
    boot, number = 1, 0
    reboot_at = plan.start + int(plan.expected_us * dice.random()) if quality.reboot and dice.chance(quality.reboot) else None
    outage = plan.start + int(plan.expected_us * dice.random()) if quality.outage_us and dice.chance(0.5) else None
    arrivals: list[Arrival] = []
    for at, loop, transponder, strong in passings:
        if reboot_at is not None and at >= reboot_at:
            boot, number, reboot_at = boot + 1, 0, None
        number += 1
        passing = Passing(
            at=at, decoder=decoder, boot=boot, number=number, loop=loop, transponder=transponder,
            strength=dice.between(88, 132) if strong else dice.between(40, 62), hits=dice.between(14, 46) if strong else dice.between(2, 6),
        )  # fmt: skip
        arrives = at + 15 * MILLISECOND + dice.below(70 * MILLISECOND)
        if quality.late and dice.chance(quality.late):
            arrives += dice.between(SECOND, quality.latest_us)
        if outage is not None and outage <= at < outage + quality.outage_us:
            arrives = outage + quality.outage_us + number * MILLISECOND
        arrivals.append(Arrival(arrives, passing))
        if quality.resent and dice.chance(quality.resent):
            arrivals.append(Arrival(arrives + dice.between(SECOND, 30 * SECOND), passing))
    return arrivals
