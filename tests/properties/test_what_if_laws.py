"""Laws of what is supposed, over generated sessions: it leaves what is as it is, and what was added can be taken away again."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from folded import fold
from hypothesis import HealthCheck, given, settings
from invented import CHANCES, SESSIONS, Events

from replay.comparing.compare import compare
from timing.domain import events as e
from timing.domain.rulebook import rules_of
from timing.log.event_log import MemoryLog
from timing.log.record import draft
from timing.projections.differences import differences, head, lines
from timing.projections.preview import preview
from timing.projections.supposing import event_of, leave_out, suppose
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_log

RULEBOOKS = Rulebooks()

Law = Callable[[Events, Random], None]
LAWS: list[Law] = []


def law(check: Law) -> Callable[[], None]:
    LAWS.append(check)
    tried: Callable[[], None] = settings(max_examples=40)(given(SESSIONS, CHANCES)(check))
    return tried


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("check", LAWS, ids=lambda check: check.__name__)
def test_over_thousands_of_sessions(check: Law) -> None:
    settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))(given(SESSIONS, CHANCES)(check))()


def assumed(events: Events, chance: Random) -> Events:
    """Some events that somebody might suppose, of which some would be refused."""
    cars = [event.car for event in events if isinstance(event, e.EntryRegistered)] or ["1"]
    facts = [event for event in events if isinstance(event, e.Passing)]
    said: list[dict[str, object]] = []
    for number in range(chance.randint(1, 4)):
        car = chance.choice(cars)
        fact = chance.choice(facts) if facts else None
        key = ("x", 0, 0) if fact is None else (fact.decoder, fact.boot, fact.number)
        named = dict(zip(("decoder", "boot", "number"), key, strict=True))
        at = fact.at + 7 if fact else 1_747_400_100_000_000
        choices: list[dict[str, object]] = [
            {"type": "decision", "decision": f"W{number}", "car": car, "penalty": "time", "seconds": chance.choice((5, 60, 0.5))},
            {"type": "decision", "decision": f"W{number}", "car": car, "penalty": "disqualified"},
            {"type": "decision_updated", "decision": "W0", "stage": "quashed"},
            {"type": "passing_added", "car": car, "loop": "SF", "at": at},
            {"type": "car_retired", "car": "88", "at": at},
            {"type": "passing_voided", "passing": named},
        ]
        said.append(chance.choice(choices))
    return [event_of(msgspec.json.encode(one), number) for number, one in enumerate(said, start=1)]


def logged(events: Events) -> MemoryLog:
    log = MemoryLog()
    log.append([draft("s", event) for event in events], recorded_at=1)
    return log


@law
def test_a_fold_does_not_differ_from_itself(events: Events, chance: Random) -> None:
    found = compare(fold(events), fold(events))
    assert (found.same, found.reasons, found.session) == (True, (), {})
    assert not any(car.changes or car.reasons for car in found.cars)


@law
def test_what_is_supposed_leaves_the_log_and_the_fold_as_they_are(events: Events, chance: Random) -> None:
    log, timing = logged(events), fold(events)
    kept, digest, board = [r.hash for r in log.read("s")], timing.digest(), timing.board()
    more = assumed(events, chance)
    preview(timing, more, without=[getattr(chance.choice(events), "id", "")], rules=RULEBOOKS.resolve("imsa"))
    suppose(score_log(log, "s", RULEBOOKS), more)
    compare(timing, fold(events[: len(events) // 2]))
    assert (timing.digest(), timing.board()) == (digest, board)
    assert [r.hash for r in log.read("s")] == kept


@law
def test_what_was_added_and_left_out_again_was_never_there(events: Events, chance: Random) -> None:
    more = assumed(events, chance)
    there = {getattr(event, "id", None) for event in events}
    more = [event for event in more if getattr(event, "id", None) not in there]
    names = {str(getattr(event, "id", "")) for event in more}
    timing = fold(events)
    digest = timing.digest()
    suppose(timing, more)
    held, _ = leave_out(list(timing.evidence.recorded()), names)
    assert fold(held).digest() == digest
    taken = [event for event in timing.evidence.commands if event.id in names]
    log = logged([*events, *taken])
    without = score_log(log, "s", RULEBOOKS, without=[event.id for event in taken])
    assert without.digest() == digest
    assert compare(fold(events), without).same


@law
def test_supposing_is_what_would_come(events: Events, chance: Random) -> None:
    """The difference that a preview tells is that of the folds, and the refused change nothing."""
    more = assumed(events, chance)
    before, after = fold(events), fold(events)
    refused = suppose(after, more)
    found = preview(before, more)
    assert found.refused == refused
    assert found.differences == differences(lines(before), lines(after), session_before=head(before), session_after=head(after))


@law
def test_by_its_own_rules_nothing_changes(events: Events, chance: Random) -> None:
    timing = fold(events)
    timing.state()
    opened = timing.evidence.opened
    assert opened
    assert isinstance(opened.rules, dict)
    assert preview(timing, [], rules=opened.rules).differences.none
    assert preview(timing, [], rules=rules_of(timing.rules)).differences.none


@law
def test_every_car_that_differs_has_a_reason_and_the_other_way_round_the_same_cars_differ(events: Events, chance: Random) -> None:
    left, right = fold(events[: chance.randint(1, len(events))]), fold(events)
    suppose(right, assumed(events, chance))
    there, back = compare(left, right), compare(right, left)
    for found in (there, back):
        assert all(bool(car.changes) == bool(car.reasons) for car in found.cars)
        assert found.same == (not found.session and not any(car.changes for car in found.cars))
    assert {car.car for car in there.cars if car.changes} == {car.car for car in back.cars if car.changes}
