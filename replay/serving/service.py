"""The replay service put together: a log or a session file, its moments, the feed and the pages."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self

from msgspec import Struct

from replay.serving.moments import Moments, Opening
from replay.serving.player import Time
from replay.serving.shelf import Shelf
from timing.services.feed import Feed
from timing.services.pages import PageServer
from timing.services.web import Health, SessionEntry, make_app


class Where(Struct, frozen=True):
    """Where to listen; port 0 is any free one. ``feed_url``: the feed as browsers reach it, where that is elsewhere.

    ``live_url``: where the service shows these sessions live, an address or ``:PORT`` of the pages' own host.
    """

    host: str = "127.0.0.1"
    feed_port: int = 8765
    web_port: int = 8080
    feed_url: str | None = None
    live_url: str | None = None


class ReplayService:
    """Everything that ``replay serve`` runs: ``async with ReplayService(...) as service`` has it ready."""

    def __init__(self, shelf: Shelf, opening: Opening, where: Where, time: Time | None = None) -> None:
        self.moments = Moments(shelf, opening, time)
        self._where = where
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            TimingError: an address is taken, or not this machine's.

        """
        where, stack = self._where, self._stack
        try:
            await stack.enter_async_context(self.moments)
            feed = Feed(self.moments, host=where.host, port=where.feed_port, usher=self.moments.usher)
            self.feed = await stack.enter_async_context(feed)
            app = make_app(self, feed_port=self.feed.port, feed_url=where.feed_url, replay=True, counterpart=where.live_url)
            self.pages = await stack.enter_async_context(PageServer(app, where.host, where.web_port))
        except BaseException:
            await stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the doors, then end the moments."""
        await self._stack.aclose()

    def __str__(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._where.host, self._where.host)  # noqa: S104  # named, not bound
        feed = self._where.feed_url or f"ws://{host}:{self.feed.port}"
        return f"parcferme replay ready: pages http://{host}:{self.pages.port}/ feed {feed}"

    # --- what the pages ask (web.Source) ---

    def sessions(self) -> Sequence[SessionEntry]:
        """List the sessions, without a word of how they go."""
        return [SessionEntry(s.session, s.name, s.kind, s.status, s.seq) for s in self.moments.sessions()]

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:
        """Give a document of a session as of the moment that the query names."""
        return self.moments.document(session, path, query)

    def health(self) -> Health:
        """Say how each part is."""
        return Health(True, {"feed": {"ok": True, "screens": self.feed.screens}, "replay": {"ok": True, "moments": self.moments.count}})
