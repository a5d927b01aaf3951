"""Rulebooks drawn by chance from every policy and number that a rulebook may hold: a key that is added is drawn from then on."""

from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from timing.domain.rulebook import Rulebook, Rules
from timing.domain.units import MINUTE, SECOND

DURATIONS = (0, 1, SECOND, 20 * SECOND, 90 * SECOND, 5 * MINUTE, 20 * MINUTE)
SOME = {
    "horizon_us": (48 * 60 * MINUTE, 25 * MINUTE),
    "per_circuit_us": ({}, {"Circuit d'Albi": 53 * SECOND}),
    "name": ("Q1", "Q2"),
    "classes": ((), ("GT",)),
    "offence": ("Contact", "Speeding in the pit lane"),
    "article": (None, "33.2"),
}
"""Keys whose type says too little of what is believable."""


def drawn_rulebook(chance: Random) -> Rulebook:
    """Draw a whole rulebook."""
    rules: Rulebook = msgspec.convert({**_chapter(Rulebook, chance), "id": "drawn", "title": "Drawn", "source": "chance"}, Rulebook)
    return rules


def _chapter(kind: type[Rules], chance: Random) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    names = [name for name in kind.__struct_fields__ if kind is not Rulebook or name not in ("id", "title", "source")]
    return {name: _value(name, hints[name], chance) for name in names}


def _value(name: str, hint: Any, chance: Random) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if name in SOME and origin is not Literal:
        return chance.choice(SOME[name])
    if origin in (Union, UnionType):
        return _value(name, chance.choice(parts), chance)
    if origin is tuple:
        return tuple(_value(name, parts[0], chance) for _ in range(chance.choice((0, 0, 1, 2))))
    if origin is Annotated:
        return chance.choice(DURATIONS) if name.endswith("_us") else _number(parts[1], chance)
    if isinstance(hint, type) and issubclass(hint, Rules):
        return _chapter(hint, chance)
    choices = {Literal: parts}.get(origin, {NoneType: (None,), bool: (False, True)}.get(hint, ()))
    assert choices, f"{name}: draw values of {hint} too"
    return chance.choice(choices)


def _number(limits: Meta, chance: Random) -> int:
    low, high = int(limits.ge or 0), int(limits.le or 0)
    return chance.randint(low, min(high, low + chance.choice((2, 100))))
