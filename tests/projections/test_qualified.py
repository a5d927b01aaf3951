"""Segments of qualifying: what is refused, what screens are shown, and that a look costs no more than what changed."""

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from timing.domain import events as e
from timing.domain.rulebook import Qualifying, Rulebook, Segment, rules_of
from timing.log.record import Record
from timing.projections.board import Clock, SegmentView
from timing.projections.decider import Decider, Refusal
from timing.projections.notices import notices

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
RULES = Rulebook(
    id="test",
    title="Test rules",
    source="test",
    qualifying=Qualifying(segments=(Segment(name="Q1", minutes=10, advance=1), Segment(name="Q2", minutes=5)), extended_by_red=True),
)
Q1, Q2 = e.SegmentStarted(id="q1", at=20, segment="Q1"), e.SegmentStarted(id="q2", at=40, segment="Q2")


def decider(kind: e.SessionKind = "qualifying", *, segments: bool = True) -> Decider:
    rules = rules_of(RULES if segments else msgspec.structs.replace(RULES, qualifying=Qualifying()))
    decider = Decider("s", lambda _: rules)
    for command in (
        e.SessionOpened(
            id="open", at=1, session="s", name="S", kind=kind, rulebook="test", distance=e.Distance(minutes=20),
            circuit=e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"),)),
        ),
        e.EntryRegistered(id="e7", at=2, car="7", class_="GT"),
        e.EntryRegistered(id="e9", at=2, car="9", class_="TC"),
    ):  # fmt: skip
        event = decider.decide(command, 1)
        assert not isinstance(event, Refusal)
        decider.evolve(event)
    return decider


def of_class(event: e.SegmentStarted, class_: str, **changes: Any) -> e.SegmentStarted:
    return msgspec.structs.replace(event, class_=class_, **changes)


VOID = e.EventVoided(id="v", at=30, event="q1", by="TK", reason="too early")


@pytest.mark.parametrize(
    ("code", "before", "command"),
    [
        (None, [], Q1),
        (None, [Q1], Q2),
        (None, [], Q2),
        (None, [Q1, VOID], msgspec.structs.replace(Q1, id="again")),
        (None, [of_class(Q1, "GT")], of_class(Q1, "TC", id="other")),
        (None, [of_class(Q1, "GT")], e.SegmentEnded(id="end", at=30, segment="Q1", class_="GT")),
        (None, [], e.TrackStatus(id="t", at=30, status="red", cause="7")),
        ("unknown-segment", [], e.SegmentStarted(id="q", at=20, segment="Q3")),
        ("unknown-segment", [], e.SegmentEnded(id="q", at=20, segment="Q3")),
        ("segment-started", [Q1], msgspec.structs.replace(Q1, id="again")),
        ("segment-started", [Q1], of_class(Q1, "GT", id="again")),
        ("segment-started", [of_class(Q1, "GT")], msgspec.structs.replace(Q1, id="again")),
        ("segment-not-started", [], e.SegmentEnded(id="end", at=30, segment="Q1")),
        ("segment-not-started", [Q1, VOID], e.SegmentEnded(id="end", at=30, segment="Q1")),
        ("segment-not-started", [of_class(Q1, "GT")], e.SegmentEnded(id="end", at=30, segment="Q1", class_="TC")),
        ("unknown-class", [], of_class(Q1, "LMGT3")),
        ("unknown-car", [], e.SegmentStarted(id="q1", at=20, segment="Q1", cars=("7", "8"))),
        ("unknown-car", [], e.TrackStatus(id="t", at=30, status="red", cause="8")),
    ],
)
def test_what_is_taken_and_refused(code: str | None, before: list[e.AnyEvent], command: e.AnyEvent) -> None:
    known = decider()
    for event in before:
        assert not isinstance(known.decide(event, 1), Refusal)
        known.evolve(event)
    said = known.decide(command, 1)
    assert (said.code if isinstance(said, Refusal) else None) == code


