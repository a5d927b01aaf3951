"""``timing rulebook`` as a person and as a program calls it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from timing.commands import classify
from timing.commands.rulebook import command
from timing.domain.errors import RulebookError
from timing.services.rulebook_keys import keys
from timing.services.rulebooks import Rulebooks

FAULTY = 'title = "Ours"\nsource = "us"\n[laps]\nmin_lap = 3\n[finish]\nearly_flag = "never"\n'


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def told(*arguments: str | Path) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_list_names_each_with_its_base(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(FAULTY)
    listed = {row["name"]: row for row in told("list", "--rulebooks", tmp_path)}
    assert set(listed) == {*Rulebooks().names(), "ours"}
    assert (listed["mitjet"]["title"], listed["mitjet"]["base"], listed["mitjet"]["fault"]) == ("Mitjet 2L", "club-sprint", None)
    assert "laps.min_lap" in listed["ours"]["fault"], "one that cannot be used hides no other"
    text = call("list", "--rulebooks", tmp_path).output
    assert "fia-wec" in text
    assert "cannot be used" in text


def test_check_prints_each_fault_and_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(FAULTY)
    result = call("check", tmp_path / "ours.toml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{tmp_path}/ours.toml: laps.min_lap: there is no such key; did you mean min_lap_s?")
    assert lines[1].endswith('finish.early_flag = "never": allowed is leader_last_crossing_before | leader_next_crossing')
    assert "2 faults found" in result.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [("title = \n", "line 1"), ('base = "b"\n', "its base b is unknown"), ('base = "a"\n', "based on it in turn")],
)
def test_check_of_what_cannot_be_read(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    result = call("check", tmp_path / "a.toml", "imsa")
    assert result.exit_code == 1
    assert reason in result.stdout
    assert "imsa: in order: IMSA SportsCar" in result.stdout
    assert "1 fault found" in result.stderr


@pytest.mark.parametrize("name", Rulebooks().names())
def test_shown_as_a_file_it_is_the_same_rulebook(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text(call("show", name, "--toml").output)
    assert call("check", file).exit_code == 0
    alone = Rulebooks()
    assert alone.resolve(alone.choose(str(file))) == Rulebooks().resolve(name)
    assert told("diff", name, file)["keys"] == []


def test_show_tells_every_key_its_value_origin_and_meaning() -> None:
    shown = told("show", "motogp-2021")
    assert (shown["id"], len(shown["hash"])) == ("motogp-2021", 64)
    by_key = {key["key"]: key for key in shown["keys"]}
    assert set(by_key) == {key.path for key in keys() if key.chapter}
    assert (by_key["red_flag.others"]["value"], by_key["red_flag.others"]["from"]) == ("composite", "base motogp")
    assert (by_key["red_flag.not_returned_within_s"]["value"], by_key["red_flag.not_returned_within_s"]["from"]) == (None, "itself")
    assert "not back in the pit lane" in by_key["red_flag.not_returned_within_s"]["meaning"]
    text = call("show", "motogp-2021").output
    for said in (
        "MotoGP until 2021",
        shown["hash"],
        "red_flag: What a red flag does",
        '"composite"',
        "base motogp",
        "not back in the pit lane",
    ):
        assert said in text


def test_show_tells_a_list_of_tables_an_entry_a_line() -> None:
    starts = [line.split("{")[1] for line in call("show", "nls").output.splitlines() if "{ offence =" in line]
    assert len(starts) == 4
    assert starts[0].startswith(' offence = "Code 60: too fast by up to 19 km/h", penalty ='), "and no article, which nobody said"


def test_show_of_ones_own_folder(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('base = "imsa"\n[laps]\nmin_lap_s = 0.25\n')
    assert {key["key"]: key["value"] for key in told("show", "ours", "--rulebooks", tmp_path)["keys"]}["laps.min_lap_s"] == 0.25


def test_diff_lists_the_keys_side_by_side() -> None:
    different = told("diff", "motogp", "motogp-2021")
    assert (different["a"]["id"], different["b"]["title"]) == ("motogp", "MotoGP until 2021")
    assert different["keys"] == [
        {
            "key": "red_flag.result",
            "a": {"value": "completed_minus", "from": "itself"},
            "b": {"value": "last_lap_completed_by_all", "from": "itself"},
        },
        {
            "key": "red_flag.not_returned_within_s",
            "a": {"value": 300, "from": "itself"},
            "b": {"value": None, "from": "itself"},
        },
    ]
    line = next(line for line in call("diff", "motogp", "motogp-2021").output.splitlines() if "not_returned" in line)
    assert line.split() == ["red_flag.not_returned_within_s", "300", "itself", '"none"', "itself"]
    assert "do not differ" in call("diff", "imsa", "imsa").output


def test_what_is_unknown_is_an_error_of_the_program() -> None:
    assert isinstance(call("show", "unheard-of").exception, RulebookError)
    assert call("show").exit_code == 2


def test_classify_takes_ones_own_folder_and_file(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('base = "club-sprint"\ntitle = "Ours"\n')
    opened = {
        "type": "session_opened", "id": "o", "at": 1_000_000, "session": "s", "name": "S", "kind": "race", "rulebook": "ours",
        "distance": {"laps": 1}, "circuit": {"name": "R", "loops": [{"id": "SF", "line": "finish"}]},
    }  # fmt: skip
    file = tmp_path / "s.events.jsonl"
    file.write_text(json.dumps(opened) + "\n")

    def by(*arguments: str) -> str:
        result = CliRunner().invoke(classify.command, [str(file), "--json", *arguments])
        assert result.exit_code == 0, result.output
        return str(json.loads(result.stdout)["rulebook"]["title"])

    assert by("--rulebooks", str(tmp_path)) == "Ours"
    assert by("--rulebook", str(tmp_path / "ours.toml"), "--rulebooks", str(tmp_path)) == "Ours"
    assert by("--rulebook", "imsa", "--rulebooks", str(tmp_path)) == "IMSA SportsCar"
