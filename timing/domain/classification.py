"""The classification: what was decided. It leaves the running order as it is."""

from collections.abc import Container, Iterable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, structs

from timing.domain.rulebook import Classification

ResultStatus = Literal["classified", "not_classified", "retired", "disqualified", "not_started", "running"]
_LISTED = {"classified": 0, "running": 0, "not_classified": 1, "retired": 1, "not_started": 2, "disqualified": 3}
_OUT: ResultStatus = "disqualified"


class Drop(Struct, frozen=True, order=True):
    """So many places down, by the decision of this instant and name."""

    at: int
    id: str
    places: int


class Penalties(Struct):
    """What the decisions that weigh on the result come to for one car."""

    time_us: int = 0
    laps: int = 0
    disqualified: bool = False
    deleted_laps: frozenset[int] = frozenset()
    drops: tuple[Drop, ...] = ()
    last_of_class: bool = False
    last: bool = False


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


Line: TypeAlias = tuple[Candidate, int, int | None, ResultStatus]
"""A car, its laps and total time with what was taken and added, and what becomes of it."""


def classify(
    candidates: Sequence[Candidate], rules: Classification, *, over: bool, flag: bool = True, lap_conversion: bool = False
) -> list[Place]:
    """Classify a race. ``candidates`` in running order; ``over``: the leader has taken the flag, or the result was declared.

    ``flag``: there was a chequered flag to take; a race that was stopped or closed without one asks nobody for it.
    ``lap_conversion``: each of a car's average laps in its time penalty takes a lap, and the rest is added (All-Speed Management #103).

    Decisions weigh in this order. Laps and time first: cars are ordered by laps, then time, so that a time penalty never moves a car
    behind one with fewer laps (FIA F1 2025 art. 54.3, 62.1). Then places down, one decision after another in order of their time, each
    from where the one before left the cars; then last of class, then last of all, those of each keeping their order. (No source gives
    an order; this one lets the harder decision have the last word.) Below them come those without a place: not classified or retired by
    laps, then those that did not start, then the disqualified. The distance asked is of the laps of the first by laps and time.
    """
    running_order = {c.car: i for i, c in enumerate(candidates)}
    lines = [(c, *_with_penalties(c, lap_conversion=lap_conversion)) for c in candidates]
    lines.sort(key=lambda line: (-line[1], line[2] + line[0].held_us, running_order[line[0].car]))
    must_cross = over and flag and rules.must_cross_flag
    out = {c.car for c in candidates if c.penalties.disqualified or c.unclassified}
    in_the_result = [(c, laps) for c, laps, _ in lines if c.car not in out and (c.flagged or c.coming or not must_cross)]
    winner = in_the_result[0][1] if in_the_result else 0
    by_class: dict[str, int] = {}
    for c, laps in in_the_result:
        by_class.setdefault(c.class_, laps)
    judged: list[Line] = []
    for c, laps, total in lines:
        base = by_class.get(c.class_, 0) if rules.base == "class_winner" else winner
        status = _status(c, laps, base * rules.min_percent // 100, over=over, must_cross=must_cross)
        judged.append((c, laps, total if c.laps else None, status))
    return _number(judged, holes=rules.disqualified == "place_left_empty")


def _with_penalties(c: Candidate, *, lap_conversion: bool) -> tuple[int, int]:
    """Give a car's laps and time in the result. ``lap_conversion`` takes a lap for each average lap in the time."""
    laps, time_us = c.laps - c.penalties.laps, c.penalties.time_us
    if lap_conversion and c.laps and c.time_us:
        converted = min(time_us * c.laps // c.time_us, max(laps, 0))
        laps -= converted
        time_us -= converted * c.time_us // c.laps
    return max(laps, 0), c.time_us + time_us


def classify_by_best_lap(candidates: Sequence[Candidate], *, over: bool, holes: bool = False) -> list[Place]:
    """Classify qualifying or practice: ``candidates`` in order of their best laps; those without a time have no place."""
    lines: list[Line] = []
    for c in candidates:
        status: ResultStatus = "classified" if c.best_us is not None else "not_classified"
        if not c.started:
            status = "not_started"
        elif not over and c.best_us is not None:
            status = "running"
        lines.append((c, c.laps, None, status))
    return _number(lines, holes=holes)


def without_places(places: Iterable[Place], retired: Container[str] = ()) -> list[Place]:
    """Take every place away: there is no result. Only those that race control retired are said to have."""
    unplaced: list[Place] = []
    for place in places:
        ran = place.status in {"classified", "retired"} and place.car not in retired
        status: ResultStatus = "not_classified" if ran else place.status
        unplaced.append(structs.replace(place, position=None, class_position=None, status=status))
    return unplaced


def _number(lines: list[Line], *, holes: bool) -> list[Place]:
    """Give the places. The disqualified leave theirs: others move up, or with ``holes`` the place stays empty."""
    placed = [line for line in lines if _LISTED[line[3]] == 0 and (holes or not line[0].penalties.disqualified)]
    places: list[Place] = []
    class_positions: dict[str, int] = {}
    for position, (c, laps, total, status) in enumerate(_moved(placed), start=1):
        class_position = class_positions[c.class_] = class_positions.get(c.class_, 0) + 1
        if not c.penalties.disqualified:
            places.append(Place(c.car, c.class_, position, class_position, laps, total, status))
    below = [line if not line[0].penalties.disqualified else (*line[:3], _OUT) for line in lines]
    below.sort(key=lambda line: _LISTED[line[3]])
    return places + [Place(c.car, c.class_, None, None, laps, total, status) for c, laps, total, status in below if _LISTED[status]]


def _moved(placed: list[Line]) -> list[Line]:
    """Move cars down as decided: places, then last of class, then last."""
    drops = sorted((drop, line[0].car) for line in placed for drop in line[0].penalties.drops)
    for drop, car in drops:
        at = next(i for i, line in enumerate(placed) if line[0].car == car)
        placed.insert(at + drop.places, placed.pop(at))
    for line in [line for line in placed if line[0].penalties.last_of_class]:
        last = max(i for i, other in enumerate(placed) if other[0].class_ == line[0].class_)
        placed.insert(last, placed.pop(placed.index(line)))
    return [line for line in placed if not line[0].penalties.last] + [line for line in placed if line[0].penalties.last]


def _status(c: Candidate, laps: int, least: int, *, over: bool, must_cross: bool) -> ResultStatus:  # one status each
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
