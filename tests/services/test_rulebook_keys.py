"""The keys of a rulebook as people write them."""

import tomllib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.services.rulebook_files import written_form
from timing.services.rulebook_keys import Key, chapters, flat, in_toml, keys
from timing.services.rulebooks import Rulebooks


def key(path: str) -> Key:
    return next(key for key in keys() if key.path == path)


def test_every_key_says_what_it_means_and_what_it_may_be() -> None:
    assert len({key.path for key in keys()}) == len(keys()) > 60
    for found in keys():
        assert found.meaning.endswith(".")
        assert found.allowed
        assert not found.choices or found.default in found.choices or found.required
        assert not found.chapter or found.chapter in chapters()
    assert all(chapters().values())


def test_what_is_said_of_some() -> None:
    assert key("finish.early_flag").choices == ("leader_last_crossing_before", "leader_next_crossing")
    assert (key("finish.grace_s").allowed, key("finish.grace_s").stored) == ("seconds, 0 or more, or none", "finish.grace_us")
    assert (key("laps.duplicate_window_s").default, key("laps.horizon_s").default) == (1, 172_800)
    assert key("neutralisation.code60.max_speed_kmh").default == 60, "the default of the chapter above goes before its own"
    assert key("neutralisation.fcy.max_speed_kmh").default is None
    assert [part.path for part in key("qualifying.segments").parts] == ["name", "minutes", "advance", "per_class"]
    assert key("classification.min_percent").allowed == "a whole number from 0 to 100"


@pytest.mark.parametrize("name", Rulebooks().names())
def test_flat_finds_every_key_of_a_whole_rulebook(name: str) -> None:
    assert set(flat(written_form(Rulebooks().rulebook(name)))) == {key.path for key in keys()}


def test_flat_finds_what_is_there() -> None:
    assert flat({"title": "x", "finish": {"grace_s": 1, "unknown": 2}, "laps": 3}) == {"title": "x", "finish.grace_s": 1}


def test_a_value_as_toml_has_it() -> None:
    assert in_toml({"Fuji": Decimal("53.50"), 'Le "Mans"': 1}) == '{ Fuji = 53.5, "Le \\"Mans\\"" = 1 }'
    values: tuple[Any, ...] = (None, True, Decimal("1E+2"), [], {}, "é\n")
    assert [in_toml(value) for value in values] == ['"none"', "true", "100", "[]", "{}", '"é\\n"']


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.decimals(-10_000, 10_000, places=6) | TEXTS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=8,
)


@given(value=VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert tomllib.loads(f"key = {in_toml(value)}", parse_float=Decimal)["key"] == value
