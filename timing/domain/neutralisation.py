"""Neutralisations and suspensions as intervals of time, read off the track statuses; and the laps that were run under them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from timing.domain.events import PitLane, Status, TrackStatus
from timing.domain.finish import completed_before
from timing.domain.rulebook import Neutral, Neutralisation
from timing.domain.suspension import LOCAL

Kind: TypeAlias = Literal["safety_car", "vsc", "fcy", "code60", "red", "yellow", "slow_zone"]
"""What an interval is: a neutralisation of the whole track, a suspension (``red``), or a flag in some sectors."""

_BEGINS: dict[Status, Kind] = {
    "safety_car": "safety_car", "vsc": "vsc", "fcy": "fcy", "code60": "code60", "red": "red", "yellow": "yellow", "slow_zone": "slow_zone",
}  # fmt: skip
_GOES_ON: dict[Status, Kind] = {"safety_car_ending": "safety_car", "vsc_ending": "vsc"}
_ENDING: dict[Kind, Status] = {"safety_car": "safety_car_ending", "vsc": "vsc_ending"}


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
    def status(self) -> Status:
        """The last status given for it."""
        return self.kind if self.ending_at is None else _ENDING[self.kind]

    @property
    def signal_at(self) -> int | None:
        """The signal that ends it: where racing resumes at the line, the announcement counts, for the safety car is in at that line."""
        return self.ended if self.ending_at is None or self.until != "line_after_signal" else self.ending_at


def intervals(statuses: Iterable[TrackStatus], rules: Neutralisation) -> tuple[Interval, ...]:
    """Read the intervals off the track statuses (in order of time), ordered by their beginning.

    A status for the whole track ends the one before it; a chequered flag ends none. Yellow, slow zone and green with sectors are local:
    they end neither a neutralisation nor a suspension.
    """
    found: list[Interval] = []
    whole: Interval | None = None
    local: list[Interval] = []
    for given in statuses:
        at, status = given.at, given.status
        sectors = given.sectors if status in LOCAL else ()
        if status == "chequered":
            continue
        if whole is not None and whole.kind == _GOES_ON.get(status, status) and not sectors:
            announced = whole.ending_at or at if status in _GOES_ON else None  # given anew, it stays out after all
            whole = replace(whole, ending_at=announced)
            continue
        if whole is not None and not sectors:
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


def laps_within(ends: Sequence[int], since: int, began: int, ended: int | None) -> range:
    """Give the indices, from 0, of the laps of which any part was run between two instants. ``since``: where the first lap began."""
    first = bisect_right(ends, began)
    last = len(ends) if ended is None else min(bisect_left(ends, ended) + 1, len(ends))
    return range(first, last) if ended is None or ended > since else range(0)


class Window(Struct, frozen=True):
    """An interval as the race ran it: ``free_at`` is where the first car may race again, ``over_at`` where the leader does.

    ``at_line``: racing resumes at the line: every car is free from its own first crossing of it at ``free_at`` or later. ``settled_at``:
    the leader has since gone round once more, and everybody has resumed. ``None`` for each while it is not known.
    """

    interval: Interval
    rule: Neutral | None
    free_at: int | None = None
    over_at: int | None = None
    settled_at: int | None = None
    at_line: bool = False

    @property
    def frozen(self) -> bool:
        """Whether the order is frozen under it."""
        return self.rule is not None and self.rule.order == "frozen"


def windows(found: Sequence[Interval], rules: Neutralisation, ends: Sequence[Sequence[int]]) -> tuple[Window, ...]:
    """Find where racing resumed after each interval of the whole track. ``ends``: the cars' crossings of the line."""
    whole = [i for i in found if not i.sectors]
    return tuple(window_of(whole, place, rules, ends) for place in range(len(whole)))


