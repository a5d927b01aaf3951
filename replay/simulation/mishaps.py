"""What goes wrong in a timing tower and has to be mended: the race does not change, and once everything is mended nor may its result.

Before the decoders hear it: transponders exchanged, ghosts, crossings under another car's number, crossings that nobody heard. What the
people say about it comes later, as they find out.
"""

from collections.abc import Iterable
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from replay.simulation.dice import Dice
from replay.simulation.plan import Plan
from replay.simulation.script import Script
from timing.domain.events import (
    AnyEvent,
    Correction,
    Decision,
    EventRetimed,
    EventVoided,
    Passing,
    PassingAdded,
    PassingKey,
    PassingReassigned,
    PassingVoided,
    RaceStopped,
    SessionStarted,
    TrackStatus,
    TransponderAssigned,
)
from timing.domain.units import MILLISECOND, MINUTE, SECOND

Heard = tuple[int, str, str]  # instant, loop, transponder
Pending = tuple[int, AnyEvent]  # the instant at which it arrives, and what arrives
E = TypeVar("E", bound=Correction)

_LINES = ("SF", "SFP")
_CLEAR_OF_READS = 5 * SECOND  # nobody takes one crossing for the other
_CLEAR_OF_LAPS = 24 * SECOND  # a ghost so far from any crossing is counted as a lap until it is voided


class Mended(Struct, frozen=True):
    """A passing that is wrong, and the correction to be said of it as soon as its number is known."""

    at: int
    passing: Heard
    car: str | None  # whose it was; ``None``: nobody's


class Tower:
    """The people who find out what went wrong. ``said``: their corrections; ``mended``: those that wait for the passing's number."""

    def __init__(self, plan: Plan, script: Script, cars: dict[str, str]) -> None:
        """``cars``: the car of each transponder."""
        self.plan, self.script, self.cars = plan, script, cars
        self.said: list[Pending] = []
        self.mended: list[Mended] = []
        self._counts = 0

    def dice(self, mishap: str) -> Dice:
        """Give a mishap's own stream of chance: one more or less leaves the others as they are."""
        return Dice(self.plan.seed, f"mishap {mishap}")

    def most(self, mishap: str, otherwise: int) -> int:
        """Give how often a mishap may happen."""
        return int(self.plan.rates.get(mishap, otherwise))

    def correct(self, kind: type[E], arrives: int, at: int, reason: str, /, **fields: Any) -> None:
        """Have the timekeeper correct something."""
        self._counts += 1
        correction = kind(id=f"correction-{self._counts}", at=at, reason=reason, by="timekeeper", **fields)
        self.said.append((arrives, cast("AnyEvent", correction)))

    def happen(self, heard: list[Heard]) -> list[Heard]:
        """Give what the loops will hear of what was there to be heard."""
        for name, mishap in _BEFORE.items():
            if name in self.plan.mishaps:
                heard = mishap(self, heard)
        if "slips" in self.plan.mishaps:
            _slips(self)
        return heard

    def name(self, sent: Iterable[tuple[Passing, Passing]]) -> None:
        """Say the corrections of passings, now that these have names: ``sent`` pairs what was heard with what was sent of it.

        Whatever any decoder made of the crossing is corrected, a second read too.
        """
        of_transponder: dict[tuple[str, str], list[tuple[Passing, Passing]]] = {}
        for heard, passing in sent:
            of_transponder.setdefault((heard.loop, heard.transponder), []).append((heard, passing))
        for mended in self.mended:
            at, loop, transponder = mended.passing
            for heard, passing in of_transponder.get((loop, transponder), []):
                if not 0 <= heard.at - at < SECOND:
                    continue
                key = PassingKey(decoder=passing.decoder, boot=passing.boot, number=passing.number)
                if mended.car is None:
                    self.correct(PassingVoided, mended.at, mended.at, "a car pushed along the pit wall", passing=key)
                else:
                    self.correct(PassingReassigned, mended.at, mended.at, "the spare transponder", passing=key, car=mended.car)

    def slip(self, wrong: TrackStatus | Decision | RaceStopped, for_us: int) -> None:
        """Have something said that is not so, and voided after a while."""
        self.said.append((wrong.at + 10 * MILLISECOND, wrong))
        self.correct(EventVoided, wrong.at + for_us, wrong.at, "a slip", event=wrong.id)

    def later(self, dice: Dice, at: int) -> int:
        """Give an instant at which somebody may notice what happened at ``at``."""
        return at + dice.between(20 * SECOND, 4 * MINUTE)


def _swaps(tower: Tower, heard: list[Heard]) -> list[Heard]:
    """Exchange the transponders of two cars for a stretch of the race."""
    dice, plan = tower.dice("swaps"), tower.plan
    one, other = _two(dice, tower.cars)
    reads = [at for at, _, transponder in heard if transponder in (one, other)]
    since = _clear(plan.start + int(plan.expected_us * 0.5 * dice.random()), reads)
    until = _clear(since + int(plan.expected_us * (0.1 + 0.6 * dice.random())), reads)
    exchanged = {one: other, other: one}
    told = tower.later(dice, until)
    for transponder, car in ((one, tower.cars[other]), (other, tower.cars[one])):
        assigned = TransponderAssigned(id=f"exchange-{car}", at=told, transponder=transponder, car=car, from_=since, until=until)
        tower.said.append((told, assigned))

    def bears(passing: Heard) -> Heard:
        at, loop, transponder = passing
        return (at, loop, exchanged.get(transponder, transponder) if since <= at < until else transponder)

    tower.mended = [Mended(mended.at, bears(mended.passing), mended.car) for mended in tower.mended]
    return [bears(passing) for passing in heard]


