"""The end of a race: who takes the flag, when, and how many laps everybody has."""

from typing import Literal

import pytest

from timing.domain.events import Distance
from timing.domain.finish import Ending, ending, laps_at_ending
from timing.domain.rulebook import Finish

S = 1_000_000

Ends = dict[str, list[int]]


def find(
    ends: Ends, distance: Distance, flag: int | None = None, *, rules: Finish | None = None, closed: bool = False
) -> tuple[int, int] | None:
    """Give the end of a race started at 0 (instants in seconds) as (at, laps)."""
    in_us = [[at * S for at in car] for car in ends.values()]
    end = ending(in_us, 0, distance, None if flag is None else flag * S, rules or Finish(), closed=closed)
    return None if end is None else (end.at // S, end.laps)


#                laps ended at       7 leads, 9 follows, 3 is lapped
RACE: Ends = {"7": [50, 100, 150, 200], "9": [51, 102, 153, 204], "3": [70, 140, 210]}


@pytest.mark.parametrize(
    ("what", "distance", "end"),
    [
        ("laps: the first to complete them", Distance(laps=3), (150, 3)),
        ("laps not yet done", Distance(laps=5), None),
        ("minutes: the leader's next crossing", Distance(minutes=2), (150, 3)),
        ("minutes and a lap more", Distance(minutes=2, plus_laps=1), (200, 4)),
        ("minutes not yet over for anybody", Distance(minutes=4), None),
        ("laps or minutes: laps are first", Distance(laps=2, minutes=2), (100, 2)),
        ("laps or minutes: minutes are first", Distance(laps=4, minutes=1), (100, 2)),
        ("no distance, and no flag", Distance(), None),
    ],
)
def test_the_race_ends_with_the_leader_where_the_distance_says(what: str, distance: Distance, end: tuple[int, int] | None) -> None:
    assert find(RACE, distance) == end


@pytest.mark.parametrize(
    ("crossing", "end"),
    [(119, (170, 3)), (120, (120, 2)), (121, (121, 2))],
    ids=["a second before time: one lap more", "as time runs out: that is the flag", "a second after"],
)
def test_a_leader_who_crosses_as_time_runs_out_takes_the_flag(crossing: int, end: tuple[int, int]) -> None:
    assert find({"7": [60, crossing, crossing + 51]}, Distance(minutes=2)) == end


def test_the_leader_when_time_runs_out_may_be_another_than_the_one_who_takes_the_flag() -> None:
    """7 has led all along and stops on the last lap: 9, on the same lap, takes the flag."""
    assert find({"7": [50, 100], "9": [51, 102, 160]}, Distance(minutes=2)) == (160, 3)


def test_a_lapped_car_before_the_leader_does_not_end_the_race() -> None:
    assert find({"7": [50, 100, 150], "3": [70, 145]}, Distance(minutes=2)) == (150, 3)


@pytest.mark.parametrize(
    ("flag", "end"), [(99, (100, 2)), (100, (100, 2)), (101, (150, 3))], ids=["before he comes", "as he crosses", "as he has gone"]
)
def test_the_flag_alone_is_shown_to_the_leader(flag: int, end: tuple[int, int]) -> None:
    assert find(RACE, Distance(), flag) == end


@pytest.mark.parametrize(
    ("policy", "end"),
    [("leader_last_crossing_before", (100, 2)), ("leader_next_crossing", (150, 3))],
)
def test_a_flag_shown_early(policy: Literal["leader_last_crossing_before", "leader_next_crossing"], end: tuple[int, int]) -> None:
    """Four laps to do; shown at 110 s, while the leader is on his third."""
    assert find(RACE, Distance(laps=4), 110, rules=Finish(early_flag=policy)) == end


@pytest.mark.parametrize(("policy", "end"), [("should_have_finished", (100, 2)), ("at_flag", (200, 4))])
def test_a_flag_shown_late(policy: Literal["should_have_finished", "at_flag"], end: tuple[int, int]) -> None:
    """Two laps to do; shown at 160 s, when the leader is on his fourth."""
    assert find(RACE, Distance(laps=2), 160, rules=Finish(late_flag=policy)) == end


def test_a_flag_shown_in_time_agrees_with_the_distance() -> None:
    assert find(RACE, Distance(laps=3), 149) == (150, 3)


@pytest.mark.parametrize(
    ("ends", "end"),
    [({"7": [50, 100], "3": [70, 140]}, (140, 2)), ({"7": [50, 100], "3": [70]}, (120, 2))],
    ids=["the first car that came", "nobody came"],
)
def test_where_the_leader_never_takes_the_flag_the_closed_race_ended_with_who_did(ends: Ends, end: tuple[int, int]) -> None:
    """7 leads when the flag is shown at 120 s, and stops: as long as the session is open he may come."""
    assert find(ends, Distance(), 120) is None
    assert find(ends, Distance(), 120, closed=True) == end


END = Ending(150 * S, 3)


@pytest.mark.parametrize(
    ("what", "car", "grace", "laps", "flagged"),
    [
        ("the leader himself", [50, 100, 150, 200], None, 3, True),
        ("behind him on the same lap", [51, 102, 153, 204], None, 3, True),
        ("lapped: its next crossing, and no more", [70, 140, 210, 280], None, 3, True),
        ("on the line in the same microsecond", [60, 150, 230], None, 2, True),
        ("never comes", [70, 140], None, 2, False),
        ("comes within the grace time", [70, 140, 210], 60, 3, True),
        ("comes too late", [70, 140, 211], 60, 2, False),
        ("never did a lap", [], None, 0, False),
    ],
)
def test_every_car_ends_at_its_next_crossing(what: str, car: list[int], grace: int | None, laps: int, flagged: bool) -> None:
    grace_us = None if grace is None else grace * S
    assert laps_at_ending([at * S for at in car], END, grace_us) == (laps, flagged)


#                       7 is three laps ahead, and stops on its sixth
AHEAD: Ends = {"7": [20, 40, 60, 80, 100], "9": [51, 102, 153, 204], "3": [70, 140, 210]}


@pytest.mark.parametrize(
    ("distance", "flag", "out", "end"),
    [
        (Distance(minutes=2), None, (), None),
        (Distance(minutes=2), None, ("7",), (153, 3)),
        (Distance(minutes=2), 120, ("7",), (153, 3)),
        (Distance(minutes=2, plus_laps=1), None, ("7",), (204, 4)),
        (Distance(laps=5), None, ("7",), (100, 5)),  # it had finished
        (Distance(laps=4), None, ("9",), (80, 4)),
        (Distance(minutes=2), None, ("7", "9", "3"), None),
    ],
)
def test_the_flag_is_not_for_a_car_that_retired_before_it(
    distance: Distance, flag: int | None, out: tuple[str, ...], end: tuple[int, int] | None
) -> None:
    in_us = [[at * S for at in car] for car in AHEAD.values()]
    flag_at = None if flag is None else flag * S
    found = ending(in_us, 0, distance, flag_at, Finish(), out=[car in out for car in AHEAD])
    assert (None if found is None else (found.at // S, found.laps)) == end
