"""The running order, and gaps in laps and time."""

import pytest

from timing.domain.order import Standing, best_lap_gap, race_gap, race_order


def car(name: str, *ends: int, laps: int | None = None, standing: bool = False) -> Standing:
    return Standing(name, "GT", ends, len(ends) if laps is None else laps, 0, standing=standing)


def qualifier(name: str, best_us: int | None, *ends: int, lap: int = 1) -> Standing:
    return Standing(name, "GT", ends, len(ends), 0, best_us=best_us, best_lap=lap)


@pytest.mark.parametrize(
    ("what", "cars", "grid", "order"),
    [
        ("more laps first", [car("1", 90), car("2", 100, 200)], {}, "21"),
        ("of equal laps who crossed first", [car("1", 100), car("2", 99)], {}, "21"),
        ("nobody has crossed: the grid", [car("1"), car("2"), car("3")], {"3": 1, "1": 2, "2": 3}, "312"),
        ("a car that is not on the grid is behind it", [car("1"), car("2")], {"2": 1}, "21"),
        ("nor before one behind an empty place", [car("1"), car("2")], {"2": 3}, "21"),
        ("in the same microsecond: the grid", [car("1", 100), car("2", 100)], {"2": 1, "1": 2}, "21"),
        ("only counted laps", [car("1", 100, 200, laps=1), car("2", 101, 190, laps=2)], {}, "21"),
    ],
)
def test_the_running_order(what: str, cars: list[Standing], grid: dict[str, int], order: str) -> None:
    assert "".join(s.car for s in race_order(cars, grid)) == order


LEADER = (50, 100, 150, 200)


@pytest.mark.parametrize(
    ("what", "own", "leader", "gap"),
    [
        ("the leader himself", car("7", *LEADER), car("7", *LEADER), (0, 0)),
        ("on the same lap", car("9", 52, 102, 153, 205), car("7", *LEADER), (0, 5)),
        ("2 s behind, the leader has just crossed again: not a lap down", car("9", 52, 102, 152), car("7", *LEADER), (0, 2)),
        ("lapped just before its own last crossing", car("9", 70, 140, 210), car("7", *LEADER), (1, 60)),
        ("lapped, the leader has since crossed once more: still one lap", car("9", 70, 140), car("7", *LEADER), (1, 40)),
        ("down by two laps at its own crossing", car("9", 100, 200), car("7", *LEADER), (2, 100)),
        ("has retired: down by what the laps say", car("9", 52, 102, 152, standing=True), car("7", *LEADER), (1, 2)),
        ("not seen for two laps, but not given up", car("9", 52, 102), car("7", *LEADER), (1, 2)),
        ("led at its last crossing and was passed since", car("9", 49, 99, 149), car("7", *LEADER), (0, 0)),
        ("nobody has crossed", car("9"), car("7"), (0, 0)),
        ("the leader has done one lap, this car none", car("9"), car("7", 50), (0, 0)),
        ("without a lap, and stopped", car("9", standing=True), car("7", *LEADER), (4, 0)),
        ("laps that do not count say nothing", car("9", 52, 102, 152, laps=2), car("7", *LEADER, laps=2), (0, 2)),
    ],
)
def test_gaps_have_laps_and_time(what: str, own: Standing, leader: Standing, gap: tuple[int, int]) -> None:
    assert race_gap(own, leader) == gap


@pytest.mark.parametrize(("own", "best", "gap"), [(91, 90, (0, 1)), (None, 90, (0, 0)), (None, None, (0, 0))])
def test_the_gap_of_qualifying_is_between_best_laps(own: int | None, best: int | None, gap: tuple[int, int]) -> None:
    assert best_lap_gap(qualifier("1", own, 200), qualifier("2", best, 100)) == gap
