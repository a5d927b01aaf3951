"""What each reading of a red flag makes of one car: the lap it counts to, and the crossing that ends it."""

from itertools import product
from typing import TYPE_CHECKING, Any

from msgspec import structs

from timing.domain.count_back import read
from timing.domain.laps import CarLaps
from timing.domain.rulebook import RedFlag
from timing.domain.units import time_of_day
from timing.projections.anomaly import named
from timing.projections.explanation import ReadTo
from timing.projections.readings import DEPTHS, OTHERS, policy
from timing.projections.state import State
from timing.projections.stoppage import race_of, runners

if TYPE_CHECKING:
    from timing.projections.timing import Timing


def read_to(timing: "Timing", state: State, car: str) -> tuple[ReadTo, ...]:
    """Read a stopped or suspended race in every way, for one car: its laps by the rulebook first, and which readings give what.

    Nothing where the race was not stopped and is not suspended.
    """
    breaks = state.said.suspensions
    if not timing.race or not (state.stopped or state.suspended) or state.said.start is None:
        return ()
    signal_at = state.stopped.signal_at if state.stopped else breaks[-1].began
    field, race, own = runners(timing, state), race_of(timing, state), timing.rules.red_flag
    standing = read(field, race, signal_at, own)
    laps = timing.laps.get(car)
    found: dict[int, list[str]] = {standing.laps[car]: []}
    for depth, others in product(DEPTHS, OTHERS):
        changes: dict[str, Any] = {"result": "completed_minus", "completed_minus": depth, "others": others, "stands_at_percent": None}
        rules: RedFlag = structs.replace(own, **changes)
        found.setdefault(read(field, race, signal_at, rules).laps[car], []).append(policy(rules))
    mine = standing.laps[car]
    rulebooks = policy(own, stands=standing.stands)
    return tuple(
        ReadTo(count, *_ended(timing, laps, car, count), count == mine, rulebooks if count == mine else None, tuple(ways))
        for count, ways in found.items()
    )


def _ended(timing: "Timing", laps: CarLaps | None, car: str, count: int) -> tuple[int | None, str | None]:
    """Give the instant and the key of the crossing that ends a car's lap."""
    if laps is None or not 0 < count <= len(laps.ends):
        return None, None
    at = laps.ends[count - 1]
    refused = {crossing for crossing, _ in laps.suspects}
    lines = timing.evidence.opened.circuit.loops if timing.evidence.opened else ()
    ended = (c for c in timing.evidence.crossings[car] if c[0] == at and lines[c[1]].line == "finish" and c not in refused)
    crossing = next(ended, None)
    return at, None if crossing is None else named(crossing[2:])


def read_in_words(found: ReadTo) -> str:
    """Say on one line what gives so many laps, and where the last of them ended."""
    laps = f"{found.laps} lap{'s' if found.laps != 1 else ''}"
    ended = "" if found.ended_at is None else f", to {time_of_day(found.ended_at)} [{found.key}]"
    said = [f"this rulebook ({found.rulebook})"] if found.rulebook else []
    by_depth: dict[str, list[str]] = {}
    for way in found.ways:
        depth, _, others = way.partition("; ")
        by_depth.setdefault(depth, []).append(others)
    for depth, ways in by_depth.items():
        every = len(ways) == len(OTHERS)
        said.append(f"{depth}, however the others are read" if every else f"{depth} with {'; or '.join(ways)}")
    return f"{laps}{ended}, by {' | '.join(said)}"
