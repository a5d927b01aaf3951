"""Keyframes: folds kept at places along a session, so that any moment of it is a copy and a short fold away.

The limit: ``MOST_BYTES`` of memory for one way of knowing a session, as estimated with ``BYTES_A_RECORD``. In a longer session the
keyframes lie further apart, and a seek takes longer.
"""

import time
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator

from replay.serving.ways import Way
from timing.log.record import Record
from timing.projections.copied import copied, let_go
from timing.projections.timing import Timing

MOST_BYTES = 128 * 1024 * 1024
BYTES_A_RECORD = 80  # what a fold holds of its own for each record that it has taken in, about
APART = 1_000  # records between two keyframes, or more
_STEP = 125
_DEAR_S = 0.006  # a board that takes longer to form is worth a keyframe of its own


class Keyframes:
    """Folds of a way of knowing a session. ``fold`` gives one that is the caller's own; ``build`` makes ready for quick ones."""

    def __init__(self, session: str, way: Way, take_in: Callable[[Timing, Record], None] = Timing.apply) -> None:
        self._session = session
        self._way = way
        self._take_in = take_in
        self._most = max(2, int(2 * MOST_BYTES / (BYTES_A_RECORD * max(len(way), 1))))
        self._apart = max(APART, -(-len(way) // self._most))
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

    def build(self) -> Iterator[None]:
        """Go along the session and keep keyframes, some milliseconds of work at a time; the caller gives others their turn between.

        Where boards are dear to form (the order under a long neutralisation is read anew), the keyframes lie closer.
        """
        timing = Timing(self._session)
        last = 0
        for place in range(_STEP, len(self._way) + 1, _STEP):
            for at in range(place - _STEP, place):
                self._take_in(timing, self._way.records[at])
            began = time.perf_counter()
            timing.board()
            dear = time.perf_counter() - began > _DEAR_S
            if (dear or place - last >= self._apart) and len(self._places) < self._most:
                self._kept[place] = copied(timing)
                insort(self._places, place)
                last = place
            yield
        let_go(timing)
