"""``python -m timing.reference``, in the project's folder, writes anew what is made from the code."""

import json
import re
import sys
from pathlib import Path

from timing.reference import asyncapi, configuration, protocol, rulebooks, tables


def between_marks(page: str, made: str, what: str | None = None) -> str:
    """Put text between the marks of a page, in place of what is there. ``what``: the words of the mark, where a page has several."""
    words = r"[^\n]*?" if what is None else re.escape(what)
    found, count = re.subn(
        rf"(<!-- made from the code: {words} -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}\n{made}\n{m[2]}", page, flags=re.DOTALL
    )
    assert count == 1, f"the page has not exactly one place for {what or 'it'}"
    return found


def rulebook_page(page: str) -> str:
    """Give the page of the rulebooks with every section that is made from the code as it should be."""
    for what, made in rulebooks.sections().items():
        page = between_marks(page, made, what)
    return page


def pages(root: Path) -> dict[Path, str]:
    """Give each file of the project that is made from the code, wholly or in part, as it should be."""
    manual, reference, keys = root / "docs/operating.md", root / "docs/protocol.md", root / "docs/rulebook.md"
    archive = root / "docs/archive.md"
    return {
        root / "docs/asyncapi.json": json.dumps(asyncapi.document(), indent=1, ensure_ascii=False) + "\n",
        root / "config/timing.toml": configuration.toml(),
        reference: between_marks(reference.read_text("utf-8"), protocol.tables()),
        keys: rulebook_page(keys.read_text("utf-8")),
        archive: between_marks(archive.read_text("utf-8"), tables.tables()),
        manual: between_marks(manual.read_text("utf-8"), configuration.table()),
    }


def main(root: Path) -> None:
    """Write them all."""
    for path, text in pages(root).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path())
