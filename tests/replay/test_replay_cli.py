"""The ``replay`` command line, run as its users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from timing.domain.events import SessionOpened, SessionStarted
from timing.log.session_file import read_lines


def replay(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", "from replay.cli import main; main()", *arguments], capture_output=True, check=False, timeout=60
    )


def test_help_names_what_exists_and_nothing_else() -> None:
    run = replay("--help")
    assert run.returncode == 0
    listed = run.stdout.decode().split("Commands:")[1].split("\n")
    assert [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "] == [
        "serve",
        "verify",
        "check",
        "diff",
        "simulate",
    ]


def test_simulate_writes_the_race_and_its_truth(tmp_path: Path) -> None:
    run = replay("simulate", "--cars", "6", "--minutes", "4", "-o", str(tmp_path / "race.jsonl"), "--truth", str(tmp_path / "truth.json"))
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    lines = list(read_lines((tmp_path / "race.jsonl").read_bytes().splitlines()))
    assert all(line.event is not None for line in lines)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert [row["position"] for row in truth["rows"]][:3] == [1, 2, 3]
    assert set(truth["rows"][0]) >= {"position", "car", "class", "class_position", "laps", "total_us", "status"}
    assert truth["winner"] == truth["rows"][0]["car"]


def test_simulate_writes_to_standard_output_and_says_nothing_else() -> None:
    run = replay("simulate", "--cars", "2", "--laps", "3", "--start", "2026-07-04T09:00:00+02:00", "--session", "a-race")
    assert run.stderr == b""
    first, *others = (line.event for line in read_lines(run.stdout.splitlines()))
    assert isinstance(first, SessionOpened)
    assert first.session == "a-race"
    started = next(event for event in others if isinstance(event, SessionStarted))
    assert started.at == 1_783_148_400_000_000


def test_faults_are_named_in_any_order_and_add_up() -> None:
    few = ("simulate", "--cars", "4", "--minutes", "6")
    one, other = (replay(*few, "--faults", faults).stdout for faults in ("lost,harsh,slips", "slips,lost,harsh"))
    assert one == other
    assert b'"line-backup"' in one
    assert b'"event_retimed"' in one
    everything = replay("simulate", "--cars", "8", "--minutes", "16", "--faults", "all", "--virtual", "2").stdout
    for said in (b"passing_voided", b"passing_added", b"passing_reassigned", b"decoder_clock_corrected", b"transponder_assigned", b'"vsc"'):
        assert said in everything, said


def test_a_race_stopped_by_red_has_no_chequered_flag() -> None:
    run = replay("simulate", "--finish", "red")
    assert b'"race_stopped"' in run.stdout
    assert b'"chequered"' not in run.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cars", "1"), "2 to 90 cars"),
        (("--cars", "91"), "2 to 90 cars"),
        (("--start", "soon"), "2026-05-16T13:10:00Z"),
        (("--start", "2026-05-16T13:10:00"), "add Z for UTC"),
        (("--start", "5"), "microseconds"),
        (("--session", "Not A Topic"), "small letters"),
        (("--minutes", "0"), "--minutes"),
        (("--plus-laps", "2", "--format", "sprint"), "--minutes"),
        (("--laps", "1", "--finish", "red"), "too short"),
        (("--faults", "mild,lots"), "--faults lots is none"),
        (("--faults", "mild,harsh"), "one way"),
        (("--weekend", "mitjet"), "name a folder for them with -o"),
        (("--weekend", "mitjet", "-o", "weekend", "--laps", "5"), "--laps is for one session"),
        (("--weekend", "mitjet", "-o", "weekend", "--format", "sprint"), "--format is for one session"),
        (("-o", "."), "is a folder"),
    ],
)
def test_misuse_is_one_line_that_helps_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    run = replay("simulate", *arguments)
    text = run.stderr.decode()
    assert run.returncode == 2, text
    assert run.stdout == b""
    assert text.count("\n") == 1
    assert said in text


def test_a_weekend_is_a_folder_of_session_files(tmp_path: Path) -> None:
    run = replay(
        "simulate", "--weekend", "karting", "--cars", "6", "--session", "lac", "-o", str(tmp_path), "--truth", str(tmp_path / "truth")
    )
    assert run.returncode == 0, run.stderr
    names = ["lac-q", "lac-1", "lac-2"]
    assert [line.rpartition("/")[2] for line in run.stdout.decode().splitlines()] == [f"{name}.events.jsonl" for name in names]
    for name, truth in zip(names, json.loads((tmp_path / "truth").read_text()), strict=True):
        first = json.loads((tmp_path / f"{name}.events.jsonl").read_text().partition("\n")[0])
        assert (first["session"], truth["session"]) == (name, name)


def test_a_weekend_whose_folder_cannot_be_made_is_failure_and_status_1(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    run = replay("simulate", "--weekend", "karting", "-o", str(tmp_path / "taken"))
    assert (run.returncode, run.stderr.count(b"\n")) == (1, 1)
    assert "cannot be made a folder" in run.stderr.decode()


def test_a_file_that_cannot_be_written_is_failure_and_status_1(tmp_path: Path) -> None:
    run = replay("simulate", "-o", str(tmp_path / "no-folder" / "race.jsonl"))
    assert run.returncode == 1
    assert "cannot be written" in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from replay.cli import main; main()", "simulate", "--format", "endurance"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.wait(timeout=60)
    assert said == b""
