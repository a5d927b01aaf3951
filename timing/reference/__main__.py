"""``python -m timing.reference``, in the project's folder, writes anew what is made from the code."""

import json
import re
import sys
from pathlib import Path

from timing.reference import asyncapi, configuration, protocol


def between_marks(page: str, made: str) -> str:
    """Put text between the marks of a page, in place of what is there."""
    found, count = re.subn(
        r"(<!-- made from the code: .*? -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}\n{made}\n{m[2]}", page, flags=re.DOTALL
    )
    assert count == 1, "the page has not exactly one place for it"
    return found


def pages(root: Path) -> dict[Path, str]:
    """Give each file of the project that is made from the code, wholly or in part, as it should be."""
    manual, reference = root / "docs/operating.md", root / "docs/protocol.md"
    return {
        root / "docs/asyncapi.json": json.dumps(asyncapi.document(), indent=1, ensure_ascii=False) + "\n",
        root / "config/timing.toml": configuration.toml(),
        reference: between_marks(reference.read_text("utf-8"), protocol.tables()),
        manual: between_marks(manual.read_text("utf-8"), configuration.table()),
    }


def main(root: Path) -> None:
    """Write them all."""
    for path, text in pages(root).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path())
