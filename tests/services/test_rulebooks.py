"""Rulebooks: the shipped ones, one's own, and changes given with a session."""

from pathlib import Path
from typing import Any

import pytest

from timing.domain.errors import RulebookError
from timing.domain.rulebook import rulebook_from
from timing.services.rulebooks import Rulebooks

OWN = 'title = "Own"\nsource = "the organiser"\n'


@pytest.mark.parametrize("name", Rulebooks().names())
def test_every_shipped_rulebook_reads_and_survives_storage(name: str) -> None:
    books = Rulebooks()
    assert rulebook_from(books.resolve(name)) == books.rulebook(name)
    assert books.rulebook(name).id == name


def test_what_the_shipped_ones_say() -> None:
    books = Rulebooks()
    assert {"club-sprint", "fia-f1", "fia-wec", "imsa", "mitjet"} <= set(books.names())
    assert (books.rulebook("fia-f1").classification.min_percent, books.rulebook("fia-f1").red_flag.completed_minus) == (90, 1)
    assert (books.rulebook("mitjet").laps.min_lap_us, books.rulebook("mitjet").finish.grace_us) == (20_000_000, 180_000_000)


def test_changes_to_a_named_one() -> None:
    book = Rulebooks().rulebook({"base": "fia-f1", "title": "Cup", "red_flag": {"completed_minus": 0}, "laps": {"min_lap_s": 0.25}})
    assert (book.id, book.title, book.laps.min_lap_us) == ("fia-f1+", "Cup", 250_000)
    assert (book.red_flag.completed_minus, book.red_flag.others) == (0, "first_crossing_after_leader"), "what is not changed stays"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("unheard-of", "there is no rulebook unheard-of; there are: club-sprint"),
        ("../fia-f1", "no rulebook"),
        ("", "no rulebook"),
        ("é" * 200, "no rulebook"),
        ("nul\0", "no rulebook"),
        ({}, "`base`"),
        ({"base": 7}, "`base`"),
        ({"base": "unheard-of"}, "no rulebook"),
        ({"base": "fia-f1", "lapps": {}}, "lapps"),
        ({"base": "fia-f1", "laps": {"min_lap": 3}}, "laps.min_lap"),
        ({"base": "fia-f1", "laps": {"min_lap_s": -1}}, "laps.min_lap_s"),
        ({"base": "fia-f1", "laps": 3}, "laps"),
        ({"base": "fia-f1", "finish": {"early_flag": "whenever"}}, "finish.early_flag"),
    ],
)
def test_what_is_refused_is_named(said: str | dict[str, Any], reason: str) -> None:
    with pytest.raises(RulebookError, match=reason):
        Rulebooks().resolve(said)


def test_ones_own_takes_precedence_and_may_change_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "mitjet.toml").write_text('base = "mitjet"\n[classification]\nmin_percent = 50\n')
    (tmp_path / "ours.toml").write_text(OWN + 'base = "mitjet"\n[laps]\nmin_lap_s = 33.5\n')
    books = Rulebooks(tmp_path)
    assert "ours" in books.names()
    assert (books.rulebook("ours").classification.min_percent, books.rulebook("ours").laps.min_lap_us) == (50, 33_500_000)
    assert (books.rulebook("mitjet").classification.min_percent, books.rulebook("mitjet").finish.grace_us) == (50, 180_000_000)
    assert Rulebooks().rulebook("mitjet").classification.min_percent == 75


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("title = ", "rulebook ours"),
        (OWN + "base = 3\n", "base"),
        (OWN + 'base = "ours"\n', "based on it in turn"),
        (OWN + 'base = "theirs"\n', "based on it in turn"),
        (OWN + "[points]\nscale = [25]\n", "points"),
        ('title = "No source"\n', "source"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, written: str, reason: str) -> None:
    (tmp_path / "ours.toml").write_text(written)
    (tmp_path / "theirs.toml").write_text('base = "ours"\n')
    with pytest.raises(RulebookError, match=reason):
        Rulebooks(tmp_path).resolve("ours")
