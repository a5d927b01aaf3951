"""The law of explanations: of every car on a board, its explanation's numbers are the board's, and follow from what it says."""

from itertools import pairwise
from typing import Any

from timing.projections.explain import explain, explanation_json
from timing.projections.explanation import Explanation
from timing.projections.timing import Timing


def told(timing: Timing, car: str) -> Explanation:
    """Give the explanation of a car that is entered."""
    found = explain(timing, car)
    assert found, f"car {car} is not explained"
    return found


def every_place_is_explained(timing: Timing) -> int:
    """Hold the explanation of every car to the board, to its neighbours' and to itself; gives how many there were."""
    board, places = timing.board(), timing.classification()
    explained: dict[str, Explanation] = {}
    for car, row in board.rows.items():
        found = explain(timing, car)
        assert found
        explained[car] = found
        assert found.shown == row.position
        assert (found.position, found.class_position, found.status) == (row.result.position, row.result.class_position, row.result.status)
        assert (found.laps, found.best_lap_us, found.total_us) == (row.laps, row.best_lap_us, row.result.total_us)
        assert found.last_crossing_at == row.last_crossing_at
        ended = [heard for heard in found.crossings if heard.verdict == "lap"]
        assert [heard.lap for heard in ended] == list(range(1, row.laps + 1)), "each lap that counts has its crossing"
        assert (ended[-1].at if ended else None) == row.last_crossing_at
        assert found.words
        assert explanation_json(timing, car)
        the_time_is_its_sum(timing, found)
        the_readings_end_at_crossings(timing, found)
    road = [s.car for s in timing.state().standings]
    for ahead, behind in pairwise(road):
        told_alike(explained[ahead].road, explained[behind].road, ahead, behind)
    assert [explained[car].on_the_road for car in road] == list(range(1, len(road) + 1))
    for one, two in pairwise(places):
        told_alike(explained[one.car].result, explained[two.car].result, one.car, two.car)
        told = next(n for n in explained[two.car].result if n.where == "ahead")
        if told.by == "laps":
            assert told.laps == one.laps - two.laps > 0
        elif told.by == "time":
            assert one.total_us is not None
            assert two.total_us is not None
            assert told.time_us == two.total_us - one.total_us > 0
    for place in places:
        the_reasons_lead_to_the_first(explained, place.car, [p.car for p in places])
    return len(explained)


def the_time_is_its_sum(timing: Timing, found: Explanation) -> None:
    """The sum has the board's total, and comes to it; it ends with the last crossing that counts."""
    if not timing.race or found.total_us is None:
        assert found.sum is None
        return
    assert found.sum
    parts = found.sum
    assert parts.total_us == found.total_us
    assert parts.ended_at - parts.began_at - parts.stopped_us + parts.added_us - parts.converted_us == found.total_us
    assert parts.ended_at == (found.last_crossing_at or parts.ended_at)


def the_readings_end_at_crossings(timing: Timing, found: Explanation) -> None:
    """Of a race started and stopped the rulebook's reading gives the laps that count; each reading ends with a crossing that is listed."""
    state = timing.state()
    started = timing.race and state.said.start is not None
    assert bool(found.readings) == (started and (state.stopped is not None or state.suspended))
    heard = {(h.key, h.at) for h in found.crossings}
    for reading in found.readings:
        assert reading.laps == 0 or reading.ended_at is None or (reading.key, reading.ended_at) in heard
    own = [reading.laps for reading in found.readings if reading.own]
    if found.readings:
        assert len(own) == 1
        if state.stopped and state.reading and not state.reading.restarted:
            assert own == [found.laps]


def the_reasons_lead_to_the_first(explained: dict[str, Explanation], car: str, order: list[str]) -> None:
    """Going from each car to the one ahead of it, one comes to the first, and has passed as many cars as stand ahead."""
    steps, here = 0, car
    while ahead := next((n.car for n in explained[here].result if n.where == "ahead"), None):
        here, steps = ahead, steps + 1
        assert steps <= len(order), "the cars ahead go round in a circle"
    assert (here, steps) == (order[0], order.index(car))


def told_alike(of_ahead: Any, of_behind: Any, ahead: str, behind: str) -> None:
    """Both cars are told the same reason, each from its own side."""
    below = next(n for n in of_ahead if n.where == "behind")
    above = next(n for n in of_behind if n.where == "ahead")
    assert (below.car, above.car) == (behind, ahead)
    assert (below.by, below.laps, below.time_us, below.why) == (above.by, above.laps, above.time_us, above.why)
