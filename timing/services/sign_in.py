"""Signing in and out over HTTP: a token is exchanged for a pass, which the browser keeps where no script can read it.

Limits: a body of 8 KiB; ``Rates.sign_ins`` a minute from one address, beyond that 429.
"""

import asyncio
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from timing.domain.errors import TimingError
from timing.services.access import Access, rights_shown
from timing.services.asked import Refused, json_answer
from timing.services.clock import Clock
from timing.services.tokens import NotSignedIn, Person

_LARGEST_BODY = 8 * 1024
_LOOPBACK = {"127.0.0.1", "::1"}

_log = structlog.get_logger(__name__)


class _Shown(Struct, forbid_unknown_fields=True):
    token: str


class SignIn:
    """The endpoints. Writing down that a token was used is done in a thread: it waits for the disk."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._page = Template((files("timing") / "web" / "pages" / "sign-in.html").read_text("utf-8"))

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/sign-in", self.page),
            Route("/api/sign-in", self.sign_in, methods=["POST"]),
            Route("/api/sign-out", self.sign_out, methods=["POST"]),
            Route("/api/me", self.me),
        ]

    async def page(self, request: Request) -> Response:
        """Give the page on which people sign in."""
        root = escape(str(request.scope.get("root_path", "")).rstrip("/"))
        return HTMLResponse(self._page.substitute(root=root), headers={"cache-control": "no-store"})

    async def sign_in(self, request: Request) -> Response:
        """Exchange ``{"token": …}`` for a cookie."""
        access = self._access
        try:
            access.may_try(request)
            access.check_origin(request)
            token = _token(await access.body(request, _LARGEST_BODY))
            passed, person = await asyncio.to_thread(access.tokens.sign_in, token)
        except NotSignedIn as fault:
            return access.refusing(request, Refused(401, fault.code, str(fault))).answer()
        except Refused as fault:
            return fault.answer()
        except TimingError as fault:
            return access.refusing(request, Refused(503, "unavailable", str(fault))).answer()
        except ClientDisconnect:
            return Response(status_code=400)
        secure = request.url.scheme == "https"
        client = request.client.host if request.client else None
        _log.info("signed in", name=person.name, roles=person.rights.roles, token=person.token, client=client)
        if not secure and client not in _LOOPBACK:
            _log.warning("somebody signed in over a line that others may read; use TLS", client=client)
        answer = json_answer(_told(person, None))
        age = max(0, person.until - self._clock() // 1_000_000)
        self._set(answer, request, passed, age)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Make the browser's pass void, here and wherever it was copied to, and have the browser forget it."""
        access = self._access
        try:
            access.check_origin(request)
            person = access.person(request.headers)
            if person is not None and person.id != person.token:  # a program's token is not a sign-in
                await asyncio.to_thread(access.tokens.revoke, person.id)
                _log.info("signed out", name=person.name, token=person.token)
        except NotSignedIn:
            pass  # it holds no more in any case
        except Refused as fault:
            return fault.answer()
        except TimingError as fault:
            return access.refusing(request, Refused(503, "unavailable", str(fault))).answer()
        answer = json_answer({"signed_in": False})
        self._set(answer, request, "", 0)
        return answer

    async def me(self, request: Request) -> Response:
        """Say who is signed in, and what they may do: ``?session=S`` in that session; and the service's time."""
        try:
            person = self._access.person(request.headers)
        except NotSignedIn as fault:
            return json_answer({"signed_in": False, "code": fault.code, "reason": str(fault)})
        except Refused as fault:
            return fault.answer()
        if person is None:
            return json_answer({"signed_in": False})
        return json_answer({**_told(person, request.query_params.get("session")), "now": self._clock()})

    def _set(self, answer: Response, request: Request, value: str, age: int) -> None:
        path = str(request.scope.get("root_path", "")).rstrip("/") or "/"
        secure = request.url.scheme == "https"
        answer.set_cookie(self._access.cookie, value, max_age=age, path=path, secure=secure, httponly=True, samesite="strict")


def _token(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Shown).token.strip()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # its words could hold what was shown
        raise Refused(400, "bad-field", 'sign in with {"token": "…"}') from None


def _told(person: Person, session: str | None) -> dict[str, Any]:
    return {"signed_in": True, "name": person.name, **rights_shown(person.rights, session), "until": person.until * 1_000_000}
