"""``timing grid``: as a person and as a program calls it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from timing.commands.grid import command
from timing.domain.events import AnyEvent, GridSet
from timing.log.record import draft
from timing.log.session_file import read_lines
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

ZERO = 1_747_400_000_000_000


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def told(name: str = "race-1", kind: str = "race", order: str = "7935", gap: float = 1.0) -> list[dict[str, Any]]:
    """A race or a qualifying of two laps, the cars crossing in this order."""
    events: list[dict[str, Any]] = [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": name, "name": f"Sunday {name}", "kind": kind,
            "rulebook": "mitjet", "distance": {"laps": 2} if kind == "race" else {"minutes": 15},
            "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
        *(
            {
                "type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "transponders": [car],
                "drivers": [{"id": "a", "name": f"Ann [bold]{car}[/bold]"}],
            }
            for car in "3579"
        ),
        {"type": "session_started", "id": "start", "at": at(0)},
    ]  # fmt: skip
    crossings = [(car, 60.0 * lap + gap * place * lap) for lap in (1, 2, 3) for place, car in enumerate(order)]
    for number, (car, seconds) in enumerate(crossings, start=1):
        events.append({"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": car, "at": at(seconds)})
    return [*events, {"type": "track_status", "id": "flag", "status": "chequered", "at": at(200)}]


PROVISIONAL = {"type": "result_published", "id": "p1", "at": at(300), "stage": "provisional"}
PENALTY = {"type": "decision", "id": "d", "at": at(310), "decision": "D1", "car": "7", "penalty": "disqualified"}
FINAL = {"type": "result_published", "id": "p2", "at": at(320), "stage": "final"}
GRID_PLACES = {"type": "decision", "id": "g", "at": at(290), "decision": "G1", "car": "7", "penalty": "grid_places", "positions": 2}


def session_file(folder: Path, events: list[dict[str, Any]]) -> str:
    file = folder / f"{events[0]['session']}.events.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in events), encoding="utf-8")
    return str(file)


def log_of(folder: Path, *sessions: list[dict[str, Any]]) -> str:
    path = folder / "weekend.log"
    log = SqliteLog(path)
    for events in sessions:
        name = str(events[0]["session"])
        decider = Decider(name, Rulebooks().resolve)
        with Path(session_file(folder, events)).open("rb") as lines:
            for line in read_lines(lines):
                assert line.event
                event = decider.decide(line.event, 1)
                assert not isinstance(event, Refusal)
                decider.evolve(event)
                log.append([draft(name, event)], recorded_at=1)
    log.close()
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def cars(*arguments: str) -> str:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return "".join(car or "-" for car in json.loads(result.stdout)["cars"])


def test_the_table_has_rows_of_two(tmp_path: Path) -> None:
    result = run(session_file(tmp_path, told()), "--from", "inverted:3", "--withdrawn", "9")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    assert rows == [
        ["1", "1", "3", "Ann", "[bold]3[/bold]", "2", "—"],
        ["2", "3", "7", "Ann", "[bold]7[/bold]", "4", "5", "Ann", "[bold]5[/bold]"],
    ]
    assert "as it stands" in result.stdout


@pytest.mark.parametrize(
    ("way", "grid"), [((), "7935"), (("--from", "race"), "7935"), (("--from", "inverted:4"), "5397"), (("--from", "best"), "7935")]
)
def test_from_a_race(tmp_path: Path, way: tuple[str, ...], grid: str) -> None:
    assert cars(session_file(tmp_path, told()), *way) == grid


def test_from_qualifying(tmp_path: Path) -> None:
    file = session_file(tmp_path, told("q", "qualifying"))
    assert cars(file) == cars(file, "--from", "best") == cars(file, "--from", "second-best") == "7935"


def test_places_lost_in_the_source_elsewhere_and_by_hand(tmp_path: Path) -> None:
    file = session_file(tmp_path, [*told(), GRID_PLACES])
    other = session_file(tmp_path, [*told("q", "qualifying"), {**GRID_PLACES, "car": "9", "positions": 1}])
    assert cars(file) == "9375"
    assert cars(file, "--penalties", other) == "3795"  # both are for the third place: the slower keeps it
    assert cars(file, "--penalty", "3=back") == "9573"
    assert cars(session_file(tmp_path, told()), "--penalty", "7=1", "--rulebook", "karting") == "9735"


def test_it_is_made_from_the_last_published_result_and_stays_so(tmp_path: Path) -> None:
    one = session_file(tmp_path, [*told(), PROVISIONAL])
    first = json.loads(run(one, "--json").stdout)
    two = session_file(tmp_path, [*told(), PROVISIONAL, PENALTY])
    assert json.loads(run(two, "--json").stdout) == first
    assert cars(two, "--result-version", "now") == "9357"
    three = session_file(tmp_path, [*told(), PROVISIONAL, PENALTY, FINAL])
    assert cars(three) == cars(three, "--result-version", "latest") == "9357"
    again = json.loads(run(three, "--json", "--result-version", "1").stdout)
    assert again == first
    assert first["source"]["version"] == 1
    assert first["rows"] == [["7", "9"], ["3", "5"]]


def test_the_event_is_taken_and_names_what_it_was_made_from(tmp_path: Path) -> None:
    file = session_file(tmp_path, [*told(), PROVISIONAL, PENALTY])
    said = run(file, "--from", "inverted:2", "--withdrawn", "7", "--event").stdout
    event = msgspec.json.decode(said, type=AnyEvent)
    assert isinstance(event, GridSet)
    assert event.source
    frozen, _ = score_file(Path(file), Rulebooks(), as_of=event.source.seq)
    assert event.source.digest == frozen.digest().hex()
    assert (event.source.session, event.source.by, event.source.version) == ("race-1", "inverted:2", 1)
    assert event.cars == ("9", None, "3", "5")
    race = session_file(tmp_path, [*told("race-3"), json.loads(said)])
    timing, skipped = score_file(Path(race), Rulebooks())
    assert not skipped
    assert timing.board().rows["3"].grid == 3
    assert cars(race, "--from", "issued") == "9-35"
    assert cars(race, "--from", "issued", "--withdrawn", "3") == "9--5"


def test_sessions_of_a_log_and_their_sum(tmp_path: Path) -> None:
    log = log_of(tmp_path, told(), told("race-2", order="3975"), told("q", "qualifying", order="5793"))
    assert cars(f"{log}:race-2") == "3975"
    assert cars(f"{log}:race-1", f"{log}:race-2", "--from", "sum") == "3975"
    assert cars(f"{log}:q", "--from", "sum") == "5793"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "lottery"], "there is best"),
        (["--from", "inverted:0"], "there is best"),
        (["--from", "issued"], "no grid has been issued for race-1"),
        (["--withdrawn", "99"], "car 99 is not entered"),
        (["--penalty", "7"], "say 7=5"),
        (["--penalty", "98=1"], "car 98 is not entered"),
        (["--result-version", "2"], "has 1 published results, and no version 2"),
        (["--result-version", "first"], "no version first"),
        (["{q}"], "several sessions make a grid by their sum"),
        (["{q}", "--from", "sum"], "a sum is of races"),
        (["nowhere.log:race"], "there is no file nowhere.log:race"),
        (["--penalties", "{q}:other"], "holds the session q, not other"),
    ],
)
def test_misuse_is_said_in_words(tmp_path: Path, arguments: list[str], said: str) -> None:
    q = session_file(tmp_path, told("q", "qualifying"))
    result = run(session_file(tmp_path, [*told(), PROVISIONAL]), *(word.replace("{q}", q) for word in arguments))
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_race_way_of_no_race(tmp_path: Path) -> None:
    result = run(session_file(tmp_path, told("q", "qualifying")), "--from", "race")
    assert result.exit_code == 2
    assert "q is no race" in result.output
