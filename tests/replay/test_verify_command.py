"""``replay verify``: as a person and as a script call it."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from signed_log import race, written

from timing.log.schema import GUARDS
from timing.services.keys import new_key


def replay(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("replay")
    return subprocess.run([program, "verify", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    return written(tmp_path / "race.db", race(), new_key(tmp_path / "key"))


def test_all_holds(signed: Path) -> None:
    ran = replay(signed, "--key", signed.with_name("key"))
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("sunday  14 records hold  head ")
    assert lines[1].startswith("  1. provisional, document 12, record 10, digest ")
    assert ": holds, signed by " in lines[1]
    assert lines[-1] == "all holds"
    document = json.loads(replay(signed, "--json", "--session", "sunday").stdout)
    assert (document["holds"], document["differences"]) == (True, [])
    assert document["sessions"][0]["hash"] == lines[0].split()[-1]


def test_the_first_record_that_differs_is_said_in_words(signed: Path) -> None:
    with closing(sqlite3.connect(signed, isolation_level=None)) as db:
        db.execute("DROP TRIGGER record_is_never_updated")
        db.execute("UPDATE record SET event = CAST(replace(event, '1747400120000000', '1747400119000000') AS BLOB) WHERE seq = 8")
        db.execute(GUARDS["record_is_never_updated"])
    ran = replay(signed)
    assert ran.returncode == 1
    assert ran.stderr == (f"replay: {signed}: session sunday: record 8 is not what was written; it or the one before was altered\n")
    said = ran.stdout.splitlines()
    assert said[0].startswith("sunday  7 records hold  head ")
    assert said[2].split()[:2] == ["expected", "hash"]
    assert said[3].split()[:2] == ["found", "hash"]
    assert said[-1] == "it does not hold"
    (one,) = json.loads(replay(signed, "--json").stdout)["differences"]
    assert (one["what"], one["session"], one["seq"]) == ("record", "sunday", 8)


def test_signed_by_another(signed: Path) -> None:
    other = new_key(signed.with_name("other"))
    ran = replay(signed, "--key", other.public)
    assert ran.returncode == 3
    assert "not by a key that was given" in ran.stderr
    assert ran.stdout.splitlines()[-1] == "everything holds but the signatures"


def test_misuse_is_said_in_a_line(signed: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.jsonl").write_text('{"type":"session_started","id":"s","at":1}\n')
    for arguments, says in (
        ([signed, "--key", "nobody"], "is no key"),
        ([signed, "--head", "xyz"], "is no hash"),
        ([signed, "--session", "monday"], "no session monday"),
        ([tmp_path / "nowhere.db"], "does not exist"),
        ([tmp_path / "plain.jsonl"], "no log and no export"),
    ):
        ran = replay(*arguments)
        assert ran.returncode == 2, says
        assert says in ran.stderr
        assert ran.stderr.count("\n") == 1
