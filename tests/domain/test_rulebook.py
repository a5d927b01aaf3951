"""A rulebook as it is stored in the session, and read from there years later."""

import ast
import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from timing.domain import rulebook as module
from timing.domain.errors import RulebookError
from timing.domain.rulebook import Classification, Finish, Laps, RedFlag, Rulebook, rulebook_from, rulebook_hash, rules_of

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


def test_a_chapter_from_before_some_of_its_keys_has_its_own_defaults() -> None:
    """Those of safety car and Code 60 are others than those of the other neutralisations."""
    read = rulebook_from({"id": "old", "title": "Old", "source": "", "neutralisation": {"safety_car": {"order": "free"}, "code60": {}}})
    assert (read.neutralisation.safety_car.order, read.neutralisation.safety_car.until) == ("free", "line_after_signal")
    assert (read.neutralisation.code60.until, read.neutralisation.code60.max_speed_kmh) == ("next_post", 60)


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


def shuffled(value: object, chance: random.Random) -> object:
    """Give the same with the keys of each table in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(part, chance)) for key, part in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(part, chance) for part in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("seed", range(10))
def test_the_hash_does_not_hang_on_the_order_of_keys(seed: int) -> None:
    stored = shuffled(rules_of(BOOK), random.Random(seed))
    assert isinstance(stored, dict)
    assert rulebook_hash(stored) == rulebook_hash(rules_of(BOOK))


def test_the_hash_is_another_for_another_rule() -> None:
    other = msgspec.structs.replace(BOOK, red_flag=RedFlag(completed_minus=1, others="same_lap_number"))
    assert rulebook_hash(rules_of(other)) != rulebook_hash(rules_of(BOOK))


def test_the_hash_is_the_same_in_every_process() -> None:
    program = """
import sys, msgspec
from timing.domain.rulebook import rulebook_hash
print(rulebook_hash(msgspec.json.decode(sys.stdin.buffer.read())))
"""
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=msgspec.json.encode(rules_of(BOOK)),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert hashes == {rulebook_hash(rules_of(BOOK)).encode()}


def test_every_key_has_its_text_under_it() -> None:
    """The text is what ``timing rulebook show`` and the manual say of a key."""
    mute = []
    for chapter in ast.parse(Path(module.__file__).read_bytes()).body:
        if isinstance(chapter, ast.ClassDef):
            for field, below in zip(chapter.body, [*chapter.body[1:], ast.Pass()], strict=True):
                said = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                if isinstance(field, ast.AnnAssign) and not said:
                    mute.append(f"{chapter.name}.{ast.unparse(field.target)}")
    assert not mute, 'write a sentence in """ under the key in timing/domain/rulebook.py, with its alternatives and where they were read'
