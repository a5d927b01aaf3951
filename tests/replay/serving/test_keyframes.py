"""Keyframes: a fold from one is the fold from the beginning, wherever they lie, and their number has its limit."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import drawn, raced, records

from replay.serving import keyframes as module
from replay.serving.keyframes import Keyframes
from replay.serving.recording import Recording, Title
from timing.log.record import Record
from timing.projections.copied import let_go
from timing.projections.timing import Timing
from timing.services.replayed import Known
from timing.services.rulebooks import Rulebooks


def recording(seed: int) -> Recording:
    told = list(records(raced(drawn(seed)), Rulebooks()))
    return Recording(Title(told[0].session, "Race", "race", 0), told)


RACES = {seed: recording(seed) for seed in (1, 4)}


def anew(race: Recording, known: Known, place: int) -> Timing:
    timing = Timing(race.title.session)
    for record in race.way(known).records[:place]:
        race.ready(known, timing, record)
        timing.apply(record)
    return timing


@settings(max_examples=25)
@given(seed=st.sampled_from(sorted(RACES)), known=st.sampled_from(["then", "now"]), data=st.data())
def test_seeks_back_and_forth_give_what_a_fold_from_the_beginning_gives(seed: int, known: Known, data: st.DataObject) -> None:
    race = RACES[seed]
    kept = Keyframes(race.title.session, race.way(known), race.take_in(known))
    kept._apart = 60  # so short a race would have none
    building = kept.build(race.dear)
    for _ in range(data.draw(st.integers(0, 12))):
        next(building, None)
    for place in data.draw(st.lists(st.integers(0, len(race.way(known))), min_size=1, max_size=4)):
        timing, fresh = kept.fold(place), anew(race, known, place)
        assert (timing.digest(), timing.board()) == (fresh.digest(), fresh.board())
        let_go(timing)


def test_what_is_folded_on_from_a_keyframe_leaves_the_keyframe_alone() -> None:
    race = RACES[1]
    kept = Keyframes(race.title.session, race.then)
    kept._apart = 50
    for _ in kept.build():
        pass
    assert len(kept) > 3
    end, chance = len(race.then), random.Random(1)
    for _ in range(20):
        place = chance.randrange(end)
        timing = kept.fold(place)
        for record in race.then.records[place:]:
            timing.apply(record)
        assert timing.digest() == race.truth.digest()
        let_go(timing)


def test_a_long_session_has_its_keyframes_further_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    race = RACES[1]
    monkeypatch.setattr(module, "MOST_BYTES", 5 * len(race.then) * module.BYTES_A_RECORD // 2)
    monkeypatch.setattr(module, "APART", 10)
    kept = Keyframes(race.title.session, race.then)
    for _ in kept.build(dear=[(race.then.begin - 1, race.then.end)]):
        pass
    assert len(kept) == 5
    assert kept.fold(len(race.then)).digest() == race.truth.digest()


def test_a_record_is_numbered_by_its_place() -> None:
    race = RACES[4]
    both: list[list[Record]] = [list(race.then.records), list(race.now.records)]
    for told in both:
        assert [record.seq for record in told] == list(range(1, len(told) + 1))
