"""Starting grids: from best or second-best laps, from a result, inverted, with places lost and cars withdrawn. No result is touched."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Literal, TypeAlias

from msgspec import Struct

from timing.domain.rulebook import Grid

Places: TypeAlias = tuple[str | None, ...]
"""A grid from pole; ``None`` is a place left empty."""

LapSet: TypeAlias = tuple[int, int]
"""The time of a lap, in µs, and the instant at which it was set."""

Kept: TypeAlias = Literal["classified", "unclassified", "disqualified"]
_BEHIND = ("classified", "unclassified", "disqualified")


class Starter(Struct, frozen=True):
    """A car as the source of the grid has it, in the source's order.

    ``kept``: classified there, or not. ``best`` and ``second``: its best and second-best laps, each time and instant.
    """

    car: str
    class_: str
    kept: Kept = "classified"
    best: LapSet | None = None
    second: LapSet | None = None


class Lost(Struct, frozen=True):
    """Grid places that a car loses; ``None`` is the back of the grid."""

    car: str
    places: int | None


def by_second_best(starters: Iterable[Starter]) -> list[Starter]:
    """Order by second-best laps, of equal ones who set it first. Cars with one lap stand behind those, as the source has them."""
    return _kept_apart(starters, lambda cars: sorted(cars, key=lambda s: (s.second is None, s.second or (0, 0))))


def by_best(starters: Iterable[Starter]) -> list[Starter]:
    """Order by best laps, where the source is a race; see ``by_second_best``."""
    return _kept_apart(starters, lambda cars: sorted(cars, key=lambda s: (s.best is None, s.best or (0, 0))))


def by_sum(parts: Sequence[Sequence[Starter]], *, times: bool) -> list[Starter]:
    """Order by the sum, over several sources, of best laps (``times``) or else of places; a car with fewer of them stands behind.

    Of equal sums the better in the last source is ahead. A car is classified if it was in any source.
    """
    sums: dict[str, tuple[int, int]] = {}
    last: dict[str, tuple[int, Starter]] = {}
    for part in parts:
        for place, starter in enumerate(part, start=1):
            worth = (starter.best[0] if starter.best else None) if times else place
            done, total = sums.get(starter.car, (0, 0))
            if starter.kept == "classified" and worth is not None:
                done, total = done + 1, total + worth
            sums[starter.car] = (done, total)
            if starter.car not in last or starter.kept == "classified" or last[starter.car][1].kept != "classified":
                last[starter.car] = (place, starter)
    order = sorted(last.items(), key=lambda item: (-sums[item[0]][0], sums[item[0]][1], item[1][0]))
    return _kept_apart((starter for _, (_, starter) in order), lambda cars: cars)


def make_grid(
    starters: Iterable[Starter],
    rules: Grid,
    *,
    invert: int = 0,
    lost: Sequence[Lost] = (),
    withdrawn: Iterable[str] = (),
) -> Places:
    """Make a grid from cars in the order of its source.

    ``invert``: so many of the first change places, the last of them going to pole. ``lost``: places lost, in the order in which they were
    imposed. ``withdrawn`` cars leave a hole, or those behind close up; the first N are inverted with those that have withdrawn among them.
    Unclassified cars start last, and the disqualified behind them.
    """
    order, gone = _kept_apart(starters, lambda cars: cars), set(withdrawn)
    blocks: dict[str, list[Starter]] = {}
    for starter in order:
        blocks.setdefault(starter.class_ if rules.classes == "by_class" else "", []).append(starter)
    cars = [car for block in blocks.values() for car in _block(block, rules, invert, lost)]
    if rules.withdrawal != "left_empty":
        return tuple(car for car in cars if car not in gone)
    places: list[str | None] = [None if car in gone else car for car in cars]
    while places and places[-1] is None:
        places.pop()
    return tuple(places)


def reissue(places: Sequence[str | None], rules: Grid, withdrawn: Iterable[str]) -> Places:
    """Give an issued grid again, without the cars that have withdrawn since. Its holes stay."""
    gone = set(withdrawn)
    if rules.withdrawal == "closed_up":
        return tuple(car for car in places if car is None or car not in gone)
    return tuple(None if car in gone else car for car in places)


def _block(starters: Sequence[Starter], rules: Grid, invert: int, lost: Sequence[Lost]) -> list[str]:
    classified = [starter.car for starter in starters if starter.kept == "classified"]
    behind = [starter.car for starter in starters if starter.kept != "classified"]
    mine = [penalty for penalty in lost if penalty.car in classified]
    eligible = _eligible(starters, rules.eligible_percent)
    drop = _fia if rules.penalties == "fia" else _in_turn
    if rules.invert == "penalties_before":
        return [*_inverted(drop(classified, mine, rules.back_from_places), invert, eligible), *behind]
    return [*drop(_inverted(classified, invert, eligible), mine, rules.back_from_places), *behind]


def _inverted(order: list[str], first: int, eligible: set[str]) -> list[str]:
    chosen = [car for car in order if car in eligible][:first]
    return [*reversed(chosen), *(car for car in order if car not in chosen)]


def _eligible(starters: Iterable[Starter], percent: int) -> set[str]:
    starters = list(starters)
    fastest = min((s.best[0] for s in starters if s.best), default=0)
    return {s.car for s in starters if not percent or (s.best and s.best[0] * 100 <= fastest * percent)}


def _fia(order: list[str], lost: Sequence[Lost], back_from: int | None) -> list[str]:
    """Drop as FIA F1 2025 art. 42.3 says.

    Each penalised car takes its place plus all that it lost; of two on one place the slower keeps it, the other goes just ahead. The
    others fill the free places in order, and the penalised move up into what stays free. Beyond the limit is the back of the grid.
    """
    sums = _sums(lost)
    back = [car for car in order if car in sums and _is_back(sums[car], back_from)]
    taken: dict[int, str] = {}
    for place, car in reversed(list(enumerate(order, start=1))):
        places = sums.get(car, 0)
        if not places or car in back:
            continue
        wanted = place + places
        while wanted in taken:
            wanted -= 1
        taken[wanted] = car
    others = iter([car for car in order if not sums.get(car, 0) and car not in back])
    grid: list[str] = []
    for place in count(1):
        car_or_none = taken.pop(place, None) or next(others, None)
        if car_or_none is not None:
            grid.append(car_or_none)
        elif not taken:
            return [*grid, *back]
    raise AssertionError("count never ends")


def _in_turn(order: list[str], lost: Sequence[Lost], back_from: int | None) -> list[str]:
    """Drop each from where it stands then, in the order in which the penalties were imposed."""
    grid = list(order)
    for penalty in lost:
        place = grid.index(penalty.car)
        grid.pop(place)
        places = penalty.places
        grid.insert(len(grid) if places is None or _is_back(places, back_from) else place + places, penalty.car)
    return grid


def _sums(lost: Iterable[Lost]) -> Mapping[str, int | None]:
    sums: dict[str, int | None] = {}
    for penalty in lost:
        before = sums.get(penalty.car, 0)
        sums[penalty.car] = None if before is None or penalty.places is None else before + penalty.places
    return sums


def _is_back(places: int | None, back_from: int | None) -> bool:
    return places is None or (back_from is not None and places >= back_from)


def _kept_apart(starters: Iterable[Starter], arrange: Callable[[list[Starter]], list[Starter]]) -> list[Starter]:
    """Arrange the classified; behind them come the unclassified, and last the disqualified, each in the order they had."""
    groups: dict[str, list[Starter]] = {kept: [] for kept in _BEHIND}
    for starter in starters:
        groups[starter.kept].append(starter)
    return [*arrange(groups["classified"]), *groups["unclassified"], *groups["disqualified"]]
