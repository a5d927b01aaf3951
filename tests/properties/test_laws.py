"""Laws of scoring, over invented sessions."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import msgspec
import pytest
from folded import fold
from hypothesis import HealthCheck, given, settings
from invented import BASE, CHANCES, SESSIONS, START, Events
from lap_mirror import Mirror, whole, with_laps

from timing.domain import events as e
from timing.domain.classification import Place
from timing.domain.units import SECOND
from timing.log.record import Record, decode_event
from timing.projections.evidence import loop_indices
from timing.projections.result import result_json
from timing.projections.timing import Timing

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
