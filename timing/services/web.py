"""The pages: the leaderboard, results and health over HTTP. What is live comes to the pages over the feed, on its own port."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from string import Template
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timing.domain.errors import TimingError
from timing.services.asked import Refused
from timing.services.fault_pages import HEADERS, FaultPages, is_for_a_person
from timing.services.screens import Shell
from timing.services.turns import Turns

DOCUMENTS_WAITING = 500
"""So many wait for their turn; each is of milliseconds."""

HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served under ``/static``, and as what; the system's own table of types differs from machine to machine."""


class SessionEntry(Struct, frozen=True):
    """A session as lists show it. ``status`` is that of the contract; ``seq`` the last record folded."""

    session: str
    name: str
    kind: str
    status: str
    seq: int


class Health(Struct, frozen=True):
    """Whether the service does its work, and what each part says of itself: ``{"log": {"ok": true, …}, "broker": …}``."""

    ok: bool
    parts: dict[str, dict[str, Any]]


class Source(Protocol):
    """What the pages are made from; the projector and its neighbours provide it."""

    def sessions(self) -> Sequence[SessionEntry]:
        """List the sessions in the order in which they were opened."""
        ...

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:
        """Give a document of a session as JSON, such as its ``result``; ``None`` where there is none of that name."""
        ...

    def health(self) -> Health:
        """Say how the service is."""
        ...


class Asset(Struct, frozen=True):
    """A file of the pages, in memory. ``tag`` names its content: file times are no help, wheels set them all alike."""

    body: bytes
    media_type: str
    tag: str


def make_app(
    source: Source,
    *,
    feed_port: int,
    feed_url: str | None = None,
    asked: Sequence[Route] = (),
    guards: Sequence[Middleware] = (),
    replay: bool = False,
    counterpart: str | None = None,
    sheets: bool = False,
) -> Starlette:
    """Make the ASGI application. ``feed_url`` is the feed as browsers reach it; left out, it is this host's name with ``feed_port``.

    ``asked``: routes on which more is asked than a document. ``replay``: whether the feed may be driven.
    ``counterpart``: where the same sessions are shown the other way (live, or again), an address or ``:PORT`` of the pages' own host.
    ``sheets``: whether published results are to be had as printed sheets.
    """
    told = {
        **({"replay": True} if replay else {}),
        **({"live_url" if replay else "replay_url": counterpart} if counterpart else {}),
        **({"sheets": True} if sheets else {}),
    }
    pages = _Pages(source, feed_port, feed_url, told)
    routes = [
        Route("/", pages.home),
        Route("/sessions", pages.sessions),
        Route("/s/{session}", pages.screen),
        Route("/s/{session}/{screen}", pages.screen),
        Route("/static/{path:path}", pages.static),
        Route("/api/feed", pages.feed),
        Route("/api/sessions", pages.session_list),
        *asked,
        Route("/api/sessions/{session}/{path:path}", pages.document),
        Route("/health", pages.health),
    ]
    handlers: dict[Any, Any] = {400: pages.misasked, 404: pages.missing, 405: pages.refused, Exception: pages.failed}
    return Starlette(routes=routes, exception_handlers=handlers, middleware=[Middleware(_Headers, pages=pages), *guards])


def feed_address(request_host: str | None, *, secure: bool, feed_port: int, feed_url: str | None) -> str:
    """Give the feed's address for a browser that asked for the page at ``request_host``; a strange host name is not repeated."""
    if feed_url is not None:
        return feed_url
    host = request_host or ""
    if ":" in host:  # an IPv6 address
        host = f"[{host}]" if re.fullmatch(r"[0-9A-Fa-f:.]{2,45}", host) else ""
    elif not HOST_NAME.fullmatch(host):
        host = ""
    return f"{'wss' if secure else 'ws'}://{host or 'localhost'}:{feed_port}"


def content_security_policy(feed: str) -> str:
    """Say what the pages may do: load their own files, and speak to the feed; nothing inline, nothing from elsewhere."""
    scheme, _, rest = feed.partition("://")
    origin = rest.partition("/")[0]
    reach = f"{scheme}:" if origin.startswith("[") else f"{scheme}://{origin}"  # the policy has no form for IPv6 addresses
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        f"connect-src 'self' {reach}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


