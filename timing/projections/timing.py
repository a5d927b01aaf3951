"""The fold of a session: records in, and out of them, at any moment, the laps, the running order, the end and the classification."""

import hashlib
from copy import copy

import msgspec
from msgspec import structs

from timing.domain.classification import Candidate, Penalties, Place, classify, classify_by_best_lap, without_places
from timing.domain.close_finish import share_places
from timing.domain.events import Distance, ResultPublished
from timing.domain.finish import laps_at_ending
from timing.domain.laps import CarLaps, Loops, first_at_line
from timing.domain.order import Standing, race_order
from timing.domain.rulebook import RedFlag, Rulebook, rulebook_from, rulebook_hash
from timing.domain.suspension import Suspension, suspended_us
from timing.log.record import Record, whoever_acted
from timing.projections.between import Between
from timing.projections.board import Board
from timing.projections.commanded import commanded
from timing.projections.evidence import Evidence
from timing.projections.formation import Formation, FormationLaps, shortened
from timing.projections.lap_data import LapData
from timing.projections.neutral import Neutral
from timing.projections.notices import Written
from timing.projections.penalties import weighing
from timing.projections.points import CarPoints
from timing.projections.qualified import Qualifier
from timing.projections.rows import form_board
from timing.projections.state import State
from timing.projections.stoppage import decide_end, not_returned, race_clock, rule_close_finish, too_slow
from timing.projections.versions import Snapshot, snapshot

_FAR = 2**62
_STILL_AFTER_LAPS = 3  # a car not seen for three laps' time is taken to have stopped


