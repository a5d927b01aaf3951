"""Track statuses as intervals of time, and the laps run under them."""

import random
from itertools import pairwise

import pytest

from timing.domain.events import TrackStatus
from timing.domain.neutralisation import Interval, intervals, laps_under_local, laps_within
from timing.domain.rulebook import Neutral, Neutralisation

RULES = Neutralisation()


def statuses(text: str) -> list[TrackStatus]:
    """Read ``10 safety_car, 20 yellow 2+3``."""
    told = []
    for place, part in enumerate(text.split(",")):
        at, status, *sectors = part.split()
        numbers = tuple(int(n) for n in sectors[0].split("+")) if sectors else ()
        told.append(TrackStatus(id=f"s{place}", at=int(at), status=status, sectors=numbers))  # type: ignore[arg-type]  # checked by the event
    return told


def read(text: str, rules: Neutralisation = RULES) -> list[str]:
    return [
        f"{i.kind} {i.began}-{'' if i.ended is None else i.ended}{' in ' + '+'.join(map(str, i.sectors)) if i.sectors else ''}"
        for i in intervals(statuses(text), rules)
    ]


@pytest.mark.parametrize(
    ("said", "come_to"),
    [
        ("1 green", []),
        ("1 green, 10 safety_car", ["safety_car 10-"]),
        ("10 safety_car, 20 safety_car_ending, 30 green", ["safety_car 10-30"]),
        ("10 vsc, 20 vsc_ending, 30 green", ["vsc 10-30"]),
        ("10 vsc, 20 safety_car, 30 green", ["vsc 10-20", "safety_car 20-30"]),
        ("10 fcy, 20 green, 30 code60, 40 green", ["fcy 10-20", "code60 30-40"]),
        ("10 safety_car, 20 red, 30 safety_car, 40 green", ["safety_car 10-20", "red 20-30", "safety_car 30-40"]),
        ("10 red, 20 chequered", ["red 10-"]),
        ("10 safety_car, 20 chequered", ["safety_car 10-"]),
        ("10 safety_car, 20 safety_car, 30 green", ["safety_car 10-30"]),
        ("10 safety_car_ending, 20 green", []),
        ("10 yellow 2, 20 green 2", ["yellow 10-20 in 2"]),
        ("10 yellow 2, 20 yellow 3, 30 green", ["yellow 10-30 in 2", "yellow 20-30 in 3"]),
        ("10 yellow 2+3, 20 slow_zone 3, 30 green 3", ["yellow 10-20 in 2+3", "slow_zone 20-30 in 3"]),
        ("10 safety_car, 20 yellow 2, 30 green 2, 40 green", ["safety_car 10-40", "yellow 20-30 in 2"]),
        ("10 red, 20 yellow 2, 30 green 2", ["red 10-", "yellow 20-30 in 2"]),
        ("10 red, 20 yellow 2, 30 green", ["red 10-30", "yellow 20-30 in 2"]),
        ("10 red, 20 yellow, 30 green", ["red 10-20", "yellow 20-30"]),
        ("10 yellow, 20 green", ["yellow 10-20"]),
        ("10 safety_car, 10 green", []),
    ],
)
def test_statuses_come_to_intervals(said: str, come_to: list[str]) -> None:
    assert read(said) == come_to


def test_the_signal_that_ends_a_safety_car_is_its_announcement_where_racing_resumes_at_the_line() -> None:
    told = statuses("10 safety_car, 20 safety_car_ending, 30 green")
    assert [i.signal_at for i in intervals(told, RULES)] == [20]
    assert [i.signal_at for i in intervals(told, Neutralisation(safety_car=Neutral(until="signal")))] == [30]


def test_a_safety_car_announced_in_that_stays_out_has_no_announced_end() -> None:
    (only,) = intervals(statuses("10 safety_car, 20 safety_car_ending, 25 safety_car"), RULES)
    assert only == Interval("safety_car", 10, None, (), "line_after_signal", None)


@pytest.mark.parametrize(
    ("began", "ended", "laps"),
    [
        (0, 100, [0]),  # ends as the first lap does: the second is a racing lap
        (50, 150, [0, 1]),
        (100, 150, [1]),  # begins as the second lap does
        (250, None, [2, 3]),
        (400, None, []),
        (0, 10, []),  # over before the race
    ],
)
def test_laps_are_under_what_any_part_of_them_was(began: int, ended: int | None, laps: list[int]) -> None:
    assert list(laps_within([100, 200, 300, 400], 10, began, ended)) == laps


def test_whole_track_intervals_never_overlap() -> None:
    """Whatever race control says in whatever order: one status at a time holds for the whole track."""
    chance = random.Random(1)
    words = ["green", "yellow", "safety_car", "safety_car_ending", "vsc", "vsc_ending", "fcy", "code60", "red", "chequered", "yellow 2"]
    for _ in range(200):
        told = sorted((chance.randint(1, 30), chance.choice(words)) for _ in range(8))
        whole = [i for i in intervals(statuses(", ".join(f"{at} {word}" for at, word in told)), RULES) if not i.sectors]
        for one, after in pairwise(whole):
            assert one.ended is not None
            assert one.ended <= after.began


@pytest.mark.parametrize(
    ("flags", "laps"),
    [
        ([Interval("yellow", 110, 115, (1,))], {2}),
        ([Interval("yellow", 115, 119, (2,))], set()),  # gone before the car came there, at 130
        ([Interval("yellow", 125, 131, (2,))], {2}),
        ([Interval("yellow", 155, None, (2,))], {3}),  # it had left the sector of that lap at 150
        ([Interval("slow_zone", 170, 175, (3,))], {2}),
        ([Interval("yellow", 95, 101)], {1, 2}),  # without sectors: anywhere
        ([Interval("safety_car", 95, 101)], set()),
        ([Interval("yellow", 205, 206, (3,))], {3}),  # no sector of the third was timed
    ],
)
def test_a_lap_is_under_yellow_where_the_car_was_there(flags: list[Interval], laps: set[int]) -> None:
    sectors = [(20, 40, 30), (30, 20, 50), (None, None, 60)]
    assert laps_under_local([100, 200, 300], 10, sectors, flags) == laps
