"""The form of a rulebook file: a pydantic model of each chapter, made from the domain's values, with durations in seconds."""

import types
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from timing.domain.rulebook import Rulebook, Rules, merged
from timing.domain.units import SECOND

Seconds = Annotated[Decimal, Field(ge=0, le=1_000_000)]
_CONFIG = ConfigDict(extra="forbid", frozen=True)
_IN_US = "_us"

NONE = "none"
"""What a file says of an optional key that has no value, though its base gives one: TOML has no word for it."""


@cache
def model_of(chapter: type[Rules]) -> type[BaseModel]:
    """Make the model that checks a chapter as it is written: unknown keys refused, ``grace_us`` written as ``grace_s`` in seconds."""
    fields: dict[str, Any] = {}
    hints = get_type_hints(chapter, include_extras=True)
    for field in msgspec.structs.fields(chapter):
        in_us = field.name.endswith(_IN_US)
        hint = _written(hints[field.name], in_us=in_us)
        fields[as_written(field.name)] = (hint, ... if field.required else _default(field))
    return create_model(chapter.__name__, __config__=_CONFIG, __doc__=chapter.__doc__, **fields)


def as_written(name: str) -> str:
    """Give a key's name as it is written, for its name as it is stored."""
    return f"{name.removesuffix(_IN_US)}_s" if name.endswith(_IN_US) else name


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """Give the value of a key that nobody says, as it is stored."""
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def _default(field: msgspec.structs.FieldInfo) -> Any:
    default = default_of(field)
    if isinstance(default, Rules):
        return model_of(type(default)).model_validate(written_form(default))
    return written_value(field.name, default) if field.name.endswith(_IN_US) else default


def _written(hint: Any, *, in_us: bool) -> Any:  # noqa: PLR0911  # one case a kind of type
    """Give the type as it is written for a type as it is stored."""
    origin = get_origin(hint)
    if origin is Literal:
        return hint
    if origin is Annotated:
        base, *notes = get_args(hint)
        if in_us:
            return Seconds
        meta = next(note for note in notes if isinstance(note, Meta))
        return Annotated[base, Field(ge=meta.ge, le=meta.le, strict=True)]
    if origin in (Union, types.UnionType):
        either: Any = Union[tuple(_written(part, in_us=in_us) for part in get_args(hint))]  # noqa: UP007  # made of values
        return Annotated[either, BeforeValidator(lambda said: None if said == NONE else said)]
    if origin is tuple:
        return tuple[_written(get_args(hint)[0], in_us=in_us), ...]  # type: ignore[misc]  # made of values
    if origin is dict:
        return dict[str, _written(get_args(hint)[1], in_us=in_us)]  # type: ignore[misc]  # made of values
    if isinstance(hint, type) and issubclass(hint, Rules):
        return model_of(hint)
    return hint


def written_form(value: Any) -> Any:
    """Give a chapter, or anything in it, as it is written: durations in seconds."""
    if isinstance(value, Rules):
        return {as_written(name): written_value(name, getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [written_form(part) for part in value]
    return value


def written_value(name: str, value: Any) -> Any:
    """Give the value of the key that is stored under ``name`` as it is written."""
    return _seconds(value) if name.endswith(_IN_US) else written_form(value)


def _seconds(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _seconds(part) for key, part in value.items()}
    return None if value is None else Decimal(value) / SECOND


def stored_form(written: Any) -> Any:
    """Give what was checked as it is stored: durations in µs, tables as dictionaries."""
    if not isinstance(written, BaseModel):
        return [stored_form(part) for part in written] if isinstance(written, tuple) else written
    stored: dict[str, Any] = {}
    for name in type(written).model_fields:
        value = getattr(written, name)
        if name.endswith("_s") and not isinstance(value, str):
            stored[f"{name.removesuffix('_s')}{_IN_US}"] = _us(value)
        else:
            stored[name] = stored_form(value)
    return stored


def _us(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _us(part) for key, part in value.items()}
    return None if value is None else int(value * SECOND)


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
