"""The points on a sheet: what the result says of them, championship by championship."""

from typing import Any

from timing.domain import events as e
from timing.domain.rulebook import Championship, Rulebook, Scoring
from timing.projections.sheet import sheet


def test_each_championship_has_a_page_of_its_points(script: Any) -> None:
    scale = (25_000, 12_500)
    cup = Championship(name="Cup", scale_milli=scale, fastest_lap_milli=1_000)
    classes = Championship(name="Classes", scale_milli=scale, places="class", racing_laps=2)
    race = script("7 9 3", laps=2, rules=Rulebook(id="t", title="T", source="test", points=Scoring(championships=(cup, classes))))
    race.say(e.EntryRegistered, at=-20, car="7", class_="GT", transponders=("T7",), guest=True)
    race.run(car7="60 120", car9="61 119.5", car3="70 140")
    race.say(e.TrackStatus, at=65, status="vsc")
    race.say(e.TrackStatus, at=100, status="green")
    overall, by_class = sheet(race.fold(), None, ["points"]).sections
    assert [overall.title, by_class.title] == ["Points: Cup", "Points: Classes"]
    assert [(*line.cells[:2], *line.cells[3:]) for line in overall.lines] == [
        ("1", "9", "GT", "26", "P1, 25 by the scale, 1 for the fastest lap"),
        ("2", "3", "TC", "12.5", "P3, P2 of those that score, 12.5 by the scale"),
    ]
    assert overall.lines[0].cells[2] == "Ann 9 / Bob 9\nTeam 9"
    assert [(line.kind, line.cells[0]) for line in by_class.lines] == [("head", "GT"), ("row", "1"), ("head", "TC"), ("row", "1")]
    assert {line.cells[4] for line in by_class.lines if line.kind == "row"} == {"0"}
    assert by_class.notes == ("No points: the winner did 1 racing lap, 2 are needed.",)


def test_without_a_championship_there_is_no_page_of_points(script: Any) -> None:
    race = script("7 9", laps=1).run(car7="60", car9="61").fold()
    assert "points" not in [section.part for section in sheet(race).sections]
