"""How often somebody may ask: a bucket for each, which fills at a steady rate and is emptied by asking."""

from collections import OrderedDict

KEPT = 10_000


class Throttle:
    """``rate`` times a second, and ``burst`` times at once after a pause. Times are in seconds of any clock that only goes on.

    At most ``KEPT`` are remembered; who has not asked for the longest is forgotten first, and may then ask as if for the first time.
    """

    def __init__(self, rate: float, burst: float) -> None:
        assert rate > 0
        assert burst >= 1
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what was left, and when

    def wait(self, who: str, now: float) -> float:
        """Take one for somebody; give how long to wait, in seconds, where there is none: 0 means that it was there."""
        left, since = self._buckets.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        taken = left >= 1
        self._buckets[who] = (left - 1 if taken else left, now)
        while len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._rate
