"""Laws of decisions, over generated races with decisions of every kind and stage, under every policy on penalties."""

from random import Random
from typing import get_args

import pytest
from folded import fold
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from timing.domain import events as e
from timing.domain.classification import Place
from timing.domain.rulebook import Classification, Penalties, Rulebook, rules_of
from timing.projections.result import result
from timing.projections.timing import Timing
from timing.projections.versions import versions

S = 1_000_000
START = 1_747_400_000 * S
LAP = 60 * S
LOOPS = (e.Loop(id="SF", line="finish"), e.Loop(id="PI", line="pit_entry", pit=True), e.Loop(id="PO", line="pit_exit", pit=True))
PENALTIES: tuple[e.Penalty, ...] = get_args(e.Penalty)
STAGES: tuple[e.DecisionStage, ...] = get_args(e.DecisionStage)

Events = list[e.AnyEvent]


def race(chance: Random) -> Events:
    """Invent a race: cars of two classes, some in the pits, some that stop; flagged, stopped under red, closed or still under way."""
    rules = Rulebook(
        id="drawn",
        title="Drawn",
        source="chance",
        classification=Classification(
            min_percent=chance.choice((0, 75)), disqualified=chance.choice(("others_move_up", "place_left_empty"))
        ),
        penalties=Penalties(
            per_circuit_us=chance.choice(({}, {"ring": 53 * S})),
            convert_within_laps=chance.choice((0, 1, 3)),
            serve_within_crossings=chance.choice((0, 1, 2)),
            unserved=chance.choice(("converted", "disqualified", "reported")),
            lap_conversion=chance.choice(("none", "average_lap")),
            track_limits_strikes=chance.choice((0, 1, 2)),
        ),
    )
    laps, cars = chance.randint(1, 5), [str(n) for n in range(1, chance.randint(3, 8))]
    told: Events = [
        e.SessionOpened(
            id="open", at=START - 9 * S, session="s", name="S", kind=chance.choice(("race", "race", "race", "qualifying")),
            rulebook="drawn", rules=rules_of(rules), distance=e.Distance(laps=laps), circuit=e.Circuit(name="Ring", loops=LOOPS),
        )
    ]  # fmt: skip
    for car in cars:
        told.append(e.EntryRegistered(id=f"e{car}", at=START - 8 * S, car=car, class_=chance.choice(("GT", "TC")), transponders=(car,)))
    told.append(e.SessionStarted(id="start", at=START))
    number = 0
    for car in cars:
        at = START
        for _ in range(chance.randint(0, laps + 1)):
            at += LAP + chance.randint(0, 20) * S
            heard = [("SF", at)] if chance.random() < 0.7 else [("PI", at - S), ("SF", at), ("PO", at + 20 * S)]
            for loop, when in heard:
                number += 1
                told.append(e.Passing(decoder="d", boot=1, number=number, loop=loop, transponder=car, at=when))
    if chance.random() < 0.2:
        told += [e.TrackStatus(id="red", at=START + 3 * LAP, status="red"), e.RaceStopped(id="stop", at=START + 9 * LAP)]
    if chance.random() < 0.3:
        told.append(e.SessionEnded(id="end", at=START + chance.randint(1, 9) * LAP))
    return told


def decided(chance: Random, race_: Events) -> Events:
    """Invent decisions about a race's cars, and how they go on."""
    cars = [event.car for event in race_ if isinstance(event, e.EntryRegistered)]
    told: Events = []
    for n in range(chance.randint(1, 6)):
        penalty = chance.choice(PENALTIES)
        told.append(
            e.Decision(
                id=f"d{n}", at=START + chance.randint(0, 9) * LAP, decision=f"D{n}", car=chance.choice(cars), penalty=penalty,
                seconds=chance.choice((None, 5.0, 0.001, 130.0)), laps=chance.choice((None, 1, 2)), positions=chance.choice((None, 1, 99)),
                lap=chance.choice((None, 1, 2)), stage=chance.choice(("issued", "issued", *STAGES)),
                reason=chance.choice((None, "track limits")),
            )
        )  # fmt: skip
        for m in range(chance.randint(0, 3)):
            told.append(
                e.DecisionUpdated(
                    id=f"u{n}-{m}", at=START + chance.randint(0, 12) * LAP, decision=f"D{n}", stage=chance.choice(STAGES),
                    seconds=chance.choice((None, None, 7.5)),
                )
            )  # fmt: skip
    return told


