"""A copy of a fold goes on apart: neither it nor its original notices what the other takes in, and both are as if folded anew."""

import gc
import random

import pytest
from simulated import drawn, raced, records

from timing.log.record import Record
from timing.projections.copied import copied, let_go
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks


def fold(told: list[Record]) -> Timing:
    timing = Timing("race")
    for record in told:
        timing.apply(record)
    return timing


def race(seed: int) -> list[Record]:
    return list(records(raced(drawn(seed)), Rulebooks()))


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_and_its_original_go_on_apart(seed: int) -> None:
    told, chance = race(seed), random.Random(seed)
    here = chance.randrange(len(told) // 3, len(told))
    before = fold(told[:here])
    digest, board = before.digest(), before.board()
    other = copied(before)
    assert (other.digest(), other.board()) == (digest, board)
    for record in told[here:]:
        other.apply(record)
        if chance.random() < 0.02:
            other.board()
    assert (before.digest(), before.board()) == (digest, board), "the original stayed where it was"
    whole = fold(told)
    assert (other.digest(), other.board()) == (whole.digest(), whole.board())
    again = copied(before)
    for record in told[here:]:
        before.apply(record)
    assert (before.digest(), before.board()) == (whole.digest(), whole.board())
    assert (again.digest(), again.board()) == (digest, board), "a copy stays where it is when the original goes on"


def test_a_copy_of_a_copy_made_while_the_order_is_frozen_goes_on_too() -> None:
    told = race(3)
    stepwise = Timing("race")
    for place, record in enumerate(told):
        stepwise.apply(record)
        if place % 40 == 0:
            stepwise.board()
            stepwise = copied(stepwise)
    whole = fold(told)
    assert (stepwise.digest(), stepwise.board()) == (whole.digest(), whole.board())


def test_what_is_let_go_is_free_at_once() -> None:
    timing = fold(race(1))
    timing.board()
    held = timing.evidence.arrived
    gc.collect()
    before = len(gc.get_referrers(held))
    let_go(timing)
    assert len(gc.get_referrers(held)) < before
