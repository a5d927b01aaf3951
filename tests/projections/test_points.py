"""The points of a session: as they stand, by distance, with what race control and the stewards did."""

import json
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from timing.domain import events as e
from timing.domain.rulebook import Championship, PointsShare, RedFlag, Rulebook, Scoring, ShortScale, SmallField
from timing.log.record import Record
from timing.projections.differences import differences, in_words, lines
from timing.projections.points import ChampionshipPoints, points, written
from timing.projections.result import result_json
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.projections.conftest import Script

SCALE = (25_000, 18_000, 15_000)


def book(red_flag: RedFlag | None = None, **keys: object) -> Rulebook:
    one = Championship(**{"name": "Cup", "scale_milli": SCALE, **keys})  # type: ignore[arg-type]  # keys of its own
    return Rulebook(id="t", title="T", source="test", red_flag=red_flag or RedFlag(), points=Scoring(championships=(one,)))


def of(timing: Timing) -> ChampionshipPoints:
    (found,) = points(timing, timing.classification())
    return found


def gave(timing: Timing) -> dict[str, float]:
    return {row.car: row.points for row in of(timing).rows}


def test_points_stand_as_the_race_stands_and_are_part_of_its_result(script: type["Script"]) -> None:
    race = script("7 9 3", laps=2, rules=book()).run(car7="60", car9="61")
    assert gave(race.fold()) == {"7": 25, "9": 18}, "who was not seen has no place yet"
    race.run(car9="61 119", car7="60 120", car3="70 140")
    document = json.loads(result_json(race.fold()))
    (cup,) = document["points"]
    assert (cup["championship"], cup["by_class"], cup["note"]) == ("Cup", False, None)
    assert [(row["position"], row["car"], row["class"], row["points"]) for row in cup["rows"]] == [
        (1, "9", "GT", 25),
        (2, "7", "GT", 18),
        (3, "3", "TC", 15),
    ]


def test_without_a_championship_nothing_is_scored(script: type["Script"]) -> None:
    assert json.loads(result_json(script("7", laps=1).run(car7="60").fold()))["points"] == []


def test_a_decision_moves_points_and_the_preview_of_it_says_so(script: type["Script"]) -> None:
    race = script("7 9", laps=1, rules=book()).run(car7="60", car9="61")
    before = lines(race.fold())
    race.say(e.Decision, at=90, decision="D", car="7", penalty="disqualified")
    assert gave(race.fold()) == {"9": 25}
    assert "points Cup 18 -> Cup 25" in "\n".join(in_words(differences(before, lines(race.fold()))))


@pytest.mark.parametrize(
    ("keys", "shares", "given", "note"),
    [
        ({}, (PointsShare(below_percent=75, percent=50),), 12.5, "50 % of the points, by the distance"),
        ({}, (), 25, None),
        (
            {"shortened": (ShortScale(below_percent=50, scale_milli=(13_000,)),)},
            (PointsShare(below_percent=75, percent=50),),
            13,
            "less than 50 % of the distance was run: the points of such a race",
        ),
        ({"racing_laps": 3}, (), 0, "no points: the winner did 2 racing laps, 3 are needed"),
    ],
)
def test_a_race_stopped_before_half_distance(
    script: type["Script"], keys: dict[str, object], shares: tuple[PointsShare, ...], given: float, note: str | None
) -> None:
    race = script("7", laps=6, rules=book(RedFlag(completed_minus=1, points=shares), **keys)).run(car7="60 120 180")
    race.say(e.TrackStatus, at=190, status="red")
    assert gave(race.fold()) == {"7": 25}, "it is not over yet"
    race.say(e.RaceStopped, at=300)
    timing = race.fold()
    assert gave(timing) == {"7": given}
    assert of(timing).note == note


def test_laps_under_a_neutralisation_are_no_racing_laps(script: type["Script"]) -> None:
    race = script("7", laps=3, rules=book(racing_laps=2)).run(car7="60 120 180")
    assert gave(race.fold()) == {"7": 25}
    race.say(e.TrackStatus, at=70, status="vsc")
    race.say(e.TrackStatus, at=130, status="green")
    assert gave(race.fold()) == {"7": 0}


