"""``replay diff``: as a person and as a script call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from signed_log import PENALTY, at, race, written


def replay(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("replay")
    return subprocess.run([program, "diff", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "race.db", race())


def changed(ran: subprocess.CompletedProcess[str]) -> dict[str, tuple[object, object]]:
    assert ran.returncode in (0, 1), ran.stderr
    document = json.loads(ran.stdout)
    assert document["same"] == (ran.returncode == 0)
    return {c["car"]: (p["before"], p["after"]) for c in document["cars"] if (p := c["changes"].get("position"))}


def test_two_points_of_knowledge_in_a_table(log: Path) -> None:
    ran = replay(log, "--as-of", "9", "-")
    assert (ran.returncode, ran.stderr) == (1, "")
    lines = [line.rstrip() for line in ran.stdout.splitlines()]
    assert lines[0].startswith(f"left   {log}, as of record 9: Sunday – Course 1, record 9, digest ")
    assert lines[1].startswith(f"right  {log}, as of the end: Sunday – Course 1, record 11, digest ")
    assert lines[2] == "session  status provisional -> final"
    assert lines[4].split()[:5] == ["9", "P2", "P2", "->", "P1"]
    assert lines[5].endswith("decision D1, 5 s penalty, issued, is only right; behind 9 now in the result")
    same = replay(log, "--as-of", "11", "-")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "no difference in the session or any car")
    assert [line.split()[0] for line in replay(log, "--as-of", "11", "-", "--all").stdout.splitlines()[-2:]] == ["9", "7"]


def test_with_and_without_an_event_and_by_another_rulebook(log: Path) -> None:
    assert changed(replay(log, "--without", "d1", "--json")) == {"7": (2, 1), "9": (1, 2)}
    more = json.dumps({**PENALTY, "id": "d2", "decision": "D2", "car": "9", "seconds": 60})
    assert changed(replay(log, "--with", more, "--json")) == {"7": (2, 1), "9": (1, 2)}
    assert changed(replay(log, "--without", "d1", "--with", more, "--json")) == {"7": (2, 1), "9": (1, 2)}
    entry = json.dumps({"type": "entry_registered", "id": "x", "at": at(-4), "car": "9", "class": "TC", "transponders": ["9"]})
    lines = replay(log, "--with", entry).stdout.splitlines()
    assert lines[2].split()[-2:] == ["Also", "Why"]
    assert "class GT -> TC" in lines[3]
    ran = replay(log, "--rulebook", "-", "imsa", "--json")
    assert "rulebook" in json.loads(ran.stdout)["reasons"][0]
    assert changed(replay(log, "--rulebook", "imsa", "imsa", "--json")) == {}


def test_two_logs_and_two_sessions(log: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.db", [one for one in race() if one is not PENALTY])
    assert changed(replay(log, other, "--json")) == {"7": (2, 1), "9": (1, 2)}
    assert replay(log, log).returncode == 0
    written(other, race("monday"), session="monday")
    assert replay(log, other, "--session", "sunday", "--session", "monday").returncode == 0
    assert replay(other, "--session", "sunday", "--session", "monday").returncode == 1


def test_trouble_is_two_and_said_in_a_line(log: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("tyres: 4\n")
    for arguments, says in (
        ([log], "say what to compare"),
        ([log, log, log], "two sides at most"),
        ([log, "--as-of", "0", "-"], "0 is no record"),
        ([log, "--without", "unheard-of"], "there is no event unheard-of"),
        ([log, "--with", '{"type":"decision","decision":"D1","car":"88","penalty":"time","seconds":5}'], "would be refused: unknown-car"),
        ([log, "--rulebook", "-", "unheard-of"], "there is no rulebook unheard-of"),
        ([log, tmp_path / "notes.txt"], "holds no session"),
        ([log, tmp_path / "nowhere"], "does not exist"),
    ):
        ran = replay(*arguments)
        assert (ran.returncode, ran.stdout) == (2, ""), says
        assert says in ran.stderr
        assert ran.stderr.splitlines()[-1].startswith("replay: ")
