"""Scoring without a service: what is folded, left out, judged otherwise, and said about the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from timing.domain.errors import ConfigurationError, TimingError
from timing.log.event_log import MemoryLog
from timing.log.record import Record, decode_event, draft
from timing.log.session_file import export_line
from timing.projections.decider import Decider, Refusal
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file, score_log

ZERO = 1_747_400_000_000_000
Lines = list[dict[str, Any] | str]


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def passing(number: int, car: str, seconds: float) -> dict[str, Any]:
    return {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": f"T{car}", "at": at(seconds)}


def session() -> Lines:
    circuit = {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]}
    cars: Lines = [
        {"type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "transponders": [f"T{car}"]} for car in "79"
    ]
    return [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": "sunday", "name": "S", "kind": "race", "rulebook": "fia-f1",
            "distance": {"laps": 3}, "circuit": circuit,
        },
        *cars,
        {"type": "session_started", "id": "start", "at": at(0)},
        *(passing(lap, "7", 60 * lap) for lap in (1, 2, 3)),
        *(passing(lap + 3, "9", 61 * lap) for lap in (1, 2, 3)),
    ]  # fmt: skip


def written(path: Path, lines: Lines) -> Path:
    file = path / "sunday.events.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), encoding="utf-8")
    return file


def laps(timing: Timing) -> dict[str, int]:
    return {s.car: s.laps for s in timing.state().standings}


def logged(lines: Lines, rulebooks: Rulebooks | None = None) -> MemoryLog:
    log, decider = MemoryLog(), Decider("sunday", (rulebooks or Rulebooks()).resolve)
    for line in lines:
        event = decider.decide(decode_event(json.dumps(line).encode()), at(0))
        assert not isinstance(event, Refusal)
        decider.evolve(event)
        log.append([draft("sunday", event)], recorded_at=1)
    return log


DECISION = {"type": "decision", "id": "d1", "at": at(200), "decision": "D", "car": "7", "penalty": "time", "seconds": 30}


def test_a_file_its_export_and_its_log_score_the_same(tmp_path: Path) -> None:
    timing, skipped = score_file(written(tmp_path, [*session(), DECISION]), Rulebooks())
    assert not skipped
    assert laps(timing) == {"7": 3, "9": 3}
    log = logged([*session(), DECISION])
    exported: list[Record] = list(log.read("sunday"))
    again, skipped = score_file(written(tmp_path, [export_line(record).decode() for record in exported]), Rulebooks())
    assert not skipped
    assert timing.digest() == again.digest() == score_log(log, "sunday", Rulebooks()).digest()


def test_what_is_no_event_or_is_refused_is_left_out_and_named(tmp_path: Path) -> None:
    lines: Lines = [
        *session()[:4],
        "{not json",
        {"type": "car_retired", "id": "r", "at": at(9), "car": "8"},
        {"type": "decision", "id": "d1", "at": at(9), "decision": "D"},
        *session()[4:],
    ]
    timing, skipped = score_file(written(tmp_path, lines), Rulebooks())
    assert [line.line for line in skipped] == [5, 6, 7]
    assert skipped[1].reason.startswith("unknown-car")
    assert laps(timing) == {"7": 3, "9": 3}


def test_a_repetition_is_ignored_and_a_conflict_named(tmp_path: Path) -> None:
    lines: Lines = [*session(), *session()[4:], {"type": "session_started", "id": "start", "at": at(30)}, passing(1, "9", 59)]
    timing, skipped = score_file(written(tmp_path, lines), Rulebooks())
    assert [(line.line, line.reason.split(":")[0]) for line in skipped] == [
        (len(lines) - 1, "identity-conflict"),
        (len(lines), "identity-conflict"),
    ]
    assert timing.digest() == score_file(written(tmp_path, session()), Rulebooks())[0].digest()


@pytest.mark.parametrize(("seq", "car7"), [(1, None), (4, 0), (5, 1), (6, 2), (99, 3)])
def test_as_it_was_known_at_a_record(tmp_path: Path, seq: int, car7: int | None) -> None:
    timing, _ = score_file(written(tmp_path, session()), Rulebooks(), as_of=seq)
    assert laps(timing).get("7") == car7
    log = score_log(logged(session()), "sunday", Rulebooks(), as_of=seq)
    assert log.digest() == timing.digest()


def test_repetitions_do_not_count_as_records(tmp_path: Path) -> None:
    twice = [line for line in session() for _ in range(2)]
    timing, _ = score_file(written(tmp_path, twice), Rulebooks(), as_of=5)
    assert laps(timing) == {"7": 1, "9": 0}


@pytest.mark.parametrize(("left_out", "first"), [((), "9"), (("d1",), "7"), (("id/d1",), "7"), (("passing/d/1/6",), "7")])
def test_as_if_an_event_had_not_been(tmp_path: Path, left_out: tuple[str, ...], first: str) -> None:
    """The decision puts 7 behind 9, unless 9's third crossing is left out."""
    lines: Lines = [*session(), DECISION]
    timing, _ = score_file(written(tmp_path, lines), Rulebooks(), without=left_out)
    assert timing.classification()[0].car == first
    assert score_log(logged(lines), "sunday", Rulebooks(), without=left_out).digest() == timing.digest()


