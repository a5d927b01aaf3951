"""What is refused, in the service's log: all is counted, 20 a second are said one by one, so that nobody fills a disk by it."""

import structlog

from timing.services.throttle import Throttle

_SAID_A_SECOND = 20

_log = structlog.get_logger(__name__)


class Refusals:
    """Counts refusals, and says them. What was shown or sent is never said."""

    def __init__(self) -> None:
        self.count = 0
        self._throttle = Throttle(_SAID_A_SECOND, _SAID_A_SECOND)

    def say(self, what: str, now: float, **told: object) -> None:
        """Say that something was refused. ``now``: in seconds of a clock that only goes on."""
        self.count += 1
        if not self._throttle.wait("", now):
            _log.warning(what, **told, refused_in_all=self.count)
