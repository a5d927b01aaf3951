"""The classification: places, statuses, and what decisions do to them."""

from collections.abc import Sequence

import pytest

from timing.domain.classification import Candidate, Drop, Penalties, Place, classify, classify_by_best_lap
from timing.domain.rulebook import Classification


def car(
    name: str, laps: int, time: int = 0, *, class_: str = "GT", flagged: bool = True, coming: bool = False, started: bool = True,
    retired: bool = False, penalties: Penalties | None = None, best: int | None = None,
) -> Candidate:  # fmt: skip
    return Candidate(name, class_, laps, time, flagged, coming, started, retired, penalties or Penalties(), best)


def sheet(places: Sequence[Place]) -> list[str]:
    """Write a classification as a sheet: place, car, class place, laps, status where it is not classified."""
    return [
        " ".join(
            [
                str(p.position or "-"), p.car, f"{p.class_}{p.class_position or '-'}", f"{p.laps} laps",
                *([p.status] if p.status != "classified" else []),
            ]
        )
        for p in places
    ]  # fmt: skip


def test_a_time_penalty_moves_a_car_within_its_lap_and_never_behind_one_with_fewer() -> None:
    field = [car("1", 10, 600, penalties=Penalties(time_us=50)), car("2", 10, 610), car("3", 9, 605)]
    places = classify(field, Classification(), over=True)
    assert sheet(places) == ["1 2 GT1 10 laps", "2 1 GT2 10 laps", "3 3 GT3 9 laps"]
    assert [p.total_us for p in places] == [610, 650, 605]


def test_equal_total_times_stand_in_running_order() -> None:
    field = [car("1", 10, 600, penalties=Penalties(time_us=10)), car("2", 10, 610)]
    assert [p.car for p in classify(field, Classification(), over=True)] == ["1", "2"]


def test_laps_taken_away() -> None:
    field = [car("1", 10, 600, penalties=Penalties(laps=1)), car("2", 10, 610), car("3", 9, 605), car("4", 0, penalties=Penalties(laps=2))]
    assert sheet(classify(field, Classification(), over=True)) == [
        "1 2 GT1 10 laps",
        "2 1 GT2 9 laps",
        "3 3 GT3 9 laps",
        "- 4 GT- 0 laps not_classified",
    ]


def test_the_disqualified_stand_below_all_and_the_others_move_up() -> None:
    field = [car("1", 10, 600, penalties=Penalties(disqualified=True)), car("2", 10, 610), car("3", 0, started=False, flagged=False)]
    assert sheet(classify(field, Classification(), over=True)) == [
        "1 2 GT1 10 laps",
        "- 3 GT- 0 laps not_started",
        "- 1 GT- 10 laps disqualified",
    ]


@pytest.mark.parametrize(
    ("winner", "laps", "percent", "classified"),
    [(59, 53, 90, True), (59, 52, 90, False), (10, 7, 75, True), (10, 6, 75, False), (10, 1, 0, True), (10, 0, 0, False)],
    ids=["53.1 is 53", "below 53.1", "7.5 is 7", "below 7.5", "no minimum", "without a lap never"],
)
def test_the_least_distance_is_rounded_down(winner: int, laps: int, percent: int, classified: bool) -> None:
    places = classify([car("1", winner), car("2", laps)], Classification(min_percent=percent), over=True)
    assert (places[1].status == "classified") is classified


def test_the_distance_of_a_disqualified_winner_asks_nothing_of_anybody() -> None:
    field = [car("1", 12, penalties=Penalties(disqualified=True)), car("2", 10), car("3", 8)]
    assert sheet(classify(field, Classification(min_percent=75), over=True))[1] == "2 3 GT2 8 laps"


@pytest.mark.parametrize(("base", "status"), [("class_winner", "classified"), ("overall_winner", "not_classified")])
def test_the_least_distance_is_of_the_class_or_of_all(base: str, status: str) -> None:
    rules = Classification(min_percent=75, base="class_winner" if base == "class_winner" else "overall_winner")
    places = classify([car("1", 20), car("2", 12, class_="TC"), car("3", 10, class_="TC")], rules, over=True)
    assert places[2].status == status


