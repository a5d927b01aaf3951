"""What the feed, the pages and a replay have in common: a list of sessions, each with its hub."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from timing.services.hub import Hub


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
