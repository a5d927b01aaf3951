"""What race control and the timekeeper say: the commands of the session, each with an id that a person can read."""

from collections import Counter
from typing import Any, TypeVar, cast

from msgspec import Struct

from replay.simulation.field import Starter
from replay.simulation.plan import Plan
from timing.domain.events import (
    AnyEvent,
    CarRetired,
    CarWithdrawn,
    Command,
    Decision,
    DecisionUpdated,
    DriverChanged,
    EntryRegistered,
    GridSet,
    Message,
    PitLane,
    ResultPublished,
    SessionEnded,
    SessionOpened,
    SessionStarted,
    StampableCommand,
    TrackStatus,
)
from timing.domain.units import MINUTE, SECOND

E = TypeVar("E", bound=Command | StampableCommand)


class Ruling(Struct):
    """A penalty as the simulation itself knows it, for the truth."""

    car: str
    seconds: int = 0
    disqualified: bool = False
    holds: bool = True


class Script:
    """The commands in the making, and the penalties that hold."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.commands: list[tuple[int, AnyEvent]] = []
        self.rulings: dict[str, Ruling] = {}
        self._counts: Counter[str] = Counter()

    def say(self, kind: type[E], at: int, /, **fields: Any) -> E:
        """Have a command said at an instant."""
        word = _WORDS.get(kind, kind.__name__.lower())
        self._counts[word] += 1
        command = kind(id=f"{word}-{self._counts[word]}", at=at, **fields)
        self.commands.append((at, cast("AnyEvent", command)))
        return command

    def tell(self, at: int, text: str, car: str | None = None) -> None:
        """Have race control tell everyone."""
        self.say(Message, at, text=text, car=car)

    def flag(self, at: int, status: str, *sectors: int) -> None:
        """Have a flag shown."""
        self.say(TrackStatus, at, status=status, sectors=sectors)

    def rule(
        self, at: int, car: str, penalty: str, reason: str, *, seconds: int | None = None, stage: str = "issued", lap: int | None = None
    ) -> str:
        """Have the stewards decide; give the decision's name."""
        name = f"D{len(self.rulings) + 1}"
        amount = None if seconds is None else float(seconds)
        self.say(Decision, at, decision=name, car=car, penalty=penalty, seconds=amount, lap=lap, reason=reason, stage=stage)
        self.rulings[name] = Ruling(car, seconds or 0 if penalty == "time" else 0, penalty == "disqualified", stage == "issued")
        return name

    def update(self, at: int, decision: str, stage: str, reason: str | None = None) -> None:
        """Let a decision go on with its life."""
        self.say(DecisionUpdated, at, decision=decision, stage=stage, reason=reason)
        self.rulings[decision].holds = stage != "quashed"

    def before_the_start(self, starters: list[Starter], absent: set[str]) -> None:
        """Open the session, enter the cars, set the grid."""
        plan, opened = self.plan, self.plan.start - 45 * MINUTE
        self.say(
            SessionOpened, opened, session=plan.session, name=plan.name, kind=plan.kind, rulebook=plan.rulebook, distance=plan.distance,
            circuit=plan.track.circuit(),
        )  # fmt: skip
        for index, car in enumerate(sorted(starters, key=lambda car: (len(car.number), car.number)), start=1):
            self.say(
                EntryRegistered, opened + index * SECOND, car=car.number, class_=car.class_, team=car.team, drivers=car.drivers,
                transponders=(car.transponder,),
            )  # fmt: skip
        if plan.kind == "race":
            self._on_the_grid(starters, absent)
        self.say(SessionStarted, plan.start)
        self.flag(plan.start, "green")

    def _on_the_grid(self, starters: list[Starter], absent: set[str]) -> None:
        plan = self.plan
        grid = tuple(None if car.number in absent else car.number for car in starters)
        self.say(GridSet, plan.start - 25 * MINUTE, cars=grid)
        for car in starters:
            if len(car.drivers) > 1:
                self.say(DriverChanged, plan.start - 20 * MINUTE, car=car.number, driver=car.drivers[0].id)
        for number in sorted(absent):
            self.say(CarWithdrawn, plan.start - 12 * MINUTE, car=number, reason="gearbox")
        self.tell(plan.start - 3 * MINUTE, "Formation lap")

    def after_the_finish(self, at: int) -> None:
        """Close the session."""
        self.say(SessionEnded, at)


_WORDS: dict[type, str] = {
    SessionOpened: "opening", EntryRegistered: "entry", GridSet: "grid", DriverChanged: "driver", CarWithdrawn: "withdrawal",
    SessionStarted: "start", SessionEnded: "end", TrackStatus: "flag", DecisionUpdated: "update",
    CarRetired: "retirement", PitLane: "pit-lane", ResultPublished: "result",
}  # fmt: skip
