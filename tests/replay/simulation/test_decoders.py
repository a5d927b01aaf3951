"""Decoders: one number a passing, faults on demand."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from replay.simulation.decoders import DECODERS, Heard, listen
from replay.simulation.plan import Faults, Plan
from timing.domain.events import Passing, identity
from timing.domain.units import SECOND

passages = st.lists(st.tuples(st.integers(0, 1200 * 10**6), st.sampled_from(sorted(DECODERS)), st.sampled_from(["T1", "T2"])), max_size=200)
PLAN = Plan()


def hear(given_: list[Heard], faults: Faults) -> list[Passing]:
    heard = [(PLAN.start + at, loop, transponder) for at, loop, transponder in given_]
    return [arrival.passing for arrival in listen(Plan(faults=faults), heard, [(PLAN.start + SECOND, "SF", "stranger")])]


@given(passages)
def test_good_decoders_say_what_they_heard_and_no_more(given_: list[Heard]) -> None:
    passings = hear(given_, "none")
    assert sorted((p.at - PLAN.start, p.loop, p.transponder) for p in passings) == sorted(given_)


@given(passages)
def test_bad_decoders_lose_nothing(given_: list[Heard]) -> None:
    said = {(p.at - PLAN.start, p.loop, p.transponder) for p in hear(given_, "harsh")}
    assert set(given_) <= said
    assert (SECOND, "SF", "stranger") in said


@given(passages, st.sampled_from(["none", "mild", "harsh"]))
def test_numbers_count_each_boot_of_a_decoder_in_order_of_time(given_: list[Heard], faults: Faults) -> None:
    passings = {identity(passing): passing for passing in hear(given_, faults)}.values()
    by_boot: dict[tuple[str, int], list[Passing]] = defaultdict(list)
    for passing in passings:
        by_boot[passing.decoder, passing.boot].append(passing)
    for of_boot in by_boot.values():
        of_boot.sort(key=lambda passing: passing.number)
        assert [passing.number for passing in of_boot] == list(range(1, len(of_boot) + 1))
        assert [passing.at for passing in of_boot] == sorted(passing.at for passing in of_boot)


@given(passages)
def test_what_is_sent_again_is_the_same(given_: list[Heard]) -> None:
    by_name: dict[str, Passing] = {}
    for passing in hear(given_, "harsh"):
        assert by_name.setdefault(identity(passing), passing) == passing
