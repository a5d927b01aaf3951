"""The tables for analysts: their schema, and their rows from sessions told in a few words."""

import re
from typing import Any

import pytest

from timing.domain import events as e
from timing.projections.tables import TABLES
from timing.projections.timing import Timing

S = 1_000_000
ZERO = 1_747_400_000 * S
PYTHON = {"text": str, "integer": int, "boolean": bool, "instant": int, "duration": int}


def rows(timing: Timing, table: str, **only: Any) -> list[dict[str, Any]]:
    """Give a table's rows by column, those that have these values."""
    names = [column.name for column in TABLES[table].columns]
    found = [dict(zip(names, row, strict=True)) for row in TABLES[table].rows(timing)]
    return [row for row in found if all(row[name] == value for name, value in only.items())]


def seconds(at: int | None) -> float | None:
    return None if at is None else (at - ZERO) / S


@pytest.fixture
def race(script: Any) -> Any:
    """Tell a race of three laps: sectors, a stop, a safety car, a void and an unknown passing, a decision with its life, a result."""
    told = script(laps=3)
    for car, instants in {"7": (60, 120, 180), "9": (61, 119, 190), "3": (70, 140)}.items():
        told.hear(f"T{car}", *instants)
        told.hear(f"T{car}", *(at - 40 for at in instants), loop="S1")
    told.hear("T9", 150, loop="PI")
    told.hear("T9", 170, loop="PO")
    (ghost,) = told.hear("T7", 100)
    told.hear("T99", 101)
    told.say(e.PassingVoided, at=200, passing=ghost)
    told.say(e.PassingAdded, at=205, id="hand", car="3", loop="SF")
    told.say(e.TrackStatus, at=62, status="safety_car")
    told.say(e.TrackStatus, at=110, status="green")
    told.say(e.PitLane, at=63, open=False)
    told.say(e.DriverChanged, at=160, car="9", driver="bob9")
    told.say(e.Decision, at=210, id="d", decision="D1", car="7", penalty="time", seconds=30.5, reason="contact", article="33.1")
    told.say(e.ResultPublished, at=220, stage="provisional", document="12")
    told.say(e.DecisionUpdated, at=230, decision="D1", stage="quashed", reason="video")
    told.say(e.Message, at=240, text="Thank you")
    return told


def test_names_are_columns_of_a_database_and_come_once() -> None:
    for table in TABLES.values():
        names = [name for column in table.columns for name, _, _ in column.stored()]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in (table.name, *names))
        assert names[0] == "session"
        assert all(column.about.strip() for column in table.columns)


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_as_the_columns_say(race: Any, script: Any, name: str) -> None:
    for timing in (race.fold(), script().fold(), script(start=False).fold(), script(kind="qualifying").run(car7="60 120").fold()):
        for row in TABLES[name].rows(timing):
            for column, value in zip(TABLES[name].columns, row, strict=True):
                assert value is None or type(value) is PYTHON[column.type], (column.name, value)


@pytest.mark.parametrize("name", TABLES)
def test_a_session_of_which_nothing_is_known_has_tables_too(name: str) -> None:
    assert len(list(TABLES[name].rows(Timing("s")))) == (name == "sessions")


def test_the_rows_do_not_depend_on_the_order_of_arrival(race: Any) -> None:
    backwards = [race.events[0], *reversed(race.events[1:])]
    for name in set(TABLES) - {"results", "sessions"}:  # of a result that was published, the log's order tells
        assert rows(race.fold(), name) == rows(race.fold(backwards), name), name


