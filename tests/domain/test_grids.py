"""Grids: second-best laps, sums, inversion with holes, grid penalties by the FIA's algorithm and in turn."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.domain.grids import Lost, Starter, by_best, by_second_best, by_sum, make_grid, reissue
from timing.domain.rulebook import Grid

FIA = Grid(back_from_places=16)
TURN = Grid(penalties="in_turn", back_from_places=16)


def field(cars: str, **of: Any) -> list[Starter]:
    """Cars in order, one letter each; ``|`` before those not classified, ``!`` before the disqualified."""
    kept: Any = "classified"
    starters = []
    for letter in cars:
        if letter in "|!":
            kept = {"|": "unclassified", "!": "disqualified"}[letter]
        else:
            starters.append(Starter(letter, "GT", kept, **{key: value[letter] for key, value in of.items() if letter in value}))
    return starters


def text(places: Any) -> str:
    return "".join(car or "-" for car in places)


def lost(*said: str) -> list[Lost]:
    return [Lost(one[0], None if one[1:] == "back" else int(one[1:])) for one in said]


@pytest.mark.parametrize(
    ("what", "said", "fia", "in_turn"),
    [
        ("nobody lost any", [], "ABCDEF", "ABCDEF"),
        ("three places", ["A3"], "BCDAEF", "BCDAEF"),
        ("no place", ["A0"], "ABCDEF", "ABCDEF"),
        ("the last loses nothing", ["F5"], "ABCDEF", "ABCDEF"),
        ("two on one place: the slower keeps it, the other is just ahead", ["A3", "B2"], "CDABEF", "CDBAEF"),
        ("the one ahead meets a third", ["B2", "C1", "A3"], "DABCEF", "DCBAEF"),
        ("penalised move up into what stays free", ["E10", "F10", "A10"], "BCDAEF", "BCDEFA"),
        ("the sum of two", ["A2", "A2"], "BCDEAF", "BCDEAF"),
        ("more than fifteen is the back", ["A16", "F3"], "BCDEFA", "BCDEAF"),
        ("fifteen are not", ["A15", "Cback"], "BDEFAC", "BDEFAC"),
        ("two at the back: as they qualified, or in turn", ["Bback", "A16"], "CDEFAB", "CDEFBA"),
        ("a car that is not there", ["X3"], "ABCDEF", "ABCDEF"),
    ],
)
def test_places_lost(what: str, said: list[str], fia: str, in_turn: str) -> None:
    assert text(make_grid(field("ABCDEF"), FIA, lost=lost(*said))) == fia
    assert text(make_grid(field("ABCDEF"), TURN, lost=lost(*said))) == in_turn


def test_without_a_limit_the_back_is_only_said() -> None:
    assert text(make_grid(field("ABC"), Grid(), lost=lost("A40", "Bback"))) == "CAB"


def test_unclassified_start_behind_the_penalised_and_the_disqualified_last() -> None:
    assert text(make_grid(field("ABC!X|YZ"), FIA, lost=lost("Aback", "Y2"))) == "BCAYZX"


@pytest.mark.parametrize(("withdrawal", "grid"), [("left_empty", "D-BAE"), ("closed_up", "DBAE"), ("closed_up_until_issued", "DBAE")])
def test_inverted_with_a_withdrawal(withdrawal: Any, grid: str) -> None:
    assert text(make_grid(field("ABCDEF"), Grid(withdrawal=withdrawal), invert=4, withdrawn="CF")) == grid


def test_places_are_lost_before_the_inversion_or_after() -> None:
    assert text(make_grid(field("ABCDEF"), Grid(invert="penalties_before"), invert=4, lost=lost("A4"))) == "EDCBAF"
    assert text(make_grid(field("ABCDEF"), Grid(invert="penalties_after"), invert=4, lost=lost("D4"))) == "CBAEDF"


def test_who_is_too_slow_is_not_inverted() -> None:
    cars = field("ABCDE", best={"A": (1000, 1), "B": (1021, 1), "C": (1020, 1), "D": (1010, 1)})
    assert text(make_grid(cars, Grid(eligible_percent=102), invert=3)) == "DCABE"
    assert text(make_grid(cars, Grid(), invert=3)) == "CBADE"
    assert text(make_grid(field("ABC"), Grid(), invert=10)) == "CBA"


def test_the_grid_class_by_class() -> None:
    cars = [
        Starter("5", "H"),
        Starter("54", "G"),
        Starter("8", "H"),
        Starter("81", "G", "unclassified"),
        Starter("35", "H", "unclassified"),
    ]
    assert make_grid(cars, Grid(classes="by_class"), lost=[Lost("5", 3)]) == ("8", "5", "35", "54", "81")
    assert make_grid(cars, Grid()) == ("5", "54", "8", "81", "35")


def test_second_best_laps() -> None:
    cars = field("ABCD|E", second={"A": (99, 5), "B": (98, 9), "D": (98, 7)})
    assert text(s.car for s in by_second_best(cars)) == "DBACE"


def test_best_laps_of_a_race() -> None:
    cars = field("ABCD|E", best={"A": (99, 5), "B": (98, 9), "D": (98, 7), "E": (90, 1)})
    assert text(s.car for s in by_best(cars)) == "DBACE"


def test_sums_of_places_and_of_times() -> None:
    assert text(s.car for s in by_sum([field("ABC"), field("CBA|D")], times=False)) == "CBAD"
    assert text(s.car for s in by_sum([field("AB|C"), field("CAB")], times=False)) == "ABC"
    one, two = field("AB", best={"A": (100, 1), "B": (101, 1)}), field("BA", best={"A": (110, 1), "B": (105, 1)})
    assert text(s.car for s in by_sum([one, two], times=True)) == "BA"


def test_an_issued_grid_keeps_its_holes() -> None:
    assert text(reissue(("A", None, "B", "C"), Grid(), "B")) == "A--C"
    assert text(reissue(("A", None, "B", "C"), Grid(withdrawal="closed_up_until_issued"), "B")) == "A--C"
    assert text(reissue(("A", None, "B", "C"), Grid(withdrawal="closed_up"), "B")) == "A-C"


CARS = "ABCDEFGH"


RULES = st.builds(
    Grid,
    penalties=st.sampled_from(["fia", "in_turn"]),
    withdrawal=st.sampled_from(["left_empty", "closed_up"]),
    invert=st.sampled_from(["penalties_before", "penalties_after"]),
    back_from_places=st.sampled_from([None, 5]),
)
LOST = st.lists(st.builds(Lost, st.sampled_from(CARS), st.none() | st.integers(0, 20)), max_size=8)


@given(st.integers(1, 8), st.integers(0, 10), LOST, st.sets(st.sampled_from(CARS)), RULES)
def test_every_car_has_one_place(n: int, invert: int, said: list[Lost], withdrawn: set[str], rules: Grid) -> None:
    grid = make_grid(field(CARS[:n]), rules, invert=invert, lost=said, withdrawn=withdrawn)
    assert sorted(filter(None, grid)) == sorted(set(CARS[:n]) - withdrawn)
    if rules.withdrawal == "closed_up":
        assert None not in grid
