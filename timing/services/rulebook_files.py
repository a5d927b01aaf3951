"""The form of a rulebook file: a pydantic model of each chapter, made from the domain's values, with durations in seconds.

What is stored in whole µs or thousandths is written as a decimal number: ``grace_us`` as ``grace_s``, ``scale_milli`` as ``scale``.
"""

import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from timing.domain.rulebook import Rulebook, Rules, merged
from timing.domain.units import SECOND

_CONFIG = ConfigDict(extra="forbid", frozen=True)

NONE = "none"
"""What a file says of an optional key that has no value, though its base gives one: TOML has no word for it."""


class Unit(NamedTuple):
    """How a key with this ending is written: with another ending, in units of so many of those stored, and as what kind of number."""

    stored: str
    written: str
    size: int
    number: Any


_UNITS = (
    Unit("_us", "_s", SECOND, Annotated[Decimal, Field(ge=0, le=1_000_000)]),
    Unit("_milli", "", 1_000, Annotated[Decimal, Field(ge=0, le=1_000, decimal_places=3)]),
)


def unit_of(stored: str) -> Unit | None:
    """Give the unit in which a key is written, by its name as it is stored; ``None`` where it is written as it is stored."""
    return next((unit for unit in _UNITS if stored.endswith(unit.stored)), None)


@cache
def model_of(chapter: type[Rules]) -> type[BaseModel]:
    """Make the model that checks a chapter as it is written: unknown keys refused, ``grace_us`` written as ``grace_s`` in seconds."""
    fields: dict[str, Any] = {}
    hints = get_type_hints(chapter, include_extras=True)
    for field in msgspec.structs.fields(chapter):
        hint = Annotated[_written(hints[field.name], unit_of(field.name)), Field(serialization_alias=field.name)]  # type: ignore[valid-type]  # made of values
        fields[as_written(field.name)] = (hint, ... if field.required else _default(field))
    return create_model(chapter.__name__, __config__=_CONFIG, __doc__=chapter.__doc__, **fields)


def as_written(name: str) -> str:
    """Give a key's name as it is written, for its name as it is stored."""
    unit = unit_of(name)
    return name.removesuffix(unit.stored) + unit.written if unit else name


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """Give the value of a key that nobody says, as it is stored."""
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def _default(field: msgspec.structs.FieldInfo) -> Any:
    default = default_of(field)
    if isinstance(default, Rules):
        return model_of(type(default)).model_validate(written_form(default))
    return default if unit_of(field.name) is None else written_value(field.name, default)


def _written(hint: Any, unit: Unit | None) -> Any:  # noqa: PLR0911  # one case a kind of type
    """Give the type as it is written for a type as it is stored."""
    origin = get_origin(hint)
    if origin is Literal:
        return hint
    if origin is Annotated:
        base, *notes = get_args(hint)
        if unit:
            return unit.number
        meta = next(note for note in notes if isinstance(note, Meta))
        return Annotated[base, Field(ge=meta.ge, le=meta.le, strict=True)]
    if origin in (Union, types.UnionType):
        either: Any = Union[tuple(_written(part, unit) for part in get_args(hint))]  # noqa: UP007  # made of values
        return Annotated[either, BeforeValidator(lambda said: None if said == NONE else said)]
    if origin is tuple:
        return tuple[_written(get_args(hint)[0], unit), ...]  # type: ignore[misc]  # made of values
    if origin is dict:
        return dict[str, _written(get_args(hint)[1], unit)]  # type: ignore[misc]  # made of values
    if isinstance(hint, type) and issubclass(hint, Rules):
        return model_of(hint)
    return hint


def written_form(value: Any) -> Any:
    """Give a chapter, or anything in it, as it is written: durations in seconds, points as numbers."""
    if isinstance(value, Rules):
        return {as_written(name): written_value(name, getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [written_form(part) for part in value]
    return value


def written_value(name: str, value: Any) -> Any:
    """Give the value of the key that is stored under ``name`` as it is written."""
    unit = unit_of(name)
    return written_form(value) if unit is None else _each(value, lambda number: Decimal(number) / unit.size)


def stored_form(written: Any) -> Any:
    """Give what was checked as it is stored: durations in µs, points in thousandths, tables as dictionaries."""
    if not isinstance(written, BaseModel):
        return [stored_form(part) for part in written] if isinstance(written, tuple) else written
    stored: dict[str, Any] = {}
    for name, field in type(written).model_fields.items():
        key, value = field.serialization_alias or name, getattr(written, name)
        stored[key] = stored_form(value) if (unit := unit_of(key)) is None else _each(value, partial(_whole, unit.size))
    return stored


def _whole(size: int, number: Decimal) -> int:
    return int(number * size)


def _each(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Convert a number, or each of a table or list of them; ``None`` stays."""
    if isinstance(value, Mapping):
        return {key: _each(part, convert) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_each(part, convert) for part in value]
    return None if value is None else convert(value)


@cache
def _defaults() -> dict[str, Any]:
    nobodys = written_form(Rulebook(id="", title="", source=""))
    return {chapter: value for chapter, value in nobodys.items() if isinstance(value, dict)}


def check(name: str, written: Mapping[str, Any]) -> Rulebook:
    """Check a rulebook as it is written, and give the domain's value.

    Raises:
        pydantic.ValidationError: naming each key that is not of the form.

    """
    whole = merged(_defaults(), written)  # a kind of neutralisation that is written in part keeps the rest of its own defaults
    checked = model_of(Rulebook).model_validate({"id": name, **whole})
    return msgspec.convert(stored_form(checked), Rulebook)
