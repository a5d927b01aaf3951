"""The archive's tables for people, from the schema that writes them."""

from timing.projections.tables import TABLES, Table

_WORDS = {"text": "text", "integer": "integer", "boolean": "yes or no", "instant": "instant, UTC", "duration": "duration"}


def tables() -> str:
    """Write, in Markdown, each table with its columns."""
    return "\n\n".join(map(_table, TABLES.values())) + "\n"


def _table(table: Table) -> str:
    rows = [
        f"| `{column.name}`{f' `{column.name}_us`' if len(column.stored()) > 1 else ''} | {_WORDS[column.type]} | {column.about} |"
        for column in table.columns
    ]
    return "\n".join([f"### `{table.name}`", "", table.about, "", "| column | type | |", "|---|---|---|", *rows])
