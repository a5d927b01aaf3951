"""The document ``laps``: every lap of every car in columns, for charts; asked again with its mark, only what changed since."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from timing.domain.events import DriverChanged
from timing.domain.laps import CarLaps
from timing.domain.neutralisation import laps_within
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing

MARKS_KEPT = 256
"""So many of the latest marks are known; who asks with an older one is given everything."""

Tags = dict[int, tuple[str, ...]]


class Flag(Struct, frozen=True):
    """A neutralisation, a suspension or a local flag: from ``began_us`` until ``ended_us`` after the start, ``None`` while it lasts."""

    kind: str
    began_us: int
    ended_us: int | None
    sectors: tuple[int, ...]


class Columns(Struct, frozen=True):
    """A car's laps from the one of index ``from`` (0: the first) on; those before are as they were, those after the last are none.

    ``ends_us``: after the start. ``times_us``: ``None`` where a lap has no time. ``sectors_us``: only if asked for. ``tags``: by the number
    of the lap (1: the first), the flags it was run under, ``in``, ``out`` and ``deleted``. ``drivers``: who drove from which lap on.
    """

    from_: int = msgspec.field(name="from")
    ends_us: Sequence[int]
    times_us: Sequence[int | None]
    tags: Tags
    drivers: Sequence[tuple[int, str]]
    sectors_us: Sequence[tuple[int | None, ...]] | msgspec.UnsetType = msgspec.UNSET


class LapsDocument(Struct, frozen=True):
    """The laps of a session. ``start``: the instant from which all times count. ``whole``: forget what was known before.

    ``cars``: those of which anything changed since ``since``, the mark that was asked with.
    """

    session: str
    seq: int
    mark: str
    since: str | None
    whole: bool
    start: int | None
    sectors: int
    flags: Sequence[Flag]
    cars: dict[str, Columns]


class _Car(Struct):
    """What is known of a car; ``changed``: (turn, first index of a lap that changed), both growing."""

    laps: CarLaps | None
    ends: list[int]
    times: list[int | None]
    sectors: list[tuple[int | None, ...]]
    tags: Tags
    drivers: list[tuple[int, str]]
    changed: list[tuple[int, int]]

    def first_since(self, turn: int) -> int | None:
        place = bisect_right(self.changed, turn, key=lambda change: change[0])
        return self.changed[place][1] if place < len(self.changed) else None


class LapData:
    """Keeps the columns of a session's laps, brought up to date when they are asked for, and which of them changed when."""

    def __init__(self) -> None:
        self._cars: dict[str, _Car] = {}
        self._marks: dict[str, int] = {}
        self._start: int | None = None
        self._turn = 0
        self._mark = ""
        self._whole_since = 0
        self._flags: list[Flag] = []

    def document(self, timing: "Timing", since: str | None = None, *, sectors: bool = False) -> LapsDocument:
        """Give what changed since the document of that mark; everything where the mark is not known (any more), or none is given."""
        self._follow(timing)
        turn = self._marks.get(since or "", -1)
        whole = turn < self._whole_since
        cars: dict[str, Columns] = {}
        for number, car in self._cars.items():
            first = 0 if whole else car.first_since(turn)
            if first is None:
                continue
            tags = {lap: tags for lap, tags in car.tags.items() if lap > first}
            columns = Columns(first, [end - (self._start or 0) for end in car.ends[first:]], car.times[first:], tags, car.drivers)
            cars[number] = msgspec.structs.replace(columns, sectors_us=car.sectors[first:]) if sectors else columns
        return LapsDocument(timing.session, timing.seq, self._mark, since, whole, self._start, timing.sectors, self._flags, cars)

    def _follow(self, timing: "Timing") -> None:
        state = timing.state()
        mark = f"{timing.seq}-{state.at}"
        if mark == self._mark:
            return
        self._turn += 1
        self._mark = mark
        self._marks.pop(mark, None)
        self._marks[mark] = self._turn
        if len(self._marks) > MARKS_KEPT:
            del self._marks[next(iter(self._marks))]
        start = timing.origin if state.said.start is not None else None
        if start != self._start or self._cars.keys() - state.said.entries.keys():
            self._start, self._cars, self._whole_since = start, {}, self._turn
        if start is not None:
            self._flags = [
                Flag(i.kind, i.began - start, None if i.ended is None else i.ended - start, i.sectors) for i in timing.neutral.found
            ]
            for car in state.said.entries:
                self._follow_car(timing, state, car)

    def _follow_car(self, timing: "Timing", state: State, car: str) -> None:
        known, laps = self._cars.get(car), timing.laps.get(car)
        if laps is None or not laps.ends:
            if known is None or not known.ends:
                return
            now = _Car(laps, [], [], [], {}, [], known.changed)
        else:
            deleted = state.said.penalties[car].deleted_laps if car in state.said.penalties else frozenset()
            times = _without(laps.times, state.untimed.get(car, ()))
            tags, drivers = _tags(timing, laps, deleted), _drivers(timing, car, laps)
            now = _Car(laps, laps.ends.copy(), times, laps.sectors.copy(), tags, drivers, known.changed if known else [])
        first = _first_difference(known, now)
        if first is not None:
            while now.changed and now.changed[-1][1] >= first:
                now.changed.pop()
            now.changed.append((self._turn, first))
        self._cars[car] = now


