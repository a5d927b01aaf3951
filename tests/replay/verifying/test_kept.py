"""Logs, results and signatures of earlier versions, kept as files: they are verified for ever, whatever has become of the program.

Where a version folds to another digest on purpose, a log of its own is kept beside these; of older ones then the chain, the records and the
places that were signed (a statement's ``result``) have to hold, and docs/verify.md says from which version on the digest is another.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from replay.verifying.held import held
from replay.verifying.sheet import check_sheet, sheets_of
from replay.verifying.verify import verify

KEPT = Path(__file__).parents[2] / "vectors"
KEYS = {"0.1.0": "eb9b97b8db6c3a5b8551e576db1405b621b289338827a45cf4ecc6780cc32796"}
HEADS = {"0.1.0": "18cefb8da64df7b334164eaf617569d1ccb5cfb145075447e01a90af1b133a72"}


@pytest.mark.parametrize("version", KEYS)
def test_a_log_of_an_earlier_version_is_verified(version: str) -> None:
    with held(KEPT / f"kept-{version}.jsonl", None) as export:
        verdict = verify(export, version, keys=(KEYS[version],), heads=(HEADS[version],))
    assert (verdict.status, verdict.differences) == (0, ())
    (session,) = verdict.sessions
    assert [(result.stage, result.holds, result.signed) for result in session.results] == [
        ("provisional", True, True),
        ("amended", True, True),
        ("final", True, True),
    ]


@pytest.mark.parametrize("version", KEYS)
def test_its_sheets_are_checked_alone_and_against_the_log(version: str) -> None:
    sheets = sheets_of((KEPT / f"kept-{version}.sheet.json").read_bytes())
    assert len(sheets) == 3
    for sheet in sheets:
        assert check_sheet(sheet, keys=(KEYS[version],)).status == 0
        with held(KEPT / f"kept-{version}.jsonl", None) as export:
            assert check_sheet(sheet, keys=(KEYS[version],), held=export, against="the log").status == 0


@pytest.mark.parametrize("version", KEYS)
def test_it_is_imported_with_its_chain(version: str, tmp_path: Path) -> None:
    timing = [sys.executable, "-c", "from timing.cli import main; main()", "log"]
    for arguments in (["import", str(tmp_path / "log.db"), str(KEPT / f"kept-{version}.jsonl")], ["verify", str(tmp_path / "log.db")]):
        ran = subprocess.run([*timing, *arguments], capture_output=True, text=True, check=True, timeout=60)
    assert HEADS[version] in ran.stdout
