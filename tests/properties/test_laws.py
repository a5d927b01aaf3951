"""Laws of scoring, over generated sessions: believable ones, with the mishaps of a timing tower, and unbelievable ones."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lap_mirror import Mirror, whole, with_laps

from timing.domain import events as e
from timing.domain.classification import Place
from timing.domain.rulebook import Classification, Finish, Laps, Qualifying, RedFlag, Rulebook, Segment, Start, rules_of
from timing.domain.units import MINUTE, SECOND
from timing.log.record import Record, decode_event
from timing.projections.evidence import loop_indices
from timing.projections.result import result_json
from timing.projections.timing import Timing

BASE = 1_747_400_000 * SECOND
START = BASE + MINUTE
LAP = 60 * SECOND
LOOPS = (
    e.Loop(id="SF", line="finish"),
    e.Loop(id="SFP", line="finish", pit=True),
    e.Loop(id="S1", line="sector", sector=1),
    e.Loop(id="S2", line="sector", sector=2),
    e.Loop(id="PI", line="pit_entry"),
    e.Loop(id="PO", line="pit_exit"),
    e.Loop(id="V", line="speed"),
)
STATUSES: tuple[e.Status, ...] = ("green", "safety_car", "safety_car_ending", "yellow", "red", "fcy", "chequered")
STAGES: tuple[e.DecisionStage, ...] = ("issued", "served", "quashed", "investigated")

Events = list[e.AnyEvent]


def _qualifying(chance: Random) -> Qualifying:
    return Qualifying(
        tie=chance.choice(("first_set", "second_best_lap")),
        percent=chance.choice((0, 107)),
        percent_of=chance.choice(("overall", "class")),
        red=chance.choice(("laps_void", "laps_count")),
        extended_by_red=chance.random() < 0.5,
        pit_laps=chance.choice(("left_out", "count")),
        causing_red=chance.choice(("nothing", "best_lap_deleted", "best_two_deleted", "session_over")),
        segments=tuple(
            Segment(name=name, minutes=2, advance=chance.choice((None, 1, 3)), per_class=chance.random() < 0.5)
            for name in ("Q1", "Q2", "Q3")
        )[: chance.choice((0, 2, 3))],
    )


class Invention:
    """Invents a session from chances. Each kind of mishap has a function; all go to the same list of events."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.events: Events = []
        self.cars = [str(n) for n in range(1, chance.randint(2, 6))]
        self.laps = chance.randint(1, 6)
        self.last = START + (self.laps + 2) * LAP
        self.numbers = {"line": 0, "back": 0}
        self.ids = 0

    def id(self) -> str:
        self.ids += 1
        return f"c{self.ids}"

    def instant(self) -> int:
        """An instant, often of a coarse grid, so that instants meet."""
        return self.chance.randint(BASE // SECOND, self.last // SECOND) * SECOND + self.chance.choice((0, 0, 1, 250_000))

    def session(self) -> Events:
        self._opening()
        for car in self.cars:
            self._drive(car)
        mishaps: tuple[Callable[[], None], ...] = (
            self._status, self._void, self._add, self._reassign, self._clock, self._decision, self._update, self._undo, self._retime,
            self._assign, self._ghost, self._person, self._lap_fact, self._close, self._segment, self._segment,
        )  # fmt: skip
        for _ in range(self.chance.randint(0, 14)):
            self.chance.choice(mishaps)()
        return self.events

    def _opening(self) -> None:
        chance = self.chance
        rules = Rulebook(
            id="drawn",
            title="Drawn",
            source="chance",
            laps=Laps(min_lap_us=chance.choice((0, 20 * SECOND)), horizon_us=chance.choice((48 * 60 * MINUTE, 5 * MINUTE))),
            finish=Finish(
                early_flag=chance.choice(("leader_last_crossing_before", "leader_next_crossing")),
                late_flag=chance.choice(("should_have_finished", "at_flag")),
                grace_us=chance.choice((None, 90 * SECOND)),
                time_limit_us=chance.choice((None, None, 2 * MINUTE)),
                time_limit_at=chance.choice(("lap_under_way", "lap_after")),
                time_limit_total_us=chance.choice((None, 3 * MINUTE)),
                dead_heat=chance.choice(("shared", "running_order")),
                photo_us=chance.choice((0, 300_000)),
            ),
            classification=Classification(
                min_percent=chance.choice((0, 75, 100)),
                base=chance.choice(("overall_winner", "class_winner")),
                must_cross_flag=chance.random() < 0.3,
            ),
            red_flag=RedFlag(
                completed_minus=chance.choice((0, 1, 2)),
                others=chance.choice(
                    (
                        "first_crossing_after_leader",
                        "first_crossing_after_leader_before_signal",
                        "last_crossing_before_leader",
                        "same_lap_number",
                        "composite",
                    )
                ),
                clock=chance.choice(("runs", "stops")),
                restart_order=chance.choice(("last_common_loop", "end_of_lap", "end_of_lap_before", "split_scoring")),
                result=chance.choice(("completed_minus", "completed_minus", "last_lap_completed_by_all", "frozen_at_signal")),
                scope=chance.choice(("overall", "class")),
                min_laps=chance.choice((0, 2)),
                stands_at_percent=chance.choice((None, 50)),
                not_returned_within_us=chance.choice((None, 60 * SECOND)),
                lap_across=chance.choice(("counts", "counts_without_time")),
            ),
            start=Start(
                lap1_from=chance.choice(("signal", "signal", "line_of_leader", "own_crossing")),
                ignore_crossings_us=chance.choice((0, 0, 55 * SECOND)),
            ),
            qualifying=_qualifying(chance),
        )
        distance = chance.choice(
            (
                e.Distance(laps=self.laps),
                e.Distance(minutes=self.laps),
                e.Distance(minutes=self.laps, plus_laps=1),
                e.Distance(laps=self.laps, minutes=3),
                e.Distance(),
            )
        )
        kind: e.SessionKind = chance.choice(("race", "race", "race", "qualifying", "practice"))
        circuit = e.Circuit(name="Ring", loops=LOOPS)
        self.events.append(
            e.SessionOpened(
                id=self.id(),
                at=BASE,
                session="s",
                name="S",
                kind=kind,
                rulebook="drawn",
                distance=distance,
                circuit=circuit,
                rules=rules_of(rules),
            )
        )
        for car in self.cars:
            drivers = (e.Driver(id="a", name="A"), e.Driver(id="b", name="B"))
            class_ = chance.choice(("GT", "TC"))
            self.events.append(e.EntryRegistered(id=self.id(), at=BASE, car=car, class_=class_, drivers=drivers, transponders=(f"T{car}",)))
        grid: list[str | None] = [*self.cars, None]
        chance.shuffle(grid)
        self.events.append(e.GridSet(id=self.id(), at=BASE + 1, cars=tuple(grid)))
        if chance.random() < 0.95:
            self.events.append(e.SessionStarted(id=self.id(), at=START))

    def _drive(self, car: str) -> None:
        chance = self.chance
        at = START if chance.random() < 0.9 else START - LAP
        for _ in range(chance.randint(0, self.laps + 2)):
            lap = 50 * SECOND + chance.randint(0, 30) * SECOND
            pit = chance.random() < 0.15
            self._heard(car, "S1", at + lap // 3)
            self._heard(car, "S2", at + 2 * lap // 3)
            if pit:
                self._heard(car, "PI", at + lap - SECOND)
            self._heard(car, "SFP" if pit else "SF", at + lap)
            if pit:
                self._heard(car, "PO", at + lap + 5 * SECOND)
            at += lap

    def _heard(self, car: str, loop: str, at: int) -> None:
        chance = self.chance.random()
        if chance < 0.05:
            return  # missed
        self._passing(f"T{car}", loop, at)
        if chance > 0.95:
            self._passing(f"T{car}", loop, at + 300_000)

    def _passing(self, transponder: str, loop: str, at: int) -> None:
        decoder = "line" if loop.startswith("SF") else "back"
        self.numbers[decoder] += 1
        boot = 1 + (at > START + 3 * LAP)
        self.events.append(e.Passing(decoder=decoder, boot=boot, number=self.numbers[decoder], loop=loop, transponder=transponder, at=at))

    def _key(self) -> e.PassingKey:
        decoder = self.chance.choice(("line", "back"))
        return e.PassingKey(decoder=decoder, boot=self.chance.choice((1, 1, 2)), number=self.chance.randint(1, self.numbers[decoder] + 1))

    def _car(self) -> str:
        return self.chance.choice(self.cars)

    def _correction(self) -> dict[str, Any]:
        return {"id": self.id(), "at": self.instant(), "by": "TK", "reason": "drawn"}

    def _status(self) -> None:
        status = self.chance.choice(STATUSES)
        at = self.instant()
        cause = self._car() if status == "red" and self.chance.random() < 0.5 else None
        self.events.append(e.TrackStatus(id=self.id(), at=at, status=status, cause=cause))
        if status == "red" and self.chance.random() < 0.5:
            self.events.append(e.RaceStopped(id=self.id(), at=at + MINUTE))

    def _segment(self) -> None:
        chance = self.chance
        segment, class_ = chance.choice(("Q1", "Q2", "Q3")), chance.choice((None, None, "GT", "TC"))
        if chance.random() < 0.3:
            self.events.append(e.SegmentEnded(id=self.id(), at=self.instant(), segment=segment, class_=class_))
            return
        cars = tuple(chance.sample(self.cars, chance.randint(0, len(self.cars)))) if chance.random() < 0.3 else None
        self.events.append(e.SegmentStarted(id=self.id(), at=self.instant(), segment=segment, class_=class_, cars=cars))

    def _void(self) -> None:
        self.events.append(e.PassingVoided(passing=self._key(), **self._correction()))

    def _add(self) -> None:
        loop = self.chance.choice(("SF", "SFP", "S1", "nowhere"))
        self.events.append(e.PassingAdded(car=self._car(), loop=loop, **self._correction()))

    def _reassign(self) -> None:
        self.events.append(e.PassingReassigned(passing=self._key(), car=self._car(), **self._correction()))

    def _clock(self) -> None:
        chance = self.chance
        self.events.append(
            e.DecoderClockCorrected(
                decoder=chance.choice(("line", "back")),
                boot=chance.choice((None, 1, 2)),
                from_=chance.choice((None, self.instant())),
                until=chance.choice((None, self.instant())),
                offset_us=chance.choice((-MINUTE, -SECOND, 1, 10 * SECOND)),
                **self._correction(),
            )
        )

    def _decision(self) -> None:
        chance = self.chance
        penalty: e.Penalty = chance.choice(("time", "laps", "disqualified", "lap_time_deleted", "drive_through", "warning"))
        self.events.append(
            e.Decision(
                id=self.id(), at=self.instant(), decision=f"D{self.ids}", car=self._car(), penalty=penalty,
                seconds=chance.choice((5.0, 30.0)) if penalty == "time" else None, laps=1 if penalty == "laps" else None,
                lap=chance.randint(1, 3) if penalty == "lap_time_deleted" else None, stage=chance.choice(STAGES),
            )
        )  # fmt: skip

    def _update(self) -> None:
        decision = f"D{self.chance.randint(1, self.ids)}"
        self.events.append(e.DecisionUpdated(id=self.id(), at=self.instant(), decision=decision, stage=self.chance.choice(STAGES)))

    def _undo(self) -> None:
        self.events.append(e.EventVoided(event=f"c{self.chance.randint(2, self.ids + 2)}", **self._correction()))

    def _retime(self) -> None:
        self.events.append(e.EventRetimed(event=f"c{self.chance.randint(2, self.ids + 2)}", **self._correction()))

    def _assign(self) -> None:
        since, until = sorted((self.instant(), self.instant()))
        self.events.append(
            e.TransponderAssigned(
                id=self.id(), at=self.instant(), transponder=f"T{self._car()}", car=self._car(),
                from_=self.chance.choice((None, since)), until=self.chance.choice((None, until + 1)),
            )
        )  # fmt: skip

    def _ghost(self) -> None:
        far = self.chance.choice((0, 0, 100 * 60 * MINUTE))
        self._passing(self.chance.choice(("T1", "marshal")), self.chance.choice(("SF", "SF", "nowhere")), self.instant() + far)

    def _person(self) -> None:
        chance = self.chance
        said: tuple[Callable[[], e.AnyEvent], ...] = (
            lambda: e.CarRetired(id=self.id(), at=self.instant(), car=self._car()),
            lambda: e.CarWithdrawn(id=self.id(), at=self.instant(), car=self._car()),
            lambda: e.DriverChanged(id=self.id(), at=self.instant(), car=self._car(), driver="b"),
            lambda: e.Message(id=self.id(), at=self.instant(), text="Track limits"),
            lambda: e.PitLane(id=self.id(), at=self.instant(), open=False),
            lambda: e.MessageRejected(id=self.id(), at=self.instant(), channel="control", code="not-json", reason="", payload=b"?"),
        )
        self.events.append(chance.choice(said)())

    def _lap_fact(self) -> None:
        self.numbers["back"] += 1
        self.events.append(
            e.Lap(
                source="back", boot=1, number=self.numbers["back"], car=self._car(), lap=1, at=self.instant(),
                lap_time_us=self.chance.choice((None, 55 * SECOND)), pit=self.chance.random() < 0.5,
            )
        )  # fmt: skip

    def _close(self) -> None:
        self.events.append(e.SessionEnded(id=self.id(), at=START + self.chance.randint(1, self.laps + 2) * LAP))


CHANCES = st.randoms(use_true_random=False)
SESSIONS = CHANCES.map(lambda chance: Invention(chance).session())

Law = Callable[[Events, Random], None]
LAWS: list[Law] = []


def law(check: Law) -> Callable[[], None]:
    """Try a law on generated sessions, and keep it for the long run."""
    LAWS.append(check)
    tried: Callable[[], None] = given(SESSIONS, CHANCES)(check)
    return tried


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("check", LAWS, ids=lambda check: check.__name__)
def test_over_thousands_of_sessions(check: Law) -> None:
    settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))(given(SESSIONS, CHANCES)(check))()


def fold(events: Iterable[e.AnyEvent], look: Callable[[], bool] = lambda: False) -> Timing:
    """Fold events in this order; ``look`` says after which of them somebody looks at the board."""
    timing = Timing("s")
    for seq, event in enumerate(events, start=1):
        timing.apply(Record("s", seq, 1, event, b"", b""))
        if look():
            timing.board()
    return timing


def assert_same(one: Timing, other: Timing) -> None:
    assert one.board() == other.board()
    assert one.classification() == other.classification()
    assert one.digest() == other.digest()


@law
def test_any_order_of_arrival_gives_the_same_state(events: Events, chance: Random) -> None:
    arrived = list(events)
    chance.shuffle(arrived)
    assert_same(fold(arrived), fold(events))


@law
def test_what_is_sent_twice_changes_nothing(events: Events, chance: Random) -> None:
    again = [*events, *chance.choices(events, k=20)]
    assert_same(fold(again), fold(events))


@law
def test_who_looks_on_the_way_changes_nothing(events: Events, chance: Random) -> None:
    """Folding record by record, looked at in any rhythm, is folding at once: nothing depends on what was shown before."""
    arrived = list(events)
    if chance.random() < 0.5:
        chance.shuffle(arrived)
    rhythm = chance.choice((1.0, 0.3, 0.05))
    assert_same(fold(arrived, lambda: chance.random() < rhythm), fold(events))


@law
def test_laps_taken_in_bit_by_bit_are_those_of_the_whole_document(events: Events, chance: Random) -> None:
    timing, mirror = Timing("s"), Mirror()
    for seq, event in enumerate(chance.sample(events, len(events)), start=1):
        timing.apply(Record("s", seq, 1, event, b"", b""))
        if chance.random() < 0.1 or seq == len(events):
            mirror.ask(timing)
    assert with_laps(mirror.cars) == with_laps(whole(timing))


@law
def test_what_the_log_holds_folds_to_the_same(events: Events, chance: Random) -> None:
    written = [msgspec.json.encode(event) for event in events]
    assert_same(fold(map(decode_event, written)), fold(events))


@law
def test_a_passing_voided_and_added_by_hand_gives_the_same_classification(events: Events, chance: Random) -> None:
    before = fold(events)
    latest = before.state().at
    assert before.evidence.opened
    loops = {index: loop for loop, index in reversed(loop_indices(before.evidence.opened).items()) if not loop.startswith("\0")}
    heard = [
        (car, crossing)
        for car, crossings in before.evidence.crossings.items()
        for crossing in crossings
        if crossing[2] in {"line", "back"} and 0 < crossing[0] <= latest
    ]
    if not heard:
        return
    car, (at, loop, decoder, boot, number) = chance.choice(sorted(heard))
    key = e.PassingKey(decoder=decoder, boot=boot, number=number)
    voided = e.PassingVoided(id="void", at=BASE, passing=key, by="TK", reason="photo")
    added = e.PassingAdded(id="add", at=at, car=car, loop=loops[loop], by="TK", reason="photo")
    corrected = [*events, voided, added]
    if chance.random() < 0.5:
        chance.shuffle(corrected)
    after = fold(corrected)
    assert after.classification() == before.classification()
    assert after.board().order == before.board().order


def _number_from_one(places: list[tuple[int | None, Place]]) -> None:
    """Hold places to 1, 2, 3 …, but that a dead heat shares one and the next is left out."""
    for number, (position, place) in enumerate(places, start=1):
        shared = number > 1 and position == places[number - 2][0]
        assert shared or position == number
        assert not shared or (place.laps, place.total_us) == (places[number - 2][1].laps, places[number - 2][1].total_us)


@law
def test_the_order_is_a_permutation_of_the_entries_and_places_have_no_holes(events: Events, chance: Random) -> None:
    timing = fold(events)
    board = timing.board()
    entered = set(timing.state().said.entries)
    assert sorted(board.order) == sorted(entered)
    assert set(board.rows) == entered
    assert [board.rows[car].position for car in board.order] == list(range(1, len(entered) + 1))
    places = timing.classification()
    assert sorted(p.car for p in places) == sorted(entered)
    placed = [p for p in places if p.position is not None]
    assert placed == places[: len(placed)], "those without a place stand below"
    _number_from_one([(p.position, p) for p in placed])
    for class_ in {p.class_ for p in placed}:
        _number_from_one([(p.class_position, p) for p in placed if p.class_ == class_])
    assert result_json(timing)


@law
def test_no_gap_is_negative_and_gaps_grow_down_the_order(events: Events, chance: Random) -> None:
    timing = fold(events)
    board, standings = timing.board(), timing.state().standings
    for row in board.rows.values():
        for gap in (row.gap, row.interval, row.class_gap, row.class_interval):
            assert gap.laps >= 0
            assert gap.time_us >= 0
    if not timing.race:
        return
    for one, other in pairwise(standings):
        ahead, behind = board.rows[one.car].gap, board.rows[other.car].gap
        if one.laps == other.laps:
            assert ahead.time_us <= behind.time_us
        if not one.standing:
            assert ahead.laps <= behind.laps


@law
def test_one_crossing_more_never_takes_a_lap_away(events: Events, chance: Random) -> None:
    before = fold(events)
    before.state()
    car = chance.choice(sorted(before.laps)) if before.laps else "1"
    added = e.PassingAdded(id="add", at=START + chance.randint(0, 600) * SECOND, car=car, loop="SF", by="TK", reason="seen")
    after = fold([*events, added])
    after.state()
    for known, laps in before.laps.items():
        assert len(after.laps[known].ends) - len(laps.ends) in ({0, 1} if known == car else {0})


@law
def test_decisions_leave_what_happened_on_the_road_alone(events: Events, chance: Random) -> None:
    with_decisions, without = fold(events), fold(ev for ev in events if not isinstance(ev, e.Decision | e.DecisionUpdated))
    if not with_decisions.race:
        return
    road = [(s.car, s.laps, s.last_at) for s in with_decisions.state().standings]
    assert road == [(s.car, s.laps, s.last_at) for s in without.state().standings]


@law
def test_a_decision_taken_back_never_was(events: Events, chance: Random) -> None:
    before = fold(events)
    at = min(START, before.state().at)
    penalty: e.Penalty = chance.choice(("time", "laps", "disqualified"))
    decision = e.Decision(id="given", at=at, decision="X", car="1", penalty=penalty, seconds=7.5, laps=1)
    quashed = e.DecisionUpdated(id="quashed", at=at + 1, decision="X", stage="quashed")
    voided = e.EventVoided(id="voided", at=at + 1, event="given", by="stewards", reason="appeal")
    after = fold([*events, decision, chance.choice((quashed, voided))])
    assert after.classification() == before.classification()
    assert after.board().order == before.board().order


@law
def test_nothing_after_the_end_counts(events: Events, chance: Random) -> None:
    """A car ends at its first crossing at or after the leader's last; a count-back never rests on a crossing after the signal."""
    state = fold(events).state()
    for standing in state.standings:
        if state.stopped and standing.laps:
            assert standing.last_at <= state.stopped.signal_at
        if state.end and standing.laps > 1:
            assert standing.ends[standing.laps - 2] < state.end.at
