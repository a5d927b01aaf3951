"""The classification: what was decided. It leaves the running order as it is."""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct, structs

from timing.domain.events import Decision, DecisionUpdated
from timing.domain.rulebook import Classification
from timing.domain.units import SECOND

ResultStatus = Literal["classified", "not_classified", "retired", "disqualified", "not_started", "running"]
_LISTED = {"classified": 0, "running": 0, "not_classified": 1, "retired": 1, "not_started": 2, "disqualified": 3}


class Penalties(Struct):
    """What the decisions that hold come to for one car."""

    time_us: int = 0
    laps: int = 0
    disqualified: bool = False
    deleted_laps: frozenset[int] = frozenset()


class Candidate(Struct):
    """A car to be classified. ``time_us``: from the start to its last counted crossing. ``coming``: it may still take the flag.

    ``held_us``: how much later than itself the car ahead of it on equal laps crossed the line, where the order on the road was not read
    there. ``unclassified``: it is not, whatever it did.
    """

    car: str
    class_: str
    laps: int
    time_us: int
    flagged: bool
    coming: bool
    started: bool
    retired: bool
    penalties: Penalties
    best_us: int | None = None
    held_us: int = 0
    unclassified: bool = False


class Place(Struct, frozen=True):
    """A line of the classification. ``total_us`` has the time penalties in it; ``laps`` are less those taken away."""

    car: str
    class_: str
    position: int | None
    class_position: int | None
    laps: int
    total_us: int | None
    status: ResultStatus


def penalties_of(decisions: Iterable[Decision], updates: Iterable[DecisionUpdated]) -> tuple[dict[str, Penalties], dict[str, str]]:
    """Add up what holds, by car, and give the stage of each decision. Both inputs in order of time.

    A decision weighs on the result while it is issued; served, suspended or quashed it does not, and before it is issued neither.
    """
    stages: dict[str, str] = {}
    of_car: dict[str, Penalties] = {}
    decisions = list(decisions)
    for decision in decisions:
        stages[decision.decision] = decision.stage
    for update in updates:
        stages[update.decision] = update.stage
    for decision in decisions:
        if stages[decision.decision] != "issued":
            continue
        mine = of_car.setdefault(decision.car, Penalties())
        if decision.seconds is not None and decision.penalty in {"time", "laps"}:
            mine.time_us += round(decision.seconds * SECOND)
        if decision.penalty == "laps":
            mine.laps += decision.laps or 0
        elif decision.penalty == "disqualified":
            mine.disqualified = True
        elif decision.penalty == "lap_time_deleted" and decision.lap is not None:
            mine.deleted_laps |= {decision.lap}
    return of_car, stages


def classify(candidates: Sequence[Candidate], rules: Classification, *, over: bool, flag: bool = True) -> list[Place]:
    """Classify a race. ``candidates`` in running order; ``over``: the leader has taken the flag, or the result was declared.

    ``flag``: there was a chequered flag to take; a race that was stopped or closed without one asks nobody for it.

    Cars are ordered by laps, then time with penalties: a time penalty never moves a car behind one with fewer laps. Below them come
    those without a place: not classified or retired by laps, then those that did not start, then the disqualified.
    """
    running_order = {c.car: i for i, c in enumerate(candidates)}
    lines = [(c, max(c.laps - c.penalties.laps, 0), c.time_us + c.penalties.time_us) for c in candidates]
    lines.sort(key=lambda line: (-line[1], line[2] + line[0].held_us, running_order[line[0].car]))
    must_cross = over and flag and rules.must_cross_flag
    out = {c.car for c in candidates if c.penalties.disqualified or c.unclassified}
    in_the_result = [(c, laps) for c, laps, _ in lines if c.car not in out and (c.flagged or c.coming or not must_cross)]
    winner = in_the_result[0][1] if in_the_result else 0
    by_class: dict[str, int] = {}
    for c, laps in in_the_result:
        by_class.setdefault(c.class_, laps)
    statuses: dict[str, ResultStatus] = {}
    for c, laps, _ in lines:
        base = by_class.get(c.class_, 0) if rules.base == "class_winner" else winner
        statuses[c.car] = _status(c, laps, base * rules.min_percent // 100, over=over, must_cross=must_cross)
    return _number([(c, laps, total if c.laps else None, statuses[c.car]) for c, laps, total in lines])


def classify_by_best_lap(candidates: Sequence[Candidate], *, over: bool) -> list[Place]:
    """Classify qualifying or practice: ``candidates`` in order of their best laps; those without a time have no place."""
    lines: list[tuple[Candidate, int, int | None, ResultStatus]] = []
    for c in candidates:
        status: ResultStatus = "classified" if c.best_us is not None else "not_classified"
        if c.penalties.disqualified:
            status = "disqualified"
        elif not c.started:
            status = "not_started"
        elif not over and c.best_us is not None:
            status = "running"
        lines.append((c, c.laps, None, status))
    return _number(lines)


def without_places(places: Iterable[Place]) -> list[Place]:
    """Take every place away: there is no result."""
    unplaced: list[Place] = []
    for place in places:
        status: ResultStatus = "not_classified" if place.status == "classified" else place.status
        unplaced.append(structs.replace(place, position=None, class_position=None, status=status))
    return unplaced


def _number(lines: list[tuple[Candidate, int, int | None, ResultStatus]]) -> list[Place]:
    lines.sort(key=lambda line: _LISTED[line[3]])
    places: list[Place] = []
    class_positions: dict[str, int] = {}
    for c, laps, total, status in lines:
        position = class_position = None
        if _LISTED[status] == 0:
            position = len(places) + 1
            class_position = class_positions[c.class_] = class_positions.get(c.class_, 0) + 1
        places.append(Place(c.car, c.class_, position, class_position, laps, total, status))
    return places


def _status(c: Candidate, laps: int, least: int, *, over: bool, must_cross: bool) -> ResultStatus:  # noqa: PLR0911  # one status each
    if c.penalties.disqualified:
        return "disqualified"
    if not c.started:
        return "not_started"
    if not over:
        return "retired" if c.retired else "running"
    if c.unclassified:
        return "not_classified"
    if c.coming:
        return "running"
    if laps and laps >= least and (c.flagged or not must_cross):
        return "classified"
    return "not_classified" if c.flagged else "retired"
