"""Every scenario holds, in whatever order its events arrive; and the language refuses what it does not know."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCENARIOS = sorted(Path(__file__).parent.glob("*.race"))
HEAD = "title A race\nsource This test\nrulebook club-sprint\ndistance 2 laps\ncars 7 12\n"
RUN = HEAD + "12:00:00 start\n12:01:30 line 7\n12:01:31 line 12\n"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenario_holds(path: Path, play: Callable[[Path], Any]) -> None:
    play(path)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenario_ends_the_same_in_any_order_of_arrival(path: Path, play: Callable[[Path], Any]) -> None:
    played = play(path)
    for seed in range(5):
        other = played.shuffled(seed)
        assert other.digest() == played.timing.digest()
        assert other.board() == played.timing.board()


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 20


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("expect order 12 7", "expected 12 7, is 7 12"),
        ("expect result 12 7", "the result"),
        ("expect 12: P1", "expected P1, is P2"),
        ("expect 12: C1", "expected C1, is C2"),
        ("expect 7: laps 2", "expected 2, is 1"),
        ("expect 12: gap 1.001", "the gap of 12"),
        ("expect 12: gap 1 lap +1.000", "the gap of 12"),
        ("expect 12: interval 0.999", "the interval of 12"),
        ("expect 7: last 1:30.001", "the last of 7"),
        ("expect 7: total 1:30.001", "the total of 7"),
        ("expect 7: finished", "the status of 7"),
        ("expect 7: result classified", "the result of 7"),
        ("expect session finished", "the session"),
        ("expect leader laps 2", "the leader's laps"),
        ("expect unplaced 1", "passings of nobody"),
        ("expect 7: speed 3", "not of the language"),
        ("expect winner 7", "not of the language"),
        ("12:02:00 retired 99", "not entered"),
        ("12:02:00 line 99", "99"),
        ("12:02:00 jumps 7", "not of the language"),
        ("12:02:00 penalty D1 7 ten", "a penalty is"),
        ("12:0200 line 7", "is no time"),
        ("cars 8", "before the first event"),
    ],
)
def test_what_does_not_hold_or_cannot_be_read_names_its_line(line: str, said: str, play_text: Callable[[str], Any]) -> None:
    with pytest.raises(Exception, match=r"text\.race:9:") as raised:
        play_text(f"{RUN}{line}\n")
    assert type(raised.value).__name__ == "Faulty"
    assert said in str(raised.value)


def test_what_holds_holds(play_text: Callable[[str], Any]) -> None:
    played = play_text(f"{RUN}expect order 7 12\nexpect 12: P2, C2, laps 1, gap 1.000, interval +1.0, last 1:31, running\n")
    assert played.expected == 2


@pytest.mark.parametrize("missing", ["title A race\n", "source This test\n"])
def test_a_scenario_says_what_it_is_and_where_its_rule_stands(missing: str, play_text: Callable[[str], Any]) -> None:
    with pytest.raises(Exception, match="a title, a source and at least one expectation"):
        play_text(RUN.replace(missing, "") + "expect order 7 12\n")


def test_a_scenario_without_an_expectation_is_none(play_text: Callable[[str], Any]) -> None:
    with pytest.raises(Exception, match="a title, a source and at least one expectation"):
        play_text(RUN)
