"""The order between the lines: who is ahead at the last loop, by how much, and when there is none to tell."""

from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.projections.board import Gap, LiveView

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000


def live(told: "Script") -> dict[str, tuple[int, int, tuple[int, float] | None, tuple[int, float] | None]]:
    """Give each car's place, sector, gap and interval between the lines, in seconds."""

    def plain(gap: Gap | None) -> tuple[int, float] | None:
        return None if gap is None else (gap.laps, gap.time_us / S)

    views = {car: row.live for car, row in told.fold().board().rows.items()}
    assert all(isinstance(view, LiveView) for view in views.values())
    return {car: (v.position, v.sector, plain(v.gap), plain(v.interval)) for car, v in views.items() if v is not None}


def test_who_went_past_in_a_sector_is_ahead_a_sector_before_the_line_says_so(script: type["Script"]) -> None:
    told = script("7 9 3", laps=9).run(car7="60", car9="61", car3="65")
    told.hear("T9", 80, loop="S1")
    told.hear("T7", 80.5, loop="S1")
    rows = told.fold().board().rows
    assert [rows[car].position for car in ("7", "9", "3")] == [1, 2, 3], "the running order waits for the line"
    assert live(told) == {
        "9": (1, 1, (0, 0), (0, 0)),
        "7": (2, 1, (0, 0.5), (0, 0.5)),
        "3": (3, 0, (0, 4), (0, 5)),  # at the line: four behind 9, five behind 7
    }


def test_a_lapped_car_carries_laps_and_time_at_its_loop(script: type["Script"]) -> None:
    told = script("7 9", laps=9).run(car7="60 120 180", car9="70 150")
    told.hear("T7", 20, 80, 140, 200, loop="S1")
    told.hear("T9", 25, 95, loop="S1")
    assert live(told)["9"] == (2, 0, (0, 30), (0, 30)), "at the line in 150: 7 was there on the same lap at 120"
    told.hear("T9", 190, loop="S1")
    assert live(told)["9"] == (2, 1, (0, 50), (0, 50)), "7 was at the loop on that lap at 140, and again only at 200"
    told.run(car7="240 300 360", car9="350")
    told.hear("T7", 260, 320, loop="S1")
    assert live(told)["9"] == (2, 0, (2, 170), (2, 170))


def test_a_car_that_stopped_is_down_by_what_the_laps_say(script: type["Script"]) -> None:
    told = script("7 9", laps=9).run(car7="60 120 180 240", car9="70")
    told.say(e.CarRetired, at=100, car="9")
    assert live(told)["9"] == (2, 0, (3, 10), (3, 10))
    told.run(car7="300")
    assert live(told)["9"] == (2, 0, (4, 10), (4, 10))


def test_what_was_not_heard_is_not_measured(script: type["Script"]) -> None:
    told = script("7 9", laps=9).run(car7="60 120", car9="61")
    told.hear("T9", 81, loop="S1")  # the loop did not hear 7 on that lap
    assert live(told)["9"] == (2, 1, None, None)


@pytest.mark.parametrize("status", ["safety_car", "red", "chequered"])
def test_there_is_none_while_the_order_on_the_road_is_not_the_one_that_counts(script: type["Script"], status: str) -> None:
    told = script("7 9", laps=9).run(car7="60", car9="61")
    assert set(live(told)) == {"7", "9"}
    told.say(e.TrackStatus, at=70, status=status)
    told.run(car7="120", car9="121")
    assert {row.live for row in told.fold().board().rows.values()} == {None}


def test_in_qualifying_and_before_the_start_there_is_none(script: type["Script"]) -> None:
    assert {row.live for row in script("7 9", laps=9, start=False).fold().board().rows.values()} == {None}
    told = script("7 9", kind="qualifying", minutes=20).run(car7="60 150", car9="61 140")
    assert {row.live for row in told.fold().board().rows.values()} == {None}
