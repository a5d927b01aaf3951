"""A race started behind the safety car whose laps do not count: it is run from the line at which the safety car is in, and is shorter."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from timing.domain.crossings import Crossing
from timing.domain.events import Distance, SessionStarted, TrackStatus
from timing.domain.finish import completed_by
from timing.domain.laps import FINISH, CarLaps
from timing.domain.neutralisation import Interval, Window, intervals, leader_after
from timing.domain.units import HOUR

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_ANY_LOOP = 2**31


class Formation(Struct, frozen=True):
    """Formation laps under the safety car that came out at ``began``: so many ``laps``, until the race began at ``at``.

    ``at_line``: the safety car was in, the leader was at the line, and every other car begins where it crosses the line, but for the cars
    ``waiting``: in the pit lane, past the line. Otherwise a red flag ended them, and all begin at the signal with which racing is resumed.
    """

    began: int
    at: int
    laps: int
    at_line: bool = True
    waiting: frozenset[str] = frozenset()

    def since(self, car: str) -> int | None:
        """Give where a car's first lap begins; ``None``: at its own first crossing of the line."""
        return None if self.at_line and car not in self.waiting else self.at

    @property
    def after(self) -> int:
        """The last instant before the race: at the line, the leader's own crossing begins its first lap."""
        return self.at - 1 if self.at_line else self.at


class FormationLaps:
    """Finds the end of the formation laps, and follows the evidence. ``found``: ``None`` where they count, or while they last."""

    def __init__(self) -> None:
        self.found: Formation | None = None
        self._version = -1
        self._behind: tuple[int, Interval] | None = None
        self._resumed_at: int | None = None
        self._seen: dict[str, int] = {}

    def settle(self, timing: "Timing", changed: Mapping[str, bool]) -> bool:
        """Follow the evidence, ``changed`` as ``Evidence.settle`` gives it, and say whether there is another end than before."""
        crossings = timing.evidence.crossings
        if self._version != timing.evidence.version:
            self._version = timing.evidence.version
            self._behind, self._resumed_at = _behind(timing)
        elif self._behind is None or not any(rebuilt or self._earlier(car, crossings[car]) for car, rebuilt in changed.items()):
            return False
        before, self.found = self.found, None if self._behind is None else _formation(timing, *self._behind, self._resumed_at)
        if self.found is not None:
            self._seen = {car: _until(mine, self.found.at) for car, mine in crossings.items()}
        return self.found != before

    def _earlier(self, car: str, mine: Sequence[Crossing]) -> bool:
        return self.found is None or _until(mine, self.found.at) != self._seen.get(car, 0)


def _until(crossings: Sequence[Crossing], at: int) -> int:
    return bisect_right(crossings, (at, _ANY_LOOP))


def _behind(timing: "Timing") -> tuple[tuple[int, Interval] | None, int | None]:
    """Give the start signal with the safety car that was out then; and where that ended under red, when racing was resumed."""
    evidence, rules = timing.evidence, timing.rules
    started = evidence.of(SessionStarted)
    if rules.start.behind_safety_car == "laps_count" or not timing.race or not started:
        return None, None
    start = started[0].at
    whole = [i for i in intervals(evidence.of(TrackStatus), rules.neutralisation) if not i.sectors]
    out = (i for i in whole if i.kind == "safety_car" and i.began <= start and (i.ended is None or i.ended > start))
    behind = next(out, None)
    if behind is None:
        return None, None
    red = next((i for i in whole if i.kind == "red" and i.began == behind.ended), None)
    return (start, behind), None if red is None else red.ended or red.began


def _formation(timing: "Timing", start: int, behind: Interval, resumed_at: int | None) -> Formation | None:
    """Count the laps behind the safety car as if the race had begun at the start signal (FIA F1 2025 art. 5.4b, 49.1)."""
    signal = behind.signal_at
    if signal is None:
        return None
    cars = {}
    for car, crossings in timing.evidence.crossings.items():
        cars[car] = laps = CarLaps(start, {})
        laps.extend(crossings, timing.loops, timing.rules.laps, start=start, end=signal + HOUR)
    ends = [laps.ends for laps in cars.values()]
    if resumed_at is not None:
        return Formation(behind.began, resumed_at, completed_by(ends, behind.ended or signal), at_line=False)
    at = leader_after(ends, signal, 1)
    if at is None:
        return None
    line_in_pit = any(pit and line == FINISH for pit, line in zip(timing.loops.in_pit, timing.loops.lines, strict=True))
    waiting = frozenset(car for car, laps in cars.items() if _waits(laps, at, line_in_pit=line_in_pit))
    return Formation(behind.began, at, completed_by(ends, at), waiting=waiting)


def _waits(laps: CarLaps, at: int, *, line_in_pit: bool) -> bool:
    """Say whether a car is in the pit lane at an instant, past the line if that goes through the pit lane."""
    visits = bisect_right(laps.entered, at)
    if visits <= bisect_right(laps.exited, at):
        return False
    return not line_in_pit or bisect_right(laps.ends, at) > bisect_right(laps.ends, laps.entered[visits - 1] - 1)


def shortened(distance: Distance, formation: Formation | None) -> Distance:
    """Take the formation laps less one off the distance."""
    if formation is None or distance.laps is None:
        return distance
    return structs.replace(distance, laps=max(distance.laps - max(formation.laps - 1, 0), 1))


def resumed(windows: Iterable[Window], formation: Formation | None, ends: list[list[int]]) -> tuple[Window, ...]:
    """Let the first safety car end where the formation laps do."""
    if formation is None or not formation.at_line:
        return tuple(windows)
    at, settled = formation.at, leader_after(ends, formation.at + 1, 1)
    return tuple(
        structs.replace(w, free_at=at, over_at=at, settled_at=settled) if w.interval.began == formation.began else w for w in windows
    )
