"""The documents hang together: every one is reached from the README, every link leads somewhere, what they name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "tests").rglob("*.md"), *(ROOT / "requirements").glob("*.md")]
)
LINK = re.compile(r"\]\((?!https?:|ws:|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PROGRAM_TEXT = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"`((?:timing|replay|tests|services|projections|domain|log|config)/[\w/.-]+\.(?:py|toml|conf|js|txt))`")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return PROGRAM_TEXT.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """Give the anchors of a document's headings, as GitHub makes them."""
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(text_of(path)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


def links(path: Path) -> list[tuple[Path, str]]:
    """Give where a document's links lead: file and anchor."""
    parts = (link.partition("#") for link in LINK.findall(text_of(path)))
    return [((path.parent / file).resolve() if file else path, anchor) for file, _, anchor in parts]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    lost = [str(file) for file, _ in links(path) if not file.exists()]
    lost += [f"{file.name}#{anchor}" for file, anchor in links(path) if anchor and file.suffix == ".md" and anchor not in anchors(file)]
    assert not lost


def test_every_document_is_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        if path in reached or path.suffix != ".md" or not path.is_file():
            continue
        reached.add(path)
        ahead += [file for file, _ in links(path)]
    assert not {name_of(path) for path in (ROOT / "docs").rglob("*.md")} - {name_of(path) for path in reached}
    pictures = {name_of(path) for path in (ROOT / "docs" / "images").iterdir()}
    shown = {name_of(file) for path in reached for file, _ in links(path) if file.is_relative_to(ROOT / "docs" / "images")}
    assert pictures == shown, "a picture that nobody sees goes"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_the_modules_that_are_named_are_there(path: Path) -> None:
    named = MODULE.findall(text_of(path))
    assert not [name for name in named if not any((ROOT / folder / name).exists() for folder in ("", "timing"))]


def test_every_module_of_the_pages_has_its_place_in_the_account_of_them() -> None:
    account = (ROOT / "docs" / "screens.md").read_text("utf-8").partition("## How the page is made")[2]
    named = set(re.findall(r"[\w-]+\.js\b", account)) - {"NAME.js"}
    assert named == {path.name for path in (ROOT / "timing" / "web" / "js").glob("*.js")}
