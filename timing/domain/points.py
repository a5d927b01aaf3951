"""Points: what a classification is worth to a championship. Who scores is asked first, and places are counted among those."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

from timing.domain.classification import Place
from timing.domain.events import EntryRegistered
from timing.domain.rulebook import Championship


class Ran(Struct, frozen=True):
    """What was run, as far as points ask for it.

    ``less_than(percent)``: of the distance. ``percent``: the share of the points by it. ``racing_laps``: of the winner, that nothing
    touched. ``starters``: the cars that started. ``bests``: of each car its best lap in µs and the instant at which it ended.
    """

    less_than: Callable[[int], bool]
    percent: int
    racing_laps: int
    starters: Collection[str]
    bests: Mapping[str, tuple[int, int]] = {}


class Score(Struct, frozen=True):
    """A car's points in a championship, in thousandths. ``rank``: its place there; ``place``: that in the result (or in class).

    ``scale_milli``: what its place gives; ``shared`` with so many, in a dead heat. ``ahead``: so many before it do not score.
    ``percent``: the shares of the race, multiplied. ``bonus``: by name, what was added.
    """

    car: str
    class_: str
    rank: int
    place: int
    points_milli: int
    scale_milli: int
    shared: int
    ahead: int
    percent: Fraction
    bonus: dict[str, int]


def scores(entry: EntryRegistered, championship: Championship) -> bool:
    """Say whether an entry scores in a championship; a guest scores in none."""
    named = championship.entered == "all" or championship.name in entry.championships
    return named and not entry.guest and (not championship.classes or entry.class_ in championship.classes)


def score(places: Sequence[Place], entries: Mapping[str, EntryRegistered], championship: Championship, ran: Ran) -> list[Score]:
    """Score a race for a championship, in the order of its own places; with places in class, class by class.

    Places are those of the classification, shared ones and empty ones too. Points of a shared place are those of the places it takes,
    added and shared equally (FIA F1 2025 art. 7.1); parts of a thousandth are rounded.
    """
    found: list[Score] = []
    for field in _fields(places, championship):
        counting = [p for p in field if scores(entries[p.car], championship)]
        starters = sum(car in ran.starters and scores(entries[car], championship) for car in _within(entries, field, championship))
        share = _share(championship, ran, starters)
        scale = next((s.scale_milli for s in championship.shortened if ran.less_than(s.below_percent)), championship.scale_milli)
        percent, whole = share * 100, share == 1
        fastest = _fastest(counting, championship, ran) if share else None
        score_here = {p.car for p in counting}
        others = sorted(_place(p, championship) for p in field if p.car not in score_here)
        level = Counter(_place(p, championship) for p in (counting if championship.ineligible == "skip" else field))
        for p in counting:
            place = _place(p, championship)
            ahead, shared = bisect_left(others, place), level[place]
            rank = place - ahead
            first = rank if championship.ineligible == "skip" else place
            given: Fraction | int = sum(scale[first - 1 : first - 1 + shared])
            if shared > 1:
                given = Fraction(given, shared)
            bonus = {}
            if p.car == fastest and (championship.fastest_lap_within is None or rank <= championship.fastest_lap_within):
                bonus["fastest lap"] = championship.fastest_lap_milli
            points = round(given + sum(bonus.values()) if whole else (given + sum(bonus.values())) * share)
            found.append(Score(p.car, p.class_, rank, place, points, round(given), shared, ahead, percent, bonus))
    return found


def score_pole(places: Sequence[Place], entries: Mapping[str, EntryRegistered], championship: Championship) -> list[Score]:
    """Score qualifying: points for pole, of each class where places are those in class. It is not passed on to another."""
    if not championship.pole_milli:
        return []
    share, found = Fraction(championship.factor_percent, 100), []
    for field in _fields(places, championship):
        for p in field:
            if _place(p, championship) == 1 and scores(entries[p.car], championship):
                points = round(championship.pole_milli * share)
                found.append(Score(p.car, p.class_, 1, 1, points, 0, 1, 0, share * 100, {"pole": championship.pole_milli}))
    return found


def _fields(places: Sequence[Place], championship: Championship) -> list[list[Place]]:
    """Give the cars with a place, of the race or of each class."""
    placed = [p for p in places if p.position is not None]
    if championship.places == "overall":
        return [placed]
    return [[p for p in placed if p.class_ == class_] for class_ in dict.fromkeys(p.class_ for p in placed)]


def _within(entries: Mapping[str, EntryRegistered], field: Sequence[Place], championship: Championship) -> Collection[str]:
    if championship.places == "overall" or not field:
        return entries
    return [car for car, entry in entries.items() if entry.class_ == field[0].class_]


def _place(place: Place, championship: Championship) -> int:
    return (place.position if championship.places == "overall" else place.class_position) or 0


def _share(championship: Championship, ran: Ran, starters: int) -> Fraction:
    if ran.racing_laps < championship.racing_laps:
        return Fraction(0)
    by_distance = ran.percent if ran.percent == 0 or not championship.shortened else 100
    few = next((small.percent for small in championship.small_field if starters < small.below_starters), 100)
    return Fraction(championship.factor_percent * by_distance * few, 100**3)


def _fastest(counting: Sequence[Place], championship: Championship, ran: Ran) -> str | None:
    """Name the car with the best lap of those that score: of equal ones, the first that was set."""
    if not championship.fastest_lap_milli:
        return None
    return min((p.car for p in counting if p.car in ran.bests), key=lambda car: ran.bests[car], default=None)
