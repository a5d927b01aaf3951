"""Why a car stands elsewhere in another fold of its session: what is known of it there and not here, and who went past it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from timing.domain.events import (
    AnyCommand,
    Decision,
    DecisionUpdated,
    EventRetimed,
    EventVoided,
    Message,
    PassingReassigned,
    PassingVoided,
    ResultPublished,
    SessionOpened,
    event_type,
)
from timing.domain.units import format_duration, time_of_day
from timing.projections.differences import Change, Line
from timing.projections.timing import Timing
from timing.projections.versions import VOIDED, DecisionStep, decision_steps
from timing.services.rulebook_keys import in_toml
from timing.services.rulebook_origins import stored

_LONG = 80  # letters of a rulebook's value
_NAMED = 4  # crossings, cars or keys that are named one by one

_TOLD_OTHERWISE = (Decision, DecisionUpdated, Message, ResultPublished, EventVoided, EventRetimed)
"""Events told as what they come to (a decision's life, the event as it then holds), or that change no result."""

_PLACES = frozenset({"position", "class_position", "on_the_road"})

_SILENT = frozenset({"id", "at", "by", "acted_by", "stamped", "reason", "car", "type"})


class Reasons:
    """Finds reasons in two folds of a session, whose lines are ``before`` (left) and ``after`` (right)."""

    def __init__(self, left: Timing, right: Timing, before: Mapping[str, Line], after: Mapping[str, Line]) -> None:
        self._left, self._right = left, right
        self._before, self._after = before, after
        self._decided: dict[str, list[str]] = {}
        for step in decision_steps(left.state().said.rulings, right.state().said.rulings):
            self._decided.setdefault(step.car, []).append(_step(step))
        self._own: dict[str, list[str]] = {}
        self._common: list[str] = []
        self._tell_commands()

    def common(self) -> Iterator[str]:
        """Say what differs that concerns every car."""
        yield from _rules(self._left, self._right)
        yield from self._common

    def of(self, car: str, changes: Mapping[str, Change]) -> Iterator[str]:
        """Say why a car's line differs."""
        own = [*self._decided.get(car, ()), *self._own.get(car, ()), *self._crossings(car)]
        yield from own
        past = list(self._past(car)) if _PLACES & changes.keys() else []
        yield from past
        if not own and not (past and changes.keys() <= _PLACES | {"points"}):
            if any(self.common()):
                yield "by what concerns all cars"
            elif not past:
                yield "by what differs of other cars"

    def _tell_commands(self) -> None:
        """Sort the commands that hold, or say something else, on one side only: to the cars they are about, or to all."""
        left, right = _by_id(self._left), _by_id(self._right)
        for name in dict.fromkeys((*left, *right)):
            one, other = left.get(name), right.get(name)
            if one == other:
                continue
            shown = other or one
            assert shown is not None
            if isinstance(shown, _TOLD_OTHERWISE):
                continue
            text = _command(shown, one, other)
            cars = _cars(shown)
            for car in cars:
                self._own.setdefault(car, []).append(text)
            if not cars and not isinstance(shown, PassingVoided | PassingReassigned):
                self._common.append(text)

    def _crossings(self, car: str) -> Iterator[str]:
        """Tell the crossings of a car that are on one side only, or at another instant."""
        left, right = _crossings(self._left, car), _crossings(self._right, car)
        more = [(at, loop) for key, (at, loop) in right.items() if key not in left]
        fewer = [(at, loop) for key, (at, loop) in left.items() if key not in right]
        moved = [(at, loop, at - left[key][0]) for key, (at, loop) in right.items() if key in left and left[key] != (at, loop)]
        for crossings, what in ((more, "more"), (fewer, "fewer")):
            if crossings:
                yield f"{_count(len(crossings))} {what}: {_listed(f'{loop} {time_of_day(at)}' for at, loop in sorted(crossings))}"
        if moved:
            shifts = (f"{loop} {time_of_day(at)} ({'+' if by > 0 else '-'}{format_duration(abs(by))})" for at, loop, by in sorted(moved))
            yield f"{_count(len(moved))} at another instant: {_listed(shifts)}"

    def _past(self, car: str) -> Iterator[str]:
        """Tell with whom a car changed places in the result, and where that is the same, on the road."""
        for place, where in (("position", "the result"), ("on_the_road", "the running order")):
            ahead, behind = self._ahead(self._before, car, place), self._ahead(self._after, car, place)
            if ahead is None or behind is None:
                continue
            if behind - ahead or ahead - behind:
                if lost := sorted(behind - ahead, key=lambda c: getattr(self._after[c], place)):
                    yield f"behind {_listed(lost)} now in {where}"
                if won := sorted(ahead - behind, key=lambda c: getattr(self._before[c], place)):
                    yield f"not behind {_listed(won)} any more in {where}"
                return

    @staticmethod
    def _ahead(side: Mapping[str, Line], car: str, place: str) -> set[str] | None:
        """Name the cars ahead of one; ``None`` where it has no such place."""
        own = getattr(side[car], place) if car in side else None
        if own is None:
            return None
        return {name for name, line in side.items() if (other := getattr(line, place)) is not None and other < own}


def _rules(left: Timing, right: Timing) -> Iterator[str]:
    if left.rulebook_hash == right.rulebook_hash:
        return
    rules = [timing.evidence.opened.rules if timing.evidence.opened else None for timing in (left, right)]
    if not isinstance(rules[0], dict) or not isinstance(rules[1], dict):
        return
    one, other = stored(rules[0]), stored(rules[1])
    keys = [
        f"{a.key.path} {_short(a.value)} -> {_short(b.value)}"
        for a, b in zip(one.values, other.values, strict=True)
        if a.value != b.value and a.key.chapter
    ]
    count = f"{len(keys)} key{'s' if len(keys) != 1 else ''}"
    yield f"rulebook {one.rulebook.title} -> {other.rulebook.title}, {count}: {', '.join(keys) or 'none'}"


def _short(value: Any) -> str:
    """Write a value as a rulebook has it; of what is long, how much it is: `timing rulebook diff` shows it whole."""
    text = in_toml(value)
    if len(text) <= _LONG or not isinstance(value, Mapping | list | tuple):
        return text
    return f"({len(value)} {'entry' if len(value) == 1 else 'entries'})"


def _step(step: DecisionStep) -> str:
    article = f" ({step.article})" if step.article else ""
    because = f": {step.reason}" if step.reason else ""
    decision = f"decision {step.decision}, {step.text}{article}"
    if step.before is None:
        return f"{decision}, {step.after}, is only right{because}"
    if step.after == VOIDED:
        return f"{decision}, {step.before}, is only left"
    return f"{decision}, is {step.before} left, {step.after} right{because}"


def _by_id(timing: Timing) -> dict[str, AnyCommand]:
    commands = timing.evidence.commands
    return {event.id: replace(event, rules=UNSET) if isinstance(event, SessionOpened) else event for event in commands}


def _cars(event: AnyCommand) -> tuple[str, ...]:
    car = getattr(event, "car", None)
    return () if car is None else (car,)


def _command(shown: AnyCommand, one: AnyCommand | None, other: AnyCommand | None) -> str:
    kind = event_type(type(shown).__name__)
    said = ", ".join(
        str(value)
        for name in shown.__struct_fields__
        if name not in _SILENT and isinstance(value := getattr(shown, name), str | int) and not isinstance(value, bool)
    )
    text = f"{kind} {shown.id}{f' ({said})' if said else ''}"
    if one is None:
        return f"{text} at {time_of_day(shown.at)} is only right"
    if other is None:
        return f"{text} at {time_of_day(shown.at)} is only left"
    if one.at != other.at:
        return f"{text} is at {time_of_day(one.at)} left, at {time_of_day(other.at)} right"
    return f"{text} says something else right"


def _crossings(timing: Timing, car: str) -> dict[tuple[str, int, int], tuple[int, str]]:
    opened = timing.evidence.opened
    loops = opened.circuit.loops if opened else ()
    return {(source, boot, number): (at, loops[loop].id) for at, loop, source, boot, number in timing.evidence.crossings.get(car, ())}


def _count(number: int) -> str:
    return "1 crossing" if number == 1 else f"{number} crossings"


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {more} more" if more > 0 else "")
