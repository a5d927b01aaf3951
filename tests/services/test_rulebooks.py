"""Rulebooks: the shipped ones, one's own, and changes given with a session."""

from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import msgspec
import pytest

from timing.domain.errors import RulebookError
from timing.domain.rulebook import rulebook_from, rulebook_hash, rules_of
from timing.projections.checks import AMOUNT
from timing.services.rulebooks import Rulebooks, shipped

S = 1_000_000
SHIPPED = shipped()

OWN = 'title = "Own"\nsource = "the organiser"\n'


@pytest.mark.parametrize("name", Rulebooks().names())
def test_every_shipped_rulebook_reads_and_survives_storage(name: str) -> None:
    books = Rulebooks()
    assert rulebook_from(msgspec.json.decode(msgspec.json.encode(books.resolve(name)))) == books.rulebook(name)
    assert books.rulebook(name).id == name


@pytest.mark.parametrize("name", Rulebooks().names())
def test_every_shipped_rulebook_says_where_its_choices_were_read(name: str) -> None:
    """A source in its own words, and beside each choice the article, or that it was not verified."""
    file = SHIPPED / f"{name}.toml"
    own = Rulebooks().layers(name)[0].written
    assert len(own["source"]) > 60
    assert len({Rulebooks().rulebook(other).source for other in Rulebooks().names()}) == len(Rulebooks().names())
    lines = [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith(("#", "title", "source", "base ="))]
    said = sum("#" in line for line in lines)
    assert said >= len(lines) / 3, "say beside each choice where it was read"


def test_the_shipped_ones_differ() -> None:
    """Two names for the same rules would be one too many."""
    rules = [msgspec.structs.replace(Rulebooks().rulebook(name), id="", title="", source="") for name in Rulebooks().names()]
    assert len({rulebook_hash(rules_of(book)) for book in rules}) == len(rules)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("fia-f1", {"classification.min_percent": 90, "red_flag.completed_minus": 1, "grid.back_from_places": 16}),
        ("fia-f1-2025", {"finish.time_limit_us": 7200 * S, "finish.time_limit_total_us": 10800 * S, "classification.min_percent": 90}),
        ("fia-f1-2025-sprint", {"finish.time_limit_us": 3600 * S, "finish.time_limit_at": "lap_after", "qualifying.percent": 107}),
        ("fia-wec", {"classification.min_percent": 70, "neutralisation.fcy.max_speed_kmh": 80, "penalties.per_circuit_us.Fuji": 53 * S}),
        ("imsa", {"finish.early_flag": "leader_next_crossing", "neutralisation.fcy.lapped": "waved_by_class"}),
        ("mitjet", {"laps.min_lap_us": 20 * S, "finish.grace_us": 180 * S, "red_flag.completed_minus": 1, "finish.photo_us": 3000}),
        ("motorsport-uk", {"red_flag.restart_order": "end_of_lap_before", "red_flag.stands_at_percent": 75}),
        ("motogp", {"red_flag.others": "composite", "red_flag.completed_minus": 0, "red_flag.not_returned_within_us": 300 * S}),
        ("motogp-2021", {"red_flag.result": "last_lap_completed_by_all", "red_flag.not_returned_within_us": None}),
        ("kartsport-nz", {"red_flag.restart_order": "end_of_lap", "red_flag.completed_minus": 0, "laps.min_lap_us": 15 * S}),
        ("super-gt", {"finish.late_flag": "should_have_finished", "qualifying.red": "laps_void"}),
        ("nls", {"red_flag.scope": "class", "classification.min_percent": 50, "neutralisation.code60.until": "next_post"}),
        ("indycar", {"red_flag.result": "frozen_at_signal"}),
        ("nascar", {"red_flag.result": "frozen_at_signal"}),
        ("dirt-sprint", {"red_flag.restart_order": "split_scoring"}),
    ],
)  # fmt: skip
def test_what_the_shipped_ones_say(name: str, chosen: dict[str, Any]) -> None:
    rules = Rulebooks().resolve(name)
    for path, value in chosen.items():
        assert reduce(getitem, path.split("."), rules) == value, path


