"""Which real races a test is run on."""

from pathlib import Path

import pytest
from race_files import WANTING, name_of, race_files


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes ``race`` each race of the folder, or one skipped case that says where to put it.

    A test that takes ``sampled_race`` gets those that its module names in ``SAMPLE``.
    """
    name = next((name for name in ("race", "sampled_race") if name in metafunc.fixturenames), None)
    if name is None:
        return
    files = race_files()
    if name == "sampled_race":
        files = [path for path in files if name_of(path) in metafunc.module.SAMPLE]
    if files:
        metafunc.parametrize(name, files, ids=map(name_of, files))
    else:
        metafunc.parametrize(name, [pytest.param(None, marks=pytest.mark.skip(reason=WANTING))], ids=["none"])


@pytest.fixture
def longest_race() -> Path:
    """Give the race with the largest file."""
    files = race_files()
    if not files:
        pytest.skip(WANTING)
    return max(files, key=lambda path: path.stat().st_size)
