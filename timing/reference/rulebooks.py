"""The tables of docs/rulebook.md: each key with what it may be, its default, what it means, and which shipped rulebooks choose what."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from timing.services.rulebook_files import written_form
from timing.services.rulebook_keys import Key, chapters, flat, in_toml, keys
from timing.services.rulebooks import Rulebooks

KINDS = ("safety_car", "vsc", "fcy", "code60")
SHIPPED = "the shipped rulebooks"


def sections() -> dict[str, str]:
    """Give each generated section of the page by what its mark says: the list of the shipped rulebooks, and each chapter's keys."""
    made = {SHIPPED: _shipped()}
    for chapter in dict.fromkeys(key.chapter for key in keys() if key.chapter):
        kind = chapter.removeprefix("neutralisation.")
        if kind == KINDS[0]:
            made["the keys of each neutralisation"] = _keys_of(chapter, [f"neutralisation.{kind}" for kind in KINDS])
        elif kind not in KINDS:
            made[f"the keys of {chapter}"] = _keys_of(chapter, [chapter])
    return made


def _shipped() -> str:
    books = Rulebooks()
    rows = []
    for name in books.names():
        layers = books.layers(name)
        base = f"`{layers[1].name.removeprefix('base ')}`" if len(layers) > 1 else ""
        rows.append((f"`{name}`", books.rulebook(name).title, base, books.rulebook(name).source))
    return _table(("name", "title", "base", "source"), rows)


def _keys_of(chapter: str, alike: Sequence[str]) -> str:
    """Write the table of a chapter, or of several that have the same keys."""
    here = [key for key in keys() if key.chapter == chapter]
    texts = [
        _table(("key", "may be", "if not said", "what it does", "chosen by the shipped rulebooks"), [_row(key, alike) for key in here])
    ]
    texts += [text for key in here for text in _entries(key)]
    return f"{chapters()[chapter] if len(alike) == 1 else 'Each kind has the same keys.'}\n\n" + "\n".join(texts)


def _entries(key: Key) -> Iterator[str]:
    """Write the table of the keys of each entry of a list of tables, and of the lists within those."""
    if key.parts:
        rows = [(f"`{part.path}`", _allowed(part), _default(part), part.meaning) for part in key.parts]
        yield f"Each table of `{key.name}`:\n\n" + _table(("key", "may be", "if not said", "what it does"), rows)
    for part in key.parts:
        yield from _entries(part)


def _row(key: Key, alike: Sequence[str]) -> tuple[str, ...]:
    every = [next(other for other in keys() if other.path == f"{chapter}.{key.name}") for chapter in alike]
    defaults = list(dict.fromkeys(_default(other) for other in every))
    if len(defaults) > 1:
        odd = [f"{_default(other)} for `{other.chapter.rpartition('.')[2]}`" for other in every if _default(other) != _default(every[2])]
        defaults = [f"{_default(every[2])}; {', '.join(odd)}"]
    return f"`{key.name}`", _allowed(key), defaults[0], key.meaning, _chosen(every)


def _chosen(every: Iterable[Key]) -> str:
    """Say which rulebooks choose what else than the default."""
    by_value: dict[str, list[str]] = {}
    for key in every:
        kind = f"`{key.chapter.rpartition('.')[2]}` " if key.chapter.startswith("neutralisation.") else ""
        for name, values in _values().items():
            if values[key.path] != key.default:
                by_value.setdefault(f"{kind}{_short(key, values[key.path])}", []).append(name)
    return "<br>".join(f"{value}: {', '.join(names)}" for value, names in by_value.items())


def _values() -> dict[str, dict[str, Any]]:
    books = Rulebooks()
    return {name: flat(written_form(books.rulebook(name))) for name in books.names()}


def _short(key: Key, value: Any) -> str:
    if key.parts:
        usual = {part.path: part.default for part in key.parts if not part.required}
        said = [[in_toml(part).strip('"') for name, part in entry.items() if part != usual.get(name)] for entry in value]
        return ", ".join(map(" ".join, said))
    return f"`{in_toml(value)}`" if not key.choices else f"`{value}`"


def _allowed(key: Key) -> str:
    return "<br>".join(f"`{choice}`" for choice in key.choices) or key.allowed.replace("|", "or")


def _default(key: Key) -> str:
    return "required" if key.required else f"`{key.default}`" if key.choices else f"`{in_toml(key.default)}`"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
