"""What is made from the code and committed equals what the code would make now."""

from pathlib import Path

import pytest

from timing.reference import rulebooks
from timing.reference.__main__ import between_marks, main, pages
from timing.services.rulebook_keys import keys
from timing.services.rulebooks import Rulebooks

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "path", ["docs/asyncapi.json", "docs/protocol.md", "docs/operating.md", "docs/rulebook.md", "docs/archive.md", "config/timing.toml"]
)
def test_the_committed_page_is_true_to_the_code(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == pages(ROOT)[ROOT / path], "run `make reference`"


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    for name in ("docs", "config"):
        (tmp_path / name).mkdir()
    for name in ("docs/protocol.md", "docs/operating.md", "docs/archive.md"):
        (tmp_path / name).write_text("Head\n<!-- made from the code: x -->\nold\n<!-- end -->\nTail\n", "utf-8")
    marks = "".join(f"<!-- made from the code: {what} -->\nold\n<!-- end -->\n" for what in rulebooks.sections())
    (tmp_path / "docs/rulebook.md").write_text(f"Head\n{marks}Tail\n", "utf-8")
    main(tmp_path)
    first = {path: path.read_text("utf-8") for path in pages(tmp_path)}
    main(tmp_path)
    assert first == {path: path.read_text("utf-8") for path in pages(tmp_path)}
    assert first[tmp_path / "docs/protocol.md"].startswith("Head\n")
    assert first[tmp_path / "docs/protocol.md"].endswith("Tail\n")
    assert "old" not in first[tmp_path / "docs/operating.md"].split()


def test_a_page_without_its_place_is_noticed() -> None:
    with pytest.raises(AssertionError):
        between_marks("no marks here", "text")


def test_one_of_several_places_is_found_by_its_words() -> None:
    page = "<!-- made from the code: a -->\n1\n<!-- end -->\n<!-- made from the code: b -->\n2\n<!-- end -->\n"
    assert between_marks(page, "new", "b") == page.replace("2\n", "\nnew\n")
    with pytest.raises(AssertionError, match="place for c"):
        between_marks(page, "new", "c")


def test_every_key_and_every_rulebook_is_on_its_page() -> None:
    page = (ROOT / "docs/rulebook.md").read_text("utf-8")
    assert all(f"\n| `{key.name}` | " in page for key in keys() if key.chapter)
    assert all(f"\n| `{name}` | " in page for name in Rulebooks().names())