def test_the_parts_of_qualifying() -> None:
    def parts(name: str) -> list[tuple[str, int, int | None, bool]]:
        return [(part.name, part.minutes, part.advance, part.per_class) for part in Rulebooks().rulebook(name).qualifying.segments]

    assert parts("fia-f1-2025") == [("Q1", 18, 15, False), ("Q2", 15, 10, False), ("Q3", 12, None, False)]
    assert [part[0] for part in parts("fia-f1-2025-sprint")] == ["SQ1", "SQ2", "SQ3"], "a list is replaced whole"
    assert parts("fia-wec") == [("Qualifying", 12, 10, True), ("Hyperpole", 10, None, False)]


def test_the_offences_and_their_amounts_are_those_of_a_decision() -> None:
    """An amount only where the penalty has one to fill in, and no offence twice."""
    for name in Rulebooks().names():
        offences = Rulebooks().rulebook(name).penalties.offences
        assert len({each.offence for each in offences}) == len(offences), name
        assert not [each for each in offences if each.amount and each.penalty not in {*AMOUNT, "stop_go"}], name
    by_words = {each.offence: each for each in Rulebooks().rulebook("fia-f1-2025").penalties.offences}
    assert (by_words["False start"].article, by_words["Entering the closed pit lane"].penalty) == ("48.1", "stop_go"), "of its base"
    assert Rulebooks().rulebook({"base": "fia-f1", "penalties": {"offences": []}}).penalties.offences == (), "replaced whole"


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


def test_a_file_from_anywhere_with_its_base_beside_it(tmp_path: Path) -> None:
    (tmp_path / "cup.toml").write_text(OWN + 'base = "regional"\n[finish]\ngrace_s = 7\n')
    (tmp_path / "regional.toml").write_text('base = "fia-f1"\n[classification]\nmin_percent = 51\n')
    books = Rulebooks()
    assert books.choose("fia-f1") == "fia-f1"
    name = books.choose(str(tmp_path / "cup.toml"))
    book = books.rulebook(name)
    assert (name, book.id, book.title, book.source) == ("cup", "cup", "Own", "the organiser")
    assert (book.finish.grace_us, book.classification.min_percent, book.red_flag.others) == (7 * S, 51, "first_crossing_after_leader")


def test_a_file_of_a_shipped_ones_name_is_based_on_that(tmp_path: Path) -> None:
    (tmp_path / "imsa.toml").write_text('base = "imsa"\n[classification]\nmin_percent = 1\n')
    books = Rulebooks()
    book = books.rulebook(books.take(tmp_path / "imsa.toml"))
    assert (book.classification.min_percent, book.red_flag.completed_minus) == (1, 0)


def test_none_takes_away_what_the_base_gives() -> None:
    assert Rulebooks().rulebook("mitjet").finish.grace_us == 180 * S
    assert Rulebooks().rulebook({"base": "mitjet", "finish": {"grace_s": "none"}}).finish.grace_us is None
    with pytest.raises(RulebookError, match=r"laps\.min_lap_s"):
        Rulebooks().rulebook({"base": "mitjet", "laps": {"min_lap_s": "none"}})


def test_a_kind_of_neutralisation_written_in_part_keeps_the_rest_of_its_defaults() -> None:
    rules = Rulebooks().rulebook({"base": "fia-wec", "neutralisation": {"code60": {"best_laps": "count"}}}).neutralisation
    assert (rules.code60.best_laps, rules.code60.until, rules.code60.max_speed_kmh) == ("count", "next_post", 60)
    assert Rulebooks().rulebook("imsa").neutralisation.safety_car.until == "line_after_signal"


def test_a_folder_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="there is no folder"):
        Rulebooks(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("title = ", "rulebook ours"),
        (OWN + "base = 3\n", "base"),
        (OWN + 'base = "ours"\n', "based on it in turn"),
        (OWN + 'base = "theirs"\n', "based on it in turn"),
        (OWN + "[points]\nscale = [25]\n", "points"),
        ('title = "No source"\n', "source: is missing"),
        (OWN + 'base = "ours2"\n', "its base ours2 is unknown"),
        (OWN + "[laps]\nmin_lap_s = " + "1" * 5000, "rulebook ours"),
        (OWN + "x = " + "[" * 5000, "rulebook ours"),
        (OWN + "#" * 300_000, "larger than 256 KiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, written: str, reason: str) -> None:
    (tmp_path / "ours.toml").write_text(written)
    (tmp_path / "theirs.toml").write_text('base = "ours"\n')
    with pytest.raises(RulebookError, match=reason):
        Rulebooks(tmp_path).resolve("ours")
