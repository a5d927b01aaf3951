"""Chance that is the same everywhere."""

from collections import Counter

from replay.simulation.dice import Dice


def test_a_stream_is_the_same_each_time_and_others_do_not_disturb_it() -> None:
    one, other = Dice(7, "race"), Dice(7, "faults")
    alone = Dice(7, "race")
    mixed = [(one.random(), other.random())[0] for _ in range(100)]
    assert mixed == [alone.random() for _ in range(100)]


def test_the_first_numbers_of_a_stream_are_these_on_every_python() -> None:
    dice = Dice(1, "race")
    assert [dice.below(1_000_000) for _ in range(4)] == [364846, 666993, 41130, 625615]


def test_streams_differ_by_name_and_by_seed() -> None:
    firsts = {Dice(seed, name).random() for seed in range(20) for name in ("race", "faults", "field")}
    assert len(firsts) == 60


def test_both_ends_of_a_range_come_up_and_nothing_beyond() -> None:
    dice = Dice(3, "range")
    assert {dice.between(2, 5) for _ in range(500)} == {2, 3, 4, 5}
    assert {dice.below(3) for _ in range(500)} == {0, 1, 2}


def test_a_spread_lies_around_nought() -> None:
    dice = Dice(3, "spread")
    numbers = [dice.spread() for _ in range(5000)]
    assert -1.5 <= min(numbers) < -1
    assert 1 < max(numbers) <= 1.5
    assert abs(sum(numbers)) / len(numbers) < 0.03


def test_a_shuffle_keeps_everything_and_reaches_every_order() -> None:
    dice = Dice(3, "shuffle")
    orders: Counter[tuple[int, ...]] = Counter()
    for _ in range(1200):
        things = [1, 2, 3]
        dice.shuffle(things)
        orders[tuple(things)] += 1
    assert len(orders) == 6
    assert min(orders.values()) > 120
