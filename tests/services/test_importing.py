"""Session files into a log: plain ones through the door, exported ones as they are."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from timing.domain.errors import LogDamaged, LogError, TimingError
from timing.domain.events import Message, MessageRejected, SessionOpened
from timing.log.event_log import MemoryLog
from timing.log.record import draft
from timing.log.session_file import export_line, read_lines
from timing.services.importing import CHUNK, Plan, plan_import
from timing.services.rulebooks import Rulebooks

NOW = 1_778_936_400_000_000
OPENED: dict[str, Any] = {
    "type": "session_opened", "id": "o1", "at": 1_000_000, "session": "albi", "name": "Albi, race 1", "kind": "race", "rulebook": "mitjet",
    "distance": {"laps": 10}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish"}]}, "weather": "dry",
}  # fmt: skip
ENTRY = {"type": "entry_registered", "id": "e7", "at": 1_000_001, "car": "7", "class": "Open", "transponders": ["T7"]}
FLAG = {"type": "track_status", "id": "g1", "status": "green"}

Line = dict[str, Any] | bytes
Planner = Callable[..., Plan]


def passing(number: int, transponder: str = "T7") -> Line:
    return {
        "type": "passing",
        "at": 2_000_000 + number,
        "decoder": "l",
        "boot": 1,
        "number": number,
        "loop": "SF",
        "transponder": transponder,
    }


def text(*lines: Line) -> list[bytes]:
    return [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def plan(log: MemoryLog) -> Planner:
    def make(*lines: Line, session: str | None = None) -> Plan:
        return plan_import(log, read_lines(text(*lines)), Rulebooks().resolve, NOW, session)

    return make


def exported(log: MemoryLog, session: str = "albi") -> list[bytes]:
    return [export_line(record) + b"\n" for record in log.read(session)]


def test_a_plain_file_goes_through_the_door(log: MemoryLog, plan: Planner) -> None:
    planned = plan(OPENED, ENTRY, FLAG, passing(1), passing(2))
    assert log.sessions() == [], "planning writes nothing"
    seen: list[int] = []
    assert planned.write(log, NOW, seen.append) == 5
    assert (planned.session, planned.faults, seen) == ("albi", [], [5])
    opened, _, flag, *_ = (record.event for record in log.read("albi"))
    assert isinstance(opened, SessionOpened)
    assert isinstance(opened.rules, dict)
    assert flag.at == NOW
    first = next(log.read("albi"))
    assert first.recorded_at == NOW
    assert json.loads(first.raw)["weather"] == "dry"


def test_importing_again_adds_nothing(log: MemoryLog, plan: Planner) -> None:
    lines = [OPENED, ENTRY, FLAG, *(passing(n) for n in range(5))]
    assert plan(*lines).write(log, NOW) == 8
    assert plan(*lines).write(log, NOW + 1) == 0
    assert plan(*lines, passing(5)).write(log, NOW + 1) == 1
    assert plan(passing(6), session="albi").write(log, NOW + 1) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json\n", "not-json"),
        ({"type": "pit_stop", "at": 1}, "unknown-type"),
        ({"type": "passing", "at": 1}, "bad-field"),
        (b'{"type":"message","id":"m","at":1,"text":"' + b"x" * 70_000 + b'"}', "too-large"),
        ({"seq": 4, **FLAG}, "reserved-field"),
        ({"type": "car_retired", "id": "r", "at": 5, "car": "99"}, "unknown-car"),
        ({**ENTRY, "team": "Another"}, "identity-conflict"),
        (passing(1, "T8"), "identity-conflict"),
        ({**OPENED, "id": "o2"}, "already-open"),
        ({**OPENED, "session": "zolder"}, "wrong-session"),
        ({"type": "message_rejected", "id": "x", "at": 1, "channel": "c", "code": "k", "reason": "r", "payload": ""}, "wrong-channel"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named_and_kept(log: MemoryLog, plan: Planner, line: Line, code: str) -> None:
    planned = plan(OPENED, ENTRY, passing(1), b"\n", line, passing(2))
    assert [(fault.line, fault.code) for fault in planned.faults] == [(5, code)]
    assert planned.write(log, NOW) == 5
    kept = [record.event for record in log.read("albi") if isinstance(record.event, MessageRejected)]
    assert [(event.code, event.payload) for event in kept] == [(code, text(line)[0].strip())]
    again = plan(OPENED, ENTRY, passing(1), b"\n", line, passing(2))
    assert again.write(log, NOW + 5) == 0


def test_a_session_file_begins_with_its_session(plan: Planner) -> None:
    for first in (ENTRY, passing(1), b"{\n"):
        with pytest.raises(TimingError, match="line 1: a session file begins with session_opened"):
            plan(first, OPENED)
    with pytest.raises(TimingError, match="empty"):
        plan(b"\n")
    with pytest.raises(TimingError, match="the session albi, not zolder"):
        plan(OPENED, session="zolder")


def test_an_exported_file_is_the_same_log_again(log: MemoryLog, plan: Planner) -> None:
    plan(OPENED, ENTRY, b"broken\n", *(passing(n) for n in range(2 * CHUNK))).write(log, NOW - 5)
    lines, copy = exported(log), MemoryLog()
    planned = plan_import(copy, read_lines(lines), Rulebooks().resolve, NOW)
    assert planned.faults == []
    assert planned.write(copy, NOW) == len(lines)
    assert exported(copy) == lines
    assert plan_import(copy, read_lines(lines), Rulebooks().resolve, NOW).write(copy, NOW) == 0


def test_rejections_larger_than_any_message_come_back(log: MemoryLog, plan: Planner) -> None:
    plan(OPENED, b"\xff" * 200_000).write(log, NOW)
    lines, copy = exported(log), MemoryLog()
    assert max(map(len, lines)) > 200_000
    plan_import(copy, read_lines(lines), Rulebooks().resolve, NOW).write(copy, NOW)
    assert exported(copy) == lines


def test_what_came_for_no_session_is_exported_and_imported_too(log: MemoryLog) -> None:
    event = MessageRejected(id="r1", at=NOW, channel="passings/l", code="unknown-session", reason="there is none", payload=b"{}")
    log.append([draft("_", event)], NOW)
    lines, copy = exported(log, "_"), MemoryLog()
    plan_import(copy, read_lines(lines), Rulebooks().resolve, NOW, "_").write(copy, NOW)
    assert exported(copy, "_") == lines


@pytest.mark.parametrize("hurt", ["altered", "missing", "swapped", "unreadable", "another session"])
def test_an_exported_file_that_was_altered_is_not_taken(log: MemoryLog, plan: Planner, hurt: str) -> None:
    plan(OPENED, ENTRY, *(passing(n) for n in range(CHUNK + 100))).write(log, NOW)
    lines, copy = exported(log), MemoryLog()
    place = CHUNK + 50  # not in the first transaction: it has to be found before that is written
    if hurt == "altered":
        lines[place] = lines[place].replace(b'"T7"', b'"T8"')
    elif hurt == "missing":
        del lines[place]
    elif hurt == "swapped":
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
    elif hurt == "unreadable":
        lines[place] = lines[place][:-20] + b"\n"
    else:
        lines[0] = lines[0].replace(b'"session":"albi"', b'"session":"dijon"')
    with pytest.raises(LogDamaged):
        plan_import(copy, read_lines(lines), Rulebooks().resolve, NOW)
    assert copy.sessions() == []


def test_exported_and_plain_lines_do_not_mix(log: MemoryLog, plan: Planner) -> None:
    plan(OPENED, ENTRY).write(log, NOW)
    with pytest.raises(TimingError, match="line 3: some lines are exported"):
        plan_import(MemoryLog(), read_lines([*exported(log), *text(passing(1))]), Rulebooks().resolve, NOW)


def test_an_export_does_not_overwrite_another_history(log: MemoryLog, plan: Planner) -> None:
    plan(OPENED, ENTRY).write(log, NOW)
    lines, other = exported(log), MemoryLog()
    plan_import(other, read_lines(text(OPENED, ENTRY)), Rulebooks().resolve, NOW + 1).write(other, NOW + 1)
    with pytest.raises(LogError, match="another one in this log"):
        plan_import(other, read_lines(lines), Rulebooks().resolve, NOW)


def test_messages_without_a_time_get_that_of_their_arrival_once(log: MemoryLog, plan: Planner) -> None:
    note = {"type": "message", "id": "m1", "text": "Pit lane closed"}
    plan(OPENED, note).write(log, NOW)
    assert plan_import(log, read_lines(text(OPENED, note)), Rulebooks().resolve, NOW + 9).write(log, NOW + 9) == 0
    event = list(log.read("albi"))[1].event
    assert isinstance(event, Message)
    assert (event.at, event.stamped) == (NOW, True)
