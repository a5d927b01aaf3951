"""The fold of a session: records in, and out of them, at any moment, the laps, the running order, the end and the classification."""

import hashlib

import msgspec

from timing.domain.classification import Candidate, Penalties, Place, classify, classify_by_best_lap, penalties_of
from timing.domain.count_back import count_back, laps_at_count_back
from timing.domain.events import (
    CarRetired,
    CarWithdrawn,
    Decision,
    DecisionUpdated,
    DriverChanged,
    GridSet,
    RaceStopped,
    SessionEnded,
    SessionStarted,
    TrackStatus,
)
from timing.domain.finish import Ending, ending, laps_at_ending
from timing.domain.laps import CarLaps, Loops
from timing.domain.order import Standing, best_lap_order, race_order
from timing.domain.rulebook import Rulebook, rulebook_from
from timing.log.record import Record
from timing.projections.board import Board
from timing.projections.evidence import Evidence, entries_of
from timing.projections.rows import form_board
from timing.projections.state import State

_FAR = 2**62
_STILL_AFTER_LAPS = 3  # a car not seen for three laps' time is taken to have stopped


class Timing:
    """One session's timing. ``apply`` takes records in; ``state`` and all that is made of it are up to date with them.

    The same events give the same ``digest`` in whatever order they are applied, and however often.
    """

    def __init__(self, session: str) -> None:
        self.session = session
        self.seq = 0
        self.evidence = Evidence()
        self.laps: dict[str, CarLaps] = {}
        self.rules = Rulebook(id="none", title="No rulebook", source="")
        self._loops = Loops((), (), (), 0)
        self._bounds: tuple[int | None, int, bool] = (None, 0, True)
        self._version = -1
        self._best: dict[str, tuple[tuple[int, int, frozenset[int]], tuple[int | None, int]]] = {}
        self._fastest_us: int | None = None
        self._state: State | None = None
        self._board: Board | None = None
        self._boarded: State | None = None

    def apply(self, record: Record) -> None:
        """Take in a record of the log."""
        self.seq = max(self.seq, record.seq)
        self.evidence.add(record.event)
        self._state = None

    @property
    def race(self) -> bool:
        """Whether the order is by distance (a race), not by best lap."""
        return self.evidence.opened is None or self.evidence.opened.kind == "race"

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
        return classification(self, self.state())

    def digest(self) -> bytes:
        """Name the state: SHA-256 over crossings, commands that hold, running order and classification. Equal evidence, equal digest."""
        state = self.state()
        content = (
            sorted(self.evidence.crossings.items()),
            sorted(self.evidence.unplaced),
            self.evidence.commands,
            [(s.car, s.laps, s.last_at, s.flagged) for s in state.standings],
            classification(self, state),
        )
        return hashlib.sha256(msgspec.msgpack.encode(content)).digest()

    def _settle(self) -> None:
        changed = self.evidence.settle()
        if self._rebound():
            self.laps.clear()
        start, end, whole = self._bounds
        if start is None:
            return
        crossings = self.evidence.crossings
        if not self.laps:
            changed = dict.fromkeys(crossings, True)
        for car, rebuild in changed.items():
            self._best.pop(car, None)
            laps = self.laps.get(car)
            if laps is None or rebuild:
                laps = self.laps[car] = CarLaps(start if whole else None, self.evidence.lap_facts)
            laps.extend(crossings[car], self._loops, self.rules.laps, start=start, end=end)

    def _rebound(self) -> bool:
        """Take the session's bounds from the evidence, and say whether they are others than before."""
        opened = self.evidence.opened
        if opened is None or self._version == self.evidence.version:
            return False
        self._version = self.evidence.version
        if isinstance(opened.rules, dict) and self.rules.id == "none":
            self.rules = rulebook_from(opened.rules)
        started = self.evidence.of(SessionStarted)
        ended = self.evidence.of(SessionEnded)
        start = started[0].at if started else None
        end = (start or 0) + self.rules.laps.horizon_us
        if ended:
            end = min(end, ended[0].at)
        loops = Loops.of(opened.circuit)
        before = (self._bounds, self._loops)
        self._bounds, self._loops = (start, end, self.race), loops
        return before != (self._bounds, self._loops)

    def _form(self) -> State:
        evidence = self.evidence
        start, _, _ = self._bounds
        entries = entries_of(evidence)
        statuses = evidence.of(TrackStatus)
        penalties, stages = penalties_of(evidence.of(Decision), evidence.of(DecisionUpdated))
        ended = evidence.of(SessionEnded)
        grids = evidence.of(GridSet)
        state = State(
            at=self._latest(),
            start=start,
            entries=entries,
            grid={car: place for place, car in enumerate(grids[-1].cars, start=1) if car} if grids else {},
            standings=[],
            end=None,
            stopped=None,
            closed_at=ended[0].at if ended else None,
            retired={c.car for c in evidence.of(CarRetired)},
            withdrawn={c.car for c in evidence.of(CarWithdrawn)},
            seen={car for car, laps in self.laps.items() if laps.last_at is not None},
            penalties=penalties,
            stages=stages,
            statuses=statuses,
            drivers={c.car: c.driver for c in evidence.of(DriverChanged)},
        )
        self._decide_end(state)
        self._fastest_us = min((best[0] for _, best in self._best.values() if best[0] is not None), default=None)
        standings = [self._standing(car, entry.class_, state) for car, entry in entries.items()]
        state.standings = race_order(standings, state.grid) if self.race else best_lap_order(standings, state.grid)
        return state

    def _latest(self) -> int:
        latest = max((c.at for c in self.evidence.commands), default=0)
        return max(latest, max((laps.last_at or 0 for laps in self.laps.values()), default=0))

    def _decide_end(self, state: State) -> None:
        opened = self.evidence.opened
        if opened is None or state.start is None:
            return
        flags = [s.at for s in state.statuses if s.status == "chequered"]
        if not self.race:
            state.end = Ending(flags[0], 0) if flags else None
            return
        ends = [self.laps[car].ends for car in state.entries if car in self.laps]
        stops = self.evidence.of(RaceStopped)
        reds = [s.at for s in state.statuses if s.status == "red" and stops and s.at <= stops[-1].at]
        if reds:
            state.stopped = count_back(ends, state.start, reds[-1], self.rules.red_flag)
            return
        state.end = ending(ends, state.start, opened.distance, flags[0] if flags else None, self.rules.finish)

    def _standing(self, car: str, class_: str, state: State) -> Standing:
        laps = self.laps.get(car)
        if laps is None or state.start is None:
            return Standing(car, class_, (), 0, state.start or 0, standing=state.over or car in state.withdrawn)
        counted, flagged = len(laps.ends), False
        if state.stopped:
            counted = laps_at_count_back(laps.ends, state.stopped, self.rules.red_flag)
        elif state.end:
            counted, flagged = laps_at_ending(laps.ends, state.end, self.rules.finish.grace_us)
        deleted = state.penalties[car].deleted_laps if car in state.penalties else frozenset()
        best_us, best_lap = self._best_of(car, laps, counted, deleted)
        done = flagged or car in state.retired or state.stopped is not None or state.closed_at is not None
        still = done or self._still(laps, best_us, state)
        return Standing(car, class_, laps.ends, counted, laps.since or state.start, flagged, still, best_us, best_lap)

    def _best_of(self, car: str, laps: CarLaps, counted: int, deleted: frozenset[int]) -> tuple[int | None, int]:
        key = (len(laps.times), counted, deleted)
        if car not in self._best or self._best[car][0] != key:
            times = [(t, n) for n, t in enumerate(laps.times[:counted], start=1) if t is not None and n not in deleted]
            self._best[car] = (key, min(times, default=(None, 0)))
        return self._best[car][1]

    def _still(self, laps: CarLaps, best_us: int | None, state: State) -> bool:
        """Whether a car has not been seen for so long that it has stopped, as far as the evidence's own clock tells."""
        if state.suspended or (laps.in_pit and not state.over):
            return False
        lap_us = best_us or self._fastest_us
        return lap_us is not None and state.at - (laps.last_at or state.start or state.at) > _STILL_AFTER_LAPS * lap_us


def classification(timing: Timing, state: State) -> list[Place]:
    """Classify the cars of a state."""
    none = Penalties()
    candidates = [
        Candidate(
            car=s.car,
            class_=s.class_,
            laps=s.laps,
            time_us=s.last_at - (state.start or 0),
            flagged=s.flagged,
            coming=state.end is not None and not s.standing and s.car in state.seen,
            started=s.car in state.seen and s.car not in state.withdrawn,
            retired=s.car in state.retired,
            penalties=state.penalties.get(s.car, none),
            best_us=s.best_us,
        )
        for s in state.standings
    ]
    if timing.race:
        return classify(candidates, timing.rules.classification, over=state.over)
    return classify_by_best_lap(candidates, over=state.over)
