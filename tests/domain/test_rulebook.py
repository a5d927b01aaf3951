"""A rulebook as it is stored in the session, and read from there years later."""

import msgspec
import pytest

from timing.domain.errors import RulebookError
from timing.domain.rulebook import Classification, Finish, Laps, RedFlag, Rulebook, rulebook_from, rules_of

BOOK = Rulebook(
    id="club",
    title="Club",
    source="art. 1",
    laps=Laps(min_lap_us=20_000_000),
    finish=Finish(early_flag="leader_next_crossing", grace_us=180_000_000),
    classification=Classification(min_percent=75, base="class_winner", must_cross_flag=True),
    red_flag=RedFlag(completed_minus=0, others="same_lap_number"),
)


def test_stored_and_read_it_is_the_same() -> None:
    assert rulebook_from(msgspec.json.decode(msgspec.json.encode(rules_of(BOOK)))) == BOOK


def test_one_from_before_a_chapter_existed_has_its_defaults() -> None:
    assert rulebook_from({"id": "old", "title": "Old", "source": "art. 1"}).red_flag == RedFlag()


def test_a_key_of_a_later_version_is_passed_over() -> None:
    assert rulebook_from({**rules_of(BOOK), "points": {"scale": [25, 18]}}) == BOOK


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": 7}, "$.title"),
        ({"red_flag": {"completed_minus": 10}}, "$.red_flag.completed_minus"),
        ({"red_flag": {"others": "as you like"}}, "$.red_flag.others"),
        ({"classification": {"min_percent": 101}}, "$.classification.min_percent"),
        ({"finish": {"grace_us": -1}}, "$.finish.grace_us"),
        ({"laps": {"min_lap_us": 0.5}}, "$.laps.min_lap_us"),
    ],
)
def test_what_cannot_be_read_is_named(change: dict[str, object], place: str) -> None:
    with pytest.raises(RulebookError, match=place.replace("$", r"\$")):
        rulebook_from({**rules_of(BOOK), **change})
