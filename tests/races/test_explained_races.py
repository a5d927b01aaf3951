"""Every place in real races is explained, and the explanation ends in the very place and time of the classification."""

from pathlib import Path

import pytest
from explained import every_place_is_explained

from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

pytestmark = pytest.mark.races
SAMPLE = (
    "f1-2003-03-brazilian", "f1-2011-07-canadian", "f1-2018-14-italian", "f1-2019-07-canadian", "f1-2020-09-tuscan", "wec-2024-fuji-6h",
    "wec-2024-bahrain-8h",
)  # fmt: skip
"""Stopped, resumed, resumed twice, disqualified, time penalties, classes, laps taken away."""


def test_a_sample_is_explained(sampled_race: Path) -> None:
    assert every_place_is_explained(score_file(sampled_race, Rulebooks())[0])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_race_is_explained(race: Path) -> None:
    assert every_place_is_explained(score_file(race, Rulebooks())[0])
