"""Rulebooks at the border: TOML files and what ``session_opened`` says, checked by pydantic, made into the domain's values."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from timing.domain import rulebook as domain
from timing.domain.errors import RulebookError
from timing.services.rulebook_faults import RulebookFaulty, faults_of
from timing.services.rulebook_files import check

File: TypeAlias = Traversable | Path

ITSELF = "itself"
_LARGEST = 256 * 1024  # bytes of a rulebook's file; the largest that is shipped has five thousand


class Layer(NamedTuple):
    """What one file says, or the changes given with a session. ``name``: ``itself``, or ``base NAME``."""

    name: str
    written: dict[str, Any]


class Rulebooks:
    """The rulebooks at hand: those shipped, and those of a folder of one's own, which take precedence.

    Raises:
        RulebookError: the folder cannot be read.

    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None and not folder.is_dir():
            raise RulebookError(f"there is no folder {folder} for rulebooks; make it, or name the folder that holds your NAME.toml files")
        self._folders: list[File] = [shipped()] if folder is None else [folder, shipped()]
        self._taken: dict[str, File] = {}

    def take(self, file: Path) -> str:
        """Take in a file from anywhere, before all others, and give the name by which it is known: its own without ``.toml``.

        Its bases are looked for beside it first.
        """
        if file.parent not in self._folders:
            self._folders.insert(0, file.parent)
        self._taken[file.stem] = file
        return file.stem

    def choose(self, said: str) -> str:
        """Give the name for what a person typed: a name, or the path of a file, which ends in ``.toml``."""
        return self.take(Path(said)) if said.endswith(".toml") else said

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
        layers = self.layers(said)
        written: Mapping[str, Any] = {}
        for layer in reversed(layers):
            written = domain.merged(written, layer.written)
        return _checked(said if isinstance(said, str) else f"{said['base']}+", written)

    def layers(self, said: str | Mapping[str, Any]) -> list[Layer]:
        """Give what a rulebook says itself, then what each says that it is based on, as written; see ``resolve``."""
        if isinstance(said, str):
            return self._read(said)
        changes = dict(said)
        base = changes.pop("base", None)
        if not isinstance(base, str):
            raise RulebookError("a rulebook given in full says in `base` which one it changes")
        return [Layer(ITSELF, changes), *(Layer(f"base {base}" if i.name == ITSELF else i.name, i.written) for i in self._read(base))]

    def _read(self, name: str, asked: tuple[File, ...] = ()) -> list[Layer]:
        """Read a rulebook's file and those it is based on. One of one's own may change the shipped one of the same name."""
        file = self._find(name, asked)
        if file is None and asked:
            raise RulebookError(f"rulebook {asked[-1].name.removesuffix('.toml')}: its base {name} is unknown, or based on it in turn")
        if file is None:
            raise RulebookError(f"there is no rulebook {name}; there are: {', '.join(self.names())}")
        written = _written(name, file)
        base = written.pop("base", None)
        layer = Layer(f"base {name}" if asked else ITSELF, written)
        if base is None:
            return [layer]
        if not isinstance(base, str):
            raise RulebookError(f"rulebook {name}: base: the name of a rulebook, in quotes")
        return [layer, *self._read(base, (*asked, file))]

    def _find(self, name: str, asked: tuple[File, ...]) -> File | None:
        if not asked and name in self._taken:
            return self._taken[name]
        if name not in self.names():  # nothing else is a file's name: what a sender says never becomes a path
            return None
        return next((file for file in (folder / f"{name}.toml" for folder in self._folders) if file.is_file() and file not in asked), None)


def _written(name: str, file: File) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise RulebookError(f"rulebook {name}: {file} is larger than {_LARGEST // 1024} KiB; a rulebook is a page or two")
        return tomllib.loads(text.decode(), parse_float=Decimal)
    except FileNotFoundError:
        raise RulebookError(f"rulebook {name}: there is no file {file}") from None
    except (OSError, ValueError, RecursionError) as error:  # a whole number of thousands of digits is a ValueError of its own
        raise RulebookError(f"rulebook {name}: {error}") from None


def _checked(name: str, written: Mapping[str, Any]) -> domain.Rulebook:
    try:
        return check(name, written)
    except ValidationError as error:
        raise RulebookFaulty(name, faults_of(error)) from None


@cache
def shipped() -> Traversable:
    """Find the shipped rulebooks: in the wheel they are within the package, in a checkout beside it."""
    inside = resources.files("timing") / "config" / "rulebooks"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "config" / "rulebooks"
