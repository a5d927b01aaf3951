"""The keys of a rulebook as people write them: what each may be, what it is if nobody says, and what it means."""

import ast
import inspect
import json
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from timing.domain import rulebook as domain
from timing.services.rulebook_files import NONE, Unit, as_written, default_of, unit_of, written_value


class Key(Struct, frozen=True):
    """A key of the file form, written with its chapter (``finish.grace_s``), and its path in the stored form (``finish.grace_us``).

    ``choices`` are its alternatives, where it is a named policy. ``allowed`` says in words what it may be. ``default`` is its value in the
    file form if nobody says another. ``parts`` are the keys of each entry, where it is a list of tables.
    """

    path: str
    stored: str
    allowed: str
    choices: tuple[str, ...]
    required: bool
    default: Any
    meaning: str
    parts: tuple["Key", ...] = ()

    @property
    def chapter(self) -> str:
        """The chapter it stands in; empty for what names the rulebook itself."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name within the chapter."""
        return self.path.rpartition(".")[2]


@cache
def keys() -> tuple[Key, ...]:
    """Give every key, in the order of the chapters."""
    return tuple(_keys_of(domain.Rulebook, "", None))


@cache
def chapters() -> dict[str, str]:
    """Give each chapter's name (``red_flag``, ``neutralisation.fcy``) and what it is about."""
    return dict(_chapters_of(domain.Rulebook, ""))


def flat(written: Mapping[str, Any]) -> dict[str, Any]:
    """Give the keys of a rulebook's file form with their chapters before them, and their values."""
    found: dict[str, Any] = {}
    for key in keys():
        value: Any = written
        for step in key.path.split("."):
            value = value.get(step, msgspec.UNSET) if isinstance(value, Mapping) else msgspec.UNSET
        if value is not msgspec.UNSET:
            found[key.path] = value
    return found


def in_toml(value: Any) -> str:
    """Write a value as a TOML file has it; ``"none"`` for the value of an optional key that has none."""
    match value:
        case None:
            return f'"{NONE}"'
        case bool():
            return "true" if value else "false"
        case Mapping():
            return f"{{ {', '.join(f'{_bare(name)} = {in_toml(part)}' for name, part in value.items())} }}" if value else "{}"
        case list() | tuple():
            return f"[{', '.join(in_toml(part) for part in value)}]"
        case int() | float() | Decimal():
            text = f"{Decimal(str(value)):f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
    return _quoted(str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # the one character that TOML refuses and JSON does not


def _bare(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _quoted(name)


def _keys_of(chapter: type[domain.Rules], before: str, given: domain.Rules | None) -> Iterator[Key]:
    """Give the keys of a chapter; ``given`` is its value where the chapter above sets another default."""
    hints, texts = get_type_hints(chapter, include_extras=True), _texts()[chapter.__name__]
    for field in msgspec.structs.fields(chapter):
        hint, default = hints[field.name], default_of(field) if given is None else getattr(given, field.name)
        if isinstance(hint, type) and issubclass(hint, domain.Rules):
            yield from _keys_of(hint, f"{before}{field.name}.", default)
            continue
        name = as_written(field.name)
        entry = next((part for part in get_args(hint) if isinstance(part, type) and issubclass(part, domain.Rules)), None)
        yield Key(
            path=before + name,
            stored=before + field.name,
            allowed=_allowed(hint, unit_of(field.name)),
            choices=tuple(get_args(hint)) if get_origin(hint) is Literal else (),
            required=field.required,
            default=None if field.required else written_value(field.name, default),
            meaning=texts[field.name],
            parts=tuple(_keys_of(entry, "", None)) if entry else (),
        )


def _chapters_of(chapter: type[domain.Rules], before: str) -> Iterator[tuple[str, str]]:
    for name, hint in get_type_hints(chapter).items():
        if isinstance(hint, type) and issubclass(hint, domain.Rules):
            yield before + name, " ".join(str(inspect.getdoc(hint)).split()) if not before else _texts()[chapter.__name__][name]
            yield from _chapters_of(hint, f"{before}{name}.")


def _allowed(hint: Any, unit: Unit | None) -> str:  # noqa: PLR0911  # one case a kind of type
    """Say in words what a key may be."""
    origin = get_origin(hint)
    if origin is Literal:
        return " | ".join(get_args(hint))
    if origin in (Union, types.UnionType):
        part = next(part for part in get_args(hint) if part is not type(None))
        return f"{_allowed(part, unit)}, or {NONE}"
    if origin is tuple:
        return "a list of points" if unit else "a list of texts" if get_args(hint)[0] is str else "a list of tables"
    if origin is dict:
        return "a table of names with seconds" if unit else "a table"
    if unit:
        return "seconds, 0 or more" if unit.written else "points, 0 or more"
    if origin is Annotated:
        meta = next(note for note in get_args(hint)[1:] if isinstance(note, Meta))
        return f"a whole number from {meta.ge} to {meta.le}"
    return {bool: "true | false", str: "a text"}[hint]


@cache
def _texts() -> dict[str, dict[str, str]]:
    """Read the text under each key off the domain's source."""
    texts: dict[str, dict[str, str]] = {}
    for chapter in ast.parse(inspect.getsource(domain)).body:
        if isinstance(chapter, ast.ClassDef):
            said = texts.setdefault(chapter.name, {})
            for field, below in zip(chapter.body, chapter.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    said[ast.unparse(field.target)] = " ".join(str(below.value.value).split())
    return texts
