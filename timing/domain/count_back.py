"""The result of a race that was suspended and not resumed: read from history, as if the flag had fallen at the counted lap."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct, structs

from timing.domain.events import Distance
from timing.domain.finish import completed_by
from timing.domain.laps import Loops
from timing.domain.restart import Runner, points_of, restart_order
from timing.domain.rulebook import RedFlag
from timing.domain.suspension import Suspension, race_time
from timing.domain.units import MINUTE


class CountBack(Struct, frozen=True):
    """Where the result is taken: the leader had ``completed`` laps at the signal; it counts at the end of lap ``counted``, at ``at``.

    ``before_at``: when the leader had ended the lap before that one.
    """

    signal_at: int
    completed: int
    counted: int
    at: int
    before_at: int = 0


class Reading(Struct, frozen=True):
    """How a stopped race reads.

    ``taken``: where, by the leader of the race; ``of_class``: by each class's own, where the rulebook counts so. ``laps`` of each car in
    the result; ``rank``: the order of cars on equal laps, where it is not that at the line. ``stands``: so much was run that nothing is
    taken off. ``restarted``: nothing was run since the restart that could count, so the restart order is the result. ``void``: too little
    was run for a result. ``away``: cars that are not classified, because they did not come back.
    """

    taken: CountBack
    of_class: dict[str, CountBack]
    laps: dict[str, int]
    rank: dict[str, int]
    stands: bool = False
    restarted: bool = False
    void: bool = False


class Race(Struct, frozen=True):
    """What a reading needs to know of a race beside its cars: start, distance, suspensions, and whether the ``clock`` runs in them."""

    start: int
    distance: Distance = Distance()
    breaks: tuple[Suspension, ...] = ()
    clock: str = "runs"
    grace_us: int | None = None
    loops: Loops = Loops((), (), (), 0)

    def ran(self, percent: int, laps: int, at: int) -> bool:
        """Say whether so much of the distance was run; of laps and minutes, whichever is further on."""
        parts = [(laps, self.distance.laps)] if self.distance.laps else []
        if self.distance.minutes:
            parts.append((race_time(at, self.start, self.breaks, self.clock), self.distance.minutes * MINUTE))
        return any(done * 100 >= percent * whole for done, whole in parts)


def read(field: Sequence[Runner], race: Race, signal_at: int, rules: RedFlag) -> Reading:
    """Read the result of a race stopped by a red flag at ``signal_at``. ``field``: every car; a crossing at the signal is before it."""
    ends = [r.ends for r in field]
    stands = rules.stands_at_percent is not None and race.ran(rules.stands_at_percent, completed_by(ends, signal_at), signal_at)
    taken = count_back(ends, race.start, signal_at, rules, stands=stands, running=[r.running for r in field])
    of_class: dict[str, CountBack] = {}
    if rules.scope == "class":
        for class_ in sorted({r.class_ for r in field}):
            mates = [r for r in field if r.class_ == class_]
            of_class[class_] = count_back(
                [r.ends for r in mates], race.start, signal_at, rules, stands=stands, running=[r.running for r in mates]
            )
    laps = {r.car: laps_at_count_back(r.ends, of_class.get(r.class_, taken), rules, race.grace_us) for r in field}
    rank = _order_at_signal(field, race, signal_at) if rules.result == "frozen_at_signal" else {}
    restarted = False
    if resumed := [b for b in race.breaks if b.ended is not None and b.ended <= signal_at]:
        again = restart_order(_as_of(field, resumed[-1].began, signal_at), resumed[-1].began, rules, race.loops)
        below = [r for r in field if of_class.get(r.class_, taken).at < (resumed[-1].ended or 0)]
        laps.update({r.car: again.laps[r.car] for r in below})
        if restarted := taken.at < (resumed[-1].ended or 0):
            rank = {car: place for place, car in enumerate(again.cars)}
    counted = max(laps.values(), default=0) if restarted else taken.counted
    return Reading(taken, of_class, laps, rank, stands, restarted, void=counted < max(rules.min_laps, 1))


def count_back(
    ends: Sequence[Sequence[int]], start: int, signal_at: int, rules: RedFlag, *, stands: bool = False, running: Sequence[bool] = ()
) -> CountBack:
    """Find the counted lap. A crossing at the instant of the signal counts as before it."""
    completed = completed_by(ends, signal_at)
    counted = completed
    if rules.result == "last_lap_completed_by_all":
        counted = _completed_by_all(ends, signal_at, completed, running)
    elif rules.result == "completed_minus" and not stands:
        counted = max(completed - rules.completed_minus, 0)
    return CountBack(signal_at, completed, counted, _ended(ends, counted, start), _ended(ends, counted - 1, start))


def _ended(ends: Sequence[Sequence[int]], lap: int, start: int) -> int:
    return min((car[lap - 1] for car in ends if len(car) >= lap), default=start) if lap > 0 else start


def _completed_by_all(ends: Sequence[Sequence[int]], signal_at: int, completed: int, running: Sequence[bool]) -> int:
    """Count the laps completed by all that were on the leader's lap; who is a lap down, or out of the race, is not waited for."""
    ended_at = _ended(ends, completed, 0)
    for number, car in enumerate(ends):
        on_lead_lap = bisect_right(car, signal_at) == completed - 1 and (completed < 2 or car[completed - 2] < ended_at)
        if on_lead_lap and (not running or running[number]):
            return completed - 1
    return completed


