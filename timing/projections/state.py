"""The state of a session: what its evidence comes to at one moment, before it is shown or classified."""

from msgspec import Struct

from timing.domain.classification import Penalties
from timing.domain.close_finish import CloseFinish
from timing.domain.count_back import CountBack, Reading
from timing.domain.finish import Ending
from timing.domain.order import Standing
from timing.projections.commanded import Commanded
from timing.projections.qualified import Qualified


class State(Struct):
    """What the evidence comes to at one moment; everything that is shown or decided is read off it.

    ``at``: the latest instant in evidence. ``said``: what people said. ``standings`` are in running order.
    ``started``: the cars that were seen after the start, and those that race control retired after it before they were seen.
    ``stopped`` and ``reading``: where and how the result of a stopped race is taken. ``untimed``: of each car, the laps without a time.
    ``penalties``: what weighs on each car's result, unserved drive-throughs included.
    ``close``: cars that ended level or too close to part.
    """

    at: int
    said: Commanded
    started: set[str]
    standings: list[Standing]
    end: Ending | None = None
    stopped: CountBack | None = None
    reading: Reading | None = None
    untimed: dict[str, frozenset[int]] = {}
    penalties: dict[str, Penalties] = {}
    qualified: Qualified | None = None
    close: CloseFinish = CloseFinish()

    @property
    def over(self) -> bool:
        """Whether the race is decided on the road: flag, stop or close of the session."""
        return self.end is not None or self.stopped is not None or self.said.closed_at is not None

    @property
    def suspended(self) -> bool:
        """Whether the red flag is out."""
        breaks = self.said.suspensions
        return bool(breaks) and breaks[-1].ended is None and not self.over
