"""What is made from the code and committed equals what the code would make now."""

from pathlib import Path

import pytest

from timing.reference.__main__ import between_marks, main, pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", ["docs/asyncapi.json", "docs/protocol.md", "docs/operating.md", "config/timing.toml"])
def test_the_committed_page_is_true_to_the_code(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == pages(ROOT)[ROOT / path], "run `make reference`"


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    for name in ("docs", "config"):
        (tmp_path / name).mkdir()
    for name in ("docs/protocol.md", "docs/operating.md"):
        (tmp_path / name).write_text("Head\n<!-- made from the code: x -->\nold\n<!-- end -->\nTail\n", "utf-8")
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
