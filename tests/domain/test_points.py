"""Points: who scores, what a place gives, and the shares of a race."""

from collections.abc import Sequence

import pytest

from timing.domain.classification import Place, ResultStatus
from timing.domain.events import EntryRegistered
from timing.domain.points import Ran, score, score_pole, scores
from timing.domain.rulebook import Championship, ShortScale, SmallField


def entry(car: str, class_: str = "GT", *, guest: bool = False, championships: tuple[str, ...] = ()) -> EntryRegistered:
    return EntryRegistered(id=car, at=0, car=car, class_=class_, guest=guest, championships=championships)


def cup(**keys: object) -> Championship:
    return Championship(**{"name": "Cup", "scale_milli": (10_000, 8_000, 6_000, 4_000), **keys})  # type: ignore[arg-type]  # keys of its own


def placed(*cars: str, classes: dict[str, str] | None = None, positions: Sequence[int] | None = None) -> list[Place]:
    """Place cars in this order; a class's places follow from it."""
    in_class: dict[str, int] = {}
    found = []
    for place, car in zip(positions or range(1, len(cars) + 1), cars, strict=True):
        class_ = (classes or {}).get(car, "GT")
        in_class[class_] = in_class.get(class_, 0) + 1
        status: ResultStatus = "classified"
        found.append(Place(car, class_, place, in_class[class_], 10, 1, status))
    return found


def ran(percent: int = 100, of_distance: int = 100, racing_laps: int = 10, bests: dict[str, tuple[int, int]] | None = None) -> Ran:
    return Ran(lambda asked: of_distance < asked, percent, racing_laps, tuple("123456789"), bests or {})


def points(championship: Championship, places: list[Place], what: Ran | None = None, *others: EntryRegistered) -> dict[str, float]:
    entries = {p.car: entry(p.car, p.class_) for p in places} | {other.car: other for other in others}
    return {s.car: s.points_milli / 1_000 for s in score(places, entries, championship, what or ran())}


def test_places_give_points_and_who_has_none_by_the_scale_has_none() -> None:
    assert points(cup(), placed("1", "2", "3", "4", "5")) == {"1": 10, "2": 8, "3": 6, "4": 4, "5": 0}


def test_the_place_of_a_guest_goes_to_the_next_or_its_points_are_lost() -> None:
    guest = entry("1", guest=True)
    assert points(cup(), placed("1", "2", "3"), None, guest) == {"2": 10, "3": 8}
    assert points(cup(ineligible="consume"), placed("1", "2", "3"), None, guest) == {"2": 8, "3": 6}


@pytest.mark.parametrize(
    ("who", "entered", "classes", "scored"),
    [
        (entry("1"), "all", (), True),
        (entry("1"), "named", (), False),
        (entry("1", championships=("Other", "Cup")), "named", (), True),
        (entry("1", championships=("Cup",), guest=True), "named", (), False),
        (entry("1", "TC"), "all", ("GT",), False),
        (entry("1", "TC"), "all", ("GT", "TC"), True),
    ],
)
def test_who_scores(who: EntryRegistered, entered: str, classes: tuple[str, ...], *, scored: bool) -> None:
    assert scores(who, cup(entered=entered, classes=classes)) is scored


def test_by_class_each_class_counts_for_itself() -> None:
    places = placed("1", "2", "3", "4", classes={"2": "TC", "4": "TC"})
    assert points(cup(places="class"), places) == {"1": 10, "3": 8, "2": 10, "4": 8}
    assert points(cup(classes=("TC",)), places) == {"2": 10, "4": 8}, "re-ranked: the others are skipped"
    assert points(cup(classes=("TC",), ineligible="consume"), places) == {"2": 8, "4": 4}


