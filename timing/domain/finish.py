"""When a race is over: the instant at which the leader takes the chequered flag, and after how many laps."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

from timing.domain.events import Distance
from timing.domain.rulebook import Finish
from timing.domain.suspension import Suspension, instant_of, time_limit_at
from timing.domain.units import MINUTE


class Ending(Struct, frozen=True):
    """The end of a race: the leader crossed the line at ``at``, having done ``laps``. Every other car ends at its next crossing."""

    at: int
    laps: int


def ending(
    ends: Sequence[Sequence[int]],
    start: int,
    distance: Distance,
    flag_at: int | None,
    rules: Finish,
    *,
    closed: bool = False,
    breaks: Sequence[Suspension] = (),
    clock: str = "runs",
    out: Sequence[bool] = (),
) -> Ending | None:
    """Find the end of a race from the cars' crossings of the line (``ends``, instants in order), or ``None`` while it goes on.

    ``flag_at``: when the chequered flag was shown, if it was. It is shown to the leader: the race ends with his crossing.
    ``closed``: nobody comes any more. Where the leader stopped before the flag, the race ended with the first car that took it.
    ``breaks``: the race's suspensions; for them the ``clock`` ``runs`` or ``stops``. ``out``: of each car, whether it has retired; a flag
    that such a car never came to is for the first of the others.
    """
    over_at = None if distance.minutes is None else instant_of(distance.minutes * MINUTE, start, breaks, clock)
    limit_at = time_limit_at(start, breaks, rules, clock)

    def last_lap(ends: Sequence[Sequence[int]]) -> int | None:
        due = _due(ends, distance, rules, over_at, limit_at)
        return due if flag_at is None else _with_flag(ends, flag_at, due, rules)

    last = last_lap(ends)
    if last is not None and any(out):
        ends = [car for car, gone in zip(ends, out, strict=True) if not gone or len(car) >= last] or ends
        last = last_lap(ends)
    if last is None:
        return None
    if last == 0:
        return Ending(start, 0)
    at = min((car[last - 1] for car in ends if len(car) >= last), default=None)
    if at is None and closed and flag_at is not None:
        at = min((car[taken] for car in ends if (taken := bisect_left(car, flag_at)) < len(car)), default=flag_at)
        last = completed_by(ends, at)
    return None if at is None else Ending(at, last)


def _due(ends: Sequence[Sequence[int]], distance: Distance, rules: Finish, over_at: int | None, limit_at: int | None) -> int | None:
    lap_counts: list[int] = []
    if distance.laps is not None:
        lap_counts.append(distance.laps)
        if limit_at is not None:
            lap_counts.append(completed_before(ends, limit_at) + (2 if rules.time_limit_at == "lap_after" else 1))
    if over_at is not None:
        lap_counts.append(completed_before(ends, over_at) + 1 + distance.plus_laps)
    return min(lap_counts, default=None)


def _with_flag(ends: Sequence[Sequence[int]], flag_at: int, due: int | None, rules: Finish) -> int:
    shown = completed_before(ends, flag_at) + 1
    if due is None or shown == due:
        return shown
    if shown < due:
        return completed_by(ends, flag_at) if rules.early_flag == "leader_last_crossing_before" else shown
    return due if rules.late_flag == "should_have_finished" else shown


def completed_before(ends: Iterable[Sequence[int]], at: int) -> int:
    """Count the laps the leader had completed before ``at``; a crossing at that very instant is not before it."""
    return max((bisect_left(car, at) for car in ends), default=0)


def completed_by(ends: Iterable[Sequence[int]], at: int) -> int:
    """Count the laps the leader had completed at ``at``, a crossing at that very instant included."""
    return max((bisect_right(car, at) for car in ends), default=0)


def laps_at_ending(car: Sequence[int], end: Ending, grace_us: int | None) -> tuple[int, bool]:
    """Count a car's laps in a race that ended so, and say whether it took the flag.

    The leader's last crossing and any at the same instant or later end the car's race; a car that does not come within the grace time
    keeps the laps it had.
    """
    before = bisect_left(car, end.at)
    if before < len(car) and (grace_us is None or car[before] <= end.at + grace_us):
        return before + 1, True
    return before, False
