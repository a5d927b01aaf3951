"""Red flags in a session's fold: its suspensions, how it ends or is stopped, and the order in which it is restarted."""

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

from timing.domain.close_finish import CloseFinish, clusters, rule
from timing.domain.count_back import Race, read, returned_within
from timing.domain.crossings import ADDED_PREFIX
from timing.domain.events import Distance
from timing.domain.finish import Ending, ending
from timing.domain.restart import RestartOrder, Runner, restart_order
from timing.domain.suspension import GapClock, laps_across, race_time

if TYPE_CHECKING:
    from timing.projections.state import State
    from timing.projections.timing import Timing


def decide_end(timing: "Timing", state: "State") -> None:
    """Decide how a race ends: with the flag, or, stopped before it, by the rulebook's count-back.

    A red flag after the leader has taken the chequered one stops nothing: the race was over. Nobody takes it while the race is suspended.
    """
    opened, said = timing.evidence.opened, state.said
    if opened is None or said.start is None:
        return
    if not timing.race:
        heats = timing.qualifier.heats
        state.end = None if heats is None or heats.flag_at is None else Ending(heats.flag_at, 0)
        return
    rules, breaks = timing.rules, said.suspensions
    if breaks:
        state.untimed = {car: laps_across(laps.ends, breaks, rules.red_flag) for car, laps in timing.laps.items()}
    cars, out = [car for car in said.entries if car in timing.laps], said.retired | said.withdrawn
    ends = [timing.laps[car].ends for car in cars]
    closed = said.closed_at is not None
    end = ending(
        ends, said.start, timing.distance, said.flag_at, rules.finish,
        closed=closed, breaks=breaks, clock=rules.red_flag.clock, out=[car in out for car in cars],
    )  # fmt: skip
    if said.red_at is not None and (end is None or end.at > said.red_at):
        state.reading = read(runners(timing, state), race_of(timing, state), said.red_at, rules.red_flag)
        state.stopped = state.reading.taken
    elif end is None or not breaks or breaks[-1].ended is not None or end.at <= breaks[-1].began:
        state.end = end


def race_of(timing: "Timing", state: "State") -> Race:
    """Give what a reading asks of the race."""
    rules = timing.rules
    return Race(state.said.start or 0, timing.distance, state.said.suspensions, rules.red_flag.clock, rules.finish.grace_us, timing.loops)


def runners(timing: "Timing", state: "State") -> list[Runner]:
    """Give every car entered as the readings of a red flag see it."""
    said, crossings = state.said, timing.evidence.crossings
    out = said.retired | said.withdrawn
    field = []
    for car, entry in said.entries.items():
        laps, grid = timing.laps.get(car), said.grid.get(car, 0)
        if laps is None:
            field.append(Runner(car, entry.class_, (), running=car not in out, grid=grid))
        else:
            field.append(Runner(car, entry.class_, laps.ends, crossings.get(car, ()), car not in out, grid, laps.entered, laps.exited))
    return field


def order_of_restart(timing: "Timing", state: "State") -> RestartOrder | None:
    """Give the order of the restart while a race is suspended."""
    if not timing.race or not state.suspended or state.said.start is None:
        return None
    return restart_order(runners(timing, state), state.said.suspensions[-1].began, timing.rules.red_flag, timing.loops)


def not_returned(timing: "Timing", state: "State") -> frozenset[str]:
    """Name the cars that are not classified because they did not come back to the pit lane within the rulebook's time of the red flag.

    Only where the circuit has a loop in the pit lane, and once the time is over as far as the evidence tells.
    """
    within_us, stopped = timing.rules.red_flag.not_returned_within_us, state.stopped
    if within_us is None or stopped is None or not any(timing.loops.in_pit) or state.at <= stopped.signal_at + within_us:
        return frozenset()
    return frozenset(r.car for r in runners(timing, state) if not returned_within(r, stopped.signal_at, within_us))


def rule_close_finish(timing: "Timing", state: "State") -> CloseFinish:
    """Put the cars that ended level or closer than the decoder can tell in the order that was ruled, and say what is left to rule."""
    photo_us = timing.rules.finish.photo_us
    close = clusters(state.standings, photo_us)
    if not close:
        return state.close
    cars = [state.standings[place] for places in close for place in places]
    by_hand = frozenset(s.car for s in cars if _added_by_hand(timing, s.car, s.last_at))
    return rule(state.standings, state.said.finish_rulings, photo_us, by_hand)


def _added_by_hand(timing: "Timing", car: str, at: int) -> bool:
    crossings = timing.evidence.crossings.get(car, [])
    first = bisect_left(crossings, (at,))
    return first < len(crossings) and crossings[first][0] == at and crossings[first][2].startswith(ADDED_PREFIX)


def too_slow(timing: "Timing", state: "State") -> frozenset[str]:
    """Name the cars that took the flag and are not classified because their last lap took longer than the rulebook lets it."""
    within_us = timing.rules.classification.last_lap_within_us
    if within_us is None or state.end is None:
        return frozenset()
    slow = set()
    for standing in state.standings:
        if standing.flagged and standing.laps not in state.untimed.get(standing.car, ()):
            lap_us = timing.laps[standing.car].times[standing.laps - 1]
            if lap_us is not None and lap_us > within_us:
                slow.add(standing.car)
    return frozenset(slow)


def points_percent(timing: "Timing", state: "State") -> int | None:
    """Give the share of the points, in per cent, that the race gives by its distance; ``None`` while it is not over."""
    if not timing.race or not state.over:
        return None
    if state.reading is not None and state.reading.void:
        return 0
    less_than = ran_less_than(timing, state)
    return next((share.percent for share in timing.rules.red_flag.points if less_than(share.below_percent)), 100)


def ran_less_than(timing: "Timing", state: "State") -> Callable[[int], bool]:
    """Give what says whether less than so many per cent of the distance were run; never while a race is not over, or has no distance."""
    race = race_of(timing, state)
    if not state.over or race.distance == Distance():
        return lambda _: False
    laps = max((s.laps for s in state.standings), default=0)
    at = state.stopped.at if state.stopped else state.end.at if state.end else state.said.closed_at or state.at
    return lambda percent: not race.ran(percent, laps, at)


def race_clock(timing: "Timing", state: "State", at: int) -> int:
    """Give the race clock at an instant, in µs since the start."""
    return race_time(at, state.said.start or 0, state.said.suspensions, timing.rules.red_flag.clock)


def gap_clock(timing: "Timing", state: "State") -> GapClock | None:
    """Give the clock by which gaps are taken; ``None`` where what lies between two instants is their difference."""
    rules, breaks = timing.rules.red_flag, state.said.suspensions
    reset = rules.gaps == "reset"
    return GapClock(breaks, rules.clock, reset) if breaks and (reset or rules.clock == "stops") else None
