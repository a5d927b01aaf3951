"""Stewards' decisions: their life from noted to served or quashed, and what those that hold come to in a car's result."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from msgspec import Struct

from timing.domain.classification import Drop, Penalties
from timing.domain.events import Decision, DecisionStage, DecisionUpdated
from timing.domain.rulebook import Penalties as PenaltyRules
from timing.domain.units import SECOND

NEXT: dict[DecisionStage, tuple[DecisionStage, ...]] = {
    "noted": ("investigated", "issued", "quashed"),
    "investigated": ("issued", "quashed"),
    "issued": ("served", "converted", "suspended", "quashed"),
    "served": ("issued", "quashed"),
    "converted": ("issued", "suspended", "quashed"),
    "suspended": ("issued", "quashed"),
    "quashed": (),
}
"""What may follow each stage. Back to issued: a suspension ends, or what was taken as served or converted was not.
An incident without further action, and a decision taken back, are quashed; nothing follows that but a new decision."""

_NOT_DUE = frozenset({"noted", "investigated", "suspended"})
SERVED_IN_THE_PIT_LANE = frozenset({"drive_through", "stop_go"})
_USUAL_STOP_US = 10 * SECOND  # the stop that ``stop_go_us`` has in it


class Step(Struct, frozen=True):
    """A stage that a decision came to, at an instant, and why."""

    at: int
    stage: DecisionStage
    reason: str | None = None


class Refused(Struct, frozen=True):
    """A step that the decision's stage did not allow. It changed nothing."""

    update: DecisionUpdated
    why: str


class Ruling(Struct, frozen=True):
    """A decision and its life. ``stage``: where it stands. ``converted_us``: what the stewards said that it was converted to."""

    decision: Decision
    stage: DecisionStage
    steps: tuple[Step, ...]
    refused: tuple[Refused, ...] = ()
    converted_us: int | None = None

    @property
    def due_from(self) -> int:
        """When it was to be served from: as it was first issued, or as its suspension ended; not when "served" was taken back."""
        begun = [step.at for before, step in pairwise(self.steps) if step.stage == "issued" and before.stage in _NOT_DUE]
        return begun[-1] if begun else self.steps[0].at

    @property
    def unserved(self) -> bool:
        """Whether it was to be served in the pit lane, and nobody said that it was."""
        return self.stage == "issued" and self.decision.penalty in SERVED_IN_THE_PIT_LANE

    @property
    def by_table(self) -> bool:
        """Whether the rulebook's table says what it comes to where it was not served: the stewards did not."""
        return self.unserved or (self.stage == "converted" and self.converted_us is None)


def rulings(decisions: Iterable[Decision], updates: Iterable[DecisionUpdated]) -> tuple[Ruling, ...]:
    """Tell the life of each decision; both inputs in order of time. An update of a decision nobody took is passed over."""
    of_decision: dict[str, list[DecisionUpdated]] = {}
    for update in updates:
        of_decision.setdefault(update.decision, []).append(update)
    return tuple(life(decision, of_decision.get(decision.decision, ())) for decision in decisions)


def life(decision: Decision, updates: Iterable[DecisionUpdated]) -> Ruling:
    """Tell the life of one decision from its updates, in order of time. A step that ``NEXT`` does not allow leaves the stage alone."""
    stage, converted_us = decision.stage, None
    steps, refused = [Step(decision.at, stage, decision.reason)], []
    for update in updates:
        if update.stage not in NEXT[stage]:
            refused.append(Refused(update, why_not(decision.decision, stage, update.stage)))
            continue
        stage = update.stage
        steps.append(Step(update.at, stage, update.reason))
        converted_us = round(update.seconds * SECOND) if stage == "converted" and update.seconds is not None else None
    return Ruling(decision, stage, tuple(steps), tuple(refused), converted_us)


def why_not(name: str, stage: DecisionStage, wanted: DecisionStage) -> str:
    """Say why a decision cannot go from one stage to another, and what it can."""
    if stage == wanted:
        return f"decision {name} is {stage} already"
    if not NEXT[stage]:
        return f"decision {name} was {stage}; take a new one"
    return f"decision {name} is {stage}, and cannot be {wanted} from there; it can be {', '.join(NEXT[stage])}"


