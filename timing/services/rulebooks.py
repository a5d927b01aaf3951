"""Rulebooks at the border: TOML files and what ``session_opened`` says, checked by pydantic, made into the domain's values."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from timing.domain import rulebook as domain
from timing.domain.errors import RulebookError
from timing.services.rulebook_files import check


class Rulebooks:
    """The rulebooks at hand: those shipped, and those of a folder of one's own, which take precedence."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folders: list[Traversable | Path] = [_shipped()] if folder is None else [folder, _shipped()]

    def names(self) -> list[str]:
        """Name the rulebooks at hand."""
        return sorted({f.name.removesuffix(".toml") for folder in self._folders for f in folder.iterdir() if f.name.endswith(".toml")})

    def resolve(self, said: str | Mapping[str, Any]) -> dict[str, Any]:
        """Give the whole rulebook, in its stored form, for what ``session_opened`` says: a name, or ``base`` and changes.

        Raises:
            RulebookError: naming what is not known or not of the form.

        """
        return domain.rules_of(self.rulebook(said))

    def rulebook(self, said: str | Mapping[str, Any]) -> domain.Rulebook:
        """Give the rulebook as a value; see ``resolve``."""
        if isinstance(said, str):
            return _checked(said, self._read(said))
        changes = dict(said)
        base = changes.pop("base", None)
        if not isinstance(base, str):
            raise RulebookError("a rulebook given in full says in `base` which one it changes")
        return _checked(f"{base}+", _merged(self._read(base), changes))

    def _read(self, name: str, asked: tuple[Traversable | Path, ...] = ()) -> dict[str, Any]:
        """Read a rulebook's file and those it is based on. One of one's own may change the shipped one of the same name."""
        if name in self.names():  # nothing else is a file's name: what a sender says never becomes a path
            for file in (folder / f"{name}.toml" for folder in self._folders):
                if file.is_file() and file not in asked:
                    return self._with_base(name, _written(name, file), (*asked, file))
        if asked:
            raise RulebookError(f"rulebook {asked[-1].name.removesuffix('.toml')}: its base {name} is unknown, or based on it in turn")
        raise RulebookError(f"there is no rulebook {name}; there are: {', '.join(self.names())}")

    def _with_base(self, name: str, written: dict[str, Any], asked: tuple[Traversable | Path, ...]) -> dict[str, Any]:
        base = written.pop("base", None)
        if base is None:
            return written
        if not isinstance(base, str):
            raise RulebookError(f"rulebook {name}: base: the name of a rulebook, in quotes")
        return _merged(self._read(base, asked), written)


def _written(name: str, file: Traversable | Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulebookError(f"rulebook {name}: {error}") from None


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _checked(name: str, written: Mapping[str, Any]) -> domain.Rulebook:
    try:
        return check(name, written)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise RulebookError(f"rulebook {name}: {faults}") from None


@cache
def _shipped() -> Traversable:
    """Find the shipped rulebooks: in the wheel they are within the package, in a checkout beside it."""
    inside = resources.files("timing") / "config" / "rulebooks"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "config" / "rulebooks"
