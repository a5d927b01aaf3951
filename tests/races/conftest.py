"""The folder of real races: session files with their official results.

They are not ours to distribute; without them these tests are skipped.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENDING = ".events.jsonl"


def races_folder() -> Path | None:
    """Give the folder named by ``PARCFERME_RACES``, or the one beside the checkout."""
    given = os.environ.get("PARCFERME_RACES")
    folder = Path(given) if given else ROOT.parent / "shared" / "races"
    if given and not folder.is_dir():
        raise pytest.UsageError(f"PARCFERME_RACES names {folder}, which is no folder")
    return folder if folder.is_dir() else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes ``race`` each race of the folder, or one skipped case that says where to put it.

    A test that takes ``sampled_race`` gets those that its module names in ``SAMPLE``.
    """
    name = next((name for name in ("race", "sampled_race") if name in metafunc.fixturenames), None)
    if name is None:
        return
    folder = races_folder()
    files = sorted(folder.glob(f"*{ENDING}")) if folder else []
    if name == "sampled_race":
        files = [path for path in files if path.name.removesuffix(ENDING) in metafunc.module.SAMPLE]
    if files:
        metafunc.parametrize(name, files, ids=[path.name.removesuffix(ENDING) for path in files])
    else:
        skip = pytest.mark.skip(reason="no folder of real races: name it in PARCFERME_RACES, or put it at ../shared/races")
        metafunc.parametrize(name, [pytest.param(None, marks=skip)], ids=["none"])


@pytest.fixture
def longest_race() -> Path:
    """Give the race with the largest file."""
    folder = races_folder()
    files = list(folder.glob(f"*{ENDING}")) if folder else []
    if not files:
        pytest.skip("no folder of real races: name it in PARCFERME_RACES, or put it at ../shared/races")
    return max(files, key=lambda path: path.stat().st_size)