@pytest.mark.parametrize(("kind", "segments"), [("race", True), ("practice", True), ("qualifying", False)])
def test_a_session_without_segments(kind: e.SessionKind, segments: bool) -> None:
    refused = decider(kind, segments=segments).decide(Q1, 1)
    assert isinstance(refused, Refusal)
    assert refused.code == "no-segments"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Q1, "Q1 started"),
        (of_class(Q1, "GT"), "Q1 GT started"),
        (e.SegmentEnded(id="q", at=10, segment="Q1"), "Q1 closed"),
        (e.TrackStatus(id="q", at=10, status="red", cause="7"), "Red flag, caused by car 7"),
    ],
)
def test_notices(event: e.AnyCommand, text: str) -> None:
    assert notices([(event, True)])[0].text == text


def told(script: type["Script"]) -> "Script":
    session = script("7 9 3", kind="qualifying", rules=RULES, start=False, minutes=60)
    session.say(e.SegmentStarted, at=0, segment="Q1")
    return session.run(car7="10 100", car9="12 101")


def test_the_first_segment_starts_the_session(script: type["Script"]) -> None:
    board = told(script).fold().board()
    assert board.session.status == "running"
    assert board.session.segment == SegmentView("Q1", None, 1, 2, "running", board.session.started_at or 0, 10, 1)
    assert board.session.clock == Clock(101 * S, 499 * S)


def test_the_clock_stands_still_under_red(script: type["Script"]) -> None:
    session = told(script)
    session.say(e.TrackStatus, at=110, status="red")
    session.say(e.Message, at=150, text="Recovery")
    assert session.fold().board().session.clock == Clock(150 * S, 490 * S)
    session.say(e.TrackStatus, at=160, status="green")
    session.say(e.Message, at=200, text="On again")
    assert session.fold().board().session.clock == Clock(200 * S, 450 * S)


def test_between_segments_the_flag_is_that_of_the_one_before(script: type["Script"]) -> None:
    session = told(script)
    session.say(e.TrackStatus, at=600, status="chequered")
    board = session.fold().board()
    assert board.session.track_status == "chequered"
    assert board.session.clock == Clock(600 * S, 0)
    assert board.session.segment
    assert board.session.segment.status == "flagged"
    session.say(e.SegmentEnded, at=700, segment="Q1")
    closed = session.fold().board().session.segment
    assert closed
    assert closed.status == "closed"
    session.say(e.SegmentStarted, at=900, segment="Q2")
    board = session.fold().board()
    assert board.session.track_status == "green"
    assert board.session.status == "running"
    assert board.session.clock == Clock(0, 300 * S)
    assert [(row.car, row.segment, row.segment_bests_us) for row in board.rows.values()] == [
        ("9", "Q2", (89 * S, None)),
        ("7", "Q1", (90 * S, None)),
        ("3", "Q1", (None, None)),
    ]


def test_the_session_ends_with_the_flag_of_the_last_segment_of_every_class(script: type["Script"]) -> None:
    session = script("7 9 3", kind="qualifying", rules=RULES, minutes=60)  # 3 is of the class TC
    session.say(e.SegmentStarted, at=0, segment="Q2", class_="GT")
    session.say(e.TrackStatus, at=300, status="chequered")
    assert session.fold().board().session.status == "running"
    session.say(e.SegmentStarted, at=400, segment="Q2", class_="TC")
    session.say(e.TrackStatus, at=700, status="chequered")
    assert session.fold().board().session.status == "finished"


def test_a_segment_that_the_rulebook_of_another_judgement_lacks_is_none(script: type["Script"]) -> None:
    session = told(script)
    one = msgspec.structs.replace(RULES, qualifying=Qualifying())
    session.events[0] = msgspec.structs.replace(session.events[0], rules=rules_of(one))
    board = session.fold().board()
    assert board.session.segment is None
    assert board.order == ("9", "7", "3")


def test_timed_laps_are_taken_anew_only_where_something_changed(script: type["Script"]) -> None:
    session = told(script)
    timing = session.fold()
    timing.board()
    before = dict(timing.qualifier._times)
    timing.apply(
        Record(
            "s", 99, 1, e.Passing(decoder="line", boot=1, number=99, loop="SF", transponder="T7", at=session.events[-1].at + S), b"", b""
        )
    )
    timing.board()
    after = timing.qualifier._times
    assert after["9"] is before["9"]
    assert after["7"] is not before["7"]
