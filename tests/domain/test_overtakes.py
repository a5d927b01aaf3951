"""Who passed whom between two loops, and what is held back of it in the order that is shown."""

from collections.abc import Callable
from random import Random

import pytest

from timing.domain.overtakes import PIT, Gone, Overtake, Questions, Watch, hold_back

POSITIONS = (0, 1, 2, PIT, None)  # the line, two sectors, a loop in the pit lane, a speed trap


def no(*_: object) -> bool:
    return False


def yes(*_: object) -> bool:
    return True


def since_100(*_: object) -> int:
    return 100


def watch(
    order: str,
    *,
    slow: Callable[..., bool] = no,
    waved: Callable[..., bool] = no,
    retired: Callable[..., bool] = no,
    signal: Callable[..., int | None] = since_100,
) -> Watch:
    """Cars that crossed the line in this order, a second apart, before the signal at 100."""
    made = Watch(POSITIONS, 5, Questions(signal, slow, waved, retired))
    for place, car in enumerate(order.split()):
        made.place(car, Gone(0, (90 + place, 0, "line", 1, place), 1, 90 + place))
    return made


def run(made: Watch, *loops: str) -> list[Overtake]:
    """Run ``1: a b c`` (a loop and the cars in order), each loop 100 after the one before, a second between cars."""
    for step, told in enumerate(loops, start=1):
        loop, _, cars = told.partition(": ")
        for place, car in enumerate(cars.split()):
            at = 100 * step + 10 + place
            made.cross(car, (at, int(loop), f"loop-{loop}", 1, at), 2 if step > 2 else 1, 90)
    return made.found


def passes(found: list[Overtake]) -> list[str]:
    return [f"{o.car}>{o.over}{'' if o.why is None else ' ' + o.why}" for o in found]


@pytest.mark.parametrize(
    ("loops", "found"),
    [
        (["1: a b c", "2: a b c"], []),
        (["1: b a c"], ["b>a at_signal"]),
        (["1: a b c", "2: b a c"], ["b>a"]),
        (["1: a b c", "2: c a b"], ["c>a", "c>b"]),
        (["1: a b c", "2: b a c", "0: a b c"], ["b>a", "a>b gives_back"]),
        (["1: a b c", "2: b c"], []),  # a is not out: nothing is decided
        (["1: a b c", "3: a", "2: b c"], []),  # a is in the pit lane
        (["1: a b c", "3: a", "2: b c", "1: b c a", "2: b c a"], []),
        (["1: a b c", "2: a c", "0: a b c"], []),  # b was not heard at the second sector
        (["1: a b c", "4: b a c", "2: a b c"], []),  # a speed trap has no place in the lap
    ],
)
def test_a_pass_is_coming_out_of_a_stretch_before_one_that_went_in_ahead(loops: list[str], found: list[str]) -> None:
    assert passes(run(watch("a b c"), *loops)) == found


@pytest.mark.parametrize(
    ("what", "why"),
    [({"slow": yes}, "slow"), ({"waved": yes}, "waved_by"), ({"retired": yes}, "retired")],
    ids=["slow", "waved", "retired"],
)
def test_a_pass_is_explained(what: dict[str, Callable[..., bool]], why: str) -> None:
    assert passes(run(watch("a b", **what), "1: a b", "2: b a")) == [f"b>a {why}"]


def test_who_is_not_bound_may_pass() -> None:
    assert run(watch("a b", signal=lambda *_: None), "1: a b", "2: b a") == []


def test_a_pass_says_what_it_rests_on_and_is_named_by_it() -> None:
    (one,) = run(watch("a b"), "1: a b", "2: b a")
    assert one.evidence == (("loop-1", 1, 111), ("loop-1", 1, 110), ("loop-2", 1, 210), ("loop-2", 1, 211))
    assert (one.loop, one.at, one.over_at, one.place) == (2, 210, 211, True)
    assert one.id == run(watch("a b"), "1: a b", "2: b a")[0].id
    assert one.id != run(watch("b a"), "1: b a", "2: a b")[0].id
    assert len(one.id) <= 64


def test_to_lap_a_car_gains_no_place() -> None:
    made = Watch(POSITIONS, 5, Questions(since_100, no, no, no))
    made.place("slow", Gone(0, (90, 0, "line", 1, 1), 1, 90))
    made.place("fast", Gone(0, (91, 0, "line", 1, 2), 4, 91))
    for at, loop, car, laps in ((110, 1, "slow", 1), (111, 1, "fast", 4), (210, 2, "fast", 4), (211, 2, "slow", 1)):
        made.cross(car, (at, loop, "d", 1, at), laps, 90)
    assert [(o.car, o.place) for o in made.found] == [("fast", False)]


def test_a_pass_waits_until_the_car_passed_comes_out() -> None:
    made = watch("a b")
    run(made, "1: a b", "2: b")
    assert [(p.car, p.over, p.since, p.place) for p in made.pending()] == [("b", "a", 110, True)]
    made.finish("a")
    assert made.pending() == []


def test_a_car_that_stands_beside_the_track_is_passed_once() -> None:
    made = watch("a b")
    run(made, "1: a b", "2: b", "0: b", "1: b", "2: b")
    assert len(made.pending()) == 1


SECOND = 1_000_000


@pytest.mark.parametrize(
    ("positions", "lost", "why"),
    [((0, None), 4, None), ((0, None), 6, "pits_unheard"), ((0, PIT), 6, None)],
    ids=["too little for a visit", "no loop hears the pits", "the pits are heard"],
)
def test_where_no_loop_hears_the_pit_lane_a_car_that_lost_so_much_may_have_been_there(
    positions: tuple[int | None, ...], lost: int, why: str | None
) -> None:
    made = Watch(positions, 5, Questions(since_100, no, no, no))
    made.place("a", Gone(0, (110, 0, "line", 1, 1), 1, 110))
    made.place("b", Gone(0, (111, 0, "line", 1, 2), 1, 111))
    made.cross("b", (111 + 90 * SECOND, 0, "line", 1, 3), 2, 111)
    (pending,) = made.pending()
    out = 110 + (90 + lost) * SECOND
    assert (pending.by >= out) == (why is None)
    made.cross("a", (out, 0, "line", 1, 4), 2, 110)
    assert [o.why for o in made.found] == [why]


@pytest.mark.parametrize(
    ("road", "held", "shown"),
    [
        ("a b c", [], "a b c"),
        ("b a c", ["b>a"], "a b c"),
        ("c a b", ["c>a", "c>b"], "a b c"),
        ("c b a", ["c>b", "b>a"], "a b c"),
        ("b x a", ["b>a"], "x a b"),
        ("a b c", ["a>b", "b>c", "c>a"], "a c b"),  # a circle: from its first car on
        ("a b", ["a>gone"], "a b"),
    ],
)
def test_the_order_shown_holds_back_who_may_not_have_passed(road: str, held: list[str], shown: str) -> None:
    pairs = [(car, over) for car, _, over in (pair.partition(">") for pair in held)]
    assert " ".join(hold_back(road.split(), pairs)) == shown


def test_holding_back_neither_loses_nor_doubles_a_car() -> None:
    chance = Random(3)
    for _ in range(500):
        cars = [str(n) for n in range(chance.randint(1, 9))]
        held = [(chance.choice(cars), chance.choice(cars)) for _ in range(chance.randint(0, 12))]
        assert sorted(hold_back(cars, held)) == cars