def _unheard(tower: Tower, heard: list[Heard]) -> list[Heard]:
    """Let crossings of the line be heard by nobody; the camera saw them."""
    dice = tower.dice("unheard")
    unheard = set(_some(dice, _racing(tower, heard), 1 + dice.below(tower.most("unheard", 4))))
    for at, loop, transponder in sorted(unheard):
        tower.correct(PassingAdded, tower.later(dice, at), at, "photo finish camera", car=tower.cars[transponder], loop=loop)
    return [passing for passing in heard if passing not in unheard]


def _wrong_numbers(tower: Tower, heard: list[Heard]) -> list[Heard]:
    """Let crossings be heard under another car's transponder; race control saw who it was."""
    dice = tower.dice("wrong")
    changed: dict[Heard, Heard] = {}
    for passing in _some(dice, _racing(tower, heard), 1 + dice.below(tower.most("wrong-numbers", 3))):
        at, loop, transponder = passing
        near = {t for when, _, t in (*heard, *changed.values()) if abs(when - at) < _CLEAR_OF_READS}
        strangers = [t for t in tower.cars if t not in near]
        if not strangers:
            continue
        stranger = dice.one_of(strangers)
        changed[passing] = wrong = (at, loop, stranger)
        tower.mended.append(Mended(tower.later(dice, at), wrong, tower.cars[transponder]))
    return [changed.get(passing, passing) for passing in heard]


def _ghosts(tower: Tower, heard: list[Heard]) -> list[Heard]:
    """Let the line hear cars that are not there."""
    dice, known = tower.dice("ghosts"), set(heard)
    ghosts: set[Heard] = set()
    for _ in range(1 + dice.below(tower.most("ghosts", 4))):
        car = dice.one_of(list(tower.cars))
        at = tower.plan.start + int(tower.plan.expected_us * (0.05 + 0.9 * dice.random()))
        near = any(abs(at - other) < _CLEAR_OF_LAPS for other, loop, t in [*heard, *ghosts] if t == car and loop in _LINES)
        if not near and (at, "SF", car) not in known:
            ghosts.add((at, "SF", car))
            tower.mended.append(Mended(tower.later(dice, at), (at, "SF", car), None))
    return sorted([*heard, *ghosts])


_BEFORE = {"unheard": _unheard, "wrong-numbers": _wrong_numbers, "ghosts": _ghosts, "swaps": _swaps}


def _slips(tower: Tower) -> None:
    """Let people say wrong things: instants that are corrected, a flag, a decision and a stop that never were."""
    dice, script = tower.dice("slips"), tower.script
    said: list[Pending] = []
    for at, command in script.commands:
        how = _slip(dice, command, int(tower.plan.rates.get("slips", 40) * SECOND))
        said.append((at, command if not how else msgspec.structs.replace(command, at=at + how)))
        if how and isinstance(command, TrackStatus | SessionStarted):
            tower.correct(EventRetimed, tower.later(dice, at), at, "by the tower's log", event=command.id)
    script.commands[:] = said
    never = tower.plan.start + int(tower.plan.expected_us * (0.2 + 0.5 * dice.random()))
    car = dice.one_of(list(tower.cars.values()))
    tower.slip(TrackStatus(id="slip-flag", at=never, status="chequered"), dice.between(5 * SECOND, MINUTE))
    wrong = Decision(id="slip-decision", at=never + SECOND, decision="X1", car=car, penalty="disqualified", reason="the wrong car")
    tower.slip(wrong, dice.between(5 * SECOND, MINUTE))
    red_at = next((at for at, command in script.commands if isinstance(command, TrackStatus) and command.status == "red"), None)
    if red_at is not None and not tower.plan.stopped:
        tower.slip(RaceStopped(id="slip-stop", at=red_at + 5 * SECOND), 10 * SECOND)


def _slip(dice: Dice, command: AnyEvent, most: int) -> int:
    """Give by how much a command's instant is wrong when it is said: a red flag's is late at most, since it is said once it is out."""
    if isinstance(command, TrackStatus) and command.status == "red":
        return dice.between(2 * SECOND, most)
    if isinstance(command, SessionStarted) or (isinstance(command, TrackStatus) and command.status == "chequered"):
        return dice.between(2 * SECOND, most) * (1 if dice.chance(0.5) else -1)
    return 0


def _racing(tower: Tower, heard: Iterable[Heard]) -> list[Heard]:
    return [passing for passing in heard if passing[1] in _LINES and passing[0] > tower.plan.start + MINUTE and passing[2] in tower.cars]


def _two(dice: Dice, transponders: Iterable[str]) -> tuple[str, str]:
    one, other = _some(dice, transponders, 2)
    return one, other


def _clear(at: int, reads: list[int]) -> int:
    """Give the next instant between reads, so that none is parted from its echo."""
    for read in sorted(reads):
        if abs(read - at) < SECOND:
            at = read + SECOND
    return at


T = TypeVar("T")


def _some(dice: Dice, of: Iterable[T], count: int) -> list[T]:
    mixed = list(of)
    dice.shuffle(mixed)
    return mixed[:count]
