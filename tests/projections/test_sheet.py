"""The sheet of a result, from sessions told in a few words: its head, its parts, and that it says what the result says."""

import re
from typing import Any

import pytest

from timing.domain import events as e
from timing.domain.errors import TimingError
from timing.projections.sheet import PARTS, Sheet, sheet
from timing.projections.sheet_parts import Section, day, duration, speed
from timing.projections.versions import versions

S = 1_000_000


def part(made: Sheet, name: str) -> Section:
    return next(section for section in made.sections if section.part == name)


def cells(section: Section, *columns: str) -> list[tuple[str, ...]]:
    """Give the texts of some columns; of a line over the whole width its text."""
    places = [[column.head for column in section.columns].index(name) for name in columns]
    return [line.cells if line.kind == "head" else tuple(line.cells[place] for place in places) for line in section.lines]


@pytest.fixture
def race(script: Any) -> Any:
    told = script("7 9 3", laps=3).run(car7="60 120 180", car9="61 119 190", car3="70 140 210")
    told.hear("T9", 150, loop="PI")
    told.hear("T9", 170, loop="PO")
    told.say(e.DriverChanged, at=160, car="9", driver="bob9")
    told.say(e.CarRetired, at=200, car="3", reason="gearbox")
    told.say(e.Decision, at=211, id="d", decision="D1", car="7", penalty="time", seconds=20, reason="contact", article="33.1")
    return told


def test_the_parts_are_those_asked_for_in_their_order(race: Any) -> None:
    timing = race.fold()
    assert [section.part for section in sheet(timing).sections if section.part != "classes"] == [
        name for name in PARTS if name not in ("classes", "points")
    ]
    assert [section.part for section in sheet(timing, None, ["chart", "grid"]).sections] == ["grid", "chart"]


def test_the_classification(race: Any) -> None:
    section = part(sheet(race.fold()), "classification")
    assert cells(section, "Pos", "No", "Laps", "Time", "Gap", "Best lap", "in") == [
        ("1", "9", "3", "3:10.000", "", "58.000", "2"),
        ("2", "7", "3", "3:20.000", "+10.000", "1:00.000", "1"),
        ("3", "3", "3", "3:30.000", "+20.000", "1:10.000", "1"),
    ]
    assert cells(section, "Driver · Team")[0] == ("Ann 9 / Bob 9\nTeam 9",)
    assert section.notes[0] == "Fastest lap: car 9, 58.000 in lap 2."
    assert "Car 7: 20 s penalty, decision D1." in section.notes


def test_those_without_a_place_stand_below_with_the_reason(script: Any) -> None:
    told = script("7 9 3 4", laps=3).run(car7="60 120 180", car9="61 122", car3="62 124")
    told.say(e.Decision, at=700, decision="D1", car="3", penalty="disqualified")
    told.say(e.SessionEnded, at=900)
    rows = cells(part(sheet(told.fold()), "classification"), "Pos", "No", "Gap")
    assert rows[:2] == [("1", "7", ""), ("2", "9", "1 lap")]
    assert sorted(rows[2:]) == sorted([("Did not start",), ("", "4", ""), ("Disqualified",), ("", "3", "disqualified")])
    for words, car in (("Disqualified", "3"), ("Did not start", "4")):
        assert rows[rows.index((words,)) + 1][1] == car


def test_classes_have_sheets_of_their_own(race: Any) -> None:
    sections = [section for section in sheet(race.fold()).sections if section.part == "classes"]
    assert [section.title for section in sections] == ["Classification · GT", "Classification · TC"]
    assert cells(sections[0], "Pos", "No", "Ovr", "Gap") == [("1", "9", "1", ""), ("2", "7", "2", "+10.000")]


def test_where_there_is_one_class_it_is_not_said(script: Any) -> None:
    made = sheet(script("7 9", laps=1).run(car7="60", car9="61").fold())
    assert not [section for section in made.sections if section.part == "classes"]
    assert "Class" not in [column.head for column in part(made, "classification").columns]


def test_the_gap_in_a_class_is_to_its_first(script: Any) -> None:
    told = script("7 3 4", laps=2).run(car7="60 120", car3="70 140", car4="75 150")
    (_, tc) = (section for section in sheet(told.fold()).sections if section.part == "classes")
    assert cells(tc, "No", "Gap") == [("3", ""), ("4", "+10.000")]


def test_grid_and_fastest_laps(race: Any) -> None:
    made = sheet(race.fold())
    assert cells(part(made, "grid"), "Place", "No") == [("1", "7"), ("2", "9"), ("3", "3")]
    fastest = part(made, "fastest")
    assert cells(fastest, "Pos", "No", "Driver", "Time", "in lap", "Gap", "Interval")[:2] == [
        ("1", "9", "Ann 9", "58.000", "2", "", ""),
        ("2", "7", "Ann 7", "1:00.000", "1", "+2.000", "+2.000"),
    ]


