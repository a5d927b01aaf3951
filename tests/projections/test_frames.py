"""The law of the frames, over boards of every kind; and the vectors that the browser's ``apply`` is held to as well."""

import json
import runpy
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.projections.board import Board, Clock, Distance, Gap, Notice, ResultView, Row, SessionView
from timing.projections.frames import COLUMNS, MESSAGES_KEPT, Framer, apply, receive

VECTORS = Path(__file__).parent.parent / "vectors" / "frames.json"
make = runpy.run_path(str(VECTORS.with_name("make_frames.py")))
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))

decode = msgspec.json.decode


def boards() -> st.SearchStrategy[Board]:
    cars = st.lists(st.sampled_from(["007", "1A", "9", "10", "35"]), unique=True, max_size=5)
    small = st.integers(0, 2)
    gaps = st.builds(Gap, laps=small, time_us=small)
    rows = st.builds(
        make["row"],
        car=st.just("?"),
        position=small,
        laps=small,
        last_lap_us=st.none() | small,
        driver=st.none(),
        sectors_us=st.lists(st.none() | small, max_size=2).map(tuple),
        gap=gaps,
        result=st.builds(ResultView, position=st.none() | small, class_position=small, status=st.just("running"), total_us=st.none()),
        status=st.sampled_from(["running", "pit"]),
    )
    notices = st.lists(st.builds(make["notice"], st.integers(0, 4), st.sampled_from(["Blue", "Red"])), max_size=6)

    def build(order: list[str], some: list[Row], told: list[Notice], laps: int, at: int) -> Board:
        head = msgspec.structs.replace(make["SESSION"], laps=laps, clock=Clock(at // 2), distance=Distance(laps=laps or None))
        rows = {car: msgspec.structs.replace(row, car=car) for car, row in zip(order, some, strict=False)}
        return Board(at, head, tuple(rows), rows, tuple(told))

    return st.builds(build, cars, st.lists(rows, min_size=5, max_size=5), notices, small, small)


@given(st.lists(boards(), max_size=8))
def test_deltas_applied_to_any_snapshot_give_every_later_snapshot(story: list[Board]) -> None:
    framer = Framer("e")
    states = [decode(framer.snapshot())]
    for seq, board in enumerate(story, start=1):
        rev = framer.rev
        frame = framer.advance(board, seq)
        assert framer.rev == rev + (frame is not None)
        known = decode(framer.snapshot())
        if frame is not None:
            sent = decode(frame)
            assert (sent["epoch"], sent["rev"], sent["seq"], sent["at"]) == ("e", framer.rev, seq, board.at)
            states = [apply(state, sent) for state in states]
        assert all(state == known for state in states)
        states.append(known)
        shown = {"session": board.session, "order": board.order, "rows": board.rows}
        assert {name: known[name] for name in shown} == decode(msgspec.json.encode(shown))


@given(boards())
def test_a_board_that_shows_nothing_new_makes_no_frame(board: Board) -> None:
    framer = Framer("e")
    framer.advance(board, 1)
    before = framer.snapshot()
    same = decode(msgspec.json.encode(board), type=Board)
    assert framer.advance(msgspec.structs.replace(same, at=board.at + 1), 2) is None
    assert framer.snapshot() is before


@given(boards(), boards())
def test_a_delta_holds_only_what_changed(one: Board, two: Board) -> None:
    framer = Framer("e")
    framer.advance(one, 1)
    before = decode(framer.snapshot())
    frame = framer.advance(two, 2)
    if frame is None or (delta := decode(frame))["kind"] == "snapshot":
        return
    assert all(before["session"][name] != value for name, value in delta["session"].items())
    assert delta.get("order") != before["order"]
    for car, fields in delta["rows"].items():
        old = before["rows"].get(car)
        assert (old is None and fields.keys() == {f.encode_name for f in msgspec.structs.fields(Row)}) or (
            fields and all(old[name] != value for name, value in fields.items())
        )


def test_the_vectors_are_those_of_the_code() -> None:
    assert VECTORS.read_text(encoding="utf-8") == make["text"](), "run tests/vectors/make_frames.py, and look at what changed"


@pytest.mark.parametrize("case", CASES["apply"], ids=lambda case: case["name"])
def test_apply_gives_what_the_vectors_say(case: dict[str, Any]) -> None:
    state = case["snapshot"]
    untouched = json.dumps(state)
    for delta in case["deltas"]:
        state = apply(state, delta)
    assert state == case["expected"]
    assert json.dumps(case["snapshot"]) == untouched


@pytest.mark.parametrize("case", CASES["streams"], ids=lambda case: case["name"])
def test_a_client_judges_frames_as_the_vectors_say(case: dict[str, Any]) -> None:
    state = None
    for step in case["steps"]:
        state, verdict = receive(state, step["frame"])
        assert (verdict, state) == (step["verdict"], step["state"])


def test_a_withdrawn_message_is_gone_for_everyone() -> None:
    framer = Framer("e")
    framer.advance(make["board"](notices=[make["notice"](1), make["notice"](2)]), 1)
    frame = framer.advance(make["board"](notices=[make["notice"](2)]), 2)
    assert frame == framer.snapshot()
    assert [message["id"] for message in decode(frame)["messages"]] == ["m2"]


def test_a_message_list_that_only_grows_is_never_sent_whole() -> None:
    framer, told = Framer("e"), [make["notice"](n) for n in range(3 * MESSAGES_KEPT)]
    framer.advance(make["board"](notices=told[: MESSAGES_KEPT + 10]), 1)
    for count in range(MESSAGES_KEPT + 11, len(told)):
        delta = decode(framer.advance(make["board"](notices=told[count - MESSAGES_KEPT : count]), count) or b"")
        assert delta["kind"] == "delta"
        assert [message["id"] for message in delta["messages"]] == [told[count - 1].id]


def test_columns_name_fields_of_the_row() -> None:
    assert {column.id for column in COLUMNS} <= {field.encode_name for field in msgspec.structs.fields(Row)}


def test_parts_that_are_the_same_objects_are_not_looked_into() -> None:
    """A frame of a few changed rows among sixty takes a small part of a millisecond; the limit here is for the slowest machine."""
    rows = {str(n): make["row"](str(n), n) for n in range(1, 61)}
    session: SessionView = make["SESSION"]
    framer = Framer("e")
    framer.advance(Board(0, session, tuple(rows), rows, ()), 0)
    took = []
    for seq in range(1, 101):
        rows = {**rows, **{str(n): msgspec.structs.replace(rows[str(n)], laps=seq, gap=Gap(0, seq)) for n in range(1, 6)}}
        session = msgspec.structs.replace(session, clock=Clock(seq))
        board = Board(seq, session, tuple(rows), rows, ())
        began = time.perf_counter()
        assert framer.advance(board, seq) is not None
        took.append(time.perf_counter() - began)
    assert sorted(took)[50] < 0.002