def laps_at_count_back(car: Sequence[int], taken: CountBack, rules: RedFlag, grace_us: int | None = None) -> int:  # noqa: PLR0911  # one each
    """Count a car's laps in the result.

    ``first_crossing_after_leader``: as if the chequered flag had been shown at the end of the counted lap: a car ends with its next
    crossing, which may come after the signal, within the grace time. ``…_before_signal``: but nothing after the signal counts; a car
    without another crossing stays at its last. ``last_crossing_before_leader``: everybody at the instant the leader ended the lap.
    ``same_lap_number``: at the car's own crossing of that lap, or its last before the signal. ``composite``: those who completed the
    counted lap by it, the others as if the flag had been shown a lap earlier.
    """
    by_signal = bisect_right(car, taken.signal_at)
    if rules.result == "frozen_at_signal":
        return by_signal
    if taken.counted == 0:
        return 0
    match rules.others:
        case "same_lap_number":
            return min(by_signal, taken.counted)
        case "last_crossing_before_leader":
            return min(by_signal, bisect_right(car, taken.at))
        case "first_crossing_after_leader":
            before = bisect_left(car, taken.at)
            late = before < len(car) and grace_us is not None and car[before] > taken.at + grace_us
            return before if late else min(len(car), before + 1)
        case "composite":
            if by_signal >= taken.counted:
                return taken.counted
            return min(by_signal, bisect_left(car, taken.before_at) + 1) if taken.counted > 1 else 0
        case _:
            return min(by_signal, bisect_left(car, taken.at) + 1)


def returned_within(runner: Runner, signal_at: int, within_us: int) -> bool:
    """Say whether a car was in the pit lane at the signal, or came into it within that time."""
    came_in = bisect_right(runner.entered, signal_at)
    was_in = came_in > 0 and bisect_right(runner.exited, signal_at) < came_in
    return was_in or (came_in < len(runner.entered) and runner.entered[came_in] <= signal_at + within_us)


def _order_at_signal(field: Sequence[Runner], race: Race, signal_at: int) -> dict[str, int]:
    """Order the field as it was frozen: by the last timed loop before the signal."""

    def place(runner: Runner) -> tuple[int, int, int, int, str]:
        laps = bisect_right(runner.ends, signal_at)
        lap_began = runner.ends[laps - 1] if laps else race.start
        points = points_of(runner, race.loops, lap_began - 1, signal_at)
        sector, at = (points[-1].sector, points[-1].at) if points else (0, lap_began)
        return -laps, -sector, at, runner.grid, runner.car

    return {r.car: number for number, r in enumerate(sorted(field, key=place))}


def _as_of(field: Sequence[Runner], at: int, signal_at: int) -> list[Runner]:
    """Give the field as it ran then: a car that ended a lap between then and the signal was not out of the race yet."""
    return [structs.replace(r, running=r.running or bisect_right(r.ends, at) < bisect_right(r.ends, signal_at)) for r in field]
