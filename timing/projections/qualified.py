"""Qualifying and practice as the evidence tells them: the segments that were run, the timed laps, the order, and the segment's clock."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from timing.domain.decisions import penalties_of, rulings
from timing.domain.events import CarWithdrawn, Decision, DecisionUpdated, SegmentEnded, SegmentStarted, TrackStatus
from timing.domain.finish import Ending, laps_at_ending
from timing.domain.laps import CarLaps
from timing.domain.neutralisation import laps_under_local
from timing.domain.order import Standing
from timing.domain.qualifying import Field, Ranked, Red, Run, Times, beyond_percent, take
from timing.domain.rulebook import Qualifying
from timing.domain.suspension import FAR, resumes, suspended_us
from timing.domain.units import MINUTE
from timing.projections.board import Clock, SegmentView
from timing.projections.evidence import Evidence

if TYPE_CHECKING:
    from timing.projections.commanded import Commanded
    from timing.projections.state import State
    from timing.projections.timing import Timing


class Heats(Struct, frozen=True):
    """What was said of a session ordered by best laps, and the rules that hold for it.

    ``runs``: the segments in order of time, or one for the whole session, of which ``minutes`` is the length.
    ``flag_at``: the chequered flag after which nothing more is run.
    """

    rules: Qualifying
    runs: tuple[Run, ...]
    reds: tuple[Red, ...]
    minutes: int | None
    flag_at: int | None


class Qualified(Struct, frozen=True):
    """How a session stands by best laps: each car's rank, and the cars that have no place (no time, or beyond the percentage)."""

    heats: Heats
    ranks: dict[str, Ranked]
    unplaced: frozenset[str]

    def placed_us(self, car: str) -> int | None:
        """Give the best time of the last segment in which the car has one; ``None`` if it has no place."""
        bests = self.ranks[car].bests_us
        return None if car in self.unplaced else next((us for us in reversed(bests) if us is not None), None)

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the segments; none where the session is run in one."""
        return tuple(segment.name for segment in self.heats.rules.segments)

    def segment_view(self) -> SegmentView | None:
        """Give what screens show of the segment that was started last."""
        segments, run = self.heats.rules.segments, self.heats.runs[-1]
        if not segments:
            return None
        status: Literal["running", "flagged", "closed"]
        status = "closed" if run.until is not None else "flagged" if run.flag_at is not None else "running"
        segment = segments[run.segment]
        return SegmentView(segment.name, run.class_, run.segment + 1, len(segments), status, run.since, segment.minutes, segment.advance)

    def clock(self, state: "State") -> Clock:
        """Give the clock: that of the segment started last, which stands still under red where red extends it."""
        rules, run = self.heats.rules, self.heats.runs[-1]
        minutes = rules.segments[run.segment].minutes if rules.segments else self.heats.minutes
        at = min(i for i in (state.at, run.flag_at, run.until) if i is not None)
        elapsed_us = max(at - run.since, 0)
        if minutes is None:
            return Clock(elapsed_us, None)
        stood_us = suspended_us(state.said.suspensions, run.since, at) if rules.extended_by_red else 0
        return Clock(elapsed_us, max(minutes * MINUTE - elapsed_us + stood_us, 0))


class Qualifier:
    """Forms the order of one session. ``rebind`` takes in what was said; the order is formed anew only where a car's laps changed."""

    def __init__(self) -> None:
        self.heats: Heats | None = None
        self._times: dict[str, tuple[CarLaps, tuple[int | None, int, int, int], Times]] = {}
        self._ordered: tuple[Field, list[Ranked]] | None = None
        self._qualified: tuple[bool, Qualified] | None = None
        self._left_out: tuple[tuple[int, int | None], ...] = ()

    def rebind(self, evidence: Evidence, said: "Commanded", rules: Qualifying) -> None:
        """Read the commands anew."""
        self._times.clear()
        self._ordered = None
        self.heats = heats_of(evidence, said, rules)

    def standings(self, timing: "Timing", state: "State") -> list[Standing]:
        """Order the cars, and keep in ``state`` what the order rests on."""
        heats = self.heats
        field, order = self._order(timing, state.said)
        if heats is not None:
            if self._qualified is None or self._qualified[0] != state.over:
                self._qualified = state.over, _qualified(heats, order, over=state.over)
            state.qualified = self._qualified[1]
        return [_standing(timing, state, rank, field.run_of(rank)) for rank in order]

    def timed(self, car: str) -> list[int]:
        """Give the numbers of a car's timed laps: those not through the pit lane nor under red, as the rules say."""
        return [lap.number for lap in self._times[car][2].laps] if car in self._times else []

    def _order(self, timing: "Timing", said: "Commanded") -> tuple[Field, list[Ranked]]:
        heats = self.heats
        changed = [self._take(car, entry.class_, timing.laps.get(car)) for car, entry in said.entries.items()]
        if self._ordered is None or any(changed) or self._left_out != timing.neutral.left_out:
            self._left_out = timing.neutral.left_out
            field = Field(
                [self._times[car][2] if car in self._times else Times(car, entry.class_) for car, entry in said.entries.items()],
                heats.runs if heats else (),
                heats.rules if heats else Qualifying(),
                reds=heats.reds if heats else (),
                deleted={car: penalties.deleted_laps for car, penalties in said.penalties.items()},
                void={car: laps_void(timing, laps) for car, laps in timing.laps.items()},
                grid=said.grid,
            )
            self._ordered, self._qualified = (field, field.order()), None
        return self._ordered

    def _take(self, car: str, class_: str, laps: CarLaps | None) -> bool:
        """Take in what a car has done since, and say whether there was anything."""
        if laps is None or self.heats is None:
            return False
        size = (laps.since, len(laps.times), len(laps.entered), len(laps.exited))
        known = self._times.get(car)
        if known is not None and known[0] is laps and known[1] == size:
            return False
        times = known[2] if known is not None and known[0] is laps else Times(car, class_)
        take(times, laps, self.heats.reds, self.heats.rules)
        self._times[car] = (laps, size, times)
        return True


