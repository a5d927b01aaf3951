"""Plans: formats, changes to them, and what is no race."""

import pytest

from replay.simulation.plan import FORMATS, Plan, plan_for
from timing.domain.errors import ConfigurationError
from timing.domain.units import MINUTE, SECOND


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_a_plan_and_its_stretches_make_a_lap(kind: str) -> None:
    plan = plan_for(kind)  # type: ignore[arg-type]  # of FORMATS
    assert sum(plan.track.shares) == 1000
    assert {loop.id for loop in plan.track.circuit().loops if loop.line == "finish"} == {"SF", "SFP"}


def test_a_length_given_alone_takes_the_place_of_the_formats_own() -> None:
    assert plan_for("mitjet", laps=10).minutes is None
    assert plan_for("sprint", minutes=10).laps is None
    assert plan_for("sprint", minutes=10).distance.plus_laps == 1


def test_both_lengths_may_be_given_and_the_shorter_is_expected() -> None:
    plan = plan_for("mitjet", laps=10, minutes=30)
    assert (plan.distance.laps, plan.distance.minutes) == (10, 30)
    assert plan.expected_us == 10 * 88 * SECOND
    assert plan_for("mitjet", laps=90, minutes=30).expected_us == 30 * MINUTE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"minutes": None, "laps": None}, "--minutes or its --laps"),
        ({"cars": 1}, "2 to 90 cars"),
        ({"cars": 4, "non_starters": 3}, "no race among 4"),
        ({"stopped": True, "red": None}, "needs one"),
        ({"stopped": True, "minutes": 3}, "too short"),
    ],
)
def test_what_is_no_race_is_refused_with_a_way_out(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Plan(**changes)  # type: ignore[arg-type]  # wrong on purpose


def test_laps_after_the_time_need_a_time() -> None:
    with pytest.raises(ConfigurationError, match="--minutes"):
        plan_for("sprint", plus_laps=2)
