"""The checker printed in docs/log.md, for people who trust nothing of ours, works as printed."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from timing.log.record import Draft
from timing.log.schema import APPLICATION_ID, FORMAT, GUARDS
from timing.log.sqlite_log import SqliteLog

DOCUMENT = Path(__file__).parents[2] / "docs" / "log.md"


@pytest.fixture
def checker() -> str:
    return DOCUMENT.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]


def test_the_printed_checker_finds_what_verify_finds(tmp_path: Path, checker: str, passing: Callable[..., Draft]) -> None:
    path = tmp_path / "parcferme.db"
    with closing(SqliteLog(path)) as log:
        for number in range(20):
            log.append([passing(number), passing(number, "zolder")], 1_000 + number)
        heads = {name: list(log.read(name))[-1].hash.hex() for name in log.sessions()}

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", checker, str(path)], capture_output=True, text=True, check=False, timeout=60)

    assert check().stdout.splitlines() == [f"{name} 20 {heads[name]}" for name in ("albi", "zolder")]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE record SET event = CAST(replace(CAST(event AS TEXT), 'T7', 'T8') AS BLOB) WHERE session = 'albi' AND seq = 12")
    found = check()
    assert found.returncode == 1
    assert "albi: record 12 is not what was written" in found.stderr


def test_the_document_names_the_files_marks() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert f"0x{APPLICATION_ID:X}".lower() in text.lower()
    assert f"is the format: {FORMAT}." in text
