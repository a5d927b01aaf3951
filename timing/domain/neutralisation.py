"""Neutralisations and suspensions as intervals of time, read off the track statuses; and the laps that were run under them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from timing.domain.events import Status, TrackStatus
from timing.domain.rulebook import Neutral, Neutralisation

Kind: TypeAlias = Literal["safety_car", "vsc", "fcy", "code60", "red", "yellow", "slow_zone"]
"""What an interval is: a neutralisation of the whole track, a suspension (``red``), or a flag in some sectors."""

_BEGINS: dict[Status, Kind] = {
    "safety_car": "safety_car", "vsc": "vsc", "fcy": "fcy", "code60": "code60", "red": "red", "yellow": "yellow", "slow_zone": "slow_zone",
}  # fmt: skip
_GOES_ON: dict[Status, Kind] = {"safety_car_ending": "safety_car", "vsc_ending": "vsc"}
_LOCAL = frozenset({"green", "yellow", "slow_zone"})


class Interval(Struct, frozen=True):
    """A stretch of time under one signal: from ``began`` until before ``ended``, ``None`` while it lasts.

    ``sectors``: where it holds; empty for the whole track. ``until``: where racing resumes: at the signal that ends it, at the line after
    it, or at the next post. ``ending_at``: when its end was announced ("safety car in this lap"), if it was.
    """

    kind: Kind
    began: int
    ended: int | None
    sectors: tuple[int, ...] = ()
    until: Literal["line_after_signal", "signal", "next_post"] = "signal"
    ending_at: int | None = None

    @property
    def signal_at(self) -> int | None:
        """The signal that ends it: where racing resumes at the line, the announcement counts, for the safety car is in at that line."""
        return self.ended if self.ending_at is None or self.until != "line_after_signal" else self.ending_at


def intervals(statuses: Iterable[TrackStatus], rules: Neutralisation) -> tuple[Interval, ...]:
    """Read the intervals off the track statuses (in order of time), ordered by their beginning.

    A status for the whole track ends the one before it; a chequered flag ends none. Yellow, slow zone and green with sectors are local:
    they end no neutralisation, but resume a suspended race as any other status does.
    """
    found: list[Interval] = []
    whole: Interval | None = None
    local: list[Interval] = []
    for given in statuses:
        at, status = given.at, given.status
        sectors = given.sectors if status in _LOCAL else ()
        if status == "chequered":
            continue
        if whole is not None and whole.kind == _GOES_ON.get(status, status) and not sectors:
            announced = whole.ending_at or at if status in _GOES_ON else None  # given anew, it stays out after all
            whole = replace(whole, ending_at=announced)
            continue
        if whole is not None and (not sectors or whole.kind == "red"):
            found.append(replace(whole, ended=at))
            whole = None
        found += [replace(i, ended=at) for i in local if not sectors or set(i.sectors) & set(sectors)]
        local = [i for i in local if sectors and not set(i.sectors) & set(sectors)]
        kind = _BEGINS.get(status)
        if kind is None:
            continue
        if sectors:
            local.append(Interval(kind, at, None, sectors))
        else:
            neutral = neutral_of(kind, rules)
            whole = Interval(kind, at, None, (), "signal" if neutral is None else neutral.until)
    found += local if whole is None else [*local, whole]
    return tuple(sorted((i for i in found if i.ended is None or i.ended > i.began), key=lambda i: (i.began, i.kind, i.sectors)))


def neutral_of(kind: Kind, rules: Neutralisation) -> Neutral | None:
    """Give what the rulebook says of a kind of neutralisation; ``None`` for a suspension and for flags in sectors."""
    return None if kind in ("red", "yellow", "slow_zone") else getattr(rules, kind)


def suspensions(found: Sequence[Interval]) -> tuple[Interval, ...]:
    """Give the red flags among the intervals: the race is suspended from ``began`` until it is resumed at ``ended``."""
    return tuple(i for i in found if i.kind == "red")


def laps_within(ends: Sequence[int], since: int, began: int, ended: int | None) -> range:
    """Give the indices, from 0, of the laps of which any part was run between two instants. ``since``: where the first lap began."""
    first = bisect_right(ends, began)
    last = len(ends) if ended is None else min(bisect_left(ends, ended) + 1, len(ends))
    return range(first, last) if ended is None or ended > since else range(0)
