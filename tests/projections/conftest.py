"""A session told in a few words, for the tests of what is made of it."""

from collections.abc import Callable
from typing import Any

import pytest
from folded import fold

from timing.domain import events as e
from timing.domain.rulebook import Rulebook, rules_of
from timing.projections.timing import Timing

S = 1_000_000
ZERO = 1_747_400_000 * S  # the start of every session told here; instants are given in seconds from it

LOOPS = (
    e.Loop(id="SF", line="finish"),
    e.Loop(id="SFP", line="finish", pit=True),
    e.Loop(id="S1", line="sector"),
    e.Loop(id="PI", line="pit_entry"),
    e.Loop(id="PO", line="pit_exit"),
)


class Script:
    """Tells a session: what each line of it says is added to ``events``; ``fold`` gives the timing of what was told so far."""

    def __init__(
        self, cars: str = "7 9 3", *, start: bool = True, kind: e.SessionKind = "race", rules: Rulebook | None = None, **distance: int
    ):
        self.events: list[e.AnyEvent] = []
        self.numbers = 0
        rulebook = rules or Rulebook(id="test", title="Test rules", source="test")
        self.say(
            e.SessionOpened,
            at=-60,
            session="s",
            name="Sunday",
            kind=kind,
            rulebook="test",
            rules=rules_of(rulebook),
            distance=e.Distance(**distance),
            circuit=e.Circuit(name="Ring", loops=LOOPS),
        )
        for car in cars.split():
            self.enter(car)
        self.say(e.GridSet, at=-10, cars=tuple(cars.split()))
        if start:
            self.say(e.SessionStarted, at=0)

    def say(self, event: Callable[..., e.AnyEvent], /, *, at: float, **fields: Any) -> str:
        """Say something; corrections get their author and reason. Returns the id."""
        fields.setdefault("id", f"c{len(self.events)}")
        if isinstance(event, type) and issubclass(event, e.Correction):
            fields = {"by": "TK", "reason": "seen on video", **fields}
        self.events.append(event(at=ZERO + round(at * S), **fields))
        return str(fields["id"])

    def enter(self, car: str, *, at: float = -30, class_: str | None = None, transponder: str | None = None) -> str:
        """Enter a car with the drivers Ann and Bob; cars below 5 are of the class TC, the others of GT."""
        drivers = (e.Driver(id=f"ann{car}", name=f"Ann {car}"), e.Driver(id=f"bob{car}", name=f"Bob {car}", category="Gentleman"))
        chosen = class_ or ("TC" if car < "5" else "GT")
        return self.say(
            e.EntryRegistered, at=at, car=car, class_=chosen, team=f"Team {car}", drivers=drivers, transponders=(transponder or f"T{car}",)
        )

    def hear(self, transponder: str, *at: float, loop: str = "SF", decoder: str = "line", boot: int = 1) -> list[e.PassingKey]:
        """Let a decoder hear a transponder, and give the passings' keys."""
        keys = []
        for instant in at:
            self.numbers += 1
            keys.append(e.PassingKey(decoder=decoder, boot=boot, number=self.numbers))
            self.events.append(
                e.Passing(decoder=decoder, boot=boot, number=self.numbers, loop=loop, transponder=transponder, at=ZERO + round(instant * S))
            )
        return keys

    def run(self, **laps: str) -> "Script":
        """Let cars cross the line: ``run(car7="60 120", car9="61 122")``."""
        for car, instants in laps.items():
            self.hear(f"T{car.removeprefix('car')}", *map(float, instants.split()))
        return self

    def fold(self, events: list[e.AnyEvent] | None = None) -> Timing:
        """Fold what was told, or these events."""
        return fold(self.events if events is None else events)


@pytest.fixture
def script() -> type[Script]:
    """Give the way to tell a session."""
    return Script