def penalties_of(
    ruled: Iterable[Ruling], rules: PenaltyRules | None = None, *, circuit: str = "", late: Callable[[int], bool] | None = None
) -> dict[str, Penalties]:
    """Add up what weighs on the result, by car. ``ruled`` in order of time.

    A decision weighs while it is issued. Noted or investigated it does not yet; served, suspended or quashed it does not. Converted, it
    is the seconds it was converted to. Drive-throughs and stop-gos that were not served weigh once the race is over: ``late`` is given
    then, and says of an instant whether a decision issued then came too late to be served.
    """
    rules = rules or PenaltyRules()
    of_car: dict[str, Penalties] = {}
    for ruling in ruled:
        mine = of_car.setdefault(ruling.decision.car, Penalties())
        if ruling.stage == "converted":
            mine.time_us += converted_us(ruling, rules, circuit)
        elif ruling.unserved:
            if late is not None:
                _unserved(mine, ruling, rules, circuit, too_late=late(ruling.due_from))
        elif ruling.stage == "issued":
            _add(mine, ruling.decision)
    return of_car


def _add(mine: Penalties, decision: Decision) -> None:
    """Add what a decision says outright. Grid places, reprimands and warnings are not of this result."""
    match decision.penalty:
        case "time" | "laps":
            mine.time_us += round((decision.seconds or 0) * SECOND)
            if decision.penalty == "laps":
                mine.laps += decision.laps or 0
        case "disqualified":
            mine.disqualified = True
        case "lap_time_deleted" if decision.lap is not None:
            mine.deleted_laps |= {decision.lap}
        case "positions":
            mine.drops = (*mine.drops, Drop(decision.at, decision.id, decision.positions or 0))
        case "last_of_class":
            mine.last_of_class = True
        case "last":
            mine.last = True


def _unserved(mine: Penalties, ruling: Ruling, rules: PenaltyRules, circuit: str, *, too_late: bool) -> None:
    if too_late or rules.unserved == "converted":
        mine.time_us += converted_us(ruling, rules, circuit)
    elif rules.unserved == "disqualified":
        mine.disqualified = True


def converted_us(ruling: Ruling, rules: PenaltyRules, circuit: str = "") -> int:
    """Give the time that a decision comes to when it is not served: as the stewards said, otherwise by the rulebook's table.

    A stop of another length than ten seconds counts the difference; where the circuit has its own figure for the way through the pit
    lane, a stop-go is that and the stop. Penalties of other kinds come to no time: another decision has taken their place.
    """
    if ruling.converted_us is not None:
        return ruling.converted_us
    decision = ruling.decision
    own = own_us(rules, circuit)
    if decision.penalty == "drive_through":
        return rules.drive_through_us if own is None else own
    if decision.penalty == "stop_go":
        stop_us = _USUAL_STOP_US if decision.seconds is None else round(decision.seconds * SECOND)
        return max(rules.stop_go_us - _USUAL_STOP_US, 0) + stop_us if own is None else own + stop_us
    return 0


def own_us(rules: PenaltyRules, circuit: str) -> int | None:
    """Give a circuit's own figure for the way through its pit lane, in µs; ``None`` where the general one holds."""
    return {name.casefold(): us for name, us in rules.per_circuit_us.items()}.get(circuit.casefold())


def strikes(ruled: Iterable[Ruling]) -> dict[str, tuple[int, ...]]:
    """Give the instants of each car's track-limits strikes: warnings and deleted lap times for track limits that hold, each lap once."""
    seen: dict[str, dict[tuple[int | None, str], int]] = {}
    for ruling in ruled:
        decision = ruling.decision
        said = f"{decision.reason or ''} {decision.article or ''}".casefold().replace("_", " ").replace("-", " ")
        if decision.penalty in {"warning", "lap_time_deleted"} and ruling.stage in {"issued", "served"} and "track limit" in said:
            name = "" if decision.lap else decision.decision
            seen.setdefault(decision.car, {}).setdefault((decision.lap, name), decision.at)
    return {car: tuple(of_car.values()) for car, of_car in seen.items()}
