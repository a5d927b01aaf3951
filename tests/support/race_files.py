"""The folder of real races: session files with their official results.

They are not ours to distribute; without them the tests that need them are skipped.
"""

import os
from pathlib import Path

import pytest
from folded import decided

from timing.domain.events import AnyEvent
from timing.log.session_file import read_lines

ENDING = ".events.jsonl"
WANTING = "no folder of real races: name it in PARCFERME_RACES, or put it at ../shared/races"


def race_files() -> list[Path]:
    """Give the races of the folder named by ``PARCFERME_RACES``, or of the one beside the checkout; none where there is none."""
    given = os.environ.get("PARCFERME_RACES")
    folder = Path(given) if given else Path(__file__).parents[3] / "shared" / "races"
    if given and not folder.is_dir():
        raise pytest.UsageError(f"PARCFERME_RACES names {folder}, which is no folder")
    return sorted(folder.glob(f"*{ENDING}"))


def name_of(race: Path) -> str:
    """Give a race's name."""
    return race.name.removesuffix(ENDING)


def events_of(race: Path) -> list[AnyEvent]:
    """Read a race as its log would hold it."""

    def told() -> list[AnyEvent]:
        with race.open("rb") as lines:
            return [line.event for line in read_lines(lines) if line.event is not None]

    return list(decided(told(), "race"))
