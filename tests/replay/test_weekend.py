"""Weekends: one field in all sessions, each race's grid is what the timekeeper's own program makes of the result before it."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from simulated import differences, records

from replay.simulate import Plan, Simulation, plan_for
from replay.simulation.truth import TrueRow
from replay.weekend import WEEKENDS, grid_from, simulate_weekend
from timing.commands import grid
from timing.domain.events import EntryRegistered, GridSet, SessionOpened
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

RULEBOOKS = Rulebooks()


def plan(name: str, **given: object) -> Plan:
    return plan_for(WEEKENDS[name].format, **given)


def weekend(name: str, **given: object) -> list[Simulation]:
    return list(simulate_weekend(WEEKENDS[name], plan(name, **given)))


def entries(simulation: Simulation) -> set[EntryRegistered]:
    return {e for e in simulation.events if isinstance(e, EntryRegistered)}


@pytest.mark.parametrize("name", list(WEEKENDS))
def test_the_same_cars_drivers_and_transponders_are_in_every_session_one_after_another(name: str) -> None:
    sessions = weekend(name, seed=3)
    who = [{(e.car, e.class_, e.team, e.drivers, e.transponders) for e in entries(session)} for session in sessions]
    assert all(cars == who[0] for cars in who[1:])
    assert len(who[0]) == plan(name).cars
    for before, after in pairwise(sessions):
        opened = next(e.at for e in after.events if isinstance(e, SessionOpened))
        assert max(event.at or 0 for event in before.events) < opened, "one session is over when the next is opened"
    assert len({session.plan.session for session in sessions}) == len(sessions)


@pytest.mark.parametrize("name", list(WEEKENDS))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_race_s_grid_is_the_one_that_timing_grid_makes(name: str, seed: int, tmp_path: Path) -> None:
    stages = WEEKENDS[name].stages
    made = dict(zip((stage.key for stage in stages), weekend(name, seed=seed, cars=14), strict=True))
    checked = 0
    for stage in stages:
        given = [e.cars for e in made[stage.key].events if isinstance(e, GridSet)]
        if stage.grid is None:
            assert not given
            continue
        source = tmp_path / f"{stage.grid}.events.jsonl"
        source.write_bytes(b"".join(made[stage.grid].lines()))
        way = ["--from", f"inverted:{stage.inverted}"] if stage.inverted else []
        ran = CliRunner().invoke(grid.command, [str(source), *way, "--json"])
        assert ran.exit_code == 0, ran.output
        assert given == [tuple(json.loads(ran.output)["cars"])]
        checked += 1
    assert checked == 2


@pytest.mark.parametrize("name", list(WEEKENDS))
def test_every_session_is_scored_as_it_knows_itself_whatever_goes_wrong(name: str) -> None:
    for seed in range(4):
        for session in weekend(name, seed=seed, cars=12, faults="harsh", mishaps=("lost", "drift", "swaps", "ghosts", "unheard")):
            timing = Timing(session.plan.session)
            for record in records(session, RULEBOOKS):
                timing.apply(record)
            assert differences(timing, session.truth) == [], f"{session.plan.session}, seed {seed}"


def test_the_same_seed_is_the_same_weekend_and_another_one_another() -> None:
    def lines(seed: int) -> list[bytes]:
        return [b"".join(session.lines()) for session in weekend("karting", seed=seed, cars=8)]

    assert lines(5) == lines(5)
    assert all(one != other for one, other in zip(lines(5), lines(6), strict=True))


def test_two_races_are_not_the_same_race_run_again() -> None:
    *_, one, two = weekend("sprint", seed=3)
    assert [row.total_us for row in one.truth.rows] != [row.total_us for row in two.truth.rows]
    assert one.plan.grid != two.plan.grid


def test_those_without_a_place_are_not_turned_round() -> None:
    rows = [TrueRow(place, car, "A", place, 9, 9, "x", 1, 0) for place, car in ((1, "7"), (2, "9"), (3, "3"), (None, "4"), (None, "5"))]
    assert grid_from(rows, 0) == ("7", "9", "3", "4", "5")
    assert grid_from(rows, 2) == ("9", "7", "3", "4", "5")
    assert grid_from(rows, 10) == ("3", "9", "7", "4", "5")
