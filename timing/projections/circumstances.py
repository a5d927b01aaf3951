"""What a place rests on beside crossings and decisions: formation laps, suspensions, a frozen order, a photo finish, the sum of a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from timing.domain.classification import Penalties, Place
from timing.domain.events import FinishOrderRuled
from timing.domain.order import Standing
from timing.domain.suspension import suspended_us
from timing.domain.units import format_duration, time_of_day
from timing.projections.explanation import Sum
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing

UNDER = {"safety_car": "the safety car", "vsc": "the virtual safety car", "fcy": "full course yellow", "code60": "Code 60"}
"""Neutralisations as they are said."""


def sum_of(timing: "Timing", state: State, standing: Standing, place: Place) -> Sum | None:
    """Give what a car's time in the result is made of; ``None`` where it has none."""
    if not timing.race or place.total_us is None:
        return None
    stops = timing.rules.red_flag.clock == "stops"
    stopped_us = suspended_us(state.said.suspensions, timing.origin, standing.last_at) if stops else 0
    found = state.penalties.get(standing.car, Penalties())
    driven_us = standing.last_at - timing.origin - stopped_us
    converted = max(standing.laps - found.laps, 0) - place.laps
    converted_us = converted * driven_us // standing.laps if converted else 0
    return Sum(timing.origin, standing.last_at, stopped_us, found.time_us, converted, converted_us, place.total_us)


def sum_in_words(found: Sum) -> str:
    """Say how a time came about."""
    parts = [f"from {time_of_day(found.began_at)} to {time_of_day(found.ended_at)}"]
    parts += [f"less {format_duration(found.stopped_us)} for which the race clock stood"] if found.stopped_us else []
    parts += [f"and {format_duration(found.added_us)} by decisions"] if found.added_us else []
    if found.converted_laps:
        laps = f"{found.converted_laps} lap{'s' if found.converted_laps != 1 else ''}"
        parts.append(f"less {format_duration(found.converted_us)} for the {laps} taken in their place")
    return f"Its time: {', '.join(parts)}: {format_duration(found.total_us)}."


def formation_in_words(timing: "Timing") -> Iterator[str]:
    """Say where a race began that was started behind the safety car."""
    formation = timing.formation
    if formation is not None:
        laps = f"{formation.laps} lap{'s' if formation.laps != 1 else ''}"
        where = "at the line at which the safety car was in" if formation.at_line else "as racing went on after the red flag"
        yield f"The race began at {time_of_day(formation.at)}, {where}: {laps} behind the safety car do not count."


def suspensions_in_words(timing: "Timing", state: State, car: str) -> Iterator[str]:
    """Say when the race was suspended, and which of the car's laps were run across that."""
    clock = "stood" if timing.rules.red_flag.clock == "stops" else "ran on"
    for b in state.said.suspensions:
        if b.ended is not None and timing.race:
            lasted = format_duration(b.ended - b.began)
            yield f"Suspended at {time_of_day(b.began)}, resumed at {time_of_day(b.ended)}, after {lasted}; the race clock {clock}."
    laps = sorted(state.untimed.get(car, ()))
    if laps:
        named = f"Lap {laps[0]} was" if len(laps) == 1 else f"Laps {', '.join(map(str, laps))} were"
        yield f"{named} run across a suspension, without a lap time."


def frozen_in_words(timing: "Timing", state: State, car: str, *, moved: bool) -> Iterator[str]:
    """Say since when the order shown is frozen, and which passes of this car are held against it or for it."""
    window = timing.neutral.current()
    if window is None or not window.frozen or not timing.race or state.over or state.said.start is None:
        return
    where = ", as of the last loop each car passed" if moved else ""
    kind = window.interval.kind
    yield f"The order shown is frozen since {time_of_day(window.interval.began)}, under {UNDER.get(kind, kind)}{where}."
    opened = timing.evidence.opened
    for passed in timing.neutral.frozen.passes(timing, state):
        overtake = passed.overtake
        if opened and overtake.place and passed.stands in ("open", "give_back") and car in (overtake.car, overtake.over):
            waits = "waits for race control" if passed.stands == "open" else "is to be given back"
            where = f"before {opened.circuit.loops[overtake.loop].id} at {time_of_day(overtake.at)}"
            yield f"{overtake.car} passed {overtake.over} {where}, which nothing explains: it {waits}, and {overtake.over} is shown ahead."


def photo_in_words(timing: "Timing", state: State, car: str) -> Iterator[str]:
    """Say that a place waits for the photo, or by which ruling it was settled."""
    if car in state.close.photo:
        within = format_duration(timing.rules.finish.photo_us, 6)
        yield f"It crossed the line less than {within} s from a neighbour: the place waits for the photo."
    if ruling := ruling_between(state, car):
        yield f"Photo finish: {ruling_text(ruling)}."


def ruling_between(state: State, *cars: str) -> FinishOrderRuled | None:
    """Give the ruling that holds among these cars at the finish, the latest that names them all."""
    if not set(cars) <= state.close.ruled:
        return None
    return next((ruled for ruled in reversed(state.said.finish_rulings) if set(cars) <= set(ruled.cars)), None)


def ruling_text(ruled: FinishOrderRuled) -> str:
    """Say what was ruled, when, by whom and why."""
    what = f"{' and '.join(ruled.cars)} in a dead heat" if ruled.dead_heat else f"the order {', '.join(ruled.cars)}"
    by, why = (f" by {ruled.by}" if ruled.by else ""), (f": {ruled.reason}" if ruled.reason else "")
    return f"{what} was ruled at {time_of_day(ruled.at)}{by}{why} ({ruled.id})"
