"""The hub, driven without any I/O: every screen ends where the board is, whatever happened on the way, and nobody has a queue."""

import runpy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from timing.projections.board import Board
from timing.projections.frames import Framer, receive
from timing.services.hub import FeedFull, Hub

make = runpy.run_path(str(Path(__file__).parent.parent / "vectors" / "make_frames.py"))
decode = msgspec.json.decode


def board(laps: int) -> Board:
    made: Board = make["board"]([make["row"]("007", 1, laps=laps)], laps=laps)
    return made


class Desk:
    """A framer and its hub, with one number for all there is to show."""

    def __init__(self, **limits: int) -> None:
        self.framer = Framer("e")
        self.laps = 0
        self.framer.advance(board(0), 0)
        self.hub = Hub(self.framer, **limits)
        self.woken = 0
        self.hub.wake = self.wake

    def wake(self) -> None:
        self.woken += 1

    def lap(self, laps: int = 1) -> None:
        for _ in range(laps):
            self.laps += 1
            frame = self.framer.advance(board(self.laps), self.laps)
            assert frame is not None
            self.hub.publish(frame)

    def sent(self) -> dict[Any, list[tuple[str, int]]]:
        """Give what ``outgoing`` gives, as (kind, rev) for each screen."""
        out: dict[Any, list[tuple[str, int]]] = {}
        for screen, frame in self.hub.outgoing():
            told = decode(frame)
            out.setdefault(screen, []).append((told["kind"], told["rev"]))
        return out


def kinds(frames: list[bytes]) -> list[tuple[str, int]]:
    return [(frame["kind"], frame["rev"]) for frame in map(decode, frames)]


def test_a_first_visit_gets_a_snapshot_and_then_every_frame() -> None:
    desk = Desk()
    assert kinds(desk.hub.join("a")) == [("snapshot", 1)]
    desk.lap(2)
    assert desk.sent() == {"a": [("delta", 2), ("delta", 3)]}
    assert desk.sent() == {}


def test_one_encoding_serves_everyone() -> None:
    desk = Desk()
    first = [desk.hub.join(n)[0] for n in range(3)]
    assert all(frame is first[0] for frame in first)
    desk.lap()
    frames = [frame for _, frame in desk.hub.outgoing()]
    assert len(frames) == 3
    assert all(frame is frames[0] for frame in frames)


@pytest.mark.parametrize(
    ("resume", "expected"),
    [
        (("e", 3), [("delta", 4), ("delta", 5), ("delta", 6)]),
        (("e", 2), [("snapshot", 6)]),
        (("e", 6), []),
        (("e", 7), [("snapshot", 6)]),
        (("f", 5), [("snapshot", 6)]),
        (None, [("snapshot", 6)]),
    ],
)
def test_resuming_gives_what_was_missed_or_a_snapshot(resume: tuple[str, int] | None, expected: list[tuple[str, int]]) -> None:
    desk = Desk(max_frames=3)
    desk.lap(5)
    assert kinds(desk.hub.join("a", resume)) == expected
    desk.lap()
    assert desk.sent() == {"a": [("delta", 7)]}


def test_the_history_is_bounded_in_bytes_too() -> None:
    desk = Desk(max_bytes=1)
    desk.lap(5)
    assert kinds(desk.hub.join("a", ("e", 5))) == [("delta", 6)]
    assert kinds(desk.hub.join("b", ("e", 4))) == [("snapshot", 6)]


def test_a_full_connection_gets_one_snapshot_when_it_can_take_it() -> None:
    desk = Desk()
    desk.hub.join("slow")
    desk.hub.join("quick")
    desk.hub.writable("slow", False)
    for _ in range(50):
        desk.lap()
        assert desk.sent().keys() == {"quick"}
    desk.hub.writable("slow", True)
    assert desk.sent() == {"slow": [("snapshot", 51)]}
    desk.lap()
    assert desk.sent() == {"slow": [("delta", 52)], "quick": [("delta", 52)]}


def test_a_full_connection_that_missed_nothing_gets_nothing() -> None:
    desk = Desk()
    desk.hub.join("a")
    desk.hub.writable("a", False)
    desk.hub.writable("a", True)
    assert desk.sent() == {}
    desk.lap()
    assert desk.sent() == {"a": [("delta", 2)]}


def test_a_resync_is_one_snapshot_however_often_asked() -> None:
    desk = Desk()
    desk.hub.join("a")
    desk.hub.resync("a")
    desk.hub.resync("a")
    desk.lap()
    assert desk.sent() == {"a": [("snapshot", 2)]}


def test_a_connection_that_fills_up_between_two_frames_gets_no_more() -> None:
    desk = Desk()
    desk.hub.join("a")
    desk.lap(3)
    given = desk.hub.outgoing()
    assert kinds([next(given)[1]]) == [("delta", 2)]
    desk.hub.writable("a", False)
    assert list(given) == []


def test_a_screen_too_far_behind_the_history_gets_a_snapshot() -> None:
    desk = Desk(max_frames=2)
    desk.hub.join("a")
    desk.lap(3)
    assert desk.sent() == {"a": [("snapshot", 4)]}


