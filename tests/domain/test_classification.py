"""The classification: places, statuses, and what decisions do to them."""

from collections.abc import Sequence

import pytest

from timing.domain.classification import Candidate, Penalties, Place, classify, classify_by_best_lap, penalties_of
from timing.domain.events import Decision, DecisionStage, DecisionUpdated, Penalty
from timing.domain.rulebook import Classification

S = 1_000_000


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


def decision(
    name: str, penalty: Penalty = "time", seconds: float | None = 5, *, laps: int | None = None, lap: int | None = None,
    stage: DecisionStage = "issued",
) -> Decision:  # fmt: skip
    return Decision(id=name, at=1, decision=name, car="7", penalty=penalty, seconds=seconds, laps=laps, lap=lap, stage=stage)


@pytest.mark.parametrize(
    ("what", "decisions", "penalties"),
    [
        ("time", [decision("A")], Penalties(time_us=5 * S)),
        ("times add up, to the microsecond", [decision("A", seconds=0.1), decision("B", seconds=0.2)], Penalties(time_us=300_000)),
        ("laps, with seconds", [decision("A", "laps", 30, laps=2)], Penalties(time_us=30 * S, laps=2)),
        ("disqualified", [decision("A", "disqualified", None)], Penalties(disqualified=True)),
        (
            "lap times",
            [decision("A", "lap_time_deleted", None, lap=3), decision("B", "lap_time_deleted", None, lap=5)],
            Penalties(deleted_laps=frozenset({3, 5})),
        ),
        ("a warning weighs nothing", [decision("A", "warning", None)], Penalties()),
        ("a stop-and-go is served, not added", [decision("A", "stop_go", 10)], Penalties()),
    ],
)
def test_what_decisions_come_to(what: str, decisions: list[Decision], penalties: Penalties) -> None:
    assert penalties_of(decisions, [])[0].get("7", Penalties()) == penalties


@pytest.mark.parametrize(
    ("stages", "weighs"),
    [
        (["issued"], True),
        (["noted"], False),
        (["investigated", "issued"], True),
        (["issued", "served"], False),
        (["issued", "quashed"], False),
        (["issued", "suspended"], False),
        (["issued", "suspended", "issued"], True),
        (["issued", "converted"], False),
    ],
)
def test_a_decision_weighs_while_it_is_issued(stages: list[DecisionStage], weighs: bool) -> None:
    updates = [DecisionUpdated(id=str(n), at=n, decision="A", stage=stage) for n, stage in enumerate(stages[1:], start=2)]
    of_car, known = penalties_of([decision("A", stage=stages[0])], updates)
    assert bool(of_car.get("7", Penalties()).time_us) is weighs
    assert known == {"A": stages[-1]}
