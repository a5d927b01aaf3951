"""What the result of a simulated race is, by the simulation's own count of laps; it never looks at a passing."""

from collections import Counter

from msgspec import Struct

from replay.simulation.plan import Plan
from replay.simulation.script import Ruling
from replay.simulation.traffic import Competitor
from timing.domain.units import SECOND


class TrueRow(Struct, frozen=True, rename={"class_": "class"}):
    """A car's line in the true result. ``on_the_road``: its place before decisions.

    ``best_lap_us``: of qualifying and practice alone, in the last segment where it has one.
    """

    position: int | None
    car: str
    class_: str
    class_position: int | None
    laps: int
    total_us: int | None
    status: str
    on_the_road: int | None
    penalty_us: int
    best_lap_us: int | None = None


class Truth(Struct, frozen=True):
    """The true result. ``neutralised``: from each signal to the leader at the line; ``pit_visits`` and ``crossings`` of the line by car."""

    session: str
    seed: int
    winner: str
    finished_at: int | None
    rows: list[TrueRow]
    neutralised: list[tuple[int, int]]
    pit_visits: dict[str, int]
    crossings: dict[str, list[int]]


def _counted(car: Competitor, plan: Plan, red_at: int | None, cars: list[Competitor]) -> list[int]:
    """Give the crossings that count: all of them, or for a race stopped by red those up to one lap before the leader's last."""
    if not plan.stopped or red_at is None:
        return car.crossings
    by_signal = [at for at in car.crossings if at <= red_at]
    lap = max(sum(at <= red_at for at in other.crossings) for other in cars) - 1
    if lap < 1:
        return []
    flag = min(other.crossings[lap - 1] for other in cars if len(other.crossings) >= lap)
    until = next((index for index, at in enumerate(by_signal) if at >= flag), len(by_signal) - 1)
    return by_signal[: until + 1]


def true_result(plan: Plan, cars: list[Competitor], rulings: list[Ruling], absent: set[str], red_at: int | None) -> list[TrueRow]:
    """Take the result of the race."""
    added: Counter[str] = Counter()
    for ruling in rulings:
        if ruling.holds:
            added[ruling.car] += ruling.seconds * SECOND
    excluded = {ruling.car for ruling in rulings if ruling.holds and ruling.disqualified}
    counted = {car.starter.number: _counted(car, plan, red_at, cars) for car in cars}

    def road(car: Competitor) -> tuple[int, int, int, str]:
        number, crossings = car.starter.number, counted[car.starter.number]
        grid = len(cars) if number in absent else car.grid  # a car that does not start has no place on the grid
        return (-len(crossings), crossings[-1] if crossings else 0, grid, number)

    def result(car: Competitor) -> tuple[int, int, int, str]:
        laps, at, grid, number = road(car)
        return (laps, at + added[number], grid, number)

    on_the_road = {car.starter.number: place for place, car in enumerate(sorted(cars, key=road), start=1)}
    ordered = sorted(cars, key=result)
    most = max((len(counted[car.starter.number]) for car in cars if car.starter.number not in excluded), default=0)
    groups: tuple[list[TrueRow], ...] = ([], [], [], [])
    in_class: Counter[str] = Counter()
    for car in ordered:
        number, crossings = car.starter.number, counted[car.starter.number]
        status = _status(car, len(crossings), most * plan.min_percent // 100, number in absent, number in excluded)
        place = class_place = None
        if status == "classified":
            in_class[car.starter.class_] += 1
            place, class_place = len(groups[0]) + 1, in_class[car.starter.class_]
        total = crossings[-1] - plan.start + added[number] if crossings else None
        row = TrueRow(
            place, number, car.starter.class_, class_place, len(crossings), total, status,
            None if number in absent else on_the_road[number], added[number],
        )  # fmt: skip
        groups[_LISTED[status]].append(row)
    return [row for group in groups for row in group]


_LISTED = {"classified": 0, "not_classified": 1, "retired": 1, "not_started": 2, "disqualified": 3}


def _status(car: Competitor, laps: int, least: int, absent: bool, excluded: bool) -> str:
    if excluded:
        return "disqualified"
    if absent:
        return "not_started"
    if laps and laps >= least:
        return "classified"
    return "not_classified" if car.finished_at is not None else "retired"