class _Pages:
    def __init__(self, source: Source, feed_port: int, feed_url: str | None, told: Mapping[str, object]) -> None:
        self._source = source
        self._feed_port = feed_port
        self._feed_url = feed_url
        self._told = told
        root = files("timing") / "web"
        self._assets = dict(_load(root, PurePosixPath()))
        self._shell = Shell()
        self._faults = FaultPages()
        self._turns = Turns("documents", DOCUMENTS_WAITING)
        self._sheet = Template((root / "pages" / "sessions.html").read_text("utf-8"))

    def feed_for(self, request: Request) -> str:
        secure = request.url.scheme in ("https", "wss")
        try:
            host = request.url.hostname
        except ValueError:  # a Host header that is no host
            host = None
        return feed_address(host, secure=secure, feed_port=self._feed_port, feed_url=self._feed_url)

    async def home(self, request: Request) -> Response:
        """Go to the session one most likely came for: the latest that is under way, else the latest; wait here for the first."""
        sessions = self._source.sessions()
        if not sessions:
            return self._list(request, sessions)
        under_way = [entry for entry in sessions if entry.status in ("running", "suspended")]
        chosen = (under_way or sessions)[-1]
        query = f"?{request.url.query}" if request.url.query else ""  # a viewer's choices: ?view=wall&lang=fr
        return RedirectResponse(f"{_root(request)}/s/{chosen.session}{query}", 307, {"cache-control": "no-store"})

    async def sessions(self, request: Request) -> Response:
        return self._list(request, self._source.sessions())

    async def screen(self, request: Request) -> Response:
        entry = self._entry(request.path_params["session"])
        page = self._shell.page(request.path_params.get("screen", ""), root=_root(request), session=entry.session, name=entry.name)
        if page is None:
            raise HTTPException(404)
        return _html(page)

    async def static(self, request: Request) -> Response:
        asset = self._assets.get(request.path_params["path"])
        if asset is None:
            raise HTTPException(404, f"there is no file {request.url.path}")
        # Always asked for again, answered with 304 while it is the same: a new version shows at the next load, never half of it.
        headers = {"etag": asset.tag, "cache-control": "no-cache"}
        if asset.tag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    async def feed(self, request: Request) -> Response:
        return _json({"url": self.feed_for(request), **self._told})

    async def session_list(self, request: Request) -> Response:  # noqa: ARG002  # an endpoint's signature
        return _json({"sessions": self._source.sessions()})

    async def document(self, request: Request) -> Response:
        session, path = self._entry(request.path_params["session"]).session, request.path_params["path"]
        try:
            async with self._turns.turn():
                document = self._source.document(session, path, request.query_params)
        except Refused as busy:
            return busy.answer()
        except TimingError as error:
            raise HTTPException(400, str(error)) from None
        if document is None:
            raise HTTPException(404, f"session {session} has no {path[:100]!r}")
        return Response(document, media_type="application/json", headers={"cache-control": "no-store"})

    async def health(self, request: Request) -> Response:  # noqa: ARG002  # an endpoint's signature
        health = self._source.health()
        return _json(health, 200 if health.ok else 503)

    async def missing(self, request: Request, error: HTTPException) -> Response:
        """Answer 404 so that one finds what there is: as JSON under ``/api``, as a page with the sessions elsewhere."""
        session = request.path_params.get("session")
        known = session is None or any(entry.session == session for entry in self._source.sessions())
        return self._fault(request, error, "no-page" if known else "no-session")

    async def misasked(self, request: Request, error: HTTPException) -> Response:
        """Answer 400: what was asked cannot be answered, and why."""
        return self._fault(request, error, "amiss")

    async def refused(self, request: Request, error: HTTPException) -> Response:
        """Answer 405: these pages only read."""
        return self._fault(request, error, "read-only")

    async def failed(self, request: Request, error: Exception) -> Response:  # noqa: ARG002  # the server logs it
        """Answer 500. The middleware that gives the headers is within: what broke may have been that."""
        if not is_for_a_person(request):
            return _json({"code": "internal-error", "error": "a fault in the program; please report it"}, 500, HEADERS)
        policy = content_security_policy(self.feed_for(request))
        return self._faults.page(request, 500, "fault", headers={**HEADERS, "content-security-policy": policy})

    def _fault(self, request: Request, error: HTTPException, kind: str) -> Response:
        headers = dict(error.headers or {})
        if is_for_a_person(request):
            below = self._links(request, self._source.sessions())
            return self._faults.page(request, error.status_code, kind, below=below, headers=headers)
        known = ", ".join(entry.session for entry in self._source.sessions())
        said = error.detail if error.detail not in ("Not Found", "Method Not Allowed") else f"there is no page {request.url.path}"
        if error.status_code == 405:
            said = f"{request.url.path} answers GET alone; commands go to /api/sessions/SESSION/CHANNEL, events to MQTT"
        return _json({"error": said, "sessions": known.split(", ") if known else []}, error.status_code, headers)

    def _list(self, request: Request, sessions: Sequence[SessionEntry]) -> Response:
        body = self._links(request, sessions) if sessions else '  <p id="none">No session has been opened yet.</p>'
        page = self._sheet.substitute(
            root=_root(request),
            title="Sessions",
            body=body,
            wait="" if sessions else " data-wait",
            key=' data-text="sessions.title"',
            language="en",
        )
        return _html(page)

    @staticmethod
    def _links(request: Request, sessions: Sequence[SessionEntry]) -> str:
        items = (
            f'    <li><a href="{_root(request)}/s/{escape(entry.session)}">{escape(entry.name)}'
            f'<span data-status="{escape(entry.status)}">{escape(entry.status)}</span></a></li>'
            for entry in reversed(sessions)
        )
        return "\n".join(['  <ul class="list">', *items, "  </ul>"]) if sessions else ""

    def _entry(self, session: str) -> SessionEntry:
        for entry in self._source.sessions():
            if entry.session == session:
                return entry
        raise HTTPException(404, f"there is no session {session[:64]!r}")


class _Headers:
    """Gives every answer the headers that keep a browser from doing what these pages never do."""

    def __init__(self, app: ASGIApp, pages: _Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = content_security_policy(self._pages.feed_for(Request(scope)))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["content-security-policy"] = policy
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _load(folder: Traversable, within: PurePosixPath) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for item in folder.iterdir():
        path = within / item.name
        if item.is_dir():
            found += _load(item, path)
        elif media_type := TYPES.get(path.suffix):
            body = item.read_bytes()
            found.append((str(path), Asset(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')))
    return found


def _root(request: Request) -> str:
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return escape(root)


def _html(page: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(page, status, {"cache-control": "no-store", **(headers or {})}, "text/html; charset=utf-8")


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, {"cache-control": "no-store", **(headers or {})}, "application/json")
