"""What is supposed is judged as the service would, taken in as if it came last, and can be taken out again."""

from typing import TYPE_CHECKING

from timing.domain import events as e
from timing.domain.rulebook import Classification, Rulebook, rules_of
from timing.projections.supposing import event_of, judged_by, leave_out, suppose

if TYPE_CHECKING:
    from tests.projections.conftest import Script

PENALTY = b'{"type":"decision","decision":"D1","car":"7","penalty":"time","seconds":5}'
QUASHED = b'{"type":"decision_updated","decision":"D1","stage":"quashed"}'


def race(script: type["Script"]) -> "Script":
    return script("7 9 3", laps=2).run(car7="60 120", car9="61 122", car3="70 140")


def test_what_is_supposed_stands_as_if_it_had_been_sent_last(script: type["Script"]) -> None:
    timing = race(script).fold()
    last = timing.seq
    assert suppose(timing, [event_of(PENALTY, 1)]) == ()
    assert [place.car for place in timing.classification()] == ["9", "7", "3"]
    assert timing.seq == last + 1


def test_one_may_rest_on_the_one_before_and_what_rests_on_nothing_is_refused(script: type["Script"]) -> None:
    timing = race(script).fold()
    refused = suppose(timing, [event_of(QUASHED, 1), event_of(PENALTY, 2), event_of(QUASHED, 3)])
    assert [(r.event, r.code) for r in refused] == [(1, "unknown-decision")]
    assert [place.car for place in timing.classification()] == ["7", "9", "3"]


def test_what_was_supposed_and_is_left_out_was_never_there(script: type["Script"]) -> None:
    told = race(script)
    before = told.fold().digest()
    timing = told.fold()
    suppose(timing, [event_of(PENALTY, 1), event_of(QUASHED, 2)])
    assert timing.digest() != before
    held, there = leave_out([*timing.evidence.recorded()], {"preview-1", "id/preview-2"})
    assert there == {"preview-1", "id/preview-2"}
    assert told.fold(held).digest() == before


def test_the_opening_stays_and_can_be_judged_by_other_rules(script: type["Script"]) -> None:
    told = race(script)
    opening = told.events[0]
    assert isinstance(opening, e.SessionOpened)
    held, there = leave_out(told.events, {opening.id})
    assert (held, there) == (told.events, set())
    strict = rules_of(Rulebook(id="strict", title="S", source="t", classification=Classification(min_percent=100)))
    cut = [event for event in told.events if not (isinstance(event, e.Passing) and event.at >= 1_747_400_130_000_000)]
    statuses = {p.car: p.status for p in told.fold(judged_by(cut, strict)).classification()}
    assert statuses["7"] != statuses["3"]
