"""Explanations over the feed: a car's place in words, asked for by a screen. What one screen asked, the next gets without more work.

Limits and what happens at them: ``PER_SECOND`` are made in a second for all screens together, beyond that the answer says to ask again;
an explanation lists the car's last ``CROSSINGS`` crossings (the page over HTTP lists all).
"""

from collections import OrderedDict, deque
from collections.abc import Callable

import msgspec
import structlog
from msgspec import Struct

from timing.projections.explain import explain
from timing.projections.explanation import Explanation
from timing.projections.timing import Timing

_log = structlog.get_logger(__name__)

CROSSINGS = 30
PER_SECOND = 20
_KEPT = 64


class Explained(Struct, frozen=True, tag_field="kind", tag="explanation", omit_defaults=True):
    """The answer to ``{"kind":"explain","car":…}``: what the car's place rests on, or why there is no answer."""

    session: str
    car: str
    explanation: Explanation | None = None
    error: str | None = None


class Explanations:
    """Answers for every screen of a service. ``timing_of`` gives a session's fold, ``clock`` seconds that only grow."""

    def __init__(self, timing_of: Callable[[str], Timing | None], clock: Callable[[], float]) -> None:
        self._timing_of = timing_of
        self._clock = clock
        self._made: deque[float] = deque(maxlen=PER_SECOND)
        self._kept: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()

    def answer(self, session: str, car: str) -> bytes:
        """Give the frame that answers a screen."""
        timing = self._timing_of(session)
        if timing is None:
            return _fault(session, car, f"there is no session {session}")
        key = (session, car, timing.seq)
        if key in self._kept:
            return self._kept[key]
        now = self._clock()
        if len(self._made) == PER_SECOND and now - self._made[0] < 1:
            return _fault(session, car, "many explanations are being asked for; ask again in a second")
        self._made.append(now)
        try:
            found = explain(timing, car, last=CROSSINGS)
        except Exception as fault:  # noqa: BLE001  # a session that cannot be folded must not cost its screens their connection
            _log.error("a place cannot be explained", session=session, car=car, exc_info=fault)
            return _fault(session, car, "this session cannot be explained: a record of it could not be folded")
        if found is None:
            return _fault(session, car, f"no car {car} is entered in {session}")
        frame = msgspec.json.encode(Explained(session, car, found))
        self._kept[key] = frame
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return frame


def _fault(session: str, car: str, error: str) -> bytes:
    return msgspec.json.encode(Explained(session, car, error=error))
