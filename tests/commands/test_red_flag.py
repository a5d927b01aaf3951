"""``timing red-flag``: as the race director and as a program call it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from timing.commands.red_flag import command

ZERO = 1_747_400_000_000_000  # 2025-05-16 12:53:20 UTC


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    told: list[dict[str, object]] = [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": "s", "name": "S", "kind": "race", "rulebook": "fia-f1",
            "distance": {"laps": 4}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
    ]  # fmt: skip
    told.extend(
        {"type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "transponders": [f"T{car}"]}
        for car in ("7", "12")
    )
    told.append({"type": "session_started", "id": "start", "at": at(0)})
    for number, (car, seconds) in enumerate([("7", 60), ("12", 61), ("7", 120), ("12", 121), ("12", 180), ("7", 181)], start=1):
        told.append(
            {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": f"T{car}", "at": at(seconds)}
        )
    told.append({"type": "track_status", "id": "red", "at": at(200), "status": "red"})
    path = tmp_path / "s.events.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    return path


def test_the_director_sees_each_reading_with_the_rulebooks_own_marked(file: Path) -> None:
    done = CliRunner().invoke(command, [str(file)])
    assert done.exit_code == 0, done.output
    assert "C = 3" in done.output
    assert "If it goes on, the restart order, read at the end of lap 3: 12 7" in done.output
    own = next(line for line in done.output.splitlines() if line.startswith("* C"))
    assert own.startswith("* C-1;")
    assert "end of lap 2" in own
    assert "places: 12 P2 -> P1, 7 P1 -> P2" in done.output


@pytest.mark.parametrize(
    ("instant", "completed"),
    [(str(at(130)), 2), ("12:55:30", 2), ("12:54:20", 1), ("2025-05-16T12:55:20Z", 2), ("2025-05-16T14:55:19.999999+02:00", 1)],
)
def test_a_signal_is_supposed_at_an_instant(instant: str, completed: int, file: Path) -> None:
    done = CliRunner().invoke(command, [str(file), "--at", instant, "--json"])
    assert done.exit_code == 0, done.output
    sheet = json.loads(done.output)
    assert sheet["completed"] == completed
    assert [r["own"] for r in sheet["readings"]].count(True) == 1


def test_now_is_the_latest_instant(file: Path) -> None:
    sheet = json.loads(CliRunner().invoke(command, [str(file), "--signal", "now", "--json"]).output)
    assert sheet["signal_at"] == at(200)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--at", "noon"], "no instant"), (["--at", "2025-05-16T12:55:20"], "time zone"), (["--at", "1", "--signal", "now"], "not both")],
)
def test_what_cannot_be_read_is_said(words: list[str], said: str, file: Path) -> None:
    done = CliRunner().invoke(command, [str(file), *words])
    assert done.exit_code == 2
    assert said in done.output
