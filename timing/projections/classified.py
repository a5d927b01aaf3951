"""The classification of a session's state; while the race goes on it is the one of before until a car is at the line."""

from typing import TYPE_CHECKING

from timing.domain.classification import Candidate, Penalties, Place, classify, classify_by_best_lap, without_places
from timing.domain.close_finish import share_places
from timing.projections.state import State
from timing.projections.stoppage import not_returned, race_clock, too_slow

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class Classified:
    """Gives the classification as it stands, with each board. What it keeps is only to be quick."""

    def __init__(self) -> None:
        self._places: tuple[tuple[object, ...], list[Place]] = ((), [])

    def of(self, timing: "Timing", state: State) -> list[Place]:
        """Classify the cars of a state, decisions included; the same list while nothing it rests on changes. Not to be changed."""
        if state.over:
            return classification(timing, state, state.penalties)
        key = (state.said, timing.origin, timing.rules, state.started, state.penalties, state.qualified, *state.standings)
        if self._places[0] != key:
            self._places = (key, classification(timing, state, state.penalties))
        return self._places[1]


def classification(timing: "Timing", state: State, penalties: dict[str, Penalties]) -> list[Place]:
    """Classify the cars of a state under these penalties."""
    none, said = Penalties(), state.said
    rolled_us = race_clock(timing, state, timing.origin)
    away, slow, held = not_returned(timing, state), too_slow(timing, state), _held_us(state)
    candidates = [
        Candidate(
            car=s.car,
            class_=s.class_,
            laps=s.laps,
            time_us=race_clock(timing, state, s.last_at) - rolled_us,
            flagged=s.flagged,
            coming=state.end is not None and not s.standing and s.car in state.started,
            started=s.car in state.started and s.car not in said.withdrawn,
            retired=s.car in said.retired,
            penalties=penalties.get(s.car, none),
            held_us=held.get(s.car, 0),
            unclassified=s.car in away or s.car in slow,
            best_us=s.best_us if state.qualified is None else state.qualified.placed_us(s.car),
        )
        for s in state.standings
    ]
    if timing.race:
        converting = timing.rules.penalties.lap_conversion == "average_lap"
        places = classify(candidates, timing.rules.classification, over=state.over, flag=state.end is not None, lap_conversion=converting)
        if state.reading and state.reading.void:
            return without_places(places, said.retired)
        ranked = state.reading is not None and bool(state.reading.rank)
        shared = timing.rules.finish.dead_heat == "shared" and state.over and not ranked
        return share_places(places, _ended(state, candidates, places), state.close) if shared else places
    holes = timing.rules.classification.disqualified == "place_left_empty"
    return classify_by_best_lap(candidates, over=state.over, holes=holes)


def _ended(state: State, candidates: list[Candidate], places: list[Place]) -> dict[str, int]:
    """Give the instant at which each car ended its race, time penalties included, but for those that were moved down by places."""
    moved = {c.car for c in candidates if c.penalties.drops or c.penalties.last or c.penalties.last_of_class}
    added = {c.car: c.time_us for c in candidates}
    last_at = {s.car: s.last_at for s in state.standings}
    return {p.car: last_at[p.car] + (p.total_us or 0) - added[p.car] for p in places if p.car not in moved}


def _held_us(state: State) -> dict[str, int]:
    """Give what a car is behind the line's order by, where the running order is another: the one ahead crossed the line so much later."""
    held: dict[str, int] = {}
    laps, latest = -1, 0
    for standing in state.standings:
        latest = standing.last_at if standing.laps != laps else max(latest, standing.last_at)
        laps = standing.laps
        if latest > standing.last_at:
            held[standing.car] = latest - standing.last_at
    return held
