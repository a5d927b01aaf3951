"""Every scenario holds, in whatever order its events arrive; and the language refuses what it does not know."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from explained import every_place_is_explained
from race_table import Play, rulebooks_of, whatever_was_published

SCENARIOS = sorted(Path(__file__).parent.glob("*.race"))
TABLES = [pytest.param(path, label, id=f"{path.stem}-{label}") for path in SCENARIOS for label in rulebooks_of(path)]
HEAD = "title A race\nsource This test\nrulebook club-sprint\ndistance 2 laps\ncars 7 12\n"
RUN = HEAD + "12:00:00 start\n12:01:30 line 7\n12:01:31 line 12\n"


@pytest.mark.parametrize(("path", "label"), TABLES)
def test_the_scenario_holds(path: Path, label: str, play: Callable[..., Any]) -> None:
    play(path, label)


@pytest.mark.parametrize(("path", "label"), TABLES)
def test_the_scenario_ends_the_same_in_any_order_of_arrival(path: Path, label: str, play: Callable[..., Any]) -> None:
    played = play(path, label)
    for seed in range(5):
        other = played.shuffled(seed)
        assert other.digest() == played.timing.digest()
        assert whatever_was_published(other.board()) == whatever_was_published(played.timing.board())


@pytest.mark.parametrize(("path", "label"), TABLES)
def test_every_place_is_explained_wherever_something_is_expected(path: Path, label: str) -> None:
    seen: list[int] = []
    table = Play(path, label)
    table.look = lambda timing: seen.append(every_place_is_explained(timing))
    table.run()
    assert sum(seen) or not table.cars


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


TWO = HEAD.replace("rulebook club-sprint\n", "rulebook club-sprint\nrulebook all laps: club-sprint classification.min_percent=0\n")


def test_a_table_of_two_rulebooks_is_played_under_each(play_text: Callable[[str], Any], play: Callable[..., Any]) -> None:
    laps = "".join(f"12:0{minute}:00 line 7\n" for minute in (1, 2, 3))
    text = TWO.replace("2 laps", "3 laps") + "12:00:00 start\n" + laps + "12:03:01 line 12\n"
    text += "expect[club-sprint] result 7\nexpect[all laps] result 7 12\n"
    played = play_text(text)
    assert list(played.rulebooks) == ["club-sprint", "all laps"]
    assert play(played.path, "all laps").timing.rules.classification.min_percent == 0
    wrong = text.replace("expect[all laps] result 7 12", "expect[all laps] result 7")
    played.path.write_text(wrong)
    play(played.path, "club-sprint")
    with pytest.raises(Exception, match=r"\[all laps\]"):
        play(played.path, "all laps")


def test_an_expectation_of_a_rulebook_that_is_not_there_is_refused(play_text: Callable[[str], Any]) -> None:
    with pytest.raises(Exception, match="no rulebook fia-f1"):
        play_text(f"{RUN}expect[fia-f1] order 7 12\n")


@pytest.mark.parametrize(
    ("lines", "holds"),
    [
        ("12:02:00 red as stop\n12:01:20 retime stop", "session suspended"),
        ("12:02:00 red as stop\n12:02:10 undo stop", "session running"),
        ("12:02:00 clock decoder-sf +1.5", "7: last 1:31.5"),
        ("12:02:00 clock decoder-sf -0.5", "7: last 1:29.5"),
        ("12:02:00 line 7 by backup as again\n12:02:01 void again", "7: laps 1"),
        ("12:01:30.2 line 7 by backup", "7: laps 1, suspect 1"),
        ("12:02:00 restarts decoder-sf\n12:03:00 line 7", "7: laps 2"),
        ("12:02:00 refused already-started start", "7: laps 1"),
        ("12:02:00 driver_changed car=7 driver=b", "7: laps 1"),
        ("12:02:00 yellow sectors 1 2", "track yellow"),
        ("12:02:00 penalty D1 7 disqualified stage noted", "7: running"),
        ("12:02:00 penalty D1 7 disqualified\n12:02:00 undo D1", "7: running"),
        ("12:02:00 pit-lane closed\n12:02:00 published provisional", "session provisional"),
    ],
)
def test_the_words_for_what_happens_do_what_they_say(lines: str, holds: str, play_text: Callable[[str], Any]) -> None:
    play_text(f"{RUN}{lines}\nexpect {holds}\n")


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("5 s", "time"), ("1.5 s", "time"), ("2 laps", "laps"), ("3 places", "positions"), ("5 grid places", "grid_places"),
        ("stop-go 10 s", "stop_go"), ("drive-through", "drive_through"), ("lap-time 4", "lap_time_deleted"), ("last", "last"),
        ("last-of-class", "last_of_class"), ("disqualified", "disqualified"), ("reprimand", "reprimand"), ("warning", "warning"),
    ],
)  # fmt: skip
def test_every_kind_of_penalty_has_its_words(how: str, kind: str, play_text: Callable[[str], Any]) -> None:
    played = play_text(f"{RUN}12:02:00 penalty D1 12 {how}\nexpect order 7 12\n")
    assert played.records[-1].event.penalty == kind


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("12:02:00 refused already-started green", "was taken"),
        ("12:02:00 refused bad-grid start", "already-started"),
        ("12:02:00 clock decoder-sf 1.5", "is no offset"),
        ("12:02:00 driver_changed car=7 chauffeur=b", "no field chauffeur"),
        ("12:02:00 driver_changed car=7", "driver"),
        ("12:02:00 undo nothing", "nothing"),
        ("expected order 7 12", "before the first event"),
    ],
)
def test_what_the_further_words_cannot_say_names_its_line(line: str, said: str, play_text: Callable[[str], Any]) -> None:
    with pytest.raises(Exception, match=r"text\.race:9:") as raised:
        play_text(f"{RUN}{line}\n")
    assert said in str(raised.value)
