"""Copies of a fold that go on apart: what a keyframe is made of. Values are shared, they never change; containers are copied."""

from functools import cache
from types import MethodType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_HOME = "timing."


def copied(timing: "Timing") -> "Timing":
    """Copy a fold in about a millisecond for ten thousand records. Both may be applied to, asked and copied again.

    It relies on two habits of this code: frozen structs, tuples and what is in them, and what is in sets, are never changed in place; and
    the values of a dictionary, or of a list, are of one kind, so that the first one tells whether they are to be copied too.
    """
    timing.state()
    other: Timing = _copy(timing, {})
    return other


def let_go(timing: "Timing") -> None:
    """Free at once what a fold holds that nobody asks any more; it is in circles, and would wait for the collector."""
    vars(timing).clear()


def _copy(value: Any, done: dict[int, Any]) -> Any:  # noqa: PLR0911  # one case a kind of value
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    copier = _CONTAINERS.get(kind)
    if copier is not None:
        return copier(value, done)
    if kind is MethodType:
        return kind(value.__func__, _copy(value.__self__, done))
    if not _changes(value):
        return value
    if id(value) in done:
        return done[id(value)]
    if issubclass(kind, Struct):
        fields = {name: _copy(getattr(value, name), done) for name in kind.__struct_fields__}
        other = done[id(value)] = kind(**fields)
        return other
    other = done[id(value)] = kind.__new__(kind)
    for name in _slots(kind):
        part = getattr(value, name)
        setattr(other, name, part if type(part) in _ATOMS else _copy(part, done))
    if hasattr(value, "__dict__"):
        vars(other).update({name: _copy(part, done) for name, part in vars(value).items()})
    return other


@cache
def _slots(kind: type) -> tuple[str, ...]:
    return tuple(name for base in kind.__mro__ for name in getattr(base, "__slots__", ()))


def _copy_dict(value: dict[Any, Any], done: dict[int, Any]) -> Any:
    known = done.get(id(value))
    if known is None:
        plain = not value or not any(_changes(v) for v in _sample(value))
        known = done[id(value)] = dict(value) if plain else {key: _copy(v, done) for key, v in value.items()}
    return known


def _sample(value: dict[Any, Any]) -> list[Any]:
    """Give what tells whether a dictionary's values change: those of one dictionary are of one kind, or none."""
    found = []
    for v in value.values():
        found.append(v)
        if v is not None:
            break
    return found


def _changes(value: object) -> bool:
    """Say whether a value may be changed in place, or leads to one that may: a method's object does."""
    kind: Any = type(value)
    if kind in _ATOMS:
        return False
    if kind in _CONTAINERS or kind is MethodType:
        return True
    if not kind.__module__.startswith(_HOME):
        return False
    if not issubclass(kind, Struct):
        return True
    return not kind.__struct_config__.frozen or any(type(getattr(value, name)) is MethodType for name in kind.__struct_fields__)


def _copy_list(value: list[Any], done: dict[int, Any]) -> Any:
    known = done.get(id(value))
    if known is None:
        known = done[id(value)] = [_copy(v, done) for v in value] if value and _changes(value[0]) else value.copy()
    return known


def _copy_set(value: set[Any], done: dict[int, Any]) -> Any:
    return done.setdefault(id(value), set(value))


_ATOMS = frozenset({int, str, bool, bytes, tuple, frozenset, type(None)})
_CONTAINERS: dict[type, Any] = {dict: _copy_dict, list: _copy_list, set: _copy_set}
