"""A race started behind the safety car whose laps do not count: it is run from the line at which the safety car is in, and is shorter."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from timing.domain.events import Distance, SessionStarted, TrackStatus
from timing.domain.finish import completed_by
from timing.domain.laps import CarLaps
from timing.domain.neutralisation import Window, intervals, leader_after
from timing.domain.units import HOUR

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class Formation(Struct, frozen=True):
    """Formation laps: the leader was at the line at ``at``, the safety car in, after so many ``laps``; it was out from ``began`` on."""

    began: int
    at: int
    laps: int


def formation_of(timing: "Timing") -> Formation | None:
    """Find the end of the formation laps, ``None`` where the rulebook has them count, or while they last.

    The laps behind the safety car are counted as if the race had begun at the start signal (FIA F1 2025 art. 5.4b, 49.1).
    """
    evidence, rules = timing.evidence, timing.rules
    started = evidence.of(SessionStarted)
    if rules.start.behind_safety_car == "laps_count" or not timing.race or not started:
        return None
    start = started[0].at
    found = intervals(evidence.of(TrackStatus), rules.neutralisation)
    behind = next((i for i in found if i.kind == "safety_car" and i.began <= start and (i.ended is None or i.ended > start)), None)
    signal = None if behind is None else behind.signal_at
    if behind is None or signal is None:
        return None
    ends = []
    for crossings in evidence.crossings.values():
        laps = CarLaps(start, {})
        laps.extend(crossings, timing.loops, rules.laps, start=start, end=signal + HOUR)
        ends.append(laps.ends)
    at = leader_after(ends, signal, 1)
    return None if at is None else Formation(behind.began, at, completed_by(ends, at))


def shortened(distance: Distance, formation: Formation | None) -> Distance:
    """Take the formation laps less one off the distance."""
    if formation is None or distance.laps is None:
        return distance
    return structs.replace(distance, laps=max(distance.laps - (formation.laps - 1), 1))


def resumed(windows: Iterable[Window], formation: Formation | None, ends: list[list[int]]) -> tuple[Window, ...]:
    """Let the first safety car end where the formation laps do."""
    if formation is None:
        return tuple(windows)
    at, settled = formation.at, leader_after(ends, formation.at + 1, 1)
    return tuple(
        structs.replace(w, free_at=at, over_at=at, settled_at=settled) if w.interval.began == formation.began else w for w in windows
    )
