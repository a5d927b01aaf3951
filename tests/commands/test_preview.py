"""``timing preview`` and ``--with`` as a person types them: what would be, what would be refused, and nothing changed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from timing.commands.classify import command as classify
from timing.commands.preview import command as preview
from timing.log.record import draft
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.services.rulebooks import Rulebooks

ZERO = 1_747_400_000_000_000
PENALTY = '{"type":"decision","decision":"D1","car":"7","penalty":"time","seconds":5}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    told: list[dict[str, object]] = [
        {
            "type": "session_opened", "id": "open", "at": ZERO, "session": "sunday", "name": "Sunday", "kind": "race", "rulebook": "fia-f1",
            "distance": {"laps": 3}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
        *({"type": "entry_registered", "id": f"e{c}", "at": ZERO, "car": c, "class": "GT", "transponders": [c]} for c in "795"),
        {"type": "session_started", "id": "start", "at": ZERO},
    ]  # fmt: skip
    crossings = [("7", 60), ("9", 61), ("7", 120), ("9", 122), ("7", 180), ("9", 183), ("5", 200)]
    for number, (car, seconds) in enumerate(crossings, start=1):
        at = ZERO + seconds * 1_000_000
        told.append({"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": car, "at": at})
    file = tmp_path / "sunday.events.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    return file


@pytest.fixture
def log(file: Path) -> Path:
    path, decider = file.with_name("race.db"), Decider("sunday", Rulebooks().resolve)
    written = SqliteLog(path)
    with file.open("rb") as lines:
        for line in read_lines(lines):
            assert line.event
            event = decider.decide(line.event, 1)
            assert not isinstance(event, Refusal)
            decider.evolve(event)
            written.append([draft("sunday", event)], recorded_at=ZERO)
    written.close()
    return path


def run(command: object, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]  # click's own


def order(ran: Result) -> list[str]:
    assert ran.exit_code == 0, ran.output
    return [row["car"] for row in json.loads(ran.stdout)["rows"]]


def test_classify_with_an_event_of_a_file_of_a_log_and_the_log_stays_as_it_is(file: Path, log: Path, tmp_path: Path) -> None:
    before = log.read_bytes()
    (tmp_path / "assumed.jsonl").write_text(PENALTY + "\n\n" + '{"type":"passing_voided","passing":{"decoder":"d","boot":1,"number":5}}\n')
    for source in (file, log):
        assert order(run(classify, source, "--json")) == ["7", "9", "5"]
        assert order(run(classify, source, "--json", "--with", PENALTY)) == ["9", "7", "5"]
        rows = json.loads(run(classify, source, "--json", "--with", tmp_path / "assumed.jsonl").stdout)["rows"]
        assert {row["car"]: row["laps"] for row in rows}["7"] == 2
    assert log.read_bytes() == before


def test_all_of_them_together(log: Path) -> None:
    found = run(classify, log, "--json", "--as-of", "10", "--without", "e5", "--rulebook", "imsa", "--with", PENALTY)
    rows = json.loads(found.stdout)["rows"]
    assert [row["car"] for row in rows] == ["7", "9"]
    assert json.loads(found.stdout)["rulebook"]["id"] == "imsa"
    assert [p["text"] for p in rows[0]["penalties"]] == ["5 s penalty"]


@pytest.mark.parametrize(
    ("assumed", "status", "says"),
    [
        ('{"type":"decision","decision":"D1","car":"88","penalty":"time","seconds":5}', 1, "event 1 that is to be added would be refused"),
        ('{"type":"decision"}', 2, "--with: bad-field"),
        ('{"type":"signal"}', 2, "unknown-type"),
        ("nowhere.jsonl", 2, "neither a file nor a JSON object"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_judged(log: Path, assumed: str, status: int, says: str) -> None:
    ran = run(classify, log, "--with", assumed)
    assert (ran.exit_code != 0, ran.stdout) == (True, "")
    assert says in (str(ran.exception) if status == 1 else ran.stderr)


def test_preview_says_what_differs_by_another_rulebook_and_an_event(log: Path) -> None:
    ran = run(preview, log, "--rulebook", "imsa")
    assert ran.exit_code == 0
    assert "car 5: " in ran.stdout
    assert run(preview, log, "--rulebook", "fia-f1").stdout == "Nothing changes.\n"
    both = json.loads(run(preview, log, "--with", PENALTY, "--without", "passing/d/1/1", "--json").stdout)
    assert {car["car"] for car in both["differences"]["cars"]} == {"7", "9", "5"} - {"5"}
    ran = run(preview, log)
    assert ran.exit_code == 2
    assert "say what to try" in ran.stderr
