"""The classification is kept while nothing it rests on changes, and formed for every state once the race is over."""

from typing import TYPE_CHECKING

import pytest

from timing.domain import events as e
from timing.log.record import Record
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.projections.conftest import Script


def followed(timing: Timing, told: "Script") -> Timing:
    for event in told.events[timing.seq :]:
        timing.apply(Record("s", timing.seq + 1, 1, event, b"", b""))
    return timing


def test_a_sector_changes_nothing_and_the_line_does(script: type["Script"]) -> None:
    told, timing = script("7 9").run(car7="60 120", car9="61 121"), Timing("s")
    before = followed(timing, told).classification()
    told.hear("T9", 150, loop="S1", decoder="s1")
    assert followed(timing, told).classification() is before
    after = followed(timing, told.run(car9="180")).classification()
    assert [place.car for place in before] == ["7", "9"]
    assert [place.car for place in after] == ["9", "7"]


@pytest.mark.parametrize(
    "said",
    [
        (e.Decision, {"at": 130, "decision": "D", "car": "7", "penalty": "time", "seconds": 5.0, "reason": "contact"}),
        (e.Decision, {"at": 130, "decision": "D", "car": "7", "penalty": "disqualified", "reason": "weight"}),
        (e.CarWithdrawn, {"at": 130, "car": "7"}),
        (e.PassingAdded, {"at": 90, "car": "9", "loop": "SF"}),
        (e.TrackStatus, {"at": 125, "status": "chequered"}),
        (e.SessionEnded, {"at": 300}),
    ],
)
def test_whatever_weighs_on_it_is_followed(script: type["Script"], said: tuple[type[e.AnyCommand], dict[str, object]]) -> None:
    told, timing = script("7 9").run(car7="60 120", car9="61 121"), Timing("s")
    followed(timing, told).board()
    told.say(said[0], **said[1])  # type: ignore[arg-type]  # fields as the event names them
    told.run(car7="180", car9="185")
    assert followed(timing, told).classification() == told.fold().classification()
    assert timing.board() == told.fold().board()
