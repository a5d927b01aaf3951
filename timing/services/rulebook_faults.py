"""What is wrong with a rulebook's file: each fault with its key, and what is allowed there."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from pydantic import ValidationError

from timing.domain.errors import RulebookError
from timing.services.rulebook_keys import Key, chapters, in_toml, keys

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Fault(Struct, frozen=True):
    """A key that cannot be used. ``said`` is what is written there, as TOML, if it is short; ``mend`` says what is allowed."""

    key: str
    said: str | None
    mend: str

    def __str__(self) -> str:
        return f"{self.key}{f' = {self.said}' if self.said else ''}: {self.mend}"


class RulebookFaulty(RulebookError):
    """A rulebook with faults in its keys."""

    def __init__(self, name: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"rulebook {name}: {'; '.join(map(str, faults))}")
        self.faults = faults


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Give the faults that pydantic found."""
    return tuple(_fault(found) for found in error.errors(include_url=False))


def _fault(found: "ErrorDetails") -> Fault:
    steps = [str(step) for step in found["loc"]]
    path = ".".join(steps)
    if found["type"] == "extra_forbidden":
        return Fault(path, None, _unknown(steps))
    key = _key(steps)
    mend = f"allowed is {key.allowed}" if key else "a chapter: a table of keys" if path in chapters() else found["msg"]
    if found["type"] == "missing":
        return Fault(path, None, f"is missing; {mend}")
    return Fault(path, _short(found["input"]), mend)


def _key(steps: list[str]) -> Key | None:
    """Find the key that a place belongs to: itself, the list or table it is an entry of, or the part of an entry."""
    for key in keys():
        own = key.path.split(".")
        if steps[: len(own)] == own:
            return _part(key, steps[len(own) :])
    return None


def _part(key: Key, steps: list[str]) -> Key:
    """Go on into the entries of a list of tables, each step of which is a number and a key of the entry."""
    for place, step in enumerate(steps):
        if part := next((part for part in key.parts if part.path == step), None):
            return _part(part, steps[place + 1 :])
    return key


def _unknown(steps: list[str]) -> str:
    """Say what keys there are where there is none of that name."""
    before = ".".join(steps[:-1])
    here = [key.name for key in keys() if key.chapter == before]
    here += [name.rpartition(".")[2] for name in chapters() if name.rpartition(".")[0] == before]
    if not here:
        entry = _key(steps[:-1])
        here = [part.path for part in entry.parts] if entry else []
    like = get_close_matches(steps[-1], here, n=1)
    elsewhere = sorted({key.path for key in keys() if key.name == steps[-1]})
    hint = f"; did you mean {like[0]}?" if like else f"; there is {', '.join(elsewhere)}" if elsewhere else ""
    return f"there is no such key{hint}; the keys here are {', '.join(here)}"


def _short(said: Any) -> str | None:
    text = in_toml(said)
    return text if len(text) <= 60 else None