CASES = st.randoms(use_true_random=False).map(lambda chance: (chance, told := race(chance), decided(chance, told)))
Case = tuple[Random, Events, Events]


def road(timing: Timing) -> list[tuple[str, int, int, bool]]:
    return [(s.car, s.laps, s.last_at, s.flagged) for s in timing.state().standings]


@given(CASES)
def test_no_decision_touches_the_laps_or_the_order_on_the_road(case: Case) -> None:
    _, told, decisions = case
    with_them, without = fold([*told, *decisions]), fold(told)
    if with_them.race:  # in qualifying a deleted time is a place
        assert road(with_them) == road(without)
        assert with_them.board().order == without.board().order
    for car, laps in without.laps.items():
        assert (with_them.laps[car].ends, with_them.laps[car].times) == (laps.ends, laps.times)


@given(CASES)
def test_decisions_come_to_the_same_in_any_order_of_arrival_and_looked_at_in_any_rhythm(case: Case) -> None:
    chance, told, decisions = case
    events = [*told, *decisions]
    arrived = list(events)
    chance.shuffle(arrived)
    one, other = fold(arrived, lambda: chance.random() < 0.3), fold(events)
    assert one.digest() == other.digest()
    assert one.board() == other.board()
    assert result(one).rows == result(other).rows


@given(CASES)
def test_every_car_has_one_line_and_only_the_disqualified_leave_places_empty(case: Case) -> None:
    _, told, decisions = case
    timing = fold([*told, *decisions])
    places = timing.classification()
    assert sorted(p.car for p in places) == sorted(timing.state().said.entries)
    placed = [p for p in places if p.position is not None]
    assert placed == places[: len(placed)]
    shared = timing.rules.finish.dead_heat == "shared"
    empty = counted_empty([(p.position or 0, p) for p in placed], shared=shared)
    out = sum(p.status == "disqualified" for p in places)
    assert 0 <= empty <= (out if timing.rules.classification.disqualified == "place_left_empty" else 0)
    for class_ in {p.class_ for p in placed}:
        counted_empty([(p.class_position or 0, p) for p in placed if p.class_ == class_], shared=shared)


def counted_empty(numbered: list[tuple[int, Place]], *, shared: bool) -> int:
    """Count the places left empty. Cars level to the microsecond may share a place; the next one is skipped then."""
    empty = 0
    before: tuple[int, Place | None] = (0, None)
    for count, (number, place) in enumerate(numbered, start=1):
        if number == before[0]:
            assert shared
            assert before[1] is not None
            assert (place.laps, place.total_us) == (before[1].laps, before[1].total_us)
        else:
            assert number - count >= empty
            empty = number - count
        before = (number, place)
    return empty


@given(CASES)
def test_decisions_all_quashed_were_never_taken(case: Case) -> None:
    _, told, decisions = case
    late = START + 99 * LAP
    names = [event.decision for event in decisions if isinstance(event, e.Decision)]
    undone = [e.DecisionUpdated(id=f"q{name}", at=late, decision=name, stage="quashed") for name in names]
    later = e.Message(id="m", at=late, text="All appeals were heard")  # the clock goes on in both
    assert fold([*told, *decisions, *undone, later]).classification() == fold([*told, later]).classification()


@given(CASES)
def test_a_result_is_the_same_however_often_it_is_published_and_a_version_never_changes(case: Case) -> None:
    chance, told, decisions = case
    half = chance.randint(0, len(decisions))
    before = [*told, *decisions[:half]]
    published: Events = [e.ResultPublished(id=f"p{n}", at=START + 50 * LAP + n, stage="amended") for n in range(2)]
    then = result(fold(before))
    after = fold([*before, *published])
    assert result(after).rows == then.rows
    assert not versions(after).due
    later = versions(fold([*before, *published, *decisions[half:]]))
    assert [v.result.rows for v in later.versions] == [then.rows, then.rows]
    assert later.versions[0].digest == then.digest
    assert later.versions[1].changes.none
    assert later.due != later.versions[-1].current


LAWS = [law for name, law in list(globals().items()) if name.startswith("test_")]


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_over_thousands_of_races(law: object) -> None:
    inner = law.hypothesis.inner_test  # type: ignore[attr-defined]  # of a law
    settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))(given(CASES)(inner))()
