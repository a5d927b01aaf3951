"""What the feed, the pages and a replay have in common: a list of sessions, each with its hub; and where a screen of a replay sits."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from timing.domain.errors import TimingError
from timing.services.hub import Hub
from timing.services.replayed import Control


class SessionInfo(Struct, frozen=True):
    """A session in the list of sessions. ``seq`` is the last record in it, ``at`` its latest evidence's instant.

    ``fault`` says what was wrong with a record that could not be folded: the session stands still since then.
    """

    session: str
    name: str
    kind: str
    status: str
    seq: int
    at: int
    fault: str | None = None


class Sessions(Protocol):
    """What the feed shows."""

    @property
    def ready(self) -> bool:
        """Whether the stored sessions are all there; before, screens are asked to try again."""
        ...

    def sessions(self) -> Sequence[SessionInfo]:
        """List the sessions in the order in which they were opened."""
        ...

    def hub(self, session: str) -> Hub | None:
        """Give a session's hub; ``None`` for one that does not exist."""
        ...


class Seat(Struct, frozen=True):
    """Where a screen sits. ``explain`` answers what a car's place rests on; ``control`` does what a screen asks of a replay.

    Both give what is to be told to that screen alone; ``control`` may have nothing to say.
    """

    hub: Hub
    explain: Callable[[str], bytes] | None = None
    control: Callable[[Hashable, Control], bytes | None] | None = None


class NoSeat(TimingError):
    """A screen cannot be let in. The feed answers with ``status``, that of HTTP, and says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


Usher: TypeAlias = Callable[[str, str], Awaitable[Seat]]
"""Finds the seat for a screen from the session and the query of its address; raises ``NoSeat``."""