def test_one_too_many_is_turned_away_until_someone_leaves() -> None:
    desk = Desk(max_screens=1)
    desk.hub.join("a")
    assert desk.hub.full
    with pytest.raises(FeedFull, match="try again"):
        desk.hub.join("b")
    desk.hub.leave("a")
    desk.hub.leave("a")
    assert desk.hub.join("b")


def test_whoever_sends_is_woken_whenever_there_is_something() -> None:
    desk = Desk()
    desk.hub.join("a")
    assert desk.woken == 0
    desk.lap()
    assert desk.woken == 1
    desk.sent()
    desk.hub.resync("a")
    assert desk.woken == 2
    desk.hub.writable("a", False)
    assert desk.woken == 2
    desk.hub.writable("a", True)
    assert desk.woken == 3


class Screens(RuleBasedStateMachine):
    """Screens come, go, fill up, lose frames and come back, in any order; those served are where the board is."""

    screens = Bundle("screens")

    @initialize()
    def open(self) -> None:
        self.desk = Desk(max_frames=3)
        self.states: dict[int, Any] = {}
        self.full: set[int] = set()
        self.left: list[tuple[str, int, Any]] = []
        self.count = 0

    def see(self, screen: int, frame: bytes) -> None:
        self.states[screen], verdict = receive(self.states[screen], decode(frame))
        assert verdict == "applied"

    @rule(target=screens, back=st.none() | st.integers(0, 5))
    def come(self, back: int | None) -> int:
        self.count += 1
        epoch, rev, state = self.left[back] if back is not None and back < len(self.left) else ("", 0, None)
        self.states[self.count] = state
        for frame in self.desk.hub.join(self.count, (epoch, rev) if state else None):
            self.see(self.count, frame)
        return self.count

    @rule(screen=consumes(screens))
    def go(self, screen: int) -> None:
        self.desk.hub.leave(screen)
        state = self.states.pop(screen)
        self.full.discard(screen)
        if state:
            self.left.append((state["epoch"], state["rev"], state))

    @rule(laps=st.integers(1, 5))
    def laps(self, laps: int) -> None:
        self.desk.lap(laps)

    @rule(screen=screens)
    def fill(self, screen: int) -> None:
        self.full.add(screen)
        self.desk.hub.writable(screen, False)

    @rule(screen=screens)
    def drain(self, screen: int) -> None:
        self.full.discard(screen)
        self.desk.hub.writable(screen, True)

    @rule(screen=screens)
    def resync(self, screen: int) -> None:
        self.desk.hub.resync(screen)

    @rule()
    def send(self) -> None:
        for screen, frame in self.desk.hub.outgoing():
            assert isinstance(screen, int)
            assert screen not in self.full
            self.see(screen, frame)
        known = decode(self.desk.framer.snapshot())
        assert all(state == known for screen, state in self.states.items() if screen not in self.full)

    @invariant()
    def counts(self) -> None:
        assert self.desk.hub.screens == len(self.states)


TestScreens = Screens.TestCase


def test_another_epoch_is_a_snapshot_for_everyone_and_nobody_resumes_from_before() -> None:
    desk = Desk()
    desk.hub.join("one")
    desk.lap(3)
    assert desk.sent() == {"one": [("delta", 2), ("delta", 3), ("delta", 4)]}
    other = Framer("f")
    desk.hub.renew(other)
    first = other.advance(board(1), 1)
    assert first is not None
    desk.hub.publish(first)
    assert desk.sent() == {"one": [("snapshot", 1)]}
    assert kinds(desk.hub.join("two", ("e", 3))) == [("snapshot", 1)]
    second = other.advance(board(2), 2)
    assert second is not None
    desk.hub.publish(second)
    assert desk.sent() == {"one": [("delta", 2)], "two": [("delta", 2)]}


def test_asides_come_after_the_frames_to_those_who_listen_and_only_the_latest() -> None:
    desk = Desk()
    for screen in ("one", "two"):
        desk.hub.join(screen)
    desk.hub.aside("state", b"1")
    desk.hub.listen("one")
    desk.lap()
    assert [(screen, message if len(message) < 9 else b"frame") for screen, message in desk.hub.outgoing()] == [
        ("one", b"frame"),
        ("one", b"1"),
        ("two", b"frame"),
    ]
    desk.hub.aside("state", b"2")
    desk.hub.aside("state", b"3")
    desk.hub.aside("marks", b"m")
    assert list(desk.hub.outgoing()) == [("one", b"3"), ("one", b"m")]
    assert list(desk.hub.outgoing()) == []
    desk.hub.listen("two")
    assert list(desk.hub.outgoing()) == [("two", b"3"), ("two", b"m")]


def test_a_screen_that_is_full_gets_the_latest_aside_when_it_can_be_written_to() -> None:
    desk = Desk()
    desk.hub.join("one")
    desk.hub.listen("one")
    desk.hub.writable("one", False)
    desk.hub.aside("state", b"1")
    assert list(desk.hub.outgoing()) == []
    desk.hub.aside("state", b"2")
    woken = desk.woken
    desk.hub.writable("one", True)
    assert desk.woken > woken
    assert list(desk.hub.outgoing()) == [("one", b"2")]
