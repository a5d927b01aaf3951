"""The examples of docs/rulebook.md and docs/points.md hold: each race in them is played under each of its rulebooks; every key has one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from timing.services.rulebook_keys import Key, keys

DOCS = Path(__file__).parents[2] / "docs"
PAGE, POINTS = ((DOCS / name).read_text("utf-8") for name in ("rulebook.md", "points.md"))
RACES = re.findall(r"```race\n(.*?)```", PAGE + POINTS, flags=re.DOTALL)
CASES = [
    pytest.param(race, label, id=f"{race.splitlines()[0].removeprefix('title ')}-{label}")
    for race in RACES
    for label in (re.findall(r"^rulebook ([^:\n]+):", race, flags=re.MULTILINE) or [None])
]
KINDS = ("safety_car", "vsc", "fcy", "code60")


@pytest.mark.parametrize(("race", "label"), CASES)
def test_the_example_holds(race: str, label: str | None, play_text: Callable[..., Any], play: Callable[..., Any]) -> None:
    played = play_text(race)
    if label is not None:
        play(played.path, label)


def test_every_key_has_its_example_in_its_chapter() -> None:
    chapter_of = {name: name for name in (key.chapter for key in keys())} | {f"neutralisation.{kind}": "neutralisation" for kind in KINDS}
    missing = []
    for key in keys():
        if key.chapter:
            section = re.search(rf"^## {chapter_of[key.chapter]}\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
            if section is None or f"\n- **`{key.name}`** " not in section[1]:
                missing.append(key.path)
    assert not missing, "write an example of two or three lines, with numbers, into docs/rulebook.md"


@pytest.mark.parametrize("chapter", sorted({key.chapter.partition(".")[0] for key in keys() if key.chapter}))
def test_every_key_is_chosen_in_a_race_of_its_chapter(chapter: str) -> None:
    section = re.search(rf"^## {chapter}\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert section
    races = "".join(re.findall(r"```race\n(.*?)```", section[1], flags=re.DOTALL))
    rulebooks = re.findall(r"^rulebook (.*)", races, flags=re.MULTILINE)
    here = {key.name for key in keys() if key.chapter.partition(".")[0] == chapter}
    missing = [name for name in sorted(here) if not any(f".{name}=" in line for line in rulebooks)]
    assert not missing, f"play these in a race of the chapter {chapter} in docs/rulebook.md"


def test_every_key_of_a_championship_has_its_example() -> None:
    parts = parts_of(next(key for key in keys() if key.path == "points.championships"))
    assert not [name for name in parts if f"**`{name}`**" not in POINTS], "write an example with numbers into docs/points.md"
    assert not [name for name in re.findall(r"\*\*`(\w+)`\*\* ", POINTS) if name not in parts]


def parts_of(key: Key) -> set[str]:
    return {name for part in key.parts for name in (part.name, *parts_of(part))}


def test_no_example_is_of_a_key_that_is_gone() -> None:
    names = {key.name for key in keys()}
    assert not [name for name in re.findall(r"^- \*\*`(\w+)`\*\* ", PAGE, flags=re.MULTILINE) if name not in names]


def test_there_are_races() -> None:
    assert len(CASES) >= 20
