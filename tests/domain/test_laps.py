"""The laps of one car: what counts, lap and sector times, visits to the pit lane, and what is kept as suspect."""

import pytest

from timing.domain.crossings import Crossing, Key
from timing.domain.events import Circuit, Lap, Loop
from timing.domain.laps import CarLaps, Loops
from timing.domain.rulebook import Laps

S = 1_000_000
CIRCUIT = Circuit(
    name="Ring",
    loops=(
        Loop(id="SF", line="finish"),
        Loop(id="SFP", line="finish", pit=True),
        Loop(id="S1", line="sector", sector=1),
        Loop(id="S2", line="sector", sector=2),
        Loop(id="PI", line="pit_entry"),
        Loop(id="PO", line="pit_exit"),
        Loop(id="V", line="speed"),
    ),
)
INDEX = {loop.id: index for index, loop in enumerate(CIRCUIT.loops)}


def drive(
    road: str, *, since: int | None = 0, start: int = 0, end: int = 10_000, rules: Laps | None = None, facts: dict[Key, Lap] | None = None
) -> CarLaps:
    """Take in crossings written as ``S1@20 SF@60`` (seconds)."""
    laps = CarLaps(None if since is None else since * S, facts or {})
    laps.extend(crossings(road), Loops.of(CIRCUIT), rules or Laps(), start=start * S, end=end * S)
    return laps


def crossings(road: str) -> list[Crossing]:
    heard = (word.split("@") for word in road.split())
    return [(round(float(at) * S), INDEX[loop], "line", 1, number) for number, (loop, at) in enumerate(heard, start=1)]


def seconds(instants: list[int]) -> list[float]:
    return [at / S for at in instants]


@pytest.mark.parametrize(
    ("what", "road", "ends", "suspects"),
    [
        ("laps", "SF@60 SF@121 SF@183", [60, 121, 183], []),
        ("by the pit lane", "SF@60 SFP@121 SF@183", [60, 121, 183], []),
        ("other loops end no lap", "S1@20 V@30 S2@40 PI@58 SF@60 PO@70", [60], []),
        ("heard twice: the earliest counts", "SF@60 SF@60.3 SF@121", [60, 121], ["duplicate"]),
        ("track and pit line are one line", "SF@60 SFP@60.3 SF@121", [60, 121], ["duplicate"]),
        ("as long as the window apart is another crossing", "SF@60 SF@61", [60, 61], []),
        ("a refused read does not move the window", "SF@60 SF@60.6 SF@61.2", [60, 61.2], ["duplicate"]),
    ],
)
def test_what_counts(what: str, road: str, ends: list[float], suspects: list[str]) -> None:
    laps = drive(road)
    assert seconds(laps.ends) == ends
    assert [reason for _, reason in laps.suspects] == suspects


@pytest.mark.parametrize(
    ("what", "road", "ends", "times"),
    [
        ("the car's grid place is behind the line", "SF@3 SF@60 SF@121", [60, 121], [60, 61]),
        ("pushed back over the line", "SF@60 SF@70 SF@121", [60, 121], [60, 61]),
        ("just long enough", "SF@60 SF@80", [60, 80], [60, 20]),
    ],
)
def test_a_lap_too_short_is_suspect_and_the_next_one_is_measured_from_the_last_that_counted(
    what: str, road: str, ends: list[int], times: list[int]
) -> None:
    laps = drive(road, rules=Laps(min_lap_us=20 * S))
    assert (seconds(laps.ends), laps.times) == (ends, [t * S for t in times])
    assert len(laps.suspects) == len(road.split()) - len(ends)


def test_a_car_heard_only_too_early_was_there() -> None:
    laps = drive("SF@3", rules=Laps(min_lap_us=20 * S))
    assert (laps.ends, laps.last_at) == ([], 3 * S)


@pytest.mark.parametrize(
    ("what", "road", "sectors"),
    [
        ("all heard", "S1@20 S2@45 SF@60", [(20, 25, 15)]),
        ("the first missed", "S2@45 SF@60", [(None, None, 15)]),
        ("the second missed", "S1@20 SF@60", [(20, None, None)]),
        ("none heard", "SF@60", [(None, None, None)]),
        ("heard twice", "S1@20 S1@20.4 S2@45 SF@60", [(20, 25, 15)]),
        ("the next lap begins anew", "S1@20 S2@45 SF@60 S1@81 S2@105 SF@121", [(20, 25, 15), (21, 24, 16)]),
        ("a duplicate at the line does not begin a lap", "S1@20 S2@45 SF@60 SF@60.3 S1@81 S2@105 SF@121", [(20, 25, 15), (21, 24, 16)]),
    ],
)
def test_sectors(what: str, road: str, sectors: list[tuple[float | None, ...]]) -> None:
    found = [tuple(None if us is None else us / S for us in lap) for lap in drive(road).sectors]
    assert found == sectors


def test_the_sectors_of_the_lap_under_way() -> None:
    assert drive("S1@20 S2@45 SF@60 S2@105").current == [None, None]
    assert drive("S1@20 S2@45 SF@60 S1@81").current == [21 * S]


