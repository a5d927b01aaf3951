"""A real race heard as decoders and networks bring it: shuffled, doubled, resent."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from folded import fold
from race_files import events_of

from timing.domain.events import AnyEvent, Passing

pytestmark = pytest.mark.races


def doubled(events: list[AnyEvent], _: random.Random) -> list[AnyEvent]:
    """Every message comes twice, one after the other."""
    return [event for event in events for _ in range(2)]


def resent(events: list[AnyEvent], chance: random.Random) -> list[AnyEvent]:
    """A decoder begins anew with its last 1,000 passings, three times in the race."""
    arrived = list(events)
    for at in sorted((chance.randrange(len(arrived)) for _ in range(3)), reverse=True):
        arrived[at:at] = [event for event in arrived[:at] if isinstance(event, Passing)][-1000:]
    return arrived


def late(events: list[AnyEvent], chance: random.Random) -> list[AnyEvent]:
    """One passing in fifty comes up to 2,000 events late."""
    places = [(n + (chance.randrange(2000) if chance.random() < 0.02 else 0), n) for n in range(len(events))]
    return [events[n] for _, n in sorted(places)]


def shuffled_and_doubled(events: list[AnyEvent], chance: random.Random) -> list[AnyEvent]:
    arrived = [*events, *events]
    chance.shuffle(arrived)
    return arrived


@pytest.mark.parametrize("arrive", [doubled, resent, late, shuffled_and_doubled], ids=lambda arrive: arrive.__name__)
def test_however_it_arrives_it_is_the_same_race(
    longest_race: Path, arrive: Callable[[list[AnyEvent], random.Random], list[AnyEvent]]
) -> None:
    events = events_of(longest_race)
    as_it_happened = fold(events)
    turns = itertools.count(1)
    arrived = fold(arrive(events, random.Random(7)), lambda: next(turns) % 2_003 == 0)
    assert arrived.digest() == as_it_happened.digest()
    assert arrived.board() == as_it_happened.board()