def test_whoever_must_cross_the_flag_and_does_not_has_retired() -> None:
    rules = Classification(min_percent=75, must_cross_flag=True)
    field = [car("1", 10), car("2", 10, flagged=False), car("3", 2)]
    assert sheet(classify(field, rules, over=True)) == ["1 1 GT1 10 laps", "- 2 GT- 10 laps retired", "- 3 GT- 2 laps not_classified"]


def test_where_no_flag_fell_nobody_is_asked_for_it() -> None:
    rules = Classification(must_cross_flag=True)
    assert classify([car("1", 10, flagged=False)], rules, over=True, flag=False)[0].status == "classified"


def test_the_class_winner_is_one_who_may_be_classified() -> None:
    rules = Classification(min_percent=75, base="class_winner", must_cross_flag=True)
    field = [car("1", 20), car("2", 20, class_="TC", flagged=False), car("3", 10, class_="TC")]
    assert "2 3 TC1 10 laps" in sheet(classify(field, rules, over=True))


@pytest.mark.parametrize(
    ("what", "candidate", "status"),
    [
        ("took the flag", car("2", 10), "classified"),
        ("retired with the distance", car("2", 9, flagged=False, retired=True), "classified"),
        ("retired without it", car("2", 3, flagged=False, retired=True), "retired"),
        ("never came back, nobody said why", car("2", 3, flagged=False), "retired"),
        ("took the flag without the distance", car("2", 3), "not_classified"),
        ("may still come", car("2", 3, flagged=False, coming=True), "running"),
        ("never seen", car("2", 0, flagged=False, started=False), "not_started"),
    ],
)
def test_statuses_at_the_end(what: str, candidate: Candidate, status: str) -> None:
    statuses = {p.car: p.status for p in classify([car("1", 10), candidate], Classification(min_percent=90), over=True)}
    assert statuses["2"] == status


def test_statuses_while_the_race_runs() -> None:
    field = [
        car("1", 5, flagged=False),
        car("2", 4, flagged=False, retired=True),
        car("3", 0, flagged=False, started=False),
        car("4", 5, flagged=False, penalties=Penalties(disqualified=True)),
    ]
    assert {p.car: p.status for p in classify(field, Classification(min_percent=100), over=False)} == {
        "1": "running",
        "2": "retired",
        "3": "not_started",
        "4": "disqualified",
    }


def test_a_car_without_a_lap_has_no_total_time() -> None:
    assert classify([car("1", 0, 0, flagged=False)], Classification(), over=False)[0].total_us is None


def test_qualifying_places_those_with_a_time() -> None:
    field = [
        car("1", 3, best=90),
        car("2", 3, best=91, penalties=Penalties(disqualified=True)),
        car("3", 2),
        car("4", 0, started=False),
        car("5", 3, best=92, class_="TC"),
    ]
    assert sheet(classify_by_best_lap(field, over=True)) == [
        "1 1 GT1 3 laps",
        "2 5 TC1 3 laps",
        "- 3 GT- 2 laps not_classified",
        "- 4 GT- 0 laps not_started",
        "- 2 GT- 3 laps disqualified",
    ]
    assert classify_by_best_lap(field, over=False)[0].status == "running"


MOVES = [
    ("two places down", {"1": Penalties(drops=(Drop(5, "a", 2),))}, "2 3 1 4 5 6"),
    ("further than there are places", {"4": Penalties(drops=(Drop(5, "a", 9),))}, "1 2 3 5 6 4"),
    ("the later after the earlier", {"1": Penalties(drops=(Drop(5, "a", 1),)), "2": Penalties(drops=(Drop(9, "b", 1),))}, "1 2 3 4 5 6"),
    ("and in the other order", {"1": Penalties(drops=(Drop(9, "a", 1),)), "2": Penalties(drops=(Drop(5, "b", 1),))}, "3 1 2 4 5 6"),
    ("two drops of one car add up", {"1": Penalties(drops=(Drop(5, "a", 1), Drop(7, "b", 1)))}, "2 3 1 4 5 6"),
    ("last of its class", {"1": Penalties(last_of_class=True)}, "2 3 1 4 5 6"),
    ("two of a class keep their order", {"1": Penalties(last_of_class=True), "2": Penalties(last_of_class=True)}, "3 1 2 4 5 6"),
    ("the last of its class already", {"3": Penalties(last_of_class=True)}, "1 2 3 4 5 6"),
    ("last of all", {"1": Penalties(last=True), "4": Penalties(last=True)}, "2 3 5 6 1 4"),
    ("last of class, after places down", {"1": Penalties(drops=(Drop(5, "a", 4),), last_of_class=True)}, "2 3 4 5 1 6"),
    ("last, after last of class", {"1": Penalties(last_of_class=True, last=True)}, "2 3 4 5 6 1"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "penalties", "order"), MOVES, ids=[what for what, *_ in MOVES])
