"""Races drawn by chance, each told by the command line that makes it again, and held to what the simulation itself knows."""

import inspect
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from folded import RULEBOOKS

from replay.commands.simulate import command, plan_of
from replay.simulate import MISHAPS, Simulation, Truth, simulate
from timing.log.record import Record, draft
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

PLANNED = frozenset(inspect.signature(plan_of).parameters)
KEPT = Path(__file__).parents[1] / "simulation" / "kept.txt"


def drawn(seed: int) -> list[str]:
    """Draw a race: the options of ``replay simulate`` that make it."""
    chance = random.Random(seed)
    kind = chance.choice(("mitjet", "mitjet", "sprint"))
    options = ["--seed", str(seed), "--format", kind, "--cars", str(chance.randint(2, 14))]
    stopped = chance.random() < 0.3
    laps, minutes = str(chance.randint(9 if stopped else 5, 15)), str(chance.randint(14 if stopped else 8, 18))
    ends = {"given": [], "laps": ["--laps", laps], "time": ["--minutes", minutes, "--plus-laps", str(chance.randint(0, 2))]}
    options += chance.choice((*ends.values(), ["--laps", laps, "--minutes", minutes]))
    options += ["--finish", "red"] * stopped
    if chance.random() < 0.4:
        options += ["--virtual", str(chance.randint(1, 3))]
    mishaps = [mishap for mishap in MISHAPS if chance.random() < 0.4]
    return [*options, "--faults", ",".join((chance.choice(("none", "mild", "harsh")), *mishaps))]


def raced(options: list[str]) -> Simulation:
    """Simulate the race of a command line, as ``replay simulate`` does."""
    with command.make_context("simulate", list(options)) as context:
        given = {name: value for name, value in context.params.items() if name in PLANNED}
        return simulate(plan_of(**given))


def records(simulation: Simulation, rulebooks: Rulebooks) -> Iterator[Record]:
    """Give what a log would hold of it.

    Raises:
        AssertionError: a command was refused.

    """
    decider = Decider(simulation.plan.session, rulebooks.resolve)
    for seq, (event, arrived_at) in enumerate(zip(simulation.events, simulation.arrivals, strict=True), start=1):
        decided = decider.decide(event, arrived_at)
        assert not isinstance(decided, Refusal), f"{event} was refused: {decided.reason}"
        decider.evolve(decided)
        yield Record(simulation.plan.session, seq, arrived_at, decided, b"", b"")


def logged(path: Path, options: list[str]) -> Path:
    """Write the log that a service would have kept of the race of a command line."""
    with closing(SqliteLog(path)) as log:
        for record in records(raced(options), RULEBOOKS):
            log.append([draft(record.session, record.event)], record.recorded_at)
    return path


def differences(timing: Timing, truth: Truth) -> list[str]:
    """Say where the timing is not what happened: classification, order on the road, each crossing, visits to the pit lane."""
    board, found = timing.board(), []
    rows, status = timing.classification(), board.session
    is_ = [(p.position, p.car, p.class_, p.class_position, p.laps, p.total_us, p.status) for p in rows]
    was = [(r.position, r.car, r.class_, r.class_position, r.laps, r.total_us, r.status) for r in truth.rows]
    found += [f"classified {one}, in truth {other}" for one, other in zip(is_, was, strict=True) if one != other]
    road = [r.car for r in sorted(truth.rows, key=lambda r: r.on_the_road or len(truth.rows) + 1) if r.status != "not_started"]
    if list(board.order)[: len(road)] != road:
        found.append(f"on the road {board.order}, in truth {road}")
    for car, crossings in truth.crossings.items():
        laps, row = timing.laps[car], board.rows[car]
        if laps.ends[: row.laps] != crossings[: row.laps]:
            found.append(f"car {car} crossed at {laps.ends}, in truth at {crossings}")
    if truth.finished_at is not None and status.finished_at != truth.finished_at:
        found.append(f"finished at {status.finished_at}, in truth at {truth.finished_at}")
    return found