def _first_difference(known: _Car | None, now: _Car) -> int | None:
    if known is None:
        return 0
    places = [
        _differs(old, new) for old, new in ((known.ends, now.ends), (known.times, now.times), (known.sectors, now.sectors)) if old != new
    ]
    if known.tags != now.tags:
        places.append(min(lap for lap in known.tags.keys() | now.tags.keys() if known.tags.get(lap) != now.tags.get(lap)) - 1)
    if known.drivers != now.drivers:
        places.append(len(now.ends))  # they are sent whole
    return min(places, default=None)


def _differs(old: Sequence[object], new: Sequence[object]) -> int:
    return next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _without(times: list[int | None], laps: Iterable[int]) -> list[int | None]:
    left = times.copy()
    for lap in laps:
        if lap <= len(left):
            left[lap - 1] = None
    return left


def _tags(timing: "Timing", laps: CarLaps, deleted: Iterable[int]) -> Tags:
    """Tag all laps at once: the same as ``Neutral.tags`` lap by lap, but for the first; and ``deleted`` besides."""
    ends, since = laps.ends, laps.since or 0
    under: dict[int, set[str]] = {}
    spans = [(w.interval.kind, w.interval.began, w.free_at) for w in timing.neutral.windows]
    spans += [(i.kind, i.began, i.ended) for i in timing.neutral.found if i.sectors]
    for kind, began, ended in spans:
        for index in laps_within(ends, since, began, ended):
            under.setdefault(index + 1, set()).add(kind)
    tags = {lap: sorted(kinds) for lap, kinds in under.items()}
    for tag, instants in (("in", laps.entered), ("out", laps.exited)):
        for at in instants:
            index = bisect_left(ends, at)
            if since < at and index < len(ends) and tag not in (here := tags.setdefault(index + 1, [])):
                here.append(tag)
    for lap in deleted:
        if lap <= len(ends):
            tags.setdefault(lap, []).append("deleted")
    return {lap: tuple(tags[lap]) for lap in sorted(tags)}


def _drivers(timing: "Timing", car: str, laps: CarLaps) -> list[tuple[int, str]]:
    """Give who drove from which lap on, by name: who was at the wheel at its end."""
    names = {d.id: d.name for d in timing.state().said.entries[car].drivers}
    said = [(1, next(iter(names.values()), ""))]
    for change in timing.evidence.of(DriverChanged):
        if change.car == car:
            lap = bisect_left(laps.ends, change.at) + 1
            while said and said[-1][0] >= lap:
                said.pop()
            said.append((lap, names.get(change.driver, change.driver)))
    return said if said[0][1] or len(said) > 1 else []


def laps_json(timing: "Timing", since: str | None = None, *, sectors: bool = False) -> bytes:
    """Write the document as JSON."""
    return msgspec.json.encode(timing.lap_data.document(timing, since, sectors=sectors))
