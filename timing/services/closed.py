"""Before the pages: who may see them. Where ``viewing`` says so, who is signed in alone: others are led to sign in, programs told 401.

A red flag supposed at an instant of one's choice folds the session once more: that is for those who may send a command there, always.

Open to everybody are signing in, the pages' own files and ``/health``. Rights by session hold for what is under a session's address; the
names of all sessions are shown to whoever is signed in.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from timing.services.access import Access
from timing.services.asked import Refused
from timing.services.fault_pages import TEXTS, FaultPages, is_for_a_person

_OPEN = ("/sign-in", "/health", "/api/sign-in", "/api/sign-out", "/api/me")
_OPEN_BELOW = "/static/"
_OF_A_SESSION = ("/s/", "/api/sessions/")


class Closed:
    """Stands before the pages, when viewing is closed."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access
        self._faults = FaultPages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through who may watch."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        root = str(scope.get("root_path", "")).rstrip("/")
        path = str(scope["path"]).removeprefix(root) or "/"
        try:
            self._check(request, path)
        except Refused as fault:
            if fault.status == 401 and request.method == "GET" and not path.startswith("/api/"):
                answer = RedirectResponse(f"{root}/sign-in?next={quote(root + path)}", 303, {"cache-control": "no-store"})
                await answer(scope, receive, send)
                return
            await self._answer(request, root + path, self._access.refusing(request, fault))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _answer(self, request: Request, path: str, fault: Refused) -> Response:
        if not (is_for_a_person(request) and "text/html" in request.headers.get("accept", "")):
            return fault.answer()
        kind = fault.code if fault.code in TEXTS else "unavailable"
        below = self._faults.sign_in(request, quote(path)) if fault.status == 403 else ""
        return self._faults.page(request, fault.status, kind, below=below, headers=fault.headers)

    def _check(self, request: Request, path: str) -> None:
        below = next((path[len(start) :] for start in _OF_A_SESSION if path.startswith(start)), None)
        session = None if below is None else below.partition("/")[0]
        if session is not None and path.rstrip("/") == f"/api/sessions/{session}/red-flag" and "at" in request.query_params:
            self._access.speaking(request.headers, session)
        if not (self._access.public or path in _OPEN or path.startswith(_OPEN_BELOW)):
            self._access.watching(request.headers, session)
