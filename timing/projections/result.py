"""The classification as a document: what ``timing classify --json`` prints and the result page shows."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from timing.domain.classification import Place
from timing.domain.order import Standing, best_lap_gap, race_gap
from timing.domain.suspension import GapClock
from timing.projections.board import Gap, PenaltyView, ResultStatus
from timing.projections.head import session_status
from timing.projections.points import ChampionshipPoints, points
from timing.projections.state import State
from timing.projections.stoppage import gap_clock, points_percent

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class ResultRow(Struct, frozen=True, rename={"class_": "class"}):
    """A line of the classification. ``gap``: to the winner; ``total_us``: with penalties, ``laps``: less those taken away.

    ``on_the_road``: its place in the running order, decisions apart. ``gained``: places won (or, below zero, lost) by decisions about it
    and others; ``None`` where it has no place with them, or had none without. ``added_us`` and ``laps_taken``: what decisions came to,
    unserved drive-throughs converted. ``track_limits``: its strikes. ``photo``: the place waits for the photo.
    """

    position: int | None
    car: str
    class_: str
    class_position: int | None
    driver: str | None
    team: str | None
    laps: int
    total_us: int | None
    gap: Gap
    status: ResultStatus
    best_lap_us: int | None
    penalties: tuple[PenaltyView, ...]
    on_the_road: int
    gained: int | None = None
    added_us: int = 0
    laps_taken: int = 0
    track_limits: int = 0
    photo: bool = False


class GridDrop(Struct, frozen=True):
    """Places lost on the grid of the next race: not of this result, but not to be forgotten either."""

    car: str
    places: int
    decision: str


class RulebookName(Struct, frozen=True):
    """The rules by which a result was made. ``hash``: SHA-256 of the rulebook as the session stores it."""

    id: str
    title: str
    hash: str


class Result(Struct, frozen=True):
    """The classification of a session as it stands, in finishing order. ``grid_drops``: what was decided for the next race.

    ``points_percent``: the share of the points that a race gives by the distance it ran, once it is over. ``points``: what it gives to
    each championship of its rulebook, as they stand.
    """

    session: str
    name: str
    status: str
    seq: int
    digest: str
    rows: tuple[ResultRow, ...]
    rulebook: RulebookName | None = None
    grid_drops: tuple[GridDrop, ...] = ()
    points_percent: int | None = None
    points: tuple[ChampionshipPoints, ...] = ()


def result(timing: "Timing") -> Result:
    """Form the classification as it stands."""
    state = timing.state()
    said, opened = state.said, timing.evidence.opened
    places = timing.classification()
    standings = {s.car: s for s in state.standings}
    undecided = {p.car: p.position for p in timing.without_decisions()}
    on_the_road = {s.car: place for place, s in enumerate(state.standings, start=1)}
    rows = []
    winner, clock = places[0] if places else None, gap_clock(timing, state)
    for place in places:
        standing, driver = standings[place.car], said.drivers.get(place.car)
        gap = Gap(0, 0)
        if winner is not None and place.position is not None:
            gap = _gap(standing, standings[winner.car], clock, race=timing.race)
            if place.total_us is not None and winner.total_us is not None:
                level = place.laps == winner.laps
                gap = Gap(winner.laps - place.laps, max(place.total_us - winner.total_us, 0) if level else gap.time_us)
        rows.append(
            ResultRow(
                place.position,
                place.car,
                place.class_,
                place.class_position,
                driver.name if driver else None,
                said.entries[place.car].team,
                place.laps,
                place.total_us,
                gap,
                place.status,
                standing.best_us,
                said.badges.get(place.car, ()),
                on_the_road[place.car],
                *_by_decisions(place, standing, undecided[place.car], state),
                place.car in state.close.photo,
            )
        )
    rules, by_hash = timing.rules, timing.rulebook_hash
    rulebook = None if by_hash is None else RulebookName(rules.id, rules.title, by_hash)
    share, drops = points_percent(timing, state), _grid_drops(state)
    digest = timing.digest().hex()
    return Result(
        timing.session,
        opened.name if opened else timing.session,
        session_status(state),
        timing.seq,
        digest,
        tuple(rows),
        rulebook,
        drops,
        share,
        points(timing, places),
    )


def _by_decisions(place: Place, standing: Standing, undecided: int | None, state: State) -> tuple[int | None, int, int, int]:
    """Give the places gained by decisions, the time added, the laps taken, and the strikes."""
    gained = None if undecided is None or place.position is None else undecided - place.position
    added = state.penalties[place.car].time_us if place.car in state.penalties else 0
    return gained, added, standing.laps - place.laps, len(state.said.strikes.get(place.car, ()))


def _grid_drops(state: State) -> tuple[GridDrop, ...]:
    held = [r.decision for r in state.said.rulings if r.stage == "issued" and r.decision.penalty == "grid_places"]
    return tuple(GridDrop(d.car, d.positions or 0, d.decision) for d in held)


def _gap(own: Standing, winner: Standing, clock: GapClock | None, *, race: bool) -> Gap:
    if not race:
        return Gap(*best_lap_gap(own, winner))
    if own.laps > winner.laps:
        return Gap(0, 0)
    return Gap(*race_gap(own, winner, clock))


def result_json(timing: "Timing") -> bytes:
    """Write the classification as JSON."""
    return msgspec.json.encode(result(timing))
