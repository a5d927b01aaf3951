"""A rulebook with where each of its values comes from, from whatever a person names: a rulebook, a file, or a session's own."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from timing.domain import rulebook as domain
from timing.domain.errors import RulebookError
from timing.domain.events import AnyEvent, SessionOpened
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.services.rulebook_files import written_form
from timing.services.rulebook_keys import Key, flat, keys
from timing.services.rulebooks import Rulebooks

DEFAULT, STORED = "default", "session"
_SQLITE = b"SQLite format 3\x00"


class Value(Struct, frozen=True):
    """A key's value in the file form. ``origin``: ``itself``, ``base NAME``, ``default``, or ``session`` where a session stores it."""

    key: Key
    value: Any
    origin: str


class Whole(Struct, frozen=True):
    """A rulebook, its hash (of the form in which a session would store it, or does), and every key's value in the order of the chapters."""

    rulebook: domain.Rulebook
    hash: str
    values: tuple[Value, ...]


def whole(said: str, books: Rulebooks) -> Whole:
    """Give the rulebook that is meant by a name, ``FILE.toml``, ``FILE.events.jsonl``, ``LOG`` or ``LOG:SESSION``.

    Raises:
        RulebookError: nothing is meant by it, or what is meant cannot be read.

    """
    if said.endswith(".toml") or said in books.names():
        return _by_layers(books.choose(said), books)
    path, _, session = said.rpartition(":") if not Path(said).exists() and ":" in said else (said, "", "")
    if not Path(path).is_file():
        there = ", ".join(books.names())
        raise RulebookError(
            f"{said} is neither a rulebook, nor FILE.toml, FILE.events.jsonl, LOG or LOG:SESSION; the rulebooks are: {there}"
        )
    opened = _opened(Path(path), session)
    return stored(opened.rules) if isinstance(opened.rules, dict) else _by_layers(opened.rulebook, books)


def stored(rules: dict[str, Any]) -> Whole:
    """Give the rulebook that a session stores. What it does not say, because it is older than the key, is the default."""
    rulebook = domain.rulebook_from(rules)
    said = flat(written_form(rulebook))
    there = {key.path for key in keys() if _stores(rules, key)}
    values = (Value(key, said[key.path], STORED if key.path in there else DEFAULT) for key in keys() if key.path != "id")
    return Whole(rulebook, domain.rulebook_hash(rules), tuple(values))


def _by_layers(said: str | Mapping[str, Any], books: Rulebooks) -> Whole:
    rulebook = books.rulebook(said)
    layers = [(layer.name, flat(layer.written)) for layer in books.layers(said)]
    value_of = flat(written_form(rulebook))
    values = (
        Value(key, value_of[key.path], next((name for name, written in layers if key.path in written), DEFAULT))
        for key in keys()
        if key.path != "id"
    )
    return Whole(rulebook, domain.rulebook_hash(domain.rules_of(rulebook)), tuple(values))


def _stores(rules: dict[str, Any], key: Key) -> bool:
    value: Any = rules
    for step in key.stored.split("."):
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def _opened(path: Path, session: str) -> SessionOpened:
    """Find the event that opens a session, in a session file or a log."""
    found = list(_openings(path))
    chosen = [event for event in found if not session or event.session == session]
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise RulebookError(f"{path} opens no session: give a rulebook (NAME.toml), a session file (one JSON event a line) or a log")
    raise RulebookError(f"{path} holds the sessions {', '.join(event.session for event in found)}; name one of them: {path}:SESSION")


def _openings(path: Path) -> Iterator[SessionOpened]:
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            file.seek(0)
            yield from _first(line.event for line in read_lines(file))
            return
    log = SqliteLog(path, readonly=True)
    try:
        for name in log.sessions():
            yield from _first(record.event for record in log.read(name))
    finally:
        log.close()


def _first(events: Iterable[AnyEvent | None]) -> Iterator[SessionOpened]:
    return islice((event for event in events if isinstance(event, SessionOpened)), 1)
