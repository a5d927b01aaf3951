"""Suspensions of a race: from the red flag to the next racing status, what they do to the clock and to the laps run across them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

from timing.domain.events import TrackStatus
from timing.domain.rulebook import Finish, RedFlag

FAR = 2**62
"""An instant after every other."""


class Suspension(Struct, frozen=True):
    """A red flag shown at ``began``; racing status again at ``ended``, or not yet (``None``)."""

    began: int
    ended: int | None = None


LOCAL = frozenset({"green", "yellow", "slow_zone"})
"""Flags that, shown in named sectors, are of those sectors alone."""


def resumes(status: TrackStatus) -> bool:
    """Say whether a status resumes a suspended race: any racing status of the whole track."""
    return status.status not in ("red", "chequered") and not (status.sectors and status.status in LOCAL)


def suspensions(statuses: Iterable[TrackStatus]) -> tuple[Suspension, ...]:
    """Find the suspensions in the track's statuses, given in order of time.

    Any racing status of the whole track after red means that the race is resumed. A red flag shown again meanwhile is the same
    suspension; a chequered flag does not resume it, nor does a flag in some sectors.
    """
    found: list[Suspension] = []
    began: int | None = None
    for status in statuses:
        if status.status == "red":
            began = status.at if began is None else began
        elif began is not None and resumes(status):
            found.append(Suspension(began, status.at))
            began = None
    if began is not None:
        found.append(Suspension(began))
    return tuple(found)


def suspended_us(breaks: Iterable[Suspension], start: int, at: int) -> int:
    """Give for how long the race was suspended between its start and ``at``."""
    return sum(max(min(at, FAR if b.ended is None else b.ended) - max(b.began, start), 0) for b in breaks)


def race_time(at: int, start: int, breaks: Iterable[Suspension], clock: str) -> int:
    """Give the race clock at an instant: it runs on through a suspension (FIA F1 2025 art. 57), or stops for it."""
    return at - start - (suspended_us(breaks, start, at) if clock == "stops" else 0)


class GapClock(Struct, frozen=True):
    """What lies between two crossings of one lap, for gaps: the race clock, or with ``reset`` the time since the last resumption."""

    breaks: tuple[Suspension, ...]
    clock: str
    reset: bool = False

    def between(self, earlier: int, later: int) -> int:
        """Give the time between two instants; negative where they are in the other order."""
        if self.reset:
            earlier = max((b.ended for b in self.breaks if b.ended is not None and earlier < b.ended <= later), default=earlier)
        return later - earlier - (suspended_us(self.breaks, earlier, later) if self.clock == "stops" else 0)


def pit_stops(entered: Sequence[int], breaks: Iterable[Suspension], rules: RedFlag) -> list[int]:
    """Give the visits to the pit lane that are pit stops: those under a red flag are none, but where the rulebook counts them."""
    if rules.pit_visits == "count":
        return list(entered)
    return [at for at in entered if not any(b.began < at and (b.ended is None or at < b.ended) for b in breaks)]


def instant_of(time_us: int, start: int, breaks: Iterable[Suspension], clock: str) -> int:
    """Give the instant at which the race clock shows ``time_us``; a far one while a suspension with a stopped clock goes on."""
    at = start + time_us
    if clock == "stops":
        for b in breaks:
            if b.began >= at:
                break
            if b.ended is None:
                return FAR
            at += max(b.ended - max(b.began, start), 0)
    return at


def time_limit_at(start: int, breaks: Sequence[Suspension], rules: Finish, clock: str) -> int | None:
    """Give the instant at which a race by laps ends at the latest, or ``None`` where the rulebook has no limit.

    The length of a suspension is added where the rulebook gives a limit in all, up to that limit (FIA F1 2025 art. 5.4), and where the
    race clock stops for it.
    """
    if rules.time_limit_us is None:
        return None
    total_us = rules.time_limit_total_us
    prolonged = clock == "stops" or total_us is not None
    at = instant_of(rules.time_limit_us, start, breaks, "stops" if prolonged else clock)
    return at if total_us is None else min(at, start + total_us)


def laps_across(ends: Sequence[int], breaks: Iterable[Suspension], rules: RedFlag) -> frozenset[int]:
    """Name the laps of a car (from 1) that count without a lap time: those run, in part or wholly, while the race was suspended."""
    if rules.lap_across == "counts":
        return frozenset()
    laps: set[int] = set()
    for b in breaks:
        last = len(ends) if b.ended is None else bisect_left(ends, b.ended) + 1
        laps.update(range(bisect_right(ends, b.began) + 1, last + 1))
    return frozenset(laps)
