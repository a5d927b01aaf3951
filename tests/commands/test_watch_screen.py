"""What fits a terminal is drawn, and keys change what that is."""

import io
import runpy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from timing.commands.watch_screen import Choice, View, check_classes, check_columns, picture, pressed, screen
from timing.domain.errors import ConfigurationError
from timing.projections.board import Gap
from timing.projections.frames import Framer, State

make = runpy.run_path(str(Path(__file__).parent.parent / "vectors" / "make_frames.py"))
CARS = 30


@pytest.fixture
def state() -> State:
    framer = Framer("one")
    rows = [
        make["row"](
            str(place), place, class_="Junior" if place % 3 else "Senior", class_position=(place + 1) // 3 if place % 3 else place // 3,
            gap=Gap(0, place * 1_000_000), class_gap=Gap(0, place * 1_000),
        )
        for place in range(1, CARS + 1)
    ]  # fmt: skip
    framer.advance(make["board"](rows), 0)
    told: State = msgspec.json.decode(framer.snapshot())
    told["session"]["classes"] = ["Junior", "Senior"]
    told["messages"] = [
        {"id": f"m{n}", "at": 1_778_936_400_000_000 + n * 1_000_000, "kind": "message", "text": f"Message {n}"} for n in range(9)
    ]
    return told


def drawn(what: Any, width: int, height: int = 100, **console: Any) -> list[str]:
    output = Console(file=io.StringIO(), width=width, height=height, **console)
    output.print(what)
    assert isinstance(output.file, io.StringIO)
    return output.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 50), (40, 12), (200, 8), (30, 6)])
