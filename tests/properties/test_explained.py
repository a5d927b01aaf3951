"""Every place on the board is explained, whatever happened, and the explanation's numbers are the board's."""

from random import Random
from typing import Any

import explained
import msgspec
import pytest
from folded import fold
from hypothesis import HealthCheck, given, settings
from invented import CHANCES, SESSIONS, Events

from timing.domain import events as e
from timing.log.record import Record
from timing.projections.anomalies import Watch, anomalies
from timing.projections.differences import differences, head, lines
from timing.projections.preview import preview
from timing.projections.timing import Timing


def every_place_is_explained(events: Events, _: Random) -> None:
    explained.every_place_is_explained(fold(events))


def anomalies_are_what_the_evidence_says(events: Events, chance: Random) -> None:
    """Whoever asks on the way, and in whatever order things arrive, sees the same in the end; the session is left as it is."""
    timing = Timing("s")
    watch = Watch(timing)
    arrived = list(events)
    chance.shuffle(arrived)
    for seq, event in enumerate(arrived, start=1):
        timing.apply(Record("s", seq, 1, event, b"", b""))
        if chance.random() < 0.3:
            watch.current()
    batch = fold(events)
    digest = batch.digest()
    assert watch.current() == anomalies(batch)
    assert batch.digest() == digest == timing.digest()
    found = anomalies(batch)
    assert len({a.id for a in found}) == len(found)
    assert msgspec.json.encode(found)


def a_preview_is_what_comes_then(events: Events, chance: Random) -> None:
    """What a preview says is what the difference is once the event is there; and the session it was asked of is as before."""
    timing = fold(events)
    before, said, digest = lines(timing), head(timing), timing.digest()
    cars = sorted(timing.state().said.entries)
    if not cars:  # every entry was voided
        return
    car = chance.choice(cars)
    event: e.AnyEvent = chance.choice(
        (
            e.Decision(id="new", at=timing.state().at + 1, decision="new", car=car, penalty="time", seconds=float(chance.randint(1, 90))),
            e.PassingAdded(id="new", at=timing.state().at, car=car, loop="SF", by="TK", reason="seen"),
            e.PassingVoided(id="new", at=1, passing=e.PassingKey(decoder="line", boot=1, number=chance.randint(1, 9)), by="TK", reason="?"),
        )
    )
    found = preview(timing, [event])
    assert not found.refused
    after = fold([*events, event])
    assert found.differences == differences(before, lines(after), session_before=said, session_after=head(after))
    assert timing.digest() == digest
    assert preview(timing, []).differences.none


LAWS = (every_place_is_explained, anomalies_are_what_the_evidence_says, a_preview_is_what_comes_then)


@pytest.mark.parametrize("check", LAWS, ids=lambda check: check.__name__)
def test_over_generated_sessions(check: Any) -> None:
    settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))(given(SESSIONS, CHANCES)(check))()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("check", LAWS, ids=lambda check: check.__name__)
def test_over_thousands_of_sessions(check: Any) -> None:
    settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))(given(SESSIONS, CHANCES)(check))()
