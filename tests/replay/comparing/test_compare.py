"""Two folds side by side: what differs, and a reason for each car that does."""

import re
from collections.abc import Sequence

import msgspec
import pytest
from folded import RULEBOOKS, decided, fold
from signed_log import PENALTY, at, opening, passing, race

from replay.comparing.compare import Comparison, compare
from timing.log.record import decode_event
from timing.projections.timing import Timing

THIRD = [
    {"type": "entry_registered", "id": "e5", "at": at(-5), "car": "5", "class": "GT", "transponders": ["5"]},
    *(passing(10 + lap, "5", 70.0 * lap) for lap in (1, 2)),
]


def folded(told: Sequence[dict[str, object]], rulebook: str | None = None) -> Timing:
    """Fold what was told, under a rulebook of one's own where one is named."""
    events = list(decided((decode_event(msgspec.json.encode(one)) for one in told), "sunday"))
    if rulebook:
        events[0] = msgspec.structs.replace(events[0], rules=RULEBOOKS.resolve(rulebook))
    return fold(events, session="sunday")


def reasons(found: Comparison) -> dict[str, tuple[str, ...]]:
    return {car.car: car.reasons for car in found.cars if car.changes}


def test_a_session_does_not_differ_from_itself() -> None:
    found = compare(folded(race()), folded(race()))
    assert (found.same, found.session, found.reasons) == (True, {}, ())
    assert [(car.car, car.changes, car.reasons) for car in found.cars] == [("9", {}, ()), ("7", {}, ())]
    assert all(car.left == car.right for car in found.cars)


def test_a_decision_is_the_reason_of_its_car_and_moves_the_other() -> None:
    told = [*opening(), *race()[4:8], *THIRD]
    found = compare(folded(told), folded([*told, PENALTY]))
    assert not found.same
    assert reasons(found) == {
        "9": ("not behind 7 any more in the result",),
        "7": ("decision D1, 5 s penalty, issued, is only right", "behind 9 now in the result"),
    }
    assert reasons(compare(folded([*told, PENALTY]), folded(told)))["7"][0] == "decision D1, 5 s penalty, issued, is only left"
    quashed = {"type": "decision_updated", "id": "u", "at": at(320), "decision": "D1", "stage": "quashed", "reason": "new evidence"}
    assert reasons(compare(folded([*told, PENALTY]), folded([*told, PENALTY, quashed])))["7"][0] == (
        "decision D1, 5 s penalty, is issued left, quashed right: new evidence"
    )


def test_crossings_more_fewer_and_moved() -> None:
    told = [*opening(), *race()[4:8], *THIRD]
    void = {
        "type": "passing_voided",
        "id": "v",
        "at": at(400),
        "passing": {"decoder": "d", "boot": 1, "number": 3},
        "reason": "r",
        "by": "b",
    }
    found = reasons(compare(folded(told), folded([*told, void])))
    assert found["7"][0] == "1 crossing fewer: SF 12:55:20.000"
    assert found["9"] == ("not behind 7 any more in the result",)
    clock = {"type": "decoder_clock_corrected", "id": "k", "at": at(400), "decoder": "d", "offset_us": 250_000, "reason": "r", "by": "b"}
    found = reasons(compare(folded(told), folded([*told, clock])))
    assert found["5"] == ("2 crossings at another instant: SF 12:54:30.250 (+0.250), SF 12:55:40.250 (+0.250)",)


def test_what_concerns_all_is_said_once() -> None:
    told = [*opening(), *race()[4:8], passing(20, "7", 180.0)]
    earlier = {"type": "event_retimed", "id": "r", "at": at(-1), "event": "start", "reason": "video", "by": "TK"}
    found = compare(folded(told), folded([*told, earlier]))
    assert found.reasons == ("session_started start is at 12:53:20.000 left, at 12:53:19.000 right",)
    assert reasons(found)["7"] == ("by what concerns all cars",)
    stopped = {"type": "track_status", "id": "red", "at": at(100), "status": "red"}
    assert compare(folded(told), folded([*told, stopped])).reasons == ("track_status red (red) at 12:55:00.000 is only right",)


def test_two_rulebooks_differ_in_their_keys() -> None:
    told = [*opening(), *race()[4:8], *(passing(30, "9", 150.0),), *THIRD[:2]]
    found = compare(folded(told), folded(told, "imsa"))
    assert found.left.rulebook != found.right.rulebook
    (rules,) = found.reasons
    assert rules.startswith("rulebook FIA Formula One")
    assert "classification.min_percent" in rules
    assert re.search(r"penalties\.offences (\[\]|\(\d+ entries\)) -> (\[\]|\(\d+ entries\))", rules), "long values are not written out"


def test_cars_that_are_entered_on_one_side_only() -> None:
    told = [*opening(), *race()[4:8]]
    found = compare(folded(told), folded([*told, *THIRD]))
    third = next(car for car in found.cars if car.car == "5")
    assert third.left is None
    assert third.right
    assert third.reasons[0] == "entry_registered e5 (GT) at 12:53:15.000 is only right"
    assert third.reasons[1].startswith("2 crossings more: ")


@pytest.mark.parametrize("cut", range(5, 12))
def test_at_two_points_of_knowledge_every_car_that_differs_has_a_reason(cut: int) -> None:
    told = race()
    for left, right in ((told[:cut], told), (told, told[:cut])):
        found = compare(folded(left), folded(right))
        assert all(reasons(found).values())
        assert found.same == (not any(car.changes for car in found.cars) and not found.session)