def test_laps(race: Any) -> None:
    timing = race.fold()
    assert [(r["lap"], r["lap_time"] // S, seconds(r["began_at"]), seconds(r["ended_at"])) for r in rows(timing, "laps", car="7")] == [
        (1, 60, 0, 60),
        (2, 60, 60, 120),
        (3, 60, 120, 180),
    ]
    assert [(r["driver"], r["stint"], r["pit"], r["tags"]) for r in rows(timing, "laps", car="9")] == [
        ("ann9", 1, False, "first"),
        ("ann9", 1, False, "safety_car"),
        ("bob9", 2, True, "in out"),
    ]
    assert [r["counted"] for r in rows(timing, "laps", car="3")] == [True, True, True]


def test_a_deleted_time_and_a_lap_after_the_flag_are_marked(script: Any) -> None:
    told = script("7 9", laps=2).run(car7="60 120 180", car9="61 122")
    told.say(e.Decision, at=300, decision="D2", car="9", penalty="lap_time_deleted", lap=1)
    timing = told.fold()
    assert [r["counted"] for r in rows(timing, "laps", car="7")] == [True, True, False]
    assert [r["deleted"] for r in rows(timing, "laps", car="9")] == [True, False]


def test_sectors(race: Any) -> None:
    assert [(r["lap"], r["sector"], r["sector_time"] // S) for r in rows(race.fold(), "sectors", car="7")] == [
        (1, 1, 20), (1, 2, 40), (2, 1, 20), (2, 2, 40), (3, 1, 20), (3, 2, 40),
    ]  # fmt: skip


def test_positions_are_the_lap_chart(race: Any) -> None:
    timing = race.fold()
    chart = {
        (lap, line): [r["car"] for r in rows(timing, "positions", lap=lap, line=line)]
        for lap in range(4)
        for line in ("grid", "sector 1", "finish")
    }
    assert {key: cars for key, cars in chart.items() if cars} == {
        (0, "grid"): ["7", "9", "3"],
        (1, "sector 1"): ["7", "9", "3"],
        (1, "finish"): ["7", "9", "3"],
        (2, "sector 1"): ["9", "7", "3"],
        (2, "finish"): ["9", "7", "3"],
        (3, "sector 1"): ["7", "9"],
        (3, "finish"): ["7", "9", "3"],
    }
    (last,) = rows(timing, "positions", lap=2, line="finish", car="3")
    assert (last["position"], last["class_position"], last["gap"], last["interval"]) == (3, 1, 21 * S, 20 * S)


def test_crossings_tell_what_became_of_everything_heard(race: Any) -> None:
    timing = race.fold()
    aside = {(seconds(r["heard_at"]), r["reason"]) for r in rows(timing, "crossings", used=False)}
    assert aside == {(100, "voided"), (101, "unplaced")}
    (added,) = rows(timing, "crossings", origin="added")
    assert (added["decoder"], added["car"], added["line"], seconds(added["crossed_at"])) == ("hand", "3", "finish", 205)
    heard = rows(timing, "crossings", origin="passing")
    assert len(heard) == len({(r["decoder"], r["boot"], r["number"]) for r in heard}) == 20
    assert [seconds(r["heard_at"]) for r in heard] == sorted(seconds(r["heard_at"]) or 0 for r in heard)


def test_a_corrected_clock_shows_beside_what_was_sent(script: Any) -> None:
    told = script("7").run(car7="60")
    told.say(e.DecoderClockCorrected, at=100, decoder="line", offset_us=-2 * S)
    (row,) = rows(told.fold(), "crossings")
    assert (seconds(row["heard_at"]), seconds(row["crossed_at"])) == (60, 58)


def test_laps_counted_elsewhere_are_crossings_too(script: Any) -> None:
    told = script("7")
    told.events.append(e.Lap(source="other", boot=1, number=1, car="7", lap=1, at=ZERO + 60 * S, lap_time_us=59 * S, pit=True))
    (row,) = rows(told.fold(), "crossings")
    assert (row["origin"], row["decoder"], row["loop"], row["line"], row["pit"], row["car"]) == ("lap", "other", None, "finish", True, "7")


def test_stints_and_stops(race: Any) -> None:
    timing = race.fold()
    assert [(r["stint"], r["driver"], r["from_lap"], r["laps"]) for r in rows(timing, "stints", car="9")] == [
        (1, "ann9", 1, 2),
        (2, "bob9", 3, 1),
    ]
    (stop,) = rows(timing, "stops")
    assert (stop["car"], stop["stop"], stop["lap"], stop["pit_time"], stop["pit_stop"]) == ("9", 1, 3, 20 * S, True)
    assert [(r["driver"], r["name"], r["category"], r["laps"]) for r in rows(timing, "drivers", car="9")] == [
        ("ann9", "Ann 9", None, 2),
        ("bob9", "Bob 9", "Gentleman", 1),
    ]


def test_flags_and_neutralisations(race: Any) -> None:
    timing = race.fold()
    assert [(seconds(r["at"]), r["status"]) for r in rows(timing, "flags")] == [
        (62, "safety_car"),
        (63, "pit_lane_closed"),
        (110, "green"),
    ]
    (stretch,) = rows(timing, "neutralisations")
    assert (stretch["kind"], seconds(stretch["began_at"]), seconds(stretch["ended_at"])) == ("safety_car", 62, 110)
    assert stretch["racing_at"] >= stretch["ended_at"]


def test_decisions_have_a_row_for_each_step(race: Any) -> None:
    first, last = rows(race.fold(), "decisions")
    assert (first["stage"], first["amount"], first["time"], first["reason"], first["last"]) == (
        "issued",
        "30.5 s penalty",
        30_500_000,
        "contact",
        False,
    )
    assert (last["stage"], last["step"], last["reason"], last["last"]) == ("quashed", 2, "video", True)


def test_results_are_those_published_and_the_one_that_stands(race: Any) -> None:
    timing = race.fold()
    published, now = rows(timing, "results", version=1), rows(timing, "results", version=None)
    assert [r["car"] for r in published] == ["9", "3", "7"]
    assert [(r["stage"], r["document"]) for r in published] == [("provisional", "12")] * 3
    assert [r["car"] for r in now] == ["7", "9", "3"]
    assert (published[2]["added"], published[2]["penalties"], now[0]["penalties"]) == (
        30_500_000,
        "30.5 s penalty",
        "30.5 s penalty (quashed)",
    )
    (session,) = rows(timing, "sessions")
    assert (session["digest"], session["seq"]) == (timing.digest().hex(), len(race.events))
    assert [r["text"] for r in rows(timing, "messages")][-1] == "Thank you"
