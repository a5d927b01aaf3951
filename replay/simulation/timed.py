"""Qualifying and practice: cars go out, drive a few laps against the clock and come in again; the result is by best laps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from replay.simulation.dice import Dice
from replay.simulation.field import Starter
from replay.simulation.plan import Plan
from replay.simulation.script import Script
from replay.simulation.truth import TrueRow
from timing.domain.events import ResultPublished, SegmentEnded, SegmentStarted, SessionEnded
from timing.domain.units import MILLISECOND, MINUTE, SECOND

_CLOSED = 4 * MINUTE  # after the flag everybody is in
_BREAK = 7 * MINUTE
_OUT, _IN = 1.22, 1.30  # laps out of the pit lane and into it, against a flying one
_NODES = ("S1", "ST", "S2")
_OFFENCE = "track limits"

Heard = tuple[int, str, Starter]


@dataclass(slots=True, eq=False)
class Runner:
    """A car in the session. ``bests``: its best lap in each segment, and when it was set. The first crossing begins its first lap."""

    starter: Starter
    crossings: list[int] = field(default_factory=list)
    bests: list[tuple[int, int] | None] = field(default_factory=list)
    pit_visits: int = 0
    flag_at: int = 0  # of the last segment that it was in

    @property
    def laps(self) -> int:
        """Count its laps: the first crossing after the flag ends the last one."""
        return max(sum(at <= self.flag_at for at in self.crossings) + any(at > self.flag_at for at in self.crossings) - 1, 0)


class Timed:
    """A session of best laps. ``heard``: each passing as (instant, loop, car); ``runners`` in the order of the result once it has run."""

    def __init__(self, plan: Plan, starters: list[Starter], script: Script, dice: Dice) -> None:
        self.plan, self.script, self.dice = plan, script, dice
        self.runners = [Runner(starter) for starter in starters]
        self.heard: list[Heard] = []
        self._lengths = [plan.track.lap_us * share // 1000 for share in plan.track.shares]

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Run the whole session; ``progress`` hears the instants of its segments' ends."""
        at, going_on = self.plan.start, list(self.runners)
        parts = self.plan.segments or ((None, self.plan.minutes or 30, None),)
        reached: list[list[Runner]] = []
        for name, minutes, advance in parts:
            flag = at + minutes * MINUTE
            if name is not None:
                if at > self.plan.start:
                    self.script.flag(at, "green")
                self.script.say(SegmentStarted, at, segment=name)
            for runner in going_on:
                runner.bests.append(None)
                runner.flag_at = flag
                self._runs(runner, at, flag)
            self.script.flag(flag, "chequered")
            if name is not None:
                self.script.say(SegmentEnded, flag + _CLOSED, segment=name)
            if progress:
                progress(flag)
            before = going_on if reached else sorted(going_on, key=lambda runner: runner.starter.number)
            ranked = sorted(before, key=_by_best)  # those without a time stay as they stood before
            reached.append(ranked)
            at, going_on = flag + _CLOSED + _BREAK, ranked[:advance]
        self.runners = self._order(reached)
        over = at - _BREAK
        self.script.say(SessionEnded, over)
        self.script.say(ResultPublished, over + 3 * MINUTE, stage="provisional", document="1")
        self.script.say(ResultPublished, over + 33 * MINUTE, stage="final", document="2")

    def _order(self, reached: list[list[Runner]]) -> list[Runner]:
        """Those of the last segment first, then those of the one before it who did not go on, and so on."""
        ordered: list[Runner] = []
        for ranked in reversed(reached):
            ordered += [runner for runner in ranked if runner not in ordered]
        return ordered

    def _runs(self, runner: Runner, begin: int, flag: int) -> None:
        """Have a car go out as long as it can begin a lap before the flag."""
        out = begin + self.dice.between(2 * SECOND, 100 * SECOND)
        race_lap = self.plan.track.lap_us
        while out + int(race_lap * _OUT) < flag - 2 * SECOND:
            flying = self.dice.between(3, 6) if self.plan.kind == "practice" else self.dice.between(1, 2)
            out = self._run(runner, out, flag, flying) + self.dice.between(100 * SECOND, 240 * SECOND)

    def _run(self, runner: Runner, out: int, flag: int, flying: int) -> int:
        """Drive out, so many flying laps, and in; give the instant of being back."""
        dice, car = self.dice, runner.starter
        self._hear(out, "PO", runner)
        at = out
        for number in range(flying + 1):
            pace = _OUT if number == 0 else car.paces[0] + dice.spread() * 0.006 * car.steady
            began, at = at, self._lap(runner, at, pace)
            self._hear(at, "SF", runner)
            runner.crossings.append(at)
            if number and began < flag:
                self._timed(runner, at - began, at)
            if at >= flag:
                break
        at = self._stretches(runner, at, _IN)
        at += int(self._lengths[3] * 0.9 * _IN)
        self._hear(at, "PI", runner)
        at += self.plan.track.pit_lane_us[0]
        self._hear(at, "SFP", runner)
        runner.crossings.append(at)
        runner.pit_visits += 1
        return at

    def _timed(self, runner: Runner, lap_us: int, at: int) -> None:
        """Count a flying lap, unless the stewards take its time."""
        if self.dice.chance(0.06):
            lap = len(runner.crossings) - 1  # the first crossing begins the first lap
            decided = at + self.dice.between(20 * SECOND, 80 * SECOND)
            self.script.rule(decided, runner.starter.number, "lap_time_deleted", _OFFENCE, lap=lap)
            return
        best = runner.bests[-1]
        if best is None or lap_us < best[0]:
            runner.bests[-1] = (lap_us, at)

    def _lap(self, runner: Runner, at: int, pace: float) -> int:
        return self._stretches(runner, at, pace) + int(self._lengths[3] * pace)

    def _stretches(self, runner: Runner, at: int, pace: float) -> int:
        for length, loop in zip(self._lengths, _NODES, strict=False):
            at += int(length * pace) + self.dice.below(30 * MILLISECOND)
            self._hear(at, loop, runner)
        return at

    def _hear(self, at: int, loop: str, runner: Runner) -> None:
        self.heard.append((at, loop, runner.starter))


def _by_best(runner: Runner) -> tuple[bool, tuple[int, int]]:
    best = runner.bests[-1]
    return (best is None, best or (0, 0))


def true_ranking(timed: Timed) -> list[TrueRow]:
    """Take the result of a session of best laps."""
    rows, in_class = [], dict[str, int]()
    for place, runner in enumerate(timed.runners, start=1):
        class_ = runner.starter.class_
        best = next((best for best in reversed(runner.bests) if best is not None), None)
        class_place = None
        if best is not None:
            class_place = in_class[class_] = in_class.get(class_, 0) + 1
        rows.append(
            TrueRow(
                place if best else None,
                runner.starter.number,
                class_,
                class_place,
                runner.laps,
                None,
                "classified" if best else "not_classified",
                place,
                0,
                best[0] if best else None,
            )
        )
    return rows
