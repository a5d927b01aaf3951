"""``replay check``: as a person and as a script call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from signed_log import race, written

from timing.services.keys import new_key


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).with_name(program)
    return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = written(tmp_path / "race.db", race(), new_key(tmp_path / "key"))
    (tmp_path / "sheet.json").write_text(run("timing", "results", path, "--version", "2", "--json").stdout)
    (tmp_path / "all.json").write_text(run("timing", "results", path, "--json").stdout)
    return path


def test_a_sheet_alone_and_against_its_log(log: Path) -> None:
    sheet, key = log.with_name("sheet.json"), log.with_name("key")
    alone = run("replay", "check", sheet)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.startswith("sunday  final, document 14, record 13, digest ")
    assert "a key that nobody has vouched for here" in alone.stdout
    both = run("replay", "check", sheet, "--key", key, "--log", log)
    assert both.returncode == 0
    assert "vouched" not in both.stdout
    assert both.stdout.splitlines()[-1] == f"  it holds against {log}"


def test_every_version_of_a_document_and_one_of_them(log: Path) -> None:
    every = log.with_name("all.json")
    found = json.loads(run("replay", "check", every, "--json", "--log", log).stdout)
    assert [(one["document"], one["holds"], one["against"]) for one in found] == [("12", True, str(log)), ("14", True, str(log))]
    assert run("replay", "check", every, "--version", "1").stdout.startswith("sunday  provisional, document 12")
    ran = run("replay", "check", every, "--version", "3")
    assert ran.returncode == 2
    assert "there are: 1, 2" in ran.stderr


def test_what_does_not_hold_is_said_in_a_line(log: Path) -> None:
    sheet = log.with_name("sheet.json")
    forged = log.with_name("forged.json")
    forged.write_text(sheet.read_text().replace('"total_us":122000000', '"total_us":121000000'))
    ran = run("replay", "check", forged)
    assert ran.returncode == 1
    assert ran.stderr == f"replay: {forged}: document 14: its result is not the one that was signed\n"
    assert ran.stdout.splitlines()[-1] == "  it does not hold"
    other = new_key(log.with_name("other"))
    ran = run("replay", "check", sheet, "--key", other.public)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (3, "  it holds, but for who signed it")
    log.with_name("text.json").write_text("P1: 7")
    for arguments, status in (([log.with_name("text.json")], 1), ([sheet, "--key", "nobody"], 2), ([sheet, "--log", sheet], 2)):
        ran = run("replay", "check", *arguments)
        assert (ran.returncode, ran.stderr.count("\n")) == (status, 1), ran.stderr