def test_places_down(what: str, penalties: dict[str, Penalties], order: str) -> None:
    """Cars 1, 2, 3 are GT, 4, 5, 6 are TC; they finish in that order, each a lap behind the one before."""
    field = [car(n, 11 - int(n), class_="GT" if n < "4" else "TC", penalties=penalties.get(n)) for n in "123456"]
    places = classify(field, Classification(), over=True)
    assert " ".join(p.car for p in places) == order
    assert [p.position for p in places] == [1, 2, 3, 4, 5, 6]


def test_time_weighs_before_places_and_places_before_last_of_class() -> None:
    field = [
        car("1", 10, 600, penalties=Penalties(time_us=15, drops=(Drop(1, "a", 1),))),
        car("2", 10, 610, penalties=Penalties(last_of_class=True)),
        car("3", 10, 620),
        car("4", 10, 630),
    ]
    assert [p.car for p in classify(field, Classification(), over=True)] == ["3", "1", "4", "2"]


def test_cars_without_a_place_are_not_passed_by_places_down() -> None:
    field = [car("1", 10, penalties=Penalties(last=True)), car("2", 9), car("3", 2, flagged=False, retired=True)]
    assert sheet(classify(field, Classification(min_percent=75), over=True)) == [
        "1 2 GT1 9 laps",
        "2 1 GT2 10 laps",
        "- 3 GT- 2 laps retired",
    ]


@pytest.mark.parametrize(
    ("penalty", "laps", "total"),
    [(59, 10, 659), (60, 9, 600), (61, 9, 601), (130, 8, 610), (100_000, 0, 100_000)],
    ids=["less than a lap", "a lap", "a lap and a second", "two laps and some", "more than it drove"],
)
def test_each_average_lap_in_a_time_penalty_takes_a_lap_where_the_rulebook_says_so(penalty: int, laps: int, total: int) -> None:
    field = [car("1", 10, 600, penalties=Penalties(time_us=penalty))]
    (place,) = classify(field, Classification(), over=True, lap_conversion=True)
    assert (place.laps, place.total_us) == (laps, total)
    (place,) = classify(field, Classification(), over=True)
    assert (place.laps, place.total_us) == (10, 600 + penalty)


def test_a_converted_lap_puts_a_car_behind_one_that_it_lapped() -> None:
    field = [car("1", 10, 600, penalties=Penalties(time_us=62)), car("2", 9, 601)]
    assert [p.car for p in classify(field, Classification(), over=True)] == ["1", "2"]
    assert [p.car for p in classify(field, Classification(), over=True, lap_conversion=True)] == ["2", "1"]


def test_the_place_of_the_disqualified_stays_empty_where_the_rulebook_says_so() -> None:
    rules = Classification(min_percent=75, disqualified="place_left_empty")
    out = Penalties(disqualified=True)
    field = [car("1", 10, penalties=out), car("4", 10, class_="TC"), car("2", 9), car("3", 2, penalties=out)]
    assert sheet(classify(field, rules, over=True)) == [
        "2 4 TC1 10 laps",
        "3 2 GT2 9 laps",
        "- 1 GT- 10 laps disqualified",
        "- 3 GT- 2 laps disqualified",
    ]


def test_the_pole_of_the_disqualified_stays_empty_likewise() -> None:
    field = [car("1", 3, best=90, penalties=Penalties(disqualified=True)), car("2", 3, best=91)]
    assert sheet(classify_by_best_lap(field, over=True, holes=True)) == ["2 2 GT2 3 laps", "- 1 GT- 3 laps disqualified"]