def test_too_little_for_a_result_is_none_for_points(script: type["Script"]) -> None:
    race = script("7 9", laps=6, rules=book(RedFlag(completed_minus=1, min_laps=2))).run(car7="60 120", car9="61 122")
    race.say(e.TrackStatus, at=130, status="red")
    race.say(e.RaceStopped, at=300)
    assert (gave(race.fold()), of(race.fold()).note) == ({}, "no points: too little was run")


def test_qualifying_gives_pole_and_practice_nothing(script: type["Script"]) -> None:
    rules = book(pole_milli=1_000)
    (row,) = of(script("7 9", kind="qualifying", rules=rules).run(car7="10 70", car9="11 72").fold()).rows
    assert (row.car, row.points, row.bonus, row.why) == ("7", 1, ("pole",), "P1 in qualifying, 1 for the pole")
    practice = script("7 9", kind="practice", rules=rules).run(car7="10 70").fold()
    assert points(practice, practice.classification()) == ()


def test_how_points_came_about_is_said(script: type["Script"]) -> None:
    race = script("7 9 3", laps=2, rules=book(factor_percent=50, places="class", fastest_lap_milli=1_000))
    race.say(e.EntryRegistered, at=-20, car="7", class_="GT", transponders=("T7",), guest=True)
    race.run(car7="60 120", car9="61 120.5", car3="70 140")
    told = {row.car: row.why for row in of(race.fold()).rows}
    assert told["9"] == "P2 in GT, P1 of those that score, 25 by the scale, 1 for the fastest lap, of that 50 %"
    assert gave(race.fold()) == {"9": 13, "3": 13}


def test_the_board_has_the_points_of_each_championship_at_every_moment(script: type["Script"]) -> None:
    rules = book(fastest_lap_milli=1_000, places="class", racing_laps=1, small_field=(SmallField(below_starters=2, percent=50),))
    named = Championship(name="Trophy", scale_milli=SCALE, entered="named", shortened=(ShortScale(below_percent=50, scale_milli=(500,)),))
    rules = structs.replace(rules, points=Scoring(championships=(*rules.points.championships, named)))
    race = script("7 9 3", laps=9, rules=rules)
    race.say(e.EntryRegistered, at=-20, car="9", class_="GT", transponders=("T9",), championships=("Trophy",))
    race.run(car7="60 120 180", car9="61 121.5 181", car3="70 140")
    race.say(e.TrackStatus, at=65, status="vsc")
    race.say(e.TrackStatus, at=100, status="green")
    race.say(e.Decision, at=170, decision="D", car="7", penalty="disqualified")
    race.say(e.TrackStatus, at=190, status="red")
    race.say(e.RaceStopped, at=300)
    going, seen = Timing("s"), set()
    for seq, event in enumerate(race.events, start=1):
        going.apply(Record("s", seq, 1, event, b"", b""))
        board, anew = going.board(), {scored.championship: scored for scored in points(going, going.classification())}
        assert board.session.championships == tuple(anew)
        for car, row in board.rows.items():
            each = [next((round(r.points * 1_000) for r in anew[name].rows if r.car == car), None) for name in board.session.championships]
            assert row.points_milli == tuple(each)
            seen.add((car, row.points_milli))
    assert {("7", (25_000, None)), ("7", (26_000, None)), ("9", (26_000, 500)), ("3", (12_500, None))} <= seen


def test_without_a_championship_the_board_has_no_points(script: type["Script"]) -> None:
    board = script("7", laps=1).run(car7="60").fold().board()
    assert (board.session.championships, board.rows["7"].points_milli) == ((), ())
    practice = script("7", kind="practice", rules=book()).run(car7="60").fold().board()
    assert (practice.session.championships, practice.rows["7"].points_milli) == ((), ())


def test_points_are_written_short() -> None:
    assert [written(milli) for milli in (25_000, 12_500, 19_333, 0)] == ["25", "12.5", "19.333", "0"]
