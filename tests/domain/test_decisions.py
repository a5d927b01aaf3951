"""Decisions: the table of their life, and what they come to."""

from collections.abc import Callable
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.domain.classification import Drop, Penalties
from timing.domain.decisions import NEXT, Ruling, life, penalties_of, rulings, strikes
from timing.domain.events import Decision, DecisionStage, DecisionUpdated, Penalty
from timing.domain.rulebook import Penalties as Rules

S = 1_000_000
STAGES: tuple[DecisionStage, ...] = get_args(DecisionStage)


def decision(
    name: str, penalty: Penalty = "time", seconds: float | None = 5, *, laps: int | None = None, lap: int | None = None,
    stage: DecisionStage = "issued", positions: int | None = None, reason: str | None = None, article: str | None = None,
) -> Decision:  # fmt: skip
    return Decision(
        id=name, at=1, decision=name, car="7", penalty=penalty, seconds=seconds, laps=laps, lap=lap, stage=stage, positions=positions,
        reason=reason, article=article,
    )  # fmt: skip


def updates(*stages: DecisionStage, seconds: float | None = None) -> list[DecisionUpdated]:
    return [DecisionUpdated(id=str(n), at=n, decision="A", stage=stage, seconds=seconds) for n, stage in enumerate(stages, start=2)]


def ruled(*stages: DecisionStage, penalty: Penalty = "time", seconds: float | None = 5, to: float | None = None) -> Ruling:
    return life(decision("A", penalty, seconds, stage=stages[0]), updates(*stages[1:], seconds=to))


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
        ("places", [decision("A", "positions", None, positions=3)], Penalties(drops=(Drop(1, "A", 3),))),
        ("last of class", [decision("A", "last_of_class", None)], Penalties(last_of_class=True)),
        ("last", [decision("A", "last", None)], Penalties(last=True)),
        ("a warning weighs nothing", [decision("A", "warning", None)], Penalties()),
        ("a reprimand weighs nothing", [decision("A", "reprimand", None)], Penalties()),
        ("grid places are of the next race", [decision("A", "grid_places", None, positions=5)], Penalties()),
        ("a stop-go is served, not added, while the race goes on", [decision("A", "stop_go", 10)], Penalties()),
        ("a drive-through likewise", [decision("A", "drive_through", None)], Penalties()),
    ],
)
def test_what_decisions_come_to(what: str, decisions: list[Decision], penalties: Penalties) -> None:
    assert penalties_of(rulings(decisions, [])).get("7", Penalties()) == penalties


@pytest.mark.parametrize(
    ("stages", "weighs"),
    [
        (["issued"], True),
        (["noted"], False),
        (["noted", "investigated"], False),
        (["investigated", "issued"], True),
        (["noted", "issued"], True),
        (["issued", "served"], False),
        (["issued", "served", "issued"], True),
        (["issued", "quashed"], False),
        (["investigated", "quashed"], False),
        (["issued", "suspended"], False),
        (["issued", "suspended", "issued"], True),
        (["issued", "converted"], False),
        (["issued", "converted", "issued"], True),
    ],
)
def test_a_decision_weighs_while_it_is_issued(stages: list[DecisionStage], weighs: bool) -> None:
    ruling = ruled(*stages)
    assert bool(penalties_of([ruling]).get("7", Penalties()).time_us) is weighs
    assert (ruling.stage, ruling.refused) == (stages[-1], ())
    assert [step.stage for step in ruling.steps] == stages


@pytest.mark.parametrize(
    ("stages", "stands", "why"),
    [
        (["suspended", "noted"], "suspended", "decision A is suspended, and cannot be noted from there; it can be issued, quashed"),
        (["noted", "served"], "noted", "decision A is noted, and cannot be served from there; it can be investigated, issued, quashed"),
        (["issued", "quashed", "issued"], "quashed", "decision A was quashed; take a new one"),
        (["issued", "served", "served"], "served", "decision A is served already"),
    ],
)  # fmt: skip
def test_a_step_that_the_table_does_not_allow_leaves_the_stage_alone_and_says_why(
    stages: list[DecisionStage], stands: DecisionStage, why: str
) -> None:
    ruling = ruled(*stages)
    assert ruling.stage == stands
    assert [refused.why for refused in ruling.refused] == [why]


def test_the_table_speaks_of_every_stage_and_only_the_quashed_stay_so() -> None:
    assert set(NEXT) == set(STAGES)
    assert {stage for stage, following in NEXT.items() if not following} == {"quashed"}
    assert all("quashed" in following for stage, following in NEXT.items() if stage != "quashed")


@given(st.lists(st.sampled_from(STAGES), min_size=1, max_size=12))
def test_every_life_is_a_walk_through_the_table(stages: list[DecisionStage]) -> None:
    ruling = ruled(*stages)
    walked = [step.stage for step in ruling.steps]
    assert all(after in NEXT[before] for before, after in pairwise(walked))
    assert len(walked) + len(ruling.refused) == len(stages)
    assert ruling.stage == walked[-1]


