from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest

from timing.domain.events import Message, Passing
from timing.log.event_log import EventLog, MemoryLog
from timing.log.record import Draft, draft
from timing.log.sqlite_log import SqliteLog

MakeDraft = Callable[..., Draft]


@pytest.fixture
def passing() -> MakeDraft:
    """Make the draft of a passing; the same number is the same passing, another transponder is another content."""

    def make(number: int, session: str = "albi", transponder: str = "T7") -> Draft:
        event = Passing(at=1_000_000 + number, decoder="line-1", boot=1, number=number, loop="SF", transponder=transponder)
        return draft(session, event)

    return make


@pytest.fixture
def message() -> MakeDraft:
    """Make the draft of a message of race control, with a field that this program does not know."""

    def make(name: str, text: str = "Car 7: black and white flag", session: str = "albi") -> Draft:
        event = Message(id=name, at=1_000_000, text=text)
        payload = msgspec.json.encode({**msgspec.to_builtins(event), "sent_by": "desk 2"})
        return draft(session, event, payload)

    return make


@pytest.fixture(params=["memory", "sqlite"])
def new_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], EventLog]]:
    """Make new logs of each kind; they are closed at the end."""
    made: list[EventLog] = []
    numbers = count()

    def make() -> EventLog:
        made.append(MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / f"contract-{next(numbers)}.db"))
        return made[-1]

    yield make
    for log in made:
        log.close()


@pytest.fixture
def log(new_log: Callable[[], EventLog]) -> EventLog:
    return new_log()
