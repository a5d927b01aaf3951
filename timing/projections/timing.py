"""The fold of a session: records in, and out of them, at any moment, the laps, the running order, the end and the classification."""

import hashlib
from copy import copy

import msgspec
from msgspec import structs

from timing.domain.classification import Place
from timing.domain.events import Distance, ResultPublished
from timing.domain.laps import CarLaps, Loops, first_at_line
from timing.domain.rulebook import RedFlag, Rulebook, rulebook_from, rulebook_hash
from timing.domain.suspension import Suspension
from timing.log.record import Record, whoever_acted
from timing.projections.between import Between
from timing.projections.board import Board
from timing.projections.classified import Classified, classification
from timing.projections.commanded import commanded
from timing.projections.evidence import Evidence
from timing.projections.formation import Formation, FormationLaps, shortened
from timing.projections.lap_data import LapData
from timing.projections.neutral import Neutral
from timing.projections.notices import Written
from timing.projections.penalties import weighing
from timing.projections.points import CarPoints
from timing.projections.qualified import Qualifier
from timing.projections.rows import Rows
from timing.projections.standings import Standings
from timing.projections.state import State
from timing.projections.stoppage import decide_end, rule_close_finish
from timing.projections.versions import Snapshot, snapshot

_FAR = 2**62


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
        self.standings = Standings()
        self.classified = Classified()
        self.rows = Rows()
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
            self._board, self._boarded = self.rows.board(self, state, self.classification()), state
        return self._board

    def classification(self) -> list[Place]:
        """Give the classification as it stands, decisions included, in finishing order."""
        return self.classified.of(self, self.state())

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
        vars(other).update(standings=Standings(), classified=Classified(), rows=Rows(), _state=None, _board=None, _boarded=None)
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
                self.standings.forget(car)
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
        """Read the commands anew where one came in, and say whether the session's bounds are others than before.

        Its end is not where nothing was heard after it, nor after the end of before.
        """
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
        before, ended = (self._bounds[0], self._bounds[2], self._loops), self._bounds[1]
        self._bounds, self._loops = (said.start, end, self.race), Loops.of(opened.circuit)
        if before != (said.start, self.race, self._loops):
            return True
        return ended != end and any(mine and mine[-1][0] > min(ended, end) for mine in self.evidence.crossings.values())

    def _form(self) -> State:
        said = self._said
        seen_at = {car: laps.last_at for car, laps in self.laps.items() if laps.last_at is not None}
        state = State(max(said.latest, max(seen_at.values(), default=0)), said, seen_at.keys() | said.started, [])
        decide_end(self, state)
        standings = self.standings.of(self, state) if self.race else self.qualifier.standings(self, state)
        if said.start is not None and not state.suspended:
            standings = self.standings.with_stopped(self, state, standings, seen_at)
        state.standings = self.standings.ordered(standings, said.grid) if self.race else standings
        if state.reading and (rank := state.reading.rank):
            state.standings.sort(key=lambda s: (-s.laps, rank[s.car]))
        elif self.race and state.over:
            state.close = rule_close_finish(self, state)
        state.penalties = weighing(self, state) if said.drives and self.race else said.penalties
        return state
