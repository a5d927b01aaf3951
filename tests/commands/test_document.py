"""``timing document`` as people call it."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

S = 1_000_000
START = 1_747_400_000 * S
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    program = [sys.executable, "-c", "from timing.cli import main; main()", "document"]

    def call(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*program, *arguments], cwd=tmp_path, capture_output=True, check=False, timeout=60)

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    events = [
        {
            "type": "session_opened", "id": "o", "at": START, "session": "albi", "name": "Race 1", "kind": "race", "rulebook": "mitjet",
            "distance": {"laps": 1}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish"}]},
        },
        *({"type": "entry_registered", "id": f"e{car}", "at": START, "car": car, "class": "GT", "transponders": [car]} for car in "79"),
        {"type": "session_started", "id": "s", "at": START},
        {"type": "passing", "decoder": "d", "boot": 1, "number": 1, "loop": "SF", "transponder": "7", "at": START + 60 * S},
        {"type": "passing", "decoder": "d", "boot": 1, "number": 2, "loop": "SF", "transponder": "9", "at": START + 61 * S},
        {"type": "result_published", "id": "p1", "at": START + 90 * S, "stage": "provisional", "document": "12"},
        {"type": "decision", "id": "d1", "at": START + 95 * S, "decision": "D1", "car": "7", "penalty": "time", "seconds": 5},
        {"type": "result_published", "id": "p2", "at": START + 99 * S, "stage": "final", "document": "14"},
    ]  # fmt: skip
    path = tmp_path / "albi.events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def failed(result: subprocess.CompletedProcess[bytes], status: int) -> str:
    assert result.returncode == status, result.stderr
    assert result.stderr.count(b"\n") == 1
    return result.stderr.decode()


def test_a_line_that_is_left_out_is_named_once(run: Run, file: Path) -> None:
    lines = file.read_text().splitlines()
    unknown = {"type": "car_retired", "id": "x", "at": START, "car": "55"}
    file.write_text("\n".join([*lines[:3], json.dumps(unknown), *lines[3:]]) + "\n")
    result = run(file.name, "-o", "sheet.pdf")
    assert result.returncode == 0
    (said,) = result.stderr.decode().splitlines()
    assert "line 4 left out: unknown-car" in said


def test_the_last_version_is_printed(run: Run, file: Path, tmp_path: Path) -> None:
    result = run(file.name, "-o", "sheet.pdf")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode() == "Race 1: version 2, final, document 14: sheet.pdf\n"
    assert [path.name for path in tmp_path.iterdir()] != []
    said = text((tmp_path / "sheet.pdf").read_bytes())
    assert "Document 14" in said
    assert "FINAL" in said
    assert "Lap chart" in said
    assert not list(tmp_path.glob("*.part"))


def test_another_version_or_what_stands_now_and_single_parts(run: Run, file: Path) -> None:
    first = text(run(file.name, "--version", "1", "--part", "classification", "-o", "-").stdout)
    assert "PROVISIONAL" in first
    assert "D1" not in first
    assert "Lap chart" not in first
    assert "NOT PUBLISHED" in text(run(file.name, "--current", "-o", "-").stdout)


def test_the_same_log_makes_the_same_bytes(run: Run, file: Path) -> None:
    assert run(file.name, "-o", "-").stdout == run(file.name, "-o", "-").stdout


def test_misuse_is_one_line(run: Run, file: Path) -> None:
    assert "'-o' / '--output'" in failed(run(file.name), 2)
    assert "not both" in failed(run(file.name, "--version", "1", "--current", "-o", "x.pdf"), 2)
    assert "there is no version 3" in failed(run(file.name, "--version", "3", "-o", "x.pdf"), 1)
    assert "cannot be written" in failed(run(file.name, "-o", "none/x.pdf"), 1)