def test_the_lap_chart_marks_who_was_in_the_pits(race: Any) -> None:
    chart = part(sheet(race.fold()), "chart").chart
    assert [(lap.lap, lap.cars) for lap in chart] == [
        ("Grid", ("7", "9", "3")),
        ("1", ("7", "9", "3")),
        ("2", ("9", "7", "3")),
        ("3", ("7", "9*", "3")),
    ]


def test_each_cars_laps(race: Any) -> None:
    section = part(sheet(race.fold()), "laps")
    nine = next(car for car in section.cars if car.car == "9")
    assert [column.head for column in section.columns] == ["Lap", "Dr", "S1", "S2", "Time", "at", ""]
    assert nine.best == 1
    assert nine.names == "1 Ann 9 / 2 Bob 9 · Team 9 · GT"
    assert [(line[0], line[1], line[4], line[6]) for line in nine.lines] == [
        ("1", "1", "1:01.000", ""),
        ("2", "1", "58.000", ""),
        ("3", "2", "1:11.000", "in out"),
    ]


def test_stops_say_who_drove_and_who_took_over(race: Any) -> None:
    section = part(sheet(race.fold()), "stops")
    assert cells(section, "No", "Stop", "in lap", "Driver", "Changed to", "Pit lane", "Total") == [
        ("9", "1", "3", "Ann 9", "Bob 9", "20.000", "20.000")
    ]


def test_decisions_and_messages(race: Any) -> None:
    race.say(e.DecisionUpdated, at=230, decision="D1", stage="quashed", reason="video")
    made = sheet(race.fold())
    ((decision, penalty, stands, steps),) = cells(part(made, "decisions"), "Decision", "Penalty · Reason", "Stands", "Steps")
    assert (decision, penalty, stands) == ("D1", "20 s penalty\ncontact", "quashed")
    assert re.fullmatch(r"\S+ issued\n\S+ quashed: video", steps)
    assert cells(part(made, "messages"), "Message")[0] == ("Start",)


def test_a_sheet_that_was_not_published_says_so(race: Any) -> None:
    made = sheet(race.fold())
    assert made.stamp == ("Not published", "as it stands: finished")
    facts = dict(made.facts)
    assert facts["State (digest)"] == race.fold().digest().hex()
    assert "Signature" not in facts
    assert (made.title, made.circuit, made.head[:2]) == ("Sunday", "Ring", ("Race", "3 laps"))


def test_a_published_version_has_its_stage_document_and_time(race: Any) -> None:
    before = race.fold()
    race.say(e.ResultPublished, at=300, stage="amended", document="14")
    (version,) = versions(race.fold()).versions
    made = sheet(before, version)
    assert made.stamp[:2] == ("Amended", "Document 14")
    assert made.at == version.at
    assert dict(made.facts)["Signature"] == "none"
    race.say(e.Message, at=310, text="later")
    with pytest.raises(TimingError, match="version 1 was made from another state"):
        sheet(race.fold(), version)


def test_what_the_log_does_not_bear_out_is_on_the_sheet(race: Any) -> None:
    before = race.fold()
    race.say(e.ResultPublished, at=300, stage="final", digest="0" * 64)
    (version,) = versions(race.fold()).versions
    assert any(note.startswith("The digest given is 000000000000") for note in sheet(before, version).notes)


def test_a_race_that_was_stopped_says_where_the_result_is_taken(script: Any) -> None:
    told = script("7 9", laps=10).run(car7="60 120 180 240", car9="61 121 181 241")
    told.say(e.TrackStatus, at=250, status="red")
    told.say(e.RaceStopped, at=260)
    (note,) = sheet(told.fold()).notes[:1]
    assert re.fullmatch(r"Stopped at \d\d:\d\d:\d\d UTC and not resumed; the result is that at the end of lap \d+\.", note)


def test_qualifying_has_no_lap_chart_and_its_own_columns(script: Any) -> None:
    made = sheet(script("7 9", kind="qualifying").run(car7="10 70", car9="12 71").fold())
    assert "chart" not in [section.part for section in made.sections]
    assert [column.head for column in part(made, "classification").columns][:4] == ["Pos", "No", "Driver · Team", "Laps"]
    assert cells(part(made, "classification"), "No", "Best lap", "Gap") == [("9", "59.000", ""), ("7", "1:00.000", "+1.000")]


def test_a_session_of_which_nothing_is_known_has_a_sheet(script: Any) -> None:
    assert sheet(script(start=False).fold()).stamp == ("Not published", "as it stands: scheduled")


@pytest.mark.parametrize(
    ("at", "text"),
    [(0, "1 January 1970"), (951_782_400 * S, "29 February 2000"), (1_735_689_599 * S, "31 December 2024"), (-S, "31 December 1969")],
)
def test_days(at: int, text: str) -> None:
    assert day(at) == text


def test_speeds_are_truncated_and_durations_left_out() -> None:
    assert speed(5_000, 2, 120 * S) == "300.000"
    assert speed(4_259, 1, 85_123_456) == "180.119"
    assert (speed(None, 1, S), speed(5_000, 0, S), speed(5_000, 1, None), duration(None)) == ("", "", "", "")
