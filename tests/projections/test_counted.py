"""What each reading of a red flag makes of one car."""

from typing import TYPE_CHECKING

from timing.domain import events as e
from timing.domain.rulebook import RedFlag, Rulebook
from timing.projections.counted import read_in_words, read_to

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
ZERO = 1_747_400_000 * S


def stopped(script: type["Script"], **keys: object) -> "Script":
    """Tell of a race stopped at 250 s, the leader 7 having four laps; 3, a lap down, came round at 190 and 245 s."""
    rules = RedFlag(**{"completed_minus": 1, **keys})  # type: ignore[arg-type]  # keys of its own
    race = script("7 3", laps=9, rules=Rulebook(id="t", title="T", source="test", red_flag=rules))
    race.run(car7="60 120 180 240", car3="75 135 190 245")
    race.say(e.TrackStatus, at=250, status="red")
    return race


def test_each_lap_that_a_reading_counts_to_has_its_crossing(script: type["Script"]) -> None:
    timing = stopped(script).fold()
    found = read_to(timing, timing.state(), "3")
    assert [(r.laps, r.ended_at, r.key, r.own) for r in found] == [
        (3, ZERO + 190 * S, "line/1/7", True),
        (4, ZERO + 245 * S, "line/1/8", False),
        (2, ZERO + 135 * S, "line/1/6", False),
        (1, ZERO + 75 * S, "line/1/5", False),
    ]
    own, all_of_it, *_ = found
    assert own.rulebook == "C-1; the others at their next crossing, none after the signal"
    assert "C-2; the others at their last crossing before the leader's" not in all_of_it.ways
    assert sum(len(r.ways) for r in found) == 15, "three depths, five ways of reading the others"


def test_in_words_a_depth_is_said_once_where_all_ways_agree(script: type["Script"]) -> None:
    timing = stopped(script).fold()
    leader = [read_in_words(r) for r in read_to(timing, timing.state(), "7")]
    assert leader[0].startswith("3 laps, to ")
    assert leader[0].endswith("| C-1, however the others are read")
    assert leader[1].endswith("[line/1/4], by C, however the others are read")
    three = read_in_words(read_to(timing, timing.state(), "3")[2])
    assert "by C-1 with the others at their last crossing before the leader's" in three or "C-2 with" in three


def test_only_of_a_race_that_is_suspended_or_was_stopped(script: type["Script"]) -> None:
    race = stopped(script)
    race.say(e.TrackStatus, at=900, status="green")
    timing = race.fold()
    assert read_to(timing, timing.state(), "7") == ()
    race.say(e.TrackStatus, at=950, status="red")
    race.say(e.RaceStopped, at=1_000)
    timing = race.fold()
    assert read_to(timing, timing.state(), "7")
    unseen = stopped(script)
    unseen.enter("9")
    timing = unseen.fold()
    assert [(r.laps, r.ended_at, r.key) for r in read_to(timing, timing.state(), "9")] == [(0, None, None)]
