"""The result of a race that was suspended and not resumed: read from history, as if the flag had fallen at the counted lap."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from timing.domain.finish import completed_by
from timing.domain.rulebook import RedFlag


class CountBack(Struct, frozen=True):
    """Where the result is taken: the leader had ``completed`` laps at the signal; it counts at the end of lap ``counted``, at ``at``."""

    signal_at: int
    completed: int
    counted: int
    at: int


def count_back(ends: Sequence[Sequence[int]], start: int, signal_at: int, rules: RedFlag) -> CountBack:
    """Find the counted lap. A crossing at the instant of the signal counts as before it."""
    completed = completed_by(ends, signal_at)
    counted = max(completed - rules.completed_minus, 0)
    at = min((car[counted - 1] for car in ends if len(car) >= counted), default=start) if counted else start
    return CountBack(signal_at, completed, counted, at)


def laps_at_count_back(car: Sequence[int], taken: CountBack, rules: RedFlag) -> int:
    """Count a car's laps in the result.

    ``first_crossing_after_leader``: as if the chequered flag had been shown at the end of the counted lap: a car ends with its next
    crossing, which may come after the signal. ``…_before_signal``: but nothing after the signal counts; a car without another crossing
    stays at its last. ``last_crossing_before_leader``: everybody at the instant the leader ended the lap. ``same_lap_number``: at the
    car's own crossing of that lap, or its last before the signal.
    """
    by_signal = bisect_right(car, taken.signal_at)
    if taken.counted == 0:
        return 0
    match rules.others:
        case "same_lap_number":
            return min(by_signal, taken.counted)
        case "last_crossing_before_leader":
            return min(by_signal, bisect_right(car, taken.at))
        case "first_crossing_after_leader":
            return min(len(car), bisect_left(car, taken.at) + 1)
        case _:
            return min(by_signal, bisect_left(car, taken.at) + 1)
