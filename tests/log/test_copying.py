"""Sessions copied from one log to another keep every byte that their chain rests on."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from timing.domain.errors import LogDamaged, LogError
from timing.log import copying
from timing.log.copying import copy_session
from timing.log.event_log import EventLog
from timing.log.record import Draft
from timing.log.schema import GUARDS
from timing.log.session_file import export_line
from timing.log.sqlite_log import SqliteLog

MakeDraft = Callable[..., Draft]


def lines(log: EventLog, session: str) -> list[bytes]:
    return [export_line(record) for record in log.read(session)]


@pytest.fixture
def source(new_log: Callable[[], EventLog], passing: MakeDraft, message: MakeDraft) -> EventLog:
    log = new_log()
    for number in range(30):  # the two sessions alternate
        log.append([passing(number), passing(number, "zolder", "T8")], 1_000 + number)
    log.append([message("m1")], 2_000)
    return log


def test_a_copy_has_the_same_chain(source: EventLog, new_log: Callable[[], EventLog], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK", 7)
    target, reached = new_log(), list[int]()
    copied = copy_session(source, target, "albi", reached.append)
    assert lines(target, "albi") == lines(source, "albi")
    assert (copied.seq, copied.new, copied.hash) == (31, 31, list(source.read("albi"))[-1].hash.hex())
    assert reached == [7, 14, 21, 28, 31]
    assert target.sessions() == ["albi"]
    copy_session(source, target, "zolder")
    assert lines(target, "zolder") == lines(source, "zolder")


def test_copying_again_adds_what_came_in_since(source: EventLog, new_log: Callable[[], EventLog], passing: MakeDraft) -> None:
    target = new_log()
    copy_session(source, target, "albi")
    assert copy_session(source, target, "albi").new == 0
    source.append([passing(30), passing(31)], 3_000)
    assert copy_session(source, target, "albi").new == 2
    assert lines(target, "albi") == lines(source, "albi")


def test_a_log_that_is_ahead_stays_so(source: EventLog, new_log: Callable[[], EventLog], passing: MakeDraft) -> None:
    target = new_log()
    copy_session(source, target, "albi")
    target.append([passing(30)], 3_000)
    kept = lines(target, "albi")
    assert copy_session(source, target, "albi").new == 0
    assert lines(target, "albi") == kept


def test_another_history_is_not_mixed_in(source: EventLog, new_log: Callable[[], EventLog], passing: MakeDraft) -> None:
    target = new_log()
    target.append([passing(n) for n in range(5)], 1)
    kept = lines(target, "albi")
    with pytest.raises(LogError, match="record 5 is another one in the log copied to"):
        copy_session(source, target, "albi")
    assert lines(target, "albi") == kept


def test_a_session_that_is_not_there(source: EventLog, new_log: Callable[[], EventLog]) -> None:
    with pytest.raises(LogError, match="no session dijon"):
        copy_session(source, new_log(), "dijon")


def test_of_a_damaged_session_nothing_is_copied(tmp_path: Path, passing: MakeDraft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK", 5)
    path = tmp_path / "hurt.db"
    with closing(SqliteLog(path)) as log:
        log.append([passing(n) for n in range(200)], 1)
    with closing(SqliteLog(path, readonly=True)) as source, closing(SqliteLog(tmp_path / "new.db")) as target:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:  # after it was opened, which would have told
            for name in GUARDS:
                db.execute(f"DROP TRIGGER {name}")
            db.execute("UPDATE record SET recorded_at = 2 WHERE seq = 150")
            for guard in GUARDS.values():
                db.execute(guard)
        with pytest.raises(LogDamaged, match="record 150"):
            copy_session(source, target, "albi")
        assert target.sessions() == []