def late(_: int) -> bool:
    return True


def in_time(_: int) -> bool:
    return False


@pytest.mark.parametrize(
    ("stages", "due_from"),
    [
        (["issued"], 0),
        (["noted", "investigated", "issued"], 2),
        (["noted", "issued", "suspended", "issued"], 3),
        (["noted", "issued", "served", "issued"], 1),
        (["issued", "converted", "issued"], 0),
    ],
)
def test_it_is_to_be_served_from_when_it_was_issued(stages: list[DecisionStage], due_from: int) -> None:
    ruling = ruled(*stages, penalty="drive_through", seconds=None)
    assert ruling.due_from == ruling.steps[due_from].at
    for last_laps_from, weighs in ((ruling.due_from, 20 * S), (ruling.due_from + 1, 0)):
        of_car = penalties_of([ruling], Rules(unserved="reported"), late=lambda at, since=last_laps_from: at >= since)  # type: ignore[misc]
        assert of_car["7"].time_us == weighs


FUJI = Rules(per_circuit_us={"Fuji Speedway": 53 * S})


@pytest.mark.parametrize(
    ("penalty", "stop", "rules", "circuit", "seconds"),
    [
        ("drive_through", None, Rules(), "Spa", 20),
        ("stop_go", 10, Rules(), "Spa", 30),
        ("stop_go", None, Rules(), "Spa", 30),
        ("stop_go", 30, Rules(), "Spa", 50),
        ("stop_go", 0, Rules(), "Spa", 20),
        ("stop_go", 5, Rules(stop_go_us=0), "Spa", 5),
        ("drive_through", None, FUJI, "Fuji Speedway", 53),
        ("drive_through", None, FUJI, "fuji speedway", 53),
        ("drive_through", None, FUJI, "Spa", 20),
        ("stop_go", 30, FUJI, "Fuji Speedway", 83),
    ],
)
def test_what_was_not_served_is_converted_by_the_table(
    penalty: Penalty, stop: float | None, rules: Rules, circuit: str, seconds: int
) -> None:
    of_car = penalties_of([ruled("issued", penalty=penalty, seconds=stop)], rules, circuit=circuit, late=late)
    assert of_car["7"] == Penalties(time_us=seconds * S)


@pytest.mark.parametrize(
    ("unserved", "could", "penalties"),
    [
        ("converted", in_time, Penalties(time_us=20 * S)),
        ("disqualified", in_time, Penalties(disqualified=True)),
        ("reported", in_time, Penalties()),
        ("converted", late, Penalties(time_us=20 * S)),
        ("disqualified", late, Penalties(time_us=20 * S)),
        ("reported", late, Penalties(time_us=20 * S)),
        ("converted", None, Penalties()),
    ],
)
def test_what_could_have_been_served_is_judged_by_the_rulebook(
    unserved: str, could: Callable[[int], bool] | None, penalties: Penalties
) -> None:
    rules = Rules(unserved="disqualified" if unserved == "disqualified" else "reported" if unserved == "reported" else "converted")
    assert penalties_of([ruled("issued", penalty="drive_through", seconds=None)], rules, late=could)["7"] == penalties


@pytest.mark.parametrize(
    ("stages", "to", "seconds"),
    [
        (["issued", "served"], None, 0),
        (["issued", "suspended"], None, 0),
        (["issued", "quashed"], None, 0),
        (["investigated"], None, 0),
        (["issued", "converted"], None, 20),
        (["issued", "converted"], 12.5, 12.5),
        (["issued", "converted", "issued"], 12.5, 20),
        (["issued", "converted", "quashed"], 12.5, 0),
    ],
)
def test_a_drive_through_at_the_end_by_its_stage(stages: list[DecisionStage], to: float | None, seconds: float) -> None:
    ruling = ruled(*stages, penalty="drive_through", seconds=None, to=to)
    assert penalties_of([ruling], late=in_time).get("7", Penalties()).time_us == seconds * S


def test_a_conversion_weighs_while_the_race_still_goes_on() -> None:
    assert penalties_of([ruled("issued", "converted", penalty="drive_through", seconds=None)])["7"].time_us == 20 * S
    assert penalties_of([ruled("issued", "converted", to=7.0)])["7"].time_us == 7 * S


def test_strikes_are_warnings_and_deleted_times_for_track_limits_each_lap_once() -> None:
    told = [
        decision("A", "warning", reason="Track limits, turn 4"),
        decision("B", "warning", article="33.3 track limits", lap=5),
        decision("C", "lap_time_deleted", lap=5, reason="track limits"),
        decision("D", "lap_time_deleted", lap=6, reason="track limits"),
        decision("E", "warning", reason="unsafe release"),
        decision("F", "warning", reason="track limits", stage="noted"),
    ]
    assert strikes(rulings(told, [])) == {"7": (1, 1, 1)}
