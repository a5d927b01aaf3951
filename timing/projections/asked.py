"""The lines of the rulebook that were asked for a place, as its file has them."""

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, Any

from timing.domain.classification import Place
from timing.domain.decisions import own_us
from timing.domain.rulebook import Championship
from timing.domain.units import SECOND
from timing.projections.explanation import Heard, RuleLine
from timing.projections.points import written
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_BY_VERDICT = {
    "duplicate": "laps.duplicate_window_us",
    "short_lap": "laps.min_lap_us",
    "after_close": "laps.horizon_us",
    "at_start": "start.ignore_crossings_us",
    "formation": "start.behind_safety_car",
}
_KINDS = ("safety_car", "vsc", "fcy", "code60")


def rule_lines(timing: "Timing", state: State, place: Place, crossings: Iterable[Heard], *, decided: bool) -> Iterator[RuleLine]:
    """Name the lines of the rulebook that were asked for this place."""
    rules, listed = timing.rules, tuple(crossings)
    keys = ["start.lap1_from"] if timing.race else ["qualifying.tie"]
    if timing.formation:
        keys.append("start.behind_safety_car")
    verdicts = {heard.verdict for heard in listed}
    keys += [key for verdict, key in _BY_VERDICT.items() if verdict in verdicts and key not in keys]
    keys += _of_neutralisations(timing, state, {tag for heard in listed for tag in heard.tags})
    keys += _of_the_end(timing, state, place.car)
    if state.over and timing.race:
        keys += [f"classification.{key}" for key in ("min_percent", "base", "must_cross_flag")]
        keys += ["classification.last_lap_within_us"] if rules.classification.last_lap_within_us is not None else []
    if place.status == "disqualified":
        keys.append("classification.disqualified")
    if decided and timing.race:
        keys += ["penalties.unserved", "penalties.lap_conversion"]
    keys += _of_drives(timing, state, place.car)
    if state.qualified and state.qualified.heats.rules.percent:
        keys += ["qualifying.percent", "qualifying.percent_of"]
    for key in dict.fromkeys(keys):
        yield _line(key, reduce(getattr, key.split("."), rules), rules.source)
    if timing.race and state.over:
        for share in rules.red_flag.points:
            yield RuleLine("red_flag.points", f"{share.percent} % below {share.below_percent} % of the distance", rules.source)
    for championship in rules.points.championships:
        yield _of_points(championship, rules.source)


def _of_neutralisations(timing: "Timing", state: State, tags: set[str]) -> Iterator[str]:
    """Ask of the laps run under one whether they are best laps, and of one that lasts where the order is frozen until."""
    yield from (f"neutralisation.{kind}.best_laps" for kind in _KINDS if kind in tags)
    window = timing.neutral.current()
    if window is not None and window.rule is not None and timing.race and not state.over:
        yield from (f"neutralisation.{window.interval.kind}.{key}" for key in ("order", "until", "lapped"))
        yield "neutralisation.slow_percent"


def _of_drives(timing: "Timing", state: State, car: str) -> Iterator[str]:
    """Ask what a drive-through or stop-go of the car comes to by the table."""
    opened, table = timing.evidence.opened, timing.rules.penalties
    own = own_us(table, opened.circuit.name if opened else "") is not None
    for ruling in state.said.drives if state.over and timing.race else ():
        if ruling.decision.car == car and ruling.by_table:
            yield from ("penalties.convert_within_laps",) if ruling.unserved else ()
            yield "penalties.per_circuit_us" if own else f"penalties.{ruling.decision.penalty}_us"


def _of_the_end(timing: "Timing", state: State, car: str) -> Iterator[str]:
    """Ask of suspensions, of the result of a stopped race, and of the flag."""
    rules = timing.rules
    if not timing.race:
        return
    if state.said.suspensions:
        yield from (f"red_flag.{key}" for key in ("clock", "lap_across"))
    if state.suspended:
        yield "red_flag.restart_order"
    if state.stopped or state.suspended:
        yield from (f"red_flag.{key}" for key in ("result", "completed_minus", "scope", "others", "min_laps"))
        yield from (
            f"red_flag.{key}" for key in ("stands_at_percent", "not_returned_within_us") if getattr(rules.red_flag, key) is not None
        )
    elif state.end:
        yield from ("finish.early_flag", "finish.late_flag") if state.said.flag_at is not None else ()
        yield from ("finish.grace_us",) if rules.finish.grace_us is not None else ()
        yield from ("finish.photo_us", "finish.dead_heat") if car in state.close.photo | state.close.ruled else ()


def _line(key: str, value: Any, source: str) -> RuleLine:
    """Write a line as a rulebook's file has it."""
    chapter, _, name = key.rpartition(".")
    if value is None:
        said = "none"
    elif isinstance(value, bool):
        said = str(value).lower()
    elif isinstance(value, dict):
        said = ", ".join(f"{of} {us / SECOND:g}" for of, us in value.items())
    elif isinstance(value, int) and name.endswith("_us"):
        said = f"{value / SECOND:g}"
    else:
        said = str(value)
    return RuleLine(f"{chapter}.{name.removesuffix('_us')}_s" if name.endswith("_us") else key, said, source)


def _of_points(championship: Championship, source: str) -> RuleLine:
    scale = "-".join(written(points) for points in championship.scale_milli)
    said = f"{scale}, places {championship.places}, entered {championship.entered}, who does not score: {championship.ineligible}"
    return RuleLine(f"points.championships.{championship.name}", said, source)
