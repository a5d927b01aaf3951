"""A rulebook with where each of its values comes from."""

import json
from pathlib import Path
from typing import Any

import pytest

from timing.domain.errors import RulebookError
from timing.domain.events import SessionOpened
from timing.domain.rulebook import rulebook_hash
from timing.log.record import decode_event, draft
from timing.log.sqlite_log import SqliteLog
from timing.services.rulebook_origins import Whole, stored, whole
from timing.services.rulebooks import Rulebooks


def opening(session: str = "sunday", rulebook: Any = "fia-f1", **more: Any) -> str:
    told = {
        "type": "session_opened", "id": "o", "at": 1_000_000, "session": session, "name": "Sunday", "kind": "race", "rulebook": rulebook,
        "distance": {"laps": 3}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
    }  # fmt: skip
    return json.dumps({**told, **more})


def log_of(folder: Path, *openings: str) -> Path:
    log = SqliteLog(folder / "race.db")
    for text in openings:
        event = decode_event(text.encode())
        assert isinstance(event, SessionOpened)
        log.append([draft(event.session, event)], recorded_at=1)
    log.close()
    return folder / "race.db"


def said(found: Whole, path: str) -> tuple[Any, str]:
    return next((value.value, value.origin) for value in found.values if value.key.path == path)


def test_each_value_says_which_file_it_is_from(tmp_path: Path) -> None:
    (tmp_path / "cup.toml").write_text('base = "mitjet"\ntitle = "Cup"\n[finish]\ngrace_s = 7\n')
    found = whole(str(tmp_path / "cup.toml"), Rulebooks())
    assert said(found, "finish.grace_s") == (7, "itself")
    assert said(found, "laps.min_lap_s") == (20, "base mitjet")
    assert said(found, "red_flag.min_laps") == (1, "base club-sprint")
    assert said(found, "laps.duplicate_window_s") == (1, "default")
    assert said(found, "neutralisation.code60.max_speed_kmh") == (60, "default")
    assert said(found, "title") == ("Cup", "itself")
    assert found.hash == rulebook_hash(Rulebooks().resolve({"base": "mitjet", "id": "cup", "title": "Cup", "finish": {"grace_s": 7}}))


def test_of_a_session_file(tmp_path: Path) -> None:
    file = tmp_path / "sunday.events.jsonl"
    file.write_text("not an event\n" + opening(rulebook={"base": "imsa", "laps": {"min_lap_s": 9}}) + "\n")
    found = whole(str(file), Rulebooks())
    assert (found.rulebook.id, said(found, "laps.min_lap_s")) == ("imsa+", (9, "itself"))
    assert said(found, "finish.late_flag") == ("at_flag", "base imsa")


def test_of_a_log_it_is_what_was_stored(tmp_path: Path) -> None:
    old = Rulebooks().resolve("fia-f1")
    del old["grid"]
    old["classification"] = {"min_percent": 12, "of_a_later_version": [1]}
    log = log_of(tmp_path, opening(rules=old), opening("saturday", rules=Rulebooks().resolve("imsa")))
    found = whole(f"{log}:sunday", Rulebooks())
    assert said(found, "classification.min_percent") == (12, "session"), "the log's own, whatever the shipped one says today"
    assert said(found, "classification.base") == ("overall_winner", "default")
    assert said(found, "grid.back_from_places") == (None, "default")
    assert found.hash == rulebook_hash(old)
    assert whole(f"{log}:saturday", Rulebooks()).rulebook.id == "imsa"


@pytest.mark.parametrize("after", ["", ":monday"])
def test_a_log_of_several_asks_for_one(tmp_path: Path, after: str) -> None:
    log = log_of(tmp_path, opening(), opening("saturday"))
    with pytest.raises(RulebookError, match="the sessions sunday, saturday; name one of them"):
        whole(f"{log}{after}", Rulebooks())


@pytest.mark.parametrize(("text", "reason"), [("", "opens no session"), ("{}\n", "opens no session")])
def test_a_file_that_opens_nothing(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(RulebookError, match=reason):
        whole(str(tmp_path / "x.jsonl"), Rulebooks())


@pytest.mark.parametrize("name", ["nothing", "nothing:sunday", ".", "nothing.toml"])
def test_nothing_of_that_name(name: str) -> None:
    with pytest.raises(RulebookError, match=r"neither a rulebook.*club-sprint|there is no file"):
        whole(name, Rulebooks())


def test_a_stored_one_from_before_any_chapter() -> None:
    found = stored({"id": "old", "title": "Old", "source": "art. 1"})
    assert {value.origin for value in found.values if value.key.chapter} == {"default"}
    assert all(value.value == value.key.default for value in found.values if value.key.chapter)