def test_points_of_a_dead_heat_are_added_and_shared() -> None:
    assert points(cup(), placed("1", "2", "3", positions=(1, 1, 3))) == {"1": 9, "2": 9, "3": 6}
    assert points(cup(scale_milli=(25_000, 18_000, 15_000)), placed("1", "2", "3", positions=(1, 1, 1)))["1"] == 19.333
    level = placed("1", "2", "3", positions=(1, 1, 3))
    assert points(cup(), level, None, entry("1", guest=True)) == {"2": 10, "3": 8}, "nobody that scores is level with it"
    assert points(cup(ineligible="consume"), level, None, entry("1", guest=True)) == {"2": 9, "3": 6}


def test_an_empty_place_is_inherited_by_nobody() -> None:
    assert points(cup(), placed("2", "3", positions=(2, 3))) == {"2": 8, "3": 6}


def test_shares_are_multiplied() -> None:
    places = placed("1", "2")
    assert points(cup(factor_percent=50), places) == {"1": 5, "2": 4}
    assert points(cup(), places, ran(percent=50)) == {"1": 5, "2": 4}
    assert points(cup(factor_percent=50), places, ran(percent=50)) == {"1": 2.5, "2": 2}
    few = (SmallField(below_starters=3, percent=25), SmallField(below_starters=6, percent=50))
    assert points(cup(small_field=few), places) == {"1": 2.5, "2": 2}, "two started that are entered"
    assert points(cup(small_field=few), placed("1", "2", "3")) == {"1": 5, "2": 4, "3": 3}
    assert points(cup(small_field=few), placed(*"123456"))["1"] == 10


def test_a_shortened_race_has_its_own_points_where_the_championship_has_them() -> None:
    short = (ShortScale(below_percent=25, scale_milli=(6_000, 4_000)), ShortScale(below_percent=50, scale_milli=(8_000, 7_000)))
    places = placed("1", "2", "3")
    assert points(cup(shortened=short), places, ran(percent=50, of_distance=24)) == {"1": 6, "2": 4, "3": 0}
    assert points(cup(shortened=short), places, ran(percent=50, of_distance=25)) == {"1": 8, "2": 7, "3": 0}
    assert points(cup(shortened=short), places, ran(of_distance=50)) == {"1": 10, "2": 8, "3": 6}
    assert points(cup(shortened=short), places, ran(percent=0, of_distance=1)) == {"1": 0, "2": 0, "3": 0}, "no result, no points"


def test_without_racing_laps_nobody_scores() -> None:
    assert points(cup(racing_laps=2), placed("1"), ran(racing_laps=1)) == {"1": 0}
    assert points(cup(racing_laps=2), placed("1"), ran(racing_laps=2)) == {"1": 10}


def test_the_best_lap_of_those_that_score() -> None:
    places, bests = placed("1", "2", "3"), {"1": (60, 5), "2": (59, 7), "3": (59, 6)}
    assert points(cup(fastest_lap_milli=1_000), places, ran(bests=bests)) == {"1": 10, "2": 8, "3": 7}, "of equal ones the first"
    assert points(cup(fastest_lap_milli=1_000), places, ran(bests=bests), entry("3", guest=True)) == {"1": 10, "2": 9}
    assert points(cup(fastest_lap_milli=1_000, fastest_lap_within=2), places, ran(bests=bests)) == {"1": 10, "2": 8, "3": 6}, (
        "nobody has it"
    )


def test_pole_is_of_qualifying() -> None:
    places = placed("1", "2", "3", classes={"3": "TC"})
    entries = {p.car: entry(p.car, p.class_) for p in places}
    assert [(s.car, s.points_milli) for s in score_pole(places, entries, cup(pole_milli=1_000))] == [("1", 1_000)]
    by_class = score_pole(places, entries, cup(pole_milli=1_000, places="class", factor_percent=50))
    assert [(s.car, s.points_milli) for s in by_class] == [("1", 500), ("3", 500)]
    assert score_pole(places, entries, cup()) == []
    assert score_pole(places, entries | {"1": entry("1", guest=True)}, cup(pole_milli=1_000)) == [], "it is not passed on"
