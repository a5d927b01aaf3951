"""Keyframes: folds kept at places along a session, so that any moment of it is a copy and a short fold away.

The limit: ``MOST_BYTES`` of memory for one way of knowing a session, as estimated with ``BYTES_A_RECORD``. In a longer session the
keyframes lie further apart, and a seek takes longer.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterator

from replay.serving.ways import Way
from timing.log.record import Record
from timing.projections.copied import copied, let_go
from timing.projections.timing import Timing

MOST_BYTES = 128 * 1024 * 1024
BYTES_A_RECORD = 80  # what a fold holds of its own for each record that it has taken in, about
APART = 1_000  # records between two keyframes, or more
_STEP = 250  # records that are folded before others get their turn


class Keyframes:
    """Folds of a way of knowing a session. ``fold`` gives one that is the caller's own; ``build`` makes ready for quick ones."""

    def __init__(self, session: str, way: Way, take_in: Callable[[Timing, Record], None] = Timing.apply) -> None:
        self._session = session
        self._way = way
        self._take_in = take_in
        self._most = max(2, int(2 * MOST_BYTES / (BYTES_A_RECORD * max(len(way), 1))))
        self._apart = max(APART, -(-len(way) * 4 // (3 * self._most)))
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

    def build(self, dear: Collection[int] = ()) -> Iterator[None]:
        """Go along the session and keep keyframes, some milliseconds of work at a time; the caller gives others their turn between.

        ``dear``: instants of events after which much is read anew, such as the order under a long neutralisation once it has ended; each
        is worth a keyframe of its own.
        """
        timing = Timing(self._session)
        last = 0
        for place, record in enumerate(self._way.records, start=1):
            self._take_in(timing, record)
            if (record.event.at in dear or place - last >= self._apart) and len(self._places) < self._most:
                timing.board()
                self._keep(place, timing)
                last = place
            if place == last or place % _STEP == 0:
                yield
        let_go(timing)

    def let_go(self) -> None:
        """Free at once what is kept; to be called when nobody asks any more."""
        while self._kept:
            let_go(self._kept.popitem()[1])

    def _keep(self, place: int, timing: Timing) -> None:
        if place not in self._kept:
            self._kept[place] = copied(timing)
            insort(self._places, place)