@pytest.mark.parametrize("flag", ["green", "red", "safety_car"])
def test_it_never_overflows_and_flag_and_keys_are_always_there(state: State, width: int, height: int, flag: str) -> None:
    state["session"]["track_status"] = flag
    for first in (0, 5, 1_000):
        lines = drawn(screen(View(state, 0), 0, width, height, Choice(first=first)), width, height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        assert flag.replace("_", " ").upper() in lines[0 if flag == "green" else 1]
        assert "q quit" in lines[-1] or width < 40


def test_the_flag_takes_the_whole_width_in_words_and_colour(state: State) -> None:
    state["session"] |= {"track_status": "code60", "max_speed_kmh": 60}
    lines = drawn(screen(View(state, 0), 0, 90, 24, Choice()), 90, 24, force_terminal=True, color_system="truecolor")
    assert "CODE60  60 km/h" in lines[1]
    assert "\x1b[1;30;103m" in lines[1]
    plain = drawn(picture(View(state, 0), 0, 90, plain=True), 90)
    assert plain[1] == "*** CODE60  60 km/h ***"


def test_the_flag_is_seen_without_colour(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    state["session"]["track_status"] = "red"
    text = "\n".join(drawn(screen(View(state, 0), 0, 90, 24, Choice()), 90, 24, force_terminal=True, color_system="truecolor"))
    assert "RED" in text
    assert not any(f"\x1b[{code}" in text for code in ("31", "41", "1;37;41", "37;41"))


def test_keys_scroll_as_far_as_there_are_cars(state: State) -> None:
    choice = Choice(messages=0)

    def shown() -> list[str]:
        lines = drawn(screen(View(state, 0), 0, 80, 14, choice), 80, 14)
        return [words[0] for line in lines if (words := line.split()) and words[0].isdigit()]

    assert shown()[0] == "1"
    for key, first in (("down", "2"), ("j", "3"), ("up", "2"), ("k", "1"), ("up", "1"), ("page-down", "8"), ("home", "1")):
        pressed(key, choice, state, 7)
        assert shown()[0] == first, key
    pressed("end", choice, state, 7)
    assert shown()[-1] == str(CARS)
    pressed("page-up", choice, state, 7)
    assert shown()[-1] == str(CARS - 7)


def test_one_class_has_its_own_places_and_gaps(state: State) -> None:
    choice = Choice(messages=0)
    seen = []
    for _ in range(4):
        pressed("c", choice, state, 7)
        seen.append(choice.classes)
    assert seen == [("Junior",), ("Senior",), (), ("Junior",)]
    choice.classes = ("Senior",)
    lines = drawn(picture(View(state, 0), 0, 120, choice=choice, plain=True), 120)
    first, second = (line.split() for line in lines[2:4])
    assert (first[0], first[1], second[0], second[1]) == ("1", "3", "2", "6")
    assert "+0.006" in second, "to the class's first"
    assert len(lines) == 2 + CARS // 3
    choice.classes = ("Junior", "Senior")
    lines = drawn(picture(View(state, 0), 0, 120, choice=choice, plain=True), 120)
    assert "+2.000" in lines[3].split(), "of several classes the gaps are those of the race"


def test_messages_come_newest_first_and_go_with_a_key(state: State) -> None:
    state["messages"][8] |= {"text": "Car 7\x1b[2J penalised", "struck": True}
    choice = Choice()
    text = "\n".join(drawn(screen(View(state, 0), 0, 80, 40, choice), 80, 40))
    assert "13:00:08  Car 7 [2J penalised  (withdrawn)" in text
    assert "Message 4" in text
    assert "Message 3" not in text
    pressed("m", choice, state, 7)
    assert "Message" not in "\n".join(drawn(screen(View(state, 0), 0, 80, 40, choice), 80, 40))


def test_a_class_is_found_whatever_its_capitals(state: State) -> None:
    assert check_classes(state, ["senior", "JUNIOR"]) == ("Senior", "Junior")
    with pytest.raises(ConfigurationError, match="there is no class Open; there are: Junior, Senior"):
        check_classes(state, ["Open"])


def test_before_the_first_frame_it_says_what_it_does() -> None:
    choice = Choice()
    assert "connecting" in drawn(screen(View(), 0, 80, 24, choice), 80)[0]
    for key in ("c", "down", "m", "x"):
        pressed(key, choice, None, 5)
    assert not choice.asked_to_end
    pressed("q", choice, None, 5)
    assert choice.asked_to_end


def test_columns_are_those_asked_for_in_their_order_points_by_championship(state: State) -> None:
    state["session"]["championships"] = ["European Cup", "Trophy"]
    for car, row in state["rows"].items():
        row["points_milli"] = [25_500 if car == "1" else 0, None if car == "1" else 4_000]
    choice = Choice(messages=0, columns=check_columns(state, "Position, car,points,best_lap_us,live"))
    head, _, first, second, *_ = drawn(screen(View(state), 0, 100, 30, choice), 100, 30)[1:]
    assert head.split() == ["Pos", "Car", "European", "Cup", "Trophy", "Best", "Live"]
    assert first.split() == ["1", "1", "25.5", "1:28.000"]
    assert second.split() == ["2", "2", "0", "4", "1:28.000"]
    state["session"]["championships"] = ["Cup"]
    for row in state["rows"].values():
        row["points_milli"], row["live"] = [1_000], {"position": 4, "sector": 1, "gap": None, "interval": None}
    head, first, *_ = drawn(picture(View(state), 0, 100, choice=choice, plain=True), 100)[1:]
    assert (head.split(), first.split()) == (["Pos", "Car", "Points", "Best", "Live"], ["1", "1", "1", "1:28.000", "P4"])
    state["session"]["championships"] = []
    assert "Points" not in "".join(drawn(picture(View(state), 0, 100, choice=choice, plain=True), 100))


def test_a_column_that_is_not_there_is_said_with_those_that_are(state: State) -> None:
    assert check_columns(state, "") == ()
    with pytest.raises(ConfigurationError, match=r"no column tyres; there are: position, .*last_lap, .*points"):
        check_columns(state, "car,tyres")