@pytest.mark.parametrize(("left_out", "as_of"), [(("d1", "unheard-of"), None), (("d1",), 5)])
def test_an_event_that_never_was_cannot_be_left_out(tmp_path: Path, left_out: tuple[str, ...], as_of: int | None) -> None:
    lines: Lines = [*session(), DECISION]
    with pytest.raises(ConfigurationError, match=f"no event {left_out[-1]} in sunday"):
        score_file(written(tmp_path, lines), Rulebooks(), without=left_out, as_of=as_of)
    with pytest.raises(ConfigurationError, match=f"no event {left_out[-1]} in sunday"):
        score_log(logged(lines), "sunday", Rulebooks(), without=left_out, as_of=as_of)


def test_judged_by_another_rulebook(tmp_path: Path) -> None:
    red: Lines = [
        {"type": "track_status", "id": "red", "at": at(150), "status": "red"},
        {"type": "race_stopped", "id": "stop", "at": at(300)},
    ]
    file = written(tmp_path, [*session(), *red])
    assert laps(score_file(file, Rulebooks())[0]) == {"7": 1, "9": 1}
    judged, _ = score_file(file, Rulebooks(), rulebook="imsa")
    assert laps(judged) == {"7": 2, "9": 1}
    assert judged.rules.id == "imsa"
    assert score_log(logged([*session(), *red]), "sunday", Rulebooks(), rulebook="imsa").digest() == judged.digest()
    with pytest.raises(TimingError, match="no rulebook"):
        score_file(file, Rulebooks(), rulebook="unheard-of")


def test_a_command_without_an_instant_came_in_after_what_the_file_told_before_it(tmp_path: Path) -> None:
    """Red between the second and the third lap: k = 1, so one lap counts."""
    lines = session()
    lines[6:6] = [{"type": "track_status", "id": "red", "status": "red"}]
    timing, _ = score_file(written(tmp_path, [*lines, {"type": "race_stopped", "id": "stop"}]), Rulebooks())
    assert [(s.status, s.at) for s in timing.state().said.statuses] == [("red", at(120) + 1)]
    assert laps(timing) == {"7": 1, "9": 1}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "holds no session"),
        (["{not json"], "holds no session.*line 1"),
        ([passing(1, "7", 60)], "line 1: a session file begins with session_opened; this is passing"),
    ],
)
def test_a_file_without_a_session_is_said_to_be_none(tmp_path: Path, lines: Lines, reason: str) -> None:
    with pytest.raises(TimingError, match=reason):
        score_file(written(tmp_path, lines), Rulebooks())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TimingError, match=r"nowhere\.jsonl cannot be read: No such file"):
        score_file(tmp_path / "nowhere.jsonl", Rulebooks())


def test_an_export_is_judged_by_the_rulebook_it_holds_not_by_one_of_the_same_name(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "club.toml").write_text('base = "fia-f1"\ntitle = "Club"\n[classification]\nmin_percent = 100\n')
    opened, *rest = session()
    assert isinstance(opened, dict)
    log = logged([{**opened, "rulebook": "club"}, *rest], Rulebooks(own))
    exported: Lines = [export_line(record).decode() for record in log.read("sunday")]
    timing, skipped = score_file(written(tmp_path, exported), Rulebooks())
    assert not skipped
    assert timing.digest() == score_log(log, "sunday", Rulebooks()).digest()
    assert timing.rules.title == "Club"
