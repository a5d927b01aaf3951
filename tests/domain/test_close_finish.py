"""Close finishes: who is level, who waits for the photo, what a ruling moves and what it may not."""

import pytest

from timing.domain.classification import Place
from timing.domain.close_finish import CloseFinish, rule, share_places
from timing.domain.events import FinishOrderRuled
from timing.domain.order import Standing


def standings(*at: int) -> list[Standing]:
    """Cars 1, 2, 3 … in running order, that ended their only lap so."""
    return [Standing(str(car), "GT", [end], 1, 0, True, True) for car, end in enumerate(at, start=1)]


def ruling(*cars: str, dead_heat: bool = False) -> FinishOrderRuled:
    return FinishOrderRuled(id="r", at=1, cars=cars, dead_heat=dead_heat)


@pytest.mark.parametrize(
    ("photo_us", "waits"),
    [(0, set()), (1, {"1", "2"}), (2, {"1", "2", "3"}), (3, {"1", "2", "3"}), (60, {"1", "2", "3", "4"})],
)
def test_closer_than_the_decoder_can_tell_waits_for_the_photo(photo_us: int, waits: set[str]) -> None:
    assert rule(standings(100, 100, 101, 150), [], photo_us, frozenset()).photo == waits


@pytest.mark.parametrize(
    ("rulings", "order", "waits"),
    [
        ([ruling("2", "1")], "2134", {"2", "1", "3"} - {"2"}),
        ([ruling("3", "2", "1")], "3214", set()),
        ([ruling("4", "1")], "1234", {"1", "2", "3"}),
        ([ruling("3", "2", "1"), ruling("1", "2", "3")], "1234", set()),
        ([ruling("3", "1")], "3214", {"1", "2", "3"}),
    ],
    ids=["two", "all three", "too far apart", "the later holds", "between them one that was not named"],
)
def test_a_ruling_orders_those_and_only_those_that_were_close(rulings: list[FinishOrderRuled], order: str, waits: set[str]) -> None:
    field = standings(100, 101, 102, 150)
    close = rule(field, rulings, 5, frozenset())
    assert "".join(s.car for s in field) == order
    assert close.photo == waits


def test_a_crossing_read_off_the_photo_needs_no_ruling() -> None:
    assert rule(standings(100, 101), [], 5, frozenset({"2"})).photo == frozenset()


def test_cars_still_running_and_on_other_laps_are_no_close_finish() -> None:
    field = standings(100, 100)
    field[1].standing = False
    assert rule(field, [], 5, frozenset()) == CloseFinish()


def places(*classes: str) -> list[Place]:
    counts: dict[str, int] = {}
    found = []
    for place, class_ in enumerate(classes, start=1):
        counts[class_] = counts.get(class_, 0) + 1
        found.append(Place(str(place), class_, place, counts[class_], 1, 100, "classified"))
    return found


def test_level_cars_share_the_place_and_the_next_is_left_out() -> None:
    instants = {"1": 100, "2": 100, "3": 100, "4": 101}
    shared = share_places(places("GT", "TC", "GT", "GT"), instants, CloseFinish())
    assert [(p.position, p.class_position) for p in shared] == [(1, 1), (1, 1), (1, 1), (4, 3)]


def test_a_ruled_order_is_not_shared_unless_that_was_the_ruling() -> None:
    instants = {"1": 100, "2": 100}
    ruled = CloseFinish(ruled=frozenset("12"))
    level = CloseFinish(level={"1": "1", "2": "1"}, ruled=frozenset("12"))
    assert [p.position for p in share_places(places("GT", "GT"), instants, ruled)] == [1, 2]
    assert [p.position for p in share_places(places("GT", "GT"), {"1": 100, "2": 101}, level)] == [1, 1]
