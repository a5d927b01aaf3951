"""Qualifying and practice of the simulation are scored as the simulation itself ranks them, whatever the decoders do."""

import pytest
from simulated import differences, records

from replay.simulate import Plan, plan_for, simulate
from timing.domain.events import Decision, SegmentStarted
from timing.domain.units import MINUTE
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

RULEBOOKS = Rulebooks()


def scored(plan: Plan) -> list[str]:
    simulation = simulate(plan)
    timing = Timing(plan.session)
    for record in records(simulation, RULEBOOKS):
        timing.apply(record)
    bests = {row.car: row.best_lap_us for row in simulation.truth.rows}
    board = timing.board()
    found = differences(timing, simulation.truth)
    found += [
        f"{car}: best {board.rows[car].best_lap_us}" for car, best in bests.items() if board.rows[car].best_lap_us not in (best, None)
    ]
    return found


@pytest.mark.parametrize("kind", ["qualifying", "practice"])
@pytest.mark.parametrize("faults", ["none", "mild", "harsh"])
def test_the_order_is_that_of_the_best_laps(kind: str, faults: str) -> None:
    for seed in range(8):
        assert scored(plan_for(kind, seed=seed, faults=faults)) == [], f"seed {seed}"  # type: ignore[arg-type]  # of the formats


@pytest.mark.parametrize("mishap", ["lost", "restarts", "shuffled", "swaps"])
def test_what_is_mended_leaves_the_order_as_it_was(mishap: str) -> None:
    for seed in range(4):
        assert scored(plan_for("qualifying", seed=seed, mishaps=(mishap,))) == [], f"seed {seed}"


def test_qualifying_has_three_segments_and_fewer_cars_in_each() -> None:
    simulation = simulate(plan_for("qualifying", seed=3))
    segments = [event for event in simulation.events if isinstance(event, SegmentStarted)]
    assert [event.segment for event in segments] == ["Q1", "Q2", "Q3"]
    assert len(simulation.truth.rows) == 20
    deleted = [event for event in simulation.events if isinstance(event, Decision)]
    assert deleted
    assert {event.penalty for event in deleted} == {"lap_time_deleted"}


def test_a_practice_is_as_long_as_it_is_asked_to_be() -> None:
    plan = plan_for("practice", cars=6, minutes=12)
    simulation = simulate(plan)
    laps = [at for crossings in simulation.truth.crossings.values() for at in crossings]
    assert plan.start < min(laps)
    assert max(laps) < plan.start + 16 * MINUTE
