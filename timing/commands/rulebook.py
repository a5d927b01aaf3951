"""``timing rulebook``: which there are, whether one's own is in order, what one says and why, and in what two differ."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from timing.commands.sources import folder_option

if TYPE_CHECKING:
    from timing.services.rulebook_origins import Value, Whole
    from timing.services.rulebooks import Rulebooks

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@click.group()
def command() -> None:
    """List, check, show and compare rulebooks.

    A rulebook is named by its NAME, by FILE.toml, or by the session that was opened under it: FILE.events.jsonl, LOG or LOG:SESSION.
    """


@command.command("list")
@folder_option
@AS_JSON
def list_(*, folder: Path | None, as_json: bool) -> None:
    """List the rulebooks at hand."""
    from timing.domain.errors import RulebookError

    books = _books(folder)
    rows: list[dict[str, str | None]] = []
    for name in books.names():
        try:
            book = books.rulebook(name)
            base = next((layer.name.removeprefix("base ") for layer in books.layers(name)[1:]), None)
            rows.append({"name": name, "title": book.title, "base": base, "source": book.source, "fault": None})
        except RulebookError as error:
            rows.append({"name": name, "title": None, "base": None, "source": None, "fault": str(error)})
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        told = [(r["name"] or "", r["title"] or "", r["base"] or "", r["source"] or f"cannot be used: {r['fault']}") for r in rows]
        _table(("Name", "Title", "Base", "Source"), told)


@command.command()
@click.argument("files", metavar="FILE.toml...", nargs=-1, required=True)
@folder_option
def check(*, files: tuple[str, ...], folder: Path | None) -> None:
    """Check rulebooks of one's own: each fault with its key, and what is allowed there. Exit status 1 if there is any."""
    from timing.domain.errors import RulebookError
    from timing.services.rulebook_faults import RulebookFaulty
    from timing.services.rulebook_origins import whole

    faulty = 0
    for file in files:
        try:
            found = whole(file, _books(folder))
            click.echo(f"{file}: in order: {found.rulebook.title}, {found.hash[:12]}")
        except RulebookFaulty as error:
            faulty += len(error.faults)
            for fault in error.faults:
                click.echo(f"{file}: {fault}")
        except RulebookError as error:
            faulty += 1
            click.echo(f"{file}: {error}")
    if faulty:
        raise click.ClickException(f"{faulty} fault{'s' if faulty > 1 else ''} found; timing rulebook show club-sprint lists every key")


@command.command()
@click.argument("said", metavar="RULEBOOK")
@click.option("--toml", "as_toml", is_flag=True, help="Print a whole file, each key with where it comes from.")
@AS_JSON
@folder_option
def show(*, said: str, folder: Path | None, as_json: bool, as_toml: bool) -> None:
    """Show every key of a rulebook: its value, where that comes from (itself, a base, the default), and what it means."""
    from timing.services.rulebook_keys import chapters
    from timing.services.rulebook_origins import whole

    found = whole(said, _books(folder))
    if as_json:
        click.echo(json.dumps(_document(found), ensure_ascii=False, default=_plain))
        return
    if as_toml:
        click.echo(_file(found), nl=False)
        return
    click.echo(f"{found.rulebook.title} ({found.rulebook.id}, {found.hash})\n{found.rulebook.source}")
    for chapter, about in chapters().items():
        values = [value for value in found.values if value.key.chapter == chapter]
        if values:
            click.echo(f"\n{chapter}: {about}")
            _table(
                ("Key", "Value", "From", "Meaning"),
                [(v.key.name, _cell(v), v.origin, v.key.meaning) for v in values],
            )


@command.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@AS_JSON
@folder_option
def diff(*, one: str, other: str, folder: Path | None, as_json: bool) -> None:
    """List the keys in which two rulebooks differ, each with where its value comes from."""
    from timing.services.rulebook_keys import in_toml
    from timing.services.rulebook_origins import whole

    a, b = whole(one, _books(folder)), whole(other, _books(folder))
    pairs = [(x, y) for x, y in zip(a.values, b.values, strict=True) if x.value != y.value and x.key.chapter]
    if as_json:
        keys = [{"key": x.key.path, "a": {"value": x.value, "from": x.origin}, "b": {"value": y.value, "from": y.origin}} for x, y in pairs]
        click.echo(json.dumps({"a": _head(a), "b": _head(b), "keys": keys}, ensure_ascii=False, default=_plain))
    elif pairs:
        rows = [(x.key.path, in_toml(x.value), x.origin, in_toml(y.value), y.origin) for x, y in pairs]
        _table(("Key", a.rulebook.title, "From", b.rulebook.title, "From"), rows)
    else:
        click.echo(f"{a.rulebook.title} and {b.rulebook.title} do not differ in any key")


def _books(folder: Path | None) -> "Rulebooks":
    from timing.services.rulebooks import Rulebooks

    return Rulebooks(folder)


def _head(found: "Whole") -> dict[str, Any]:
    book = found.rulebook
    return {"id": book.id, "title": book.title, "source": book.source, "hash": found.hash}


def _document(found: "Whole") -> dict[str, Any]:
    keys = [
        {
            "key": v.key.path, "value": v.value, "from": v.origin, "default": v.key.default, "allowed": v.key.allowed,
            "meaning": v.key.meaning,
        }
        for v in found.values
        if v.key.chapter
    ]  # fmt: skip
    return {**_head(found), "keys": keys}


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _cell(value: "Value") -> str:
    """Write a value for the table: a list of tables an entry a line, without what nobody said of it."""
    from timing.services.rulebook_keys import in_toml

    if not value.key.parts or not value.value:
        return in_toml(value.value)
    usual = {part.path: part.default for part in value.key.parts if not part.required}
    entries = ({name: part for name, part in entry.items() if name not in usual or part != usual[name]} for entry in value.value)
    return "\n".join(map(in_toml, entries))


def _file(found: "Whole") -> str:
    """Write a rulebook as a file that says everything itself."""
    from itertools import groupby

    from timing.services.rulebook_keys import in_toml

    def line(value: "Value") -> str:
        return f"{value.key.name} = {in_toml(value.value)}  # {value.origin}\n"

    parts = []
    for chapter, values in groupby(found.values, key=lambda value: value.key.chapter):
        parts.append((f"[{chapter}]\n" if chapter else "") + "".join(line(value) for value in values))
    return "\n".join(parts)


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160, highlight=False, emoji=False, markup=False).print(table)
