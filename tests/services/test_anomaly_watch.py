"""Anomalies come among the messages, seldom, and the last of them though nothing more comes in."""

import pytest

from timing.domain import events as e
from timing.log.record import Record
from timing.projections.anomalies import Watch
from timing.projections.timing import Timing
from timing.services.anomaly_watch import EVERY_S, AnomalyWatch

S = 1_000_000
START = 1_747_400_000 * S


class Clock:
    """A clock that a test moves; each reading takes ``cost`` seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cost = 0.0

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


def opened() -> Timing:
    timing = Timing("s")
    circuit = e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"),))
    opening = e.SessionOpened(
        id="open", at=START, session="s", name="S", kind="race", rulebook="t", distance=e.Distance(laps=9), circuit=circuit
    )
    timing.apply(Record("s", 1, 1, opening, b"", b""))
    return timing


def hear(timing: Timing, number: int, transponder: str) -> None:
    passing = e.Passing(decoder="d", boot=1, number=number, loop="SF", transponder=transponder, at=START + number * S)
    timing.apply(Record("s", number + 1, 1, passing, b"", b""))


def ids(watch: AnomalyWatch, timing: Timing, clock: Clock) -> list[str]:
    return [notice.id for notice in watch.with_notices(timing.board(), clock).notices]


def test_it_looks_once_in_a_while_and_says_when_the_next_look_is_due() -> None:
    timing, clock = opened(), Clock()
    watch = AnomalyWatch("s", timing)
    hear(timing, 1, "A")
    assert watch.due(clock.now)
    assert ids(watch, timing, clock) == ["anomaly/unknown_transponder/A"]
    assert watch.look_at is None, "nothing has come in since"
    hear(timing, 2, "B")
    assert not watch.due(clock.now)
    assert watch.look_at == clock.now + EVERY_S
    assert ids(watch, timing, clock) == ["anomaly/unknown_transponder/A"]
    clock.now += EVERY_S
    assert watch.due(clock.now)
    assert ids(watch, timing, clock) == ["anomaly/unknown_transponder/A", "anomaly/unknown_transponder/B"]


def test_a_look_that_costs_much_is_rarer() -> None:
    timing, clock = opened(), Clock()
    watch = AnomalyWatch("s", timing)
    hear(timing, 1, "A")
    clock.cost = 0.5
    ids(watch, timing, clock)
    hear(timing, 2, "B")
    assert watch.look_at == pytest.approx(clock.now + 10.0)


def test_a_board_without_anomalies_is_the_same_object() -> None:
    timing, clock = opened(), Clock()
    board = timing.board()
    assert AnomalyWatch("s", timing).with_notices(board, clock) is board


def test_a_search_that_fails_leaves_the_board_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, clock = opened(), Clock()
    watch = AnomalyWatch("s", timing)
    hear(timing, 1, "A")

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(Watch, "current", fail)
        assert ids(watch, timing, clock) == []
    hear(timing, 2, "A")
    clock.now += EVERY_S
    assert ids(watch, timing, clock) == ["anomaly/unknown_transponder/A"]