def window_of(whole: Sequence[Interval], place: int, rules: Neutralisation, ends: Sequence[Sequence[int]]) -> Window:
    """Find where racing resumed after one of the intervals of the whole track; another that follows upon it ends it at once."""
    interval = whole[place]
    rule, ended, announced = neutral_of(interval.kind, rules), interval.ended, interval.ending_at
    replaced = ended is not None and place + 1 < len(whole) and whole[place + 1].began == ended
    if ended is None and (announced is None or interval.until != "line_after_signal"):
        return Window(interval, rule)
    if replaced or (ended is not None and interval.until != "line_after_signal"):
        return Window(interval, rule, ended, ended, None if ended is None else leader_after(ends, ended, 2))
    at_line = None if announced is None else leader_after(ends, announced, 1)
    free_at = min((at for at in (ended, at_line) if at is not None), default=None)
    over_at = at_line if announced is not None else None if ended is None else leader_after(ends, ended, 1)
    return Window(interval, rule, free_at, over_at, None if over_at is None else leader_after(ends, over_at + 1, 1), at_line=True)


def leader_after(ends: Sequence[Sequence[int]], at: int, times: int) -> int | None:
    """Give the leader's crossing of the line so many times after ``at``; one at that very instant is the first."""
    lap = completed_before(ends, at) + times
    return min((car[lap - 1] for car in ends if len(car) >= lap), default=None)


def left_out(found: Iterable[Window]) -> tuple[tuple[int, int | None], ...]:
    """Give the stretches of time of which no lap is a best lap, nor counts in an average."""
    return tuple((w.interval.began, w.free_at) for w in found if w.rule is not None and w.rule.best_laps == "left_out")


def laps_left_out(ends: Sequence[int], since: int, stretches: Iterable[tuple[int, int | None]]) -> frozenset[int]:
    """Give the numbers, from 1, of a car's laps that are left out."""
    return frozenset(lap + 1 for began, ended in stretches for lap in laps_within(ends, since, began, ended))


def laps_under_local(ends: Sequence[int], since: int, sectors: Sequence[Sequence[int | None]], flags: Iterable[Interval]) -> frozenset[int]:
    """Give the numbers, from 1, of a car's laps in which it was in a sector while a yellow flag or a slow zone held there.

    ``sectors``: the sector times of each lap in µs; where those up to the sector are not all known, any part of the lap will do.
    """
    found: set[int] = set()
    for flag in flags:
        if flag.kind not in ("yellow", "slow_zone"):
            continue
        for lap in laps_within(ends, since, flag.began, flag.ended):
            began = ends[lap - 1] if lap else since
            stays = [_stay(began, ends[lap], sectors[lap], number) for number in flag.sectors] or [(began, ends[lap])]
            if any(flag.began < left and (flag.ended is None or flag.ended > came) for came, left in stays):
                found.add(lap + 1)
    return frozenset(found)


def _stay(began: int, ended: int, sectors: Sequence[int | None], number: int) -> tuple[int, int]:
    """Give when a car was in a sector of a lap; the whole lap where that is not known."""
    instants = [began]
    for time_us in sectors[:number]:
        if time_us is None:
            return began, ended
        instants.append(instants[-1] + time_us)
    return (instants[number - 1], instants[number]) if len(instants) > number else (began, ended)


def pit_lane_changes(said: Iterable[PitLane], found: Iterable[Window]) -> list[tuple[int, bool]]:
    """Give when the pit lane opened (``True``) and closed, in order of time: race control says so, or the rules of a neutralisation."""
    changes = [(lane.at, 1, lane.open) for lane in said]
    for window in found:
        if window.rule is not None and window.rule.pit_lane == "closed":
            changes.append((window.interval.began, 0, False))
            if window.free_at is not None:
                changes.append((window.free_at, 0, True))
    return [(at, is_open) for at, _, is_open in sorted(changes)]


def pit_lane_open(changes: Sequence[tuple[int, bool]], at: int) -> bool:
    """Say whether the pit lane is open at an instant."""
    before = bisect_right(changes, at, key=itemgetter(0))
    return changes[before - 1][1] if before else True