class Timing:
    """One session's timing. ``apply`` takes records in; ``state`` and all that is made of it are up to date with them.

    The same events give the same ``digest`` in whatever order they are applied, and however often. Only ``published`` tells of the order
    of the log: by id, what the session was when a result of it was published.
    """

    def __init__(self, session: str) -> None:
        self.session = session
        self.seq = 0
        self.evidence = Evidence()
        self.laps: dict[str, CarLaps] = {}
        self.neutral = Neutral()
        self.between = Between()
        self._formation = FormationLaps()
        self.rules = Rulebook(id="none", title="No rulebook", source="")
        self.rulebook_hash: str | None = None
        self._loops = Loops((), (), (), 0)
        self._bounds: tuple[int | None, int, bool] = (None, 0, True)
        self._origin: int | None = None
        self._version = 0
        self._written: Written = {}
        self._said = self._given = commanded(self.evidence, self._written)
        self.qualifier = Qualifier()
        self.lap_data = LapData()
        self.car_points = CarPoints()
        self._best: dict[str, tuple[tuple[object, ...], int, tuple[int | None, int]]] = {}
        self._state: State | None = None
        self._board: Board | None = None
        self._boarded: State | None = None
        self.published: dict[str, Snapshot] = {}

    def apply(self, record: Record) -> None:
        """Take in a record of the log."""
        if isinstance(record.event, ResultPublished) and record.event.id not in self.published:
            self.published[record.event.id] = snapshot(self, record.event, record)
        self.seq = max(self.seq, record.seq)
        self.evidence.add(record.event)
        self._state = None

    @property
    def race(self) -> bool:
        """Whether the order is by distance (a race), not by best lap."""
        return self.evidence.opened is None or self.evidence.opened.kind == "race"

    @property
    def loops(self) -> Loops:
        """The circuit's loops, as lap counting reads them."""
        return self._loops

    @property
    def origin(self) -> int:
        """The instant from which race time is counted: the start signal, or the leader's crossing of the line at a rolling start."""
        return self._origin or self._said.start or 0

    @property
    def formation(self) -> Formation | None:
        """The laps behind the safety car with which the race was started, where they do not count."""
        return self._formation.found

    @property
    def distance(self) -> Distance:
        """The distance to be run, less the laps that a start behind the safety car takes off it."""
        opened = self.evidence.opened
        return shortened(opened.distance, self.formation) if opened else Distance()

    @property
    def sectors(self) -> int:
        """How many sectors are timed."""
        return self._loops.sectors

    def state(self) -> State:
        """Give what the evidence comes to."""
        if self._state is None:
            self._settle()
            self._state = self._form()
        return self._state

    def board(self) -> Board:
        """Give what a screen shows. Rows that did not change are the same objects as before."""
        state = self.state()
        if self._board is None or self._boarded is not state:
            self._board, self._boarded = form_board(self, state, self.classification(), self._board), state
        return self._board

    def classification(self) -> list[Place]:
        """Give the classification as it stands, decisions included, in finishing order."""
        return classification(self, self.state(), self.state().penalties)

    def without_decisions(self) -> list[Place]:
        """Give the classification as it would stand without what decisions add, take and forbid."""
        return classification(self, self.state(), {})

    def digest(self) -> bytes:
        """Name the state: SHA-256 over crossings, commands that hold, running order and classification. Equal evidence, equal digest."""
        state = self.state()
        content = (
            sorted((car, crossings) for car, crossings in self.evidence.crossings.items() if crossings),
            sorted(self.evidence.unplaced),
            [whoever_acted(command) for command in self.evidence.commands],
            [(s.car, s.laps, s.last_at, s.flagged) for s in state.standings],
            classification(self, state, state.penalties),
        )
        return hashlib.sha256(msgspec.msgpack.encode(content)).digest()

    def supposing(self, red_at: int, rules: RedFlag) -> "Timing":
        """Give this session as if it had been stopped for good by a red flag then, under such rules. This one stays as it is.

        Where the red flag was out at that instant, or was shown later, that one is taken to have been shown then.
        """
        self.state()
        other = copy(self)
        breaks = tuple(b for b in self._said.suspensions if b.ended is not None and b.ended <= red_at)
        said = structs.replace(self._said, red_at=red_at, suspensions=(*breaks, Suspension(red_at)))
        supposed = {"lap_data": LapData(), "car_points": CarPoints(), "_said": said, "_given": said}
        vars(other).update(supposed, rules=structs.replace(self.rules, red_flag=rules))
        vars(other).update(_best={}, _state=None, _board=None, _boarded=None)
        return other

    def _settle(self) -> None:
        changed = self.evidence.settle()
        rebound = self._rebound()
        if self._formation.settle(self, changed) or rebound:
            self.laps.clear()
        start, end, whole = self._bounds
        formation = self.formation
        if formation is not None:
            start, whole = formation.after, False
        self._begin_at(formation.at if formation else None)
        if start is None:
            if self.neutral.found:  # there was a start, and it was taken back
                self.neutral = Neutral()
            return
        crossings, armed, first_lap = self.evidence.crossings, 0, "own_crossing"
        if whole:
            armed, first_lap = start + self.rules.start.ignore_crossings_us, self.rules.start.lap1_from
        origin = first_at_line(crossings, self._loops, armed or start, end) if first_lap == "line_of_leader" else None
        if origin != self._origin:
            self._origin = origin
            self.laps.clear()
        if not self.laps:
            changed = dict.fromkeys(crossings, True)
        for car, rebuild in changed.items():
            laps = self.laps.get(car)
            if laps is None or rebuild:
                self._best.pop(car, None)
                since = formation.since(car) if formation is not None else start if first_lap == "signal" else None
                laps = self.laps[car] = CarLaps(since, self.evidence.lap_facts, origin)
            laps.extend(crossings[car], self._loops, self.rules.laps, start=start, end=end, armed=armed)
        self.neutral.settle(self, changed)

    def _begin_at(self, at: int | None) -> None:
        """Take the race to have begun at an instant after the start signal; a suspension before it was none of it. ``None``: with it."""
        if at is None:
            self._said = self._given
        elif self._said.start != at:
            breaks = tuple(b for b in self._given.suspensions if b.ended is None or b.ended > at)
            self._said = structs.replace(self._given, start=at, suspensions=breaks)

    def _rebound(self) -> bool:
        """Read the commands anew where one came in, and say whether the session's bounds are others than before."""
        opened = self.evidence.opened
        if self._version == self.evidence.version:
            return False
        self._version = self.evidence.version
        self._said = self._given = said = commanded(self.evidence, self._written)
        if opened is None:
            return False
        if isinstance(opened.rules, dict) and self.rules.id == "none":
            self.rules, self.rulebook_hash = rulebook_from(opened.rules), rulebook_hash(opened.rules)
        if not self.race:
            self.qualifier.rebind(self.evidence, said, self.rules.qualifying)
        end = (said.start or 0) + self.rules.laps.horizon_us
        if said.closed_at is not None:
            end = min(end, said.closed_at)
        before = (self._bounds, self._loops)
        self._bounds, self._loops = (said.start, end, self.race), Loops.of(opened.circuit)
        return before != (self._bounds, self._loops)

    def _form(self) -> State:
        said = self._said
        seen_at = {car: laps.last_at for car, laps in self.laps.items() if laps.last_at is not None}
        state = State(max(said.latest, max(seen_at.values(), default=0)), said, seen_at.keys() | said.started, [])
        decide_end(self, state)
        over = state.over
        if self.race:
            standings = [self._standing(car, entry.class_, state, over=over) for car, entry in said.entries.items()]
        else:
            standings = self.qualifier.standings(self, state)
        if said.start is not None and not state.suspended:
            fastest_us = min((s.best_us for s in standings if s.best_us is not None), default=None)
            for standing in standings:
                if not standing.standing:
                    standing.standing = self._still(standing, seen_at.get(standing.car, said.start), fastest_us, state.at, over=over)
        state.standings = race_order(standings, said.grid) if self.race else standings
        if state.reading and (rank := state.reading.rank):
            state.standings.sort(key=lambda s: (-s.laps, rank[s.car]))
        elif self.race and over:
            state.close = rule_close_finish(self, state)
        state.penalties = weighing(self, state) if said.drives and self.race else said.penalties
        return state

    def _standing(self, car: str, class_: str, state: State, *, over: bool) -> Standing:
        laps, said = self.laps.get(car), state.said
        done = state.stopped is not None or said.closed_at is not None or car in said.retired or car in said.withdrawn
        if laps is None or laps.last_at is None or said.start is None:
            return Standing(car, class_, (), 0, said.start or 0, standing=done or over)
        counted, flagged = len(laps.ends), False
        if state.reading:
            counted = state.reading.laps[car]
        elif state.end:
            grace_us = self.rules.finish.grace_us
            counted, flagged = laps_at_ending(laps.ends, state.end, grace_us)
            done = done or flagged or (grace_us is not None and state.at > state.end.at + grace_us)
        deleted = said.penalties[car].deleted_laps if car in said.penalties else frozenset()
        deleted |= state.untimed.get(car, frozenset())
        best_us, best_lap = self._best_of(car, laps, counted, deleted)
        began = laps.since or said.start
        if state.stopped and began > state.stopped.signal_at:
            began = said.start  # a first lap that begins after the signal is none of this race
        return Standing(car, class_, laps.ends, counted, began, flagged, done, best_us, best_lap)

    def _best_of(self, car: str, laps: CarLaps, counted: int, deleted: frozenset[int]) -> tuple[int | None, int]:
        terms = (deleted, self.neutral.left_out)
        known = self._best.get(car)
        if known is None or known[0] != terms or known[1] > counted:
            known = (terms, 0, (None, 0))
        if known[1] < counted:
            _, seen, best = known
            out = deleted | self.neutral.laps_left_out(laps)
            times = [] if best[0] is None else [best]
            times += [(t, n) for n, t in enumerate(laps.times[seen:counted], start=seen + 1) if t is not None and n not in out]
            known = self._best[car] = (terms, counted, min(times, default=(None, 0)))
        return known[2]

    def _still(self, standing: Standing, seen_at: int, fastest_us: int | None, at: int, *, over: bool) -> bool:
        """Whether a car has not been seen for so long that it has stopped, as far as the evidence's own clock tells."""
        lap_us = standing.best_us or fastest_us
        if lap_us is None or at - seen_at - suspended_us(self._said.suspensions, seen_at, at) <= _STILL_AFTER_LAPS * lap_us:
            return False
        laps = self.laps.get(standing.car)
        return over or laps is None or not laps.in_pit


def classification(timing: Timing, state: State, penalties: dict[str, Penalties]) -> list[Place]:
    """Classify the cars of a state under these penalties."""
    none, said = Penalties(), state.said
    rolled_us = timing.origin - (said.start or 0)
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