@pytest.mark.parametrize(
    ("what", "road", "entered", "in_pit"),
    [
        ("in and out", "PI@58 SFP@60 PO@80 SF@121", [58], False),
        ("still in", "PI@58 SFP@60", [58], True),
        ("by the pit-lane line alone", "SFP@60 SF@121", [60], False),
        ("a sector says that it is out", "SFP@60 S1@100", [60], False),
        ("twice by the pit-lane line alone, laps apart", "SFP@60 SF@121 SFP@183", [60, 183], True),
        ("two laps running, nothing heard between", "SFP@60 SFP@121", [60, 121], True),
        ("two laps running, the exit not heard", "PI@58 SFP@60 PI@119 SFP@121", [58, 119], True),
        ("the entry heard twice", "PI@58 PI@58.4 SFP@60 PO@80", [58], False),
        ("an exit alone is no visit", "PO@10 SF@60", [], False),
    ],
)
def test_visits_to_the_pit_lane(what: str, road: str, entered: list[float], in_pit: bool) -> None:
    laps = drive(road)
    assert (seconds(laps.entered), laps.in_pit) == (entered, in_pit)


@pytest.mark.parametrize(
    ("what", "road", "ends", "times"),
    [
        ("the first crossing begins", "SF@60 SF@121", [121], [61]),
        ("that of the pit lane too", "SFP@60 SF@121", [121], [61]),
        ("heard twice as it began", "SF@60 SF@60.3 SF@121", [121], [61]),
        ("never came round", "SF@60", [], []),
    ],
)
def test_laps_from_the_cars_own_first_crossing(what: str, road: str, ends: list[int], times: list[int]) -> None:
    laps = drive(road, since=None)
    assert (seconds(laps.ends), laps.times) == (ends, [t * S for t in times])


def test_sectors_before_the_first_crossing_belong_to_no_lap() -> None:
    laps = drive("S1@20 S2@45 SF@60 S1@81 S2@105 SF@121", since=None)
    assert laps.sectors == [(21 * S, 24 * S, 16 * S)]


@pytest.mark.parametrize(
    ("start", "end", "ends"), [(60, 200, [121, 183]), (59, 183, [60, 121, 183]), (59, 182, [60, 121])], ids=["after", "up to", "not later"]
)
def test_only_what_lies_within_the_session_counts(start: int, end: int, ends: list[int]) -> None:
    assert seconds(drive("SF@60 SF@121 SF@183", start=start, end=end, since=start).ends) == ends


def test_taken_in_one_by_one_is_taken_in_at_once() -> None:
    road = "S1@20 S2@45 SF@60 SF@60.3 PI@119 SFP@121 PO@140 S1@150 S2@170 SF@190 S1@210"
    whole, step = drive(road), CarLaps(0, {})
    heard = crossings(road)
    for count in range(1, len(heard) + 1):
        step.extend(heard[:count], Loops.of(CIRCUIT), Laps(), start=0, end=200 * S)
    within = drive(road, end=200)
    for name in ("ends", "times", "sectors", "current", "entered", "exited", "suspects", "in_pit", "last_at"):
        assert getattr(step, name) == getattr(within, name), name
    assert whole.current == [20 * S]


def test_a_lap_counted_elsewhere_brings_its_own_times() -> None:
    name = "\0lap:other"
    facts = {
        (name, 1, 1): Lap(source="other", boot=1, number=1, car="7", lap=1, at=60 * S, lap_time_us=59 * S, sectors_us=(20 * S, 39 * S)),
        (name, 1, 2): Lap(source="other", boot=1, number=2, car="7", lap=2, at=121 * S),
    }
    laps = CarLaps(0, facts)
    laps.extend([(60 * S, 0, name, 1, 1), (121 * S, 0, name, 1, 2)], Loops.of(CIRCUIT), Laps(), start=0, end=10_000 * S)
    assert laps.times == [59 * S, 61 * S]
    assert laps.sectors == [(20 * S, 39 * S), ()]


def test_a_decoder_of_a_like_name_brings_no_foreign_times() -> None:
    fact = Lap(source="other", boot=1, number=1, car="9", lap=1, at=60 * S, lap_time_us=S)
    laps = CarLaps(0, {("\0lap:other", 1, 1): fact})
    laps.extend([(60 * S, 0, "lap:other", 1, 1)], Loops.of(CIRCUIT), Laps(), start=0, end=10_000 * S)
    assert laps.times == [60 * S]


def test_the_loops_of_a_circuit() -> None:
    sectors = (Loop(id="A", line="sector"), Loop(id="B", line="sector"), Loop(id="b", line="sector", sector=2))
    unnumbered = Circuit(name="Old", loops=(*sectors, Loop(id="SF", line="finish")))
    assert (Loops.of(unnumbered).sector_of, Loops.of(unnumbered).sectors) == ((1, 2, 2, 0), 3)
    assert Loops.of(CIRCUIT).in_pit == (False, True, False, False, True, False, False)
    assert Loops.of(Circuit(name="Bare", loops=(Loop(id="SF", line="finish"),))).sectors == 0
