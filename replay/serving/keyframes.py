"""Keyframes: folds kept at places along a session, so that any moment of it is a copy and a short fold away.

The limit: ``MOST_BYTES`` of memory for one way of knowing a session, as estimated with ``BYTES_A_RECORD``. In a longer session the
keyframes lie further apart, and a seek takes longer.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Sequence

from replay.serving.ways import Way
from timing.log.record import Record
from timing.projections.copied import copied, let_go
from timing.projections.timing import Timing

MOST_BYTES = 128 * 1024 * 1024
BYTES_A_RECORD = 80  # what a fold holds of its own for each record that it has taken in, about
APART = 1_000  # records between two keyframes, or more; those that are dear to fold count twice
_STEP = 250  # records that are folded before others get their turn


class Keyframes:
    """Folds of a way of knowing a session. ``fold`` gives one that is the caller's own; ``build`` makes ready for quick ones."""

    def __init__(self, session: str, way: Way, take_in: Callable[[Timing, Record], None] = Timing.apply) -> None:
        self._session = session
        self._way = way
        self._take_in = take_in
        self._most = max(2, int(2 * MOST_BYTES / (BYTES_A_RECORD * max(len(way), 1))))
        self._apart = APART
        self._places = [0]
        self._kept = {0: Timing(session)}

    def __len__(self) -> int:
        return len(self._places)

    def fold(self, place: int) -> Timing:
        """Fold the first ``place`` records."""
        assert 0 <= place <= len(self._way), "a place lies within the session"
        nearest = self._places[bisect_right(self._places, place) - 1]
        timing = copied(self._kept[nearest])
        for at in range(nearest, place):
            self._take_in(timing, self._way.records[at])
        return timing

    def build(self, dear: Sequence[tuple[int, int]] = ()) -> Iterator[None]:
        """Go along the session and keep keyframes, some milliseconds of work at a time; the caller gives others their turn between.

        ``dear``: stretches of time, from and until, in which records are dear to fold.
        """
        places = [(self._way.place_at(began), self._way.place_at(ended)) for began, ended in dear]
        total = len(self._way) + sum(last - first for first, last in places)
        apart = max(self._apart, total / (self._most - 1))
        timing = Timing(self._session)
        done = 0
        for place, record in enumerate(self._way.records, start=1):
            self._take_in(timing, record)
            done += 2 if any(first < place <= last for first, last in places) else 1
            due = done >= apart * len(self._places) and len(self._places) < self._most
            if due:
                timing.board()
                self._keep(place, timing)
            if due or place % _STEP == 0:
                yield
        let_go(timing)

    def let_go(self) -> None:
        """Free at once what is kept; to be called when nobody asks any more."""
        while self._kept:
            let_go(self._kept.popitem()[1])
        vars(self).clear()

    def _keep(self, place: int, timing: Timing) -> None:
        if place not in self._kept:
            self._kept[place] = copied(timing)
            insort(self._places, place)
