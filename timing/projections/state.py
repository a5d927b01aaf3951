"""The state of a session: what its evidence comes to at one moment, before it is shown or classified."""

from msgspec import Struct

from timing.domain.classification import Penalties
from timing.domain.count_back import CountBack
from timing.domain.events import EntryRegistered, TrackStatus
from timing.domain.finish import Ending
from timing.domain.order import Standing


class State(Struct):
    """What the evidence comes to at one moment; everything that is shown or decided is read off it.

    ``standings`` are in running order. ``at``: the latest instant in evidence.
    """

    at: int
    start: int | None
    entries: dict[str, EntryRegistered]
    grid: dict[str, int]
    standings: list[Standing]
    end: Ending | None
    stopped: CountBack | None
    closed_at: int | None
    retired: set[str]
    withdrawn: set[str]
    seen: set[str]
    penalties: dict[str, Penalties]
    stages: dict[str, str]
    statuses: list[TrackStatus]
    drivers: dict[str, str]

    @property
    def over(self) -> bool:
        """Whether the race is decided on the road: flag, stop or close of the session."""
        return self.end is not None or self.stopped is not None or self.closed_at is not None

    @property
    def suspended(self) -> bool:
        """Whether the red flag is out."""
        return bool(self.statuses) and self.statuses[-1].status == "red" and not self.over
