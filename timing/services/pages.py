"""The pages' server: uvicorn within the service's own loop, on a socket of ours, without its own handling of signals."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from timing.domain.errors import TimingError

REQUEST_WITHIN_S = 10.0
"""A connection on which no whole request has come for so long is closed, or those that say nothing would keep others out."""


class _Connection(H11Protocol):
    """Speaks HTTP/1.1 with one client, who may have one request of at most 64 KiB of head under way."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library has it
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if getattr(self.cycle, "response_complete", True):  # there is none before the first request
            self._expect()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect(self) -> None:
        """Wait for a request, if that is not so already."""
        if self._late is None:
            self._late = self.loop.call_later(REQUEST_WITHIN_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service, which ends its parts in order."""
        yield


class PageServer:
    """Serves an ASGI application for as long as the ``async with`` lasts.

    ``tls``: it then speaks HTTPS alone. ``root_path``: what a proxy before it leaves out of addresses. ``trusted_proxies``: whose word is
    taken for who asks and how (``X-Forwarded-For``, ``X-Forwarded-Proto``). With more than ``connections`` open, what is asked is answered
    with 503; a connection without a request is closed after ``REQUEST_WITHIN_S``.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        root_path: str = "",
        trusted_proxies: Sequence[str] = ("127.0.0.1", "::1"),
        connections: int = 2_000,
    ) -> None:
        self._app, self._host, self._port = app, host, port
        self._tls, self._root_path = tls, root_path
        self._trusted, self._connections = list(trusted_proxies), connections

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._socket.getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            TimingError: the address is taken or not this machine's.

        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((self._host, self._port))
            self._socket.listen(128)
        except OSError as error:
            self._socket.close()
            raise TimingError(
                f"the pages cannot listen on {self._host}:{self._port}: {error.strerror}; choose another port (0: any)"
            ) from None
        tls = self._tls
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            http=_Connection,
            ws="none",  # what is live is on the feed's own port
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
            root_path=self._root_path,
            forwarded_allow_ips=self._trusted,
            limit_concurrency=self._connections + 1,  # from which on it refuses
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="pages")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop; requests under way have two seconds."""
        self._server.should_exit = True
        await asyncio.wait({self._task})
        self._socket.close()
