"""Weekends: sessions of one field, one after another, of which races take their grids from the results before them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from replay.simulate import Simulation, simulate
from replay.simulation.plan import Format, Plan
from replay.simulation.truth import TrueRow
from timing.domain.units import MINUTE

_BETWEEN_US = 50 * MINUTE  # from a session's last word to the next start, which the next one is opened 45 minutes before
_ROUND_US = 5 * MINUTE


class Stage(Struct, frozen=True):
    """A session of a weekend. ``key``: what its name in topics ends in; ``changes``: to the plan of the weekend's format.

    ``grid``: the key of the session whose result makes its grid, the first ``inverted`` of it the other way round.
    """

    key: str
    name: str
    changes: dict[str, Any] = {}
    grid: str | None = None
    inverted: int = 0


class Weekend(Struct, frozen=True):
    """A weekend. ``session``: what its sessions' names in topics begin with."""

    what: str
    session: str
    format: Format
    stages: tuple[Stage, ...]


_TIMED: dict[str, Any] = {"kind": "qualifying", "laps": None, "plus_laps": 0, "safety_cars": (), "red": None}

WEEKENDS: dict[str, Weekend] = {
    "mitjet": Weekend(
        "34 Mitjet 2L at Albi: qualifying, race 1 from it, race 2 with the first ten of race 1 inverted", "mitjet-albi", "mitjet",
        (
            Stage("q", "Mitjet 2L – Albi – Qualification", {**_TIMED, "minutes": 20}),
            Stage("1", "Mitjet 2L – Albi – Course 1", {"red": None}, grid="q"),
            Stage("2", "Mitjet 2L – Albi – Course 2", {"safety_cars": (0.5,), "red": None}, grid="1", inverted=10),
        ),
    ),
    "sprint": Weekend(
        "24 cars in two classes: practice, qualifying, race 1 from it, race 2 with eight inverted", "sprint-cup", "sprint",
        (
            Stage("p", "Sprint Cup – Essais libres", {**_TIMED, "kind": "practice", "minutes": 30}),
            Stage("q", "Sprint Cup – Qualification", {**_TIMED, "minutes": 15}),
            Stage("1", "Sprint Cup – Course 1", grid="q"),
            Stage("2", "Sprint Cup – Course 2", {"safety_cars": (0.3,)}, grid="1", inverted=8),
        ),
    ),
    "karting": Weekend(
        "28 karts in two classes: qualifying, the heat from it, the final from the heat", "karting-lac", "karting",
        (
            Stage("q", "Karting – Chronos", {**_TIMED, "minutes": 8}),
            Stage("1", "Karting – Préfinale", {"laps": 10}, grid="q"),
            Stage("2", "Karting – Finale", grid="1"),
        ),
    ),
}  # fmt: skip


def simulate_weekend(
    weekend: Weekend, plan: Plan, session: str | None = None, simulated: Callable[[Plan], Simulation] = simulate
) -> Iterator[Simulation]:
    """Simulate a weekend's sessions, each as soon as those are known that it rests on.

    ``plan``: that of the weekend's format, with its seed and all that all sessions have in common; it begins with the first ``start``.
    ``session``: what the sessions' names begin with, where it is not the weekend's own. ``simulated`` makes a session of its plan.
    """
    results: dict[str, Sequence[TrueRow]] = {}
    start = plan.start
    for number, stage in enumerate(weekend.stages):
        common = {
            "seed": plan.seed + number,
            "field_seed": plan.seed,
            "start": start,
            "session": f"{session or weekend.session}-{stage.key}",
        }
        grid = grid_from(results[stage.grid], stage.inverted) if stage.grid else ()
        made = simulated(replace(plan, **common, **stage.changes, name=stage.name, grid=grid))
        yield made
        results[stage.key] = made.truth.rows
        over = max(event.at or 0 for event in made.events)
        start = -(-(over + _BETWEEN_US) // _ROUND_US) * _ROUND_US


def grid_from(rows: Sequence[TrueRow], inverted: int) -> tuple[str, ...]:
    """Give a grid from a result: its order, with so many of the first that have a place in it the other way round."""
    first = [row.car for row in rows if row.position is not None][:inverted]
    return (*reversed(first), *(row.car for row in rows if row.car not in first))
