"""What the scenario tests play with; the language itself is in tests/support/race_table.py."""

from collections.abc import Callable
from pathlib import Path

import pytest
from race_table import Play, played, player


@pytest.fixture
def play() -> Callable[..., Play]:
    """Play a scenario file to its end, under its first rulebook or the one of this label."""
    return played


@pytest.fixture
def play_text(tmp_path: Path) -> Callable[[str], Play]:
    """Play a scenario given as text."""
    return player(tmp_path)
