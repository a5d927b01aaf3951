"""Close finishes: cars level to the microsecond, those that only a photo can part, and what was ruled about them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct, structs

from timing.domain.classification import Place
from timing.domain.events import FinishOrderRuled
from timing.domain.order import Standing


class CloseFinish(Struct, frozen=True):
    """``photo``: cars whose order waits for the photo. ``level``: by car, the one whose place it shares by a ruling of a dead heat."""

    photo: frozenset[str] = frozenset()
    level: dict[str, str] = {}
    ruled: frozenset[str] = frozenset()


def clusters(standings: Sequence[Standing], photo_us: int) -> list[range]:
    """Find the cars, by their places in the running order, that ended level or closer than ``photo_us`` to the next, on the same lap."""
    found: list[range] = []
    for place, (ahead, own) in enumerate(pairwise(standings)):
        apart = own.last_at - ahead.last_at
        if own.laps and own.laps == ahead.laps and own.standing and ahead.standing and (apart == 0 or 0 < apart < photo_us):
            first = found.pop().start if found and found[-1].stop == place + 1 else place
            found.append(range(first, place + 2))
    return found


def rule(standings: list[Standing], rulings: Iterable[FinishOrderRuled], photo_us: int, by_hand: frozenset[str]) -> CloseFinish:
    """Put the cars of close finishes in the order that was ruled, in place, and say what is left to rule.

    A ruling holds among cars that ended level or closer than ``photo_us`` to the next, and moves nobody else; of several on the same cars
    the later holds. ``by_hand``: cars whose last crossing was read off a photo, which needs no ruling.
    """
    photo: set[str] = set()
    level: dict[str, str] = {}
    ruled: set[str] = set()
    close = clusters(standings, photo_us)
    rulings = list(rulings)
    for places in close:
        cars = {standings[place].car for place in places}
        settled: list[set[str]] = [{car} for car in cars & by_hand]
        for ruling in rulings:
            named = [car for car in ruling.cars if car in cars]
            if len(named) > 1:
                _put(standings, places, named)
                settled.append(set(named))
                ruled.update(named)
                for car in named:
                    level.pop(car, None)
                if ruling.dead_heat:
                    level.update(dict.fromkeys(named, named[0]))
        for ahead, own in pairwise([standings[place] for place in places]):
            pair = {ahead.car, own.car}
            if own.last_at - ahead.last_at < photo_us and not any(len(group & pair) == min(len(group), 2) for group in settled):
                photo |= pair
    return CloseFinish(frozenset(photo), level, frozenset(ruled))


def _put(standings: list[Standing], places: range, named: Sequence[str]) -> None:
    of_car = {standings[place].car: standings[place] for place in places}
    slots = [place for place in places if standings[place].car in named]
    for place, car in zip(slots, named, strict=True):
        standings[place] = of_car[car]


def share_places(places: Sequence[Place], instants: Mapping[str, int], close: CloseFinish) -> list[Place]:
    """Give cars that ended level the same place, overall and in class; the next place is left out (FIA F1 2025 art. 7.1).

    ``instants``: when each car ended its race, penalties included. Cars left out stand alone. Cars whose order was ruled are level only if
    that was the ruling.
    """
    ends: dict[str, tuple[int, int | str]] = {}
    shared: list[Place] = []
    of_class: dict[str, Place] = {}
    for place in places:
        if place.position is None or not place.laps:
            shared.append(place)
            continue
        ends[place.car] = (
            place.laps,
            close.level.get(place.car, place.car) if place.car in close.ruled else instants.get(place.car, place.car),
        )
        ahead, mate = (shared[-1] if shared else None), of_class.get(place.class_)
        changes: dict[str, int | None] = {}
        if ahead is not None and ends.get(ahead.car) == ends[place.car]:
            changes["position"] = ahead.position
        if mate is not None and ends.get(mate.car) == ends[place.car]:
            changes["class_position"] = mate.class_position
        of_class[place.class_] = placed = structs.replace(place, **changes) if changes else place
        shared.append(placed)
    return shared
