"""Neutralisations in a session: when racing was resumed, which laps are left out, what a lap was run under, whether the pits are open."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from timing.domain.crossings import Crossing
from timing.domain.events import PitLane, TrackStatus
from timing.domain.laps import CarLaps
from timing.domain.neutralisation import (
    Interval,
    Window,
    intervals,
    laps_left_out,
    left_out,
    pit_lane_changes,
    pit_lane_open,
    window_of,
)
from timing.projections.formation import resumed
from timing.projections.frozen import Frozen

_FAR = 2**62

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class Neutral:
    """What a session's neutralisations come to. ``settle`` follows the evidence; the rest is asked for when a board is formed.

    ``found``: every interval, local flags and suspensions too. ``windows``: those of the whole track, as the race ran them; the same
    object while nothing changed. ``left_out``: the stretches of time of which no lap is a best lap. ``frozen``: the order under them.
    """

    def __init__(self) -> None:
        self.found: tuple[Interval, ...] = ()
        self.windows: tuple[Window, ...] = ()
        self.left_out: tuple[tuple[int, int | None], ...] = ()
        self.frozen = Frozen()
        self._version = -1
        self._counts: dict[str, int] = {}
        self._tags: dict[str, tuple[tuple[object, ...], tuple[str, ...]]] = {}
        self._lanes: tuple[tuple[object, ...], list[tuple[int, bool]]] = ((), [])

    def settle(self, timing: "Timing", changed: Mapping[str, bool]) -> None:
        """Follow the evidence: ``changed`` as ``Evidence.settle`` gives it."""
        evidence, rules = timing.evidence, timing.rules.neutralisation
        anew = any(changed.values())
        if anew:
            self.frozen.forget()
            self._tags.clear()
        oldest = self._oldest(evidence.crossings, changed)
        known: Sequence[Window] = ()
        if not anew:
            self.frozen.touch(oldest)
            known = [w for w in self.windows if w.settled_at is not None and w.settled_at < oldest]
        if self._version != evidence.version:
            self._version = evidence.version
            self.found = intervals(evidence.of(TrackStatus), rules)
            known = ()
        elif not changed or len(known) == len(self.windows):
            return
        whole = [i for i in self.found if not i.sectors]
        ends = [laps.ends for laps in timing.laps.values()]
        new = (window_of(whole, place, rules, ends) for place in range(len(known), len(whole)))
        windows = (*known, *resumed(new, timing.formation, ends))
        if windows != self.windows:
            self.windows, self.left_out = windows, left_out(windows)

    def _oldest(self, crossings: Mapping[str, Sequence[Crossing]], changed: Mapping[str, bool]) -> int:
        """Give the instant of the first crossing that is new, of cars to which crossings were only added at the end."""
        oldest = _FAR
        for car, rebuilt in changed.items():
            mine = crossings[car]
            count = self._counts.get(car, 0)
            if not rebuilt and count < len(mine):
                oldest = min(oldest, mine[count][0])
            self._counts[car] = len(mine)
        return oldest

    def current(self) -> Window | None:
        """Give the neutralisation that lasts: not a suspension, and nobody races again."""
        last = self.windows[-1] if self.windows else None
        return None if last is None or last.rule is None or last.over_at is not None else last

    def laps_left_out(self, laps: CarLaps) -> frozenset[int]:
        """Give the numbers, from 1, of a car's laps that are neither best laps nor count in an average."""
        return laps_left_out(laps.ends, laps.since or 0, self.left_out) if self.left_out else frozenset()

    def tags(self, laps: CarLaps, lap: int) -> tuple[str, ...]:
        """Tag a lap: the flags under which any part of it was run, and ``in``, ``out`` and ``first``."""
        began, ended = laps.ends[lap - 2] if lap > 1 else laps.since or 0, laps.ends[lap - 1]
        under = {w.interval.kind for w in self.windows if w.interval.began < ended and (w.free_at is None or w.free_at > began)}
        under |= {i.kind for i in self.found if i.sectors and i.began < ended and (i.ended is None or i.ended > began)}
        named: list[str] = sorted(under)
        named += [tag for tag, at in (("in", laps.entered), ("out", laps.exited)) if _within(at, began, ended)]
        return (*named, "first") if lap == 1 else tuple(named)

    def last_lap_tags(self, car: str, laps: CarLaps, lap: int) -> tuple[str, ...]:
        """Tag the lap that a car completed last, its ``lap``-th."""
        key = (lap, len(laps.entered), len(laps.exited), self.windows, self.found)
        known = self._tags.get(car)
        if known is None or known[0] != key:
            known = self._tags[car] = (key, self.tags(laps, lap))
        return known[1]

    def pit_lane(self, timing: "Timing") -> list[tuple[int, bool]]:
        """Give when the pit lane opened and closed: as race control says, or the rules of the neutralisation."""
        key = (timing.evidence.version, self.windows)
        if self._lanes[0] != key:
            self._lanes = (key, pit_lane_changes(timing.evidence.of(PitLane), self.windows))
        return self._lanes[1]

    def pit_lane_open(self, timing: "Timing", at: int) -> bool:
        """Say whether the pit lane is open at an instant."""
        return pit_lane_open(self.pit_lane(timing), at)

    def under(self, at: int) -> str | None:
        """Name the kind of neutralisation or suspension at an instant, ``None`` while the race is on."""
        return next((w.interval.kind for w in self.windows if w.interval.began <= at and (w.free_at is None or at < w.free_at)), None)


def _within(instants: Sequence[int], began: int, ended: int) -> bool:
    return bisect_right(instants, ended) > bisect_right(instants, began)
