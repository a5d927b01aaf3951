"""Two ways of seeing a session, compared: nothing differs from itself, and each difference is said once, before and after."""

from typing import Any

import msgspec

from timing.domain import events as e
from timing.projections.differences import Change, Differences, differences, head, in_words, lines


def compare(one: Any, other: Any) -> Differences:
    return differences(lines(one), lines(other), session_before=head(one), session_after=head(other))


def race(script: Any) -> Any:
    return script("7 9 3", laps=2).run(car7="60 120", car9="61 122", car3="70 140")


def test_a_session_does_not_differ_from_itself(script: Any) -> None:
    timing = race(script).fold()
    found = compare(timing, timing)
    assert found.none
    assert found == Differences()
    assert in_words(found) == []


def test_a_penalty_changes_places_in_the_result_and_none_on_the_road(script: Any) -> None:
    told = race(script)
    before = told.fold()
    told.say(e.Decision, at=150, decision="D1", car="7", penalty="time", seconds=5)
    found = compare(before, told.fold())
    assert not found.session
    assert {c.car: c.changes for c in found.cars} == {
        "9": {"position": Change(2, 1), "class_position": Change(2, 1)},
        "7": {"position": Change(1, 2), "class_position": Change(1, 2), "total_us": Change(120_000_000, 125_000_000)},
    }
    assert [c.car for c in found.cars] == ["9", "7"], "in the order of the classification after"
    assert in_words(found)[0] == "car 9: result P2 -> P1, in class P2 -> P1"
    assert in_words(found)[1] == "car 7: result P1 -> P2, in class P1 -> P2, total 2:00.000 -> 2:05.000"


def test_a_crossing_taken_away_changes_the_road_and_the_session(script: Any) -> None:
    told = race(script)
    before = told.fold()
    told.say(e.PassingVoided, at=150, passing=e.PassingKey(decoder="line", boot=1, number=2))
    told.say(e.PassingVoided, at=150, passing=e.PassingKey(decoder="line", boot=1, number=4))
    found = compare(before, told.fold())
    assert found.session["finished_at"].after != found.session["finished_at"].before
    seven = next(c for c in found.cars if c.car == "7")
    assert seven.changes["road_laps"] == seven.changes["laps"] == Change(2, 1)
    assert seven.changes["on_the_road"] == Change(1, 2)
    assert any(line.startswith("session: finished at ") for line in in_words(found))
    assert "laps on the road" not in " ".join(in_words(found)), "where both are the same they are said once"


def test_a_car_that_is_only_on_one_side_has_nothing_on_the_other(script: Any) -> None:
    told = race(script)
    before = told.fold()
    told.enter("4", at=1)
    found = compare(before, told.fold())
    (new,) = found.cars
    assert (new.car, new.changes["status"], new.changes["class"]) == ("4", Change(None, "not_started"), Change(None, "TC"))


def test_lines_and_differences_are_json_in_the_names_of_the_contract(script: Any) -> None:
    told = race(script)
    line = msgspec.to_builtins(lines(told.fold())["7"])
    assert line == {
        "car": "7", "class": "GT", "on_the_road": 1, "position": 1, "class_position": 1, "status": "classified", "road_laps": 2, "laps": 2,
        "total_us": 120_000_000, "best_lap_us": 60_000_000,
    }  # fmt: skip
    assert msgspec.convert(msgspec.to_builtins(compare(told.fold(), told.fold())), Differences).none