def laps_void(timing: "Timing", laps: CarLaps) -> frozenset[int]:
    """Give the numbers of a car's laps whose time never counted: run under a neutralisation that leaves them out, or under yellow."""
    void = timing.neutral.laps_left_out(laps)
    if timing.race or timing.rules.qualifying.yellow == "laps_count":
        return void
    return void | laps_under_local(laps.ends, laps.since or 0, laps.sectors, timing.neutral.found)


def _qualified(heats: Heats, order: Sequence[Ranked], *, over: bool) -> Qualified:
    untimed = frozenset(r.car for r in order if not any(us is not None for us in r.bests_us))
    beyond = beyond_percent(order, heats.rules) if over else frozenset[str]()
    return Qualified(heats, {r.car: r for r in order}, untimed | beyond)


def heats_of(evidence: Evidence, said: "Commanded", rules: Qualifying) -> Heats | None:
    """Read what was said of the session; ``None`` before it started. Segments and percentages are of qualifying, not of practice."""
    opened = evidence.opened
    if said.start is None or opened is None:
        return None
    flags = [s.at for s in said.statuses if s.status == "chequered" and s.at > said.start]
    reds = _reds(said.statuses)
    started = [s for s in evidence.of(SegmentStarted) if any(s.segment == segment.name for segment in rules.segments)]
    if opened.kind != "qualifying":
        rules, started = structs.replace(rules, percent=0, causing_red="nothing"), []
    if not started:
        flag_at = flags[0] if flags else None
        run = Run(0, said.start, flag_at=flag_at, until=said.closed_at)
        return Heats(structs.replace(rules, segments=()), (run,), reds, opened.distance.minutes, flag_at)
    runs = _runs(evidence, started, flags, rules, said.closed_at)
    last = [run for run in runs if run.segment == len(rules.segments) - 1 and run.flag_at is not None]
    done = {run.class_ for run in last}
    over = None in done or (bool(last) and done >= set(said.classes))
    return Heats(rules, runs, reds, None, max(run.flag_at or 0 for run in last) if over else None)


def _runs(
    evidence: Evidence, started: Sequence[SegmentStarted], flags: Sequence[int], rules: Qualifying, closed_at: int | None
) -> tuple[Run, ...]:
    """Give the segments as they were run. One is closed by its end, by the start of another for the same cars, or with the session."""
    index = {segment.name: i for i, segment in enumerate(rules.segments)}
    ended, runs = evidence.of(SegmentEnded), []
    for place, start in enumerate(started):
        closing = [e.at for e in ended if e.segment == start.segment and e.at >= start.at and _share(e.class_, start.class_)]
        closing += [s.at for s in started[place + 1 :] if _share(s.class_, start.class_)]
        until = min((*closing, *(() if closed_at is None else (closed_at,))), default=None)
        flag_at = next((at for at in flags if start.at < at and (until is None or at <= until)), None)
        deleted, out = _decided(evidence, start.at)
        cars = None if start.cars is None else frozenset(start.cars)
        runs.append(Run(index[start.segment], start.at, start.class_, flag_at, until, cars, deleted, out))
    return tuple(runs)


def _share(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _decided(evidence: Evidence, at: int) -> tuple[Mapping[str, frozenset[int]], frozenset[str]]:
    """Give the times deleted, and the cars disqualified or withdrawn, by what was decided until an instant."""
    decided = rulings((d for d in evidence.of(Decision) if d.at <= at), (u for u in evidence.of(DecisionUpdated) if u.at <= at))
    penalties = penalties_of(decided)
    withdrawn = {c.car for c in evidence.of(CarWithdrawn) if c.at <= at}
    return {car: p.deleted_laps for car, p in penalties.items()}, frozenset(
        withdrawn | {car for car, p in penalties.items() if p.disqualified}
    )


def _reds(statuses: Sequence[TrackStatus]) -> tuple[Red, ...]:
    """Give the red flags, each until a racing status; a chequered flag under red is none."""
    reds = []
    for place, status in enumerate(statuses):
        if status.status == "red":
            ended = next((s.at for s in statuses[place + 1 :] if resumes(s)), FAR)
            reds.append(Red(status.at, ended, status.cause))
    return tuple(reds)


def _standing(timing: "Timing", state: "State", rank: Ranked, run: Run | None) -> Standing:
    said, laps = state.said, timing.laps.get(rank.car)
    done = said.closed_at is not None or rank.car in said.retired or rank.car in said.withdrawn
    if laps is None or laps.last_at is None or said.start is None:
        return Standing(rank.car, rank.class_, (), 0, said.start or 0, standing=done or state.over)
    counted, flagged = len(laps.ends), False
    if run is not None and run.flag_at is not None:
        grace_us = timing.rules.finish.grace_us
        counted, flagged = laps_at_ending(laps.ends, Ending(run.flag_at, 0), grace_us)
        done = done or flagged or (grace_us is not None and state.at > run.flag_at + grace_us)
    if run is not None and run.until is not None:
        counted, done = min(counted, bisect_right(laps.ends, run.until)), True
    best_us, best_lap = (None, 0) if rank.best is None else (rank.best.time_us, rank.best.number)
    return Standing(
        rank.car, rank.class_, laps.ends, counted, laps.since or said.start, flagged, done, best_us, best_lap, segment=rank.segment
    )
