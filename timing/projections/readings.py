"""What each way of reading a red flag would give, before race control declares it: the result of every policy, and the restart order."""

from itertools import product
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec
from msgspec import Struct, structs

from timing.domain.restart import restart_order
from timing.domain.rulebook import RedFlag
from timing.projections.differences import Differences, Line, differences, lines
from timing.projections.stoppage import points_percent, runners

if TYPE_CHECKING:
    from timing.projections.timing import Timing

DEPTHS = (0, 1, 2)
OTHERS: tuple[str, ...] = get_args(get_type_hints(RedFlag)["others"])
_RESULTS = {
    "last_lap_completed_by_all": "the last lap completed by all",
    "frozen_at_signal": "as the field stood at the signal",
}
_WORDS = {
    "first_crossing_after_leader": "the others at their next crossing, as if the flag had been shown",
    "first_crossing_after_leader_before_signal": "the others at their next crossing, none after the signal",
    "last_crossing_before_leader": "the others at their last crossing before the leader's",
    "same_lap_number": "the others at the same lap number",
    "composite": "those on the leader's lap by that lap, the others by the lap before",
}


class ReadingResult(Struct, frozen=True):
    """One policy and what it gives.

    ``policy``: all of it in English; its parts are ``basis`` (``red_flag.result`` of the rulebook), ``completed_minus``, ``others``,
    ``scope`` and ``stands`` (enough was run for the result to stand as it was). ``own``: it is the rulebook's. ``counted``: the lap
    (``None`` where the restart order is the result), which the leader ended at ``at``. ``result``: every car's line in finishing order.
    ``moved``: where that differs from the rulebook's own.
    """

    policy: str
    own: bool
    completed_minus: int
    others: str
    scope: str
    counted: int | None
    at: int
    void: bool
    points_percent: int | None
    result: tuple[Line, ...]
    moved: Differences
    basis: str = "completed_minus"
    stands: bool = False


class RedFlagSheet(Struct, frozen=True):
    """A red flag's sheet. ``signal_at``: the red flag's instant, or the one supposed; ``completed``: the laps of the leader by then.

    ``declared``: the race was stopped. ``over``: the leader had taken the chequered flag before; nothing is read then.
    ``restart_order``: of a race that goes on, read at ``restart_basis``.
    """

    session: str
    rulebook: str
    signal_at: int
    completed: int
    suspended: bool
    declared: bool
    over: bool
    restart_order: tuple[str, ...]
    restart_basis: str
    readings: tuple[ReadingResult, ...]


def signal_of(timing: "Timing") -> int:
    """Give the instant to read from: the last red flag's, or the latest in evidence where none was shown."""
    state = timing.state()
    breaks = state.said.suspensions
    return breaks[-1].began if breaks else state.at


def readings(timing: "Timing", signal_at: int | None = None) -> tuple[ReadingResult, ...]:
    """Read a red flag at ``signal_at`` (or the last one shown) in every way, the rulebook's own first. Nothing of ``timing`` changes."""
    at = signal_of(timing) if signal_at is None else signal_at
    own = timing.rules.red_flag
    standing = _one(timing, at, own, {}, own=True)
    if standing is None:
        return ()
    base = {line.car: line for line in standing.result}
    scopes = ("overall", "class") if len(timing.state().said.classes) > 1 else ("overall",)
    found = [standing]
    for depth, others, scope in product(DEPTHS, OTHERS, scopes):
        changes: dict[str, Any] = {"result": "completed_minus", "completed_minus": depth, "others": others, "scope": scope}
        rules = structs.replace(own, stands_at_percent=None, **changes)
        reading = _one(timing, at, rules, base, own=rules == structs.replace(own, stands_at_percent=None) and not _stands(timing, at))
        if reading is not None and not reading.own:
            found.append(reading)
    return tuple(found)


def red_flag_sheet(timing: "Timing", signal_at: int | None = None) -> RedFlagSheet:
    """Make the sheet that race control decides by. ``signal_at`` supposes a red flag then."""
    at = signal_of(timing) if signal_at is None else signal_at
    state = timing.state()
    found = readings(timing, at)
    field = runners(timing, state)
    restart = restart_order(field, at, timing.rules.red_flag, timing.loops)
    supposed = timing.supposing(at, timing.rules.red_flag).state()
    completed = supposed.stopped.completed if supposed.stopped else supposed.end.laps if supposed.end else 0
    return RedFlagSheet(
        timing.session, timing.rules.title, at, completed, state.suspended, state.stopped is not None, supposed.stopped is None,
        restart.running, restart.basis, found,
    )  # fmt: skip


def red_flag_json(timing: "Timing", signal_at: int | None = None) -> bytes:
    """Write the sheet as JSON."""
    return msgspec.json.encode(red_flag_sheet(timing, signal_at))


def _stands(timing: "Timing", at: int) -> bool:
    reading = timing.supposing(at, timing.rules.red_flag).state().reading
    return reading is not None and reading.stands


def _one(timing: "Timing", at: int, rules: RedFlag, base: dict[str, Line], *, own: bool) -> ReadingResult | None:
    supposed = timing.supposing(at, rules)
    state = supposed.state()
    reading = state.reading
    if reading is None:
        return None
    result = lines(supposed)
    taken = reading.taken
    return ReadingResult(
        policy(rules, stands=reading.stands), own, rules.completed_minus, rules.others, rules.scope,
        None if reading.restarted else taken.counted, taken.at, reading.void, points_percent(supposed, state),
        tuple(result.values()), differences(base, result) if base else Differences(), rules.result, reading.stands,
    )  # fmt: skip


def policy(rules: RedFlag, *, stands: bool = False) -> str:
    """Say a policy in words: ``C-1, the others at the same lap number``. C: the laps the leader had completed at the signal."""
    if rules.result != "completed_minus":
        depth = _RESULTS[rules.result]
    elif stands or not rules.completed_minus:
        depth = "C" + (", the result stands" if stands else "")
    else:
        depth = f"C-{rules.completed_minus}"
    if rules.scope == "class":
        depth += ", each class by its own leader"
    return depth if rules.result == "frozen_at_signal" else f"{depth}; {_WORDS[rules.others]}"
