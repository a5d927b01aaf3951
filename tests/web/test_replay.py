"""The replay bar's reckoning: what the timeline spans, what is marked on it, and how an address names a moment."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

Modules = Callable[..., Awaitable[Any]]
MINUTE = 60_000_000


def told(**more: Any) -> dict[str, Any]:
    return {"begin": 0, "end": None, "started_at": 100 * MINUTE, "laps": 0, **more}


def state(status: str = "running", at: int = 100 * MINUTE, **distance: Any) -> dict[str, Any]:
    return {"at": at, "session": {"status": status, "distance": distance}}


@pytest.mark.parametrize(
    ("given", "shown", "seen", "ends"),
    [
        (told(), state(minutes=20), (99, 100), (120, 125)),  # by the time it lasts
        (told(laps=10), state(at=115 * MINUTE, laps=20), (99, 115), (130, 135)),  # by the leader's pace
        (told(), state(laps=20), (99, 100), (130, 136)),  # by nothing
        (told(), state("final", at=121 * MINUTE, minutes=20), (99, 140), (140, 147)),  # by what was seen
        (told(started_at=None), state("scheduled", minutes=20), (99, 99), (119, 124)),
    ],
)
async def test_an_end_that_is_not_told_is_guessed_from_what_is_shown(
    modules: Modules, given: dict[str, Any], shown: dict[str, Any], seen: tuple[int, int], ends: tuple[int, int]
) -> None:
    been = {"first": seen[0] * MINUTE, "last": seen[1] * MINUTE, "start": None}
    span = await modules("timeline.js", "({spanOf}, given) => spanOf(...given)", [given, shown, been])
    assert span["from"] == 98 * MINUTE, "a minute before the first that was seen"
    assert ends[0] * MINUTE < span["to"] < ends[1] * MINUTE
    assert span["known"] is False


async def test_an_end_that_is_told_is_the_end(modules: Modules) -> None:
    been = {"first": 99 * MINUTE, "last": 100 * MINUTE, "start": None}
    span = await modules("timeline.js", "({spanOf}, given) => spanOf(...given)", [told(end=150 * MINUTE), state(), been])
    assert span == {"from": 98 * MINUTE, "to": 150 * MINUTE, "known": True}


async def test_the_end_guessed_moves_seldom(modules: Modules) -> None:
    ends = set()
    for minute in range(101, 131):
        been = {"first": 99 * MINUTE, "last": minute * MINUTE, "start": None}
        span = await modules("timeline.js", "({spanOf}, given) => spanOf(...given)", [told(), state(), been])
        ends.add(span["to"])
    assert len(ends) <= 2


def flag(at: int, status: str) -> dict[str, Any]:
    return {"at": at, "kind": "red" if status == "red" else "flag", "facts": {"type": "track_status", "status": status}}


async def test_flags_last_until_the_next_or_as_far_as_was_seen(modules: Modules) -> None:
    marks = [flag(10, "yellow"), {"at": 12, "kind": "leader", "facts": None}, flag(20, "green"), flag(30, "red"), flag(40, "safety_car")]
    bands = await modules("timeline.js", "({bandsOf}, given) => bandsOf(...given)", [marks, 55])
    assert [(b["status"], b["from"], b["to"]) for b in bands] == [("yellow", 10, 20), ("red", 30, 40), ("safety_car", 40, 55)]
    in_sector = {"at": 45, "kind": "flag", "facts": {"type": "track_status", "status": "green", "sectors": [2]}}
    bands = await modules("timeline.js", "({bandsOf}, given) => bandsOf(...given)", [[*marks, in_sector], 55])
    assert [(b["status"], b["to"]) for b in bands][-2:] == [("safety_car", 45), ("safety_car", 55)], "green in a sector ends no safety car"


async def test_marks_that_were_seen_further_on_stay(modules: Modules) -> None:
    merged = "({merged}, given) => merged(...given).map(({at}) => at)"
    assert await modules("replay.js", merged, [[{"at": 1}, {"at": 5}], [{"at": 1}, {"at": 5}, {"at": 9}], 6]) == [1, 5, 9]
    assert await modules("replay.js", merged, [[{"at": 1}], [{"at": 1}, {"at": 5}, {"at": 9}], 6]) == [1, 9], "what is no more is not"


@pytest.mark.parametrize(
    "place",
    [
        {"at": 1_778_938_434_144_852, "seq": 17, "known": "now", "speed": 1, "playing": False},
        {"at": 1_778_938_434_144_852, "seq": None, "known": "then", "speed": "max", "playing": True},
        {"at": 5, "seq": 0, "known": "then", "speed": 0.25, "playing": False},
    ],
)
async def test_a_place_comes_back_out_of_its_address(modules: Modules, place: dict[str, Any]) -> None:
    function = """async ({addressOf, placeIn}, place) => {
      const {Choices} = await import("/static/js/choices.js");
      const choices = new Choices();
      choices.setAll(addressOf(place));
      return placeIn(choices);
    }"""
    assert await modules("replay.js", function, place) == place


@pytest.mark.parametrize("query", ["", "?at=noon", "?at=-5", "?at=99999999999999999", "?seq=5"])
async def test_what_is_no_moment_is_none(modules: Modules, query: str) -> None:
    function = """async ({placeIn}, query) => {
      history.replaceState(null, "", location.pathname + query);
      const {Choices} = await import("/static/js/choices.js");
      return placeIn(new Choices());
    }"""
    assert await modules("replay.js", function, query) is None


async def test_values_that_differ_are_written_as_screens_write_them(modules: Modules) -> None:
    function = """async ({written}, given) => {
      (await import("/static/js/texts.js")).chooseLanguage(["en"]);
      return given.map((each) => written(...each));
    }"""
    given = [
        ["position", 3], ["last_lap_us", 83_456_789], ["gap", {"laps": 1, "time_us": 2_500_000}], ["sectors_us", [28_000_000, None]],
        ["penalties", []], ["status", "pit"], ["result", {"position": None, "status": "retired"}], ["driver", {"name": "Ines"}],
        ["laps", None],
    ]  # fmt: skip
    assert await modules("differing.js", function, given) == ["P3", "1:23.456", "+1 lap 2.500", "28.000, –", "–", "Pit", "RET", "Ines", "–"]
