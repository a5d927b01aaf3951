"""The pages' server: uvicorn within the service's own loop, on a socket of ours, without its own handling of signals."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from timing.domain.errors import TimingError


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service, which ends its parts in order."""
        yield


class PageServer:
    """Serves an ASGI application for as long as the ``async with`` lasts.

    ``tls``: it then speaks HTTPS alone. ``root_path``: what a proxy before it leaves out of addresses. ``trusted_proxies``: whose word is
    taken for who asks and how (``X-Forwarded-For``, ``X-Forwarded-Proto``). With ``connections`` open, the next is answered with 503.
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
            ws="none",  # what is live is on the feed's own port
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
            root_path=self._root_path,
            forwarded_allow_ips=self._trusted,
            limit_concurrency=self._connections,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="pages")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop; requests under way have two seconds."""
        self._server.should_exit = True
        await asyncio.wait({self._task})
        self._socket.close()
