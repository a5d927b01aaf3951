"""Who asks over HTTP, and whether they may: a browser's cookie or a program's token, the origin of a page, and how often.

What changes something needs an origin that is ours (where a browser says one) and, with a cookie, the header ``x-parcferme``, which no form
and no page of another origin can send. Refusals are said in the service's log, never with what was shown.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from msgspec import Struct
from starlette.requests import Request

from timing.domain.errors import ConfigurationError
from timing.domain.roles import Rights
from timing.services.asked import Refused, body_of
from timing.services.refusals import Refusals
from timing.services.throttle import Throttle
from timing.services.tokens import NotSignedIn, Person, Tokens

HEADER = "x-parcferme"
_NOBODY_YET = "you are not signed in; sign in at /sign-in, or send a token that is not for once as Authorization: Bearer …"

_log = structlog.get_logger(__name__)


class Rates(Struct, frozen=True, kw_only=True):
    """How often, in a minute: sign-ins and refusals from one address, and commands by one person."""

    sign_ins: int = 20
    commands: int = 600


class Headers(Protocol):
    """The headers of a request, by name in whatever case."""

    def get(self, key: str, /) -> str | None:
        """Give the value of a header, or ``None``."""


class Access:
    """Knows who asks. ``origins``: pages from there may send commands; where none are named, those of the host that was asked."""

    def __init__(
        self,
        tokens: Tokens,
        cookie_salt: bytes,
        *,
        loop_time: Callable[[], float],
        origins: Sequence[str] = (),
        public: bool = True,
        rates: Rates | None = None,
    ) -> None:
        rates = rates or Rates()
        self.tokens = tokens
        self.public = public
        # Cookies know no ports: two services of one host must not take each other's.
        self.cookie = f"parcferme_{hashlib.sha256(b'cookie' + cookie_salt).hexdigest()[:8]}"
        self._origins = frozenset(origins)
        self._time = loop_time
        self._sign_ins = Throttle(rates.sign_ins / 60, max(1, rates.sign_ins / 2))
        self._commands = Throttle(rates.commands / 60, max(1, rates.commands / 10))
        self._refusals = Refusals()

    @property
    def refused(self) -> int:
        """How many requests were refused since the start."""
        return self._refusals.count

    # --- who ---

    def person(self, headers: Headers) -> Person | None:
        """Say who asks, by the token of a program or the cookie of a browser; ``None``: nobody who says who.

        Raises:
            NotSignedIn: what they show does not hold.
            Refused: 503, it cannot be told whether it holds.

        """
        try:
            return self._person(headers)
        except ConfigurationError as fault:
            _log.error("nobody can be signed in", reason=str(fault))
            raise Refused(503, "unavailable", "whether you are signed in cannot be told; the service's log says why") from None

    def _person(self, headers: Headers) -> Person | None:
        if (shown := headers.get("authorization")) is not None:
            kind, _, token = shown.partition(" ")
            if kind.lower() != "bearer":
                raise NotSignedIn("bad-token", "send a token as Authorization: Bearer …")
            person = self.tokens.read("token", token.strip())
            if person.once:
                raise NotSignedIn("once-only", "this token signs a person in, once; a program needs one made with --reusable")
            return person
        cookie = self._cookie(headers)
        return None if cookie is None else self.tokens.read("pass", cookie)

    def _cookie(self, headers: Headers) -> str | None:
        try:
            found = SimpleCookie(headers.get("cookie") or "").get(self.cookie)
        except CookieError:
            return None
        return found.value if found else None

    def watching(self, headers: Headers, session: str | None) -> Person | None:
        """Say who would watch a session, or what is of none, and check that they may.

        Raises:
            Refused: watching is not for everybody here, and not for them.

        """
        try:
            person = self.person(headers)
        except NotSignedIn as fault:
            if self.public:
                return None
            raise Refused(401, fault.code, str(fault)) from None
        if not self.public:
            if person is None:
                raise Refused(401, "not-signed-in", _NOBODY_YET)
            if session is not None and not person.rights.see(session):
                raise Refused(403, "not-allowed", f"what you signed in with is not for the session {session}", data={"name": person.name})
        return person

    def speaking(self, headers: Headers, session: str) -> Person:
        """Say who asks for what is only for those who may send a command in a session.

        Raises:
            Refused: 401 or 403.

        """
        try:
            person = self.person(headers)
        except NotSignedIn as fault:
            raise Refused(401, fault.code, str(fault)) from None
        if person is None:
            raise Refused(401, "not-signed-in", _NOBODY_YET)
        if not person.rights.speaking_on(session):
            reason = f"this is for those who may send a command in this session; {person.name} may not"
            raise Refused(403, "not-allowed", reason, data={"name": person.name})
        return person

    # --- what changes something ---

    def acting(self, request: Request) -> Person:
        """Say who sends a command or asks for costly work, and check the ways in which a stranger could have made a browser send it.

        Raises:
            Refused: 401, 403 or 429, said in the log.

        """
        try:
            person = self.person(request.headers)
        except NotSignedIn as fault:
            raise self.refusing(request, Refused(401, fault.code, str(fault))) from None
        if person is None:
            raise self.refusing(request, Refused(401, "not-signed-in", _NOBODY_YET))
        self.check_origin(request, person)
        if wait := self._commands.wait(person.token, self._time()):
            raise self.refusing(request, _too_often("commands", wait), person)
        return person

    def check_origin(self, request: Request, person: Person | None = None) -> None:
        """Refuse a request that a page of another origin made a browser send.

        Raises:
            Refused: 403, said in the log.

        """
        origin = request.headers.get("origin")
        if origin is not None and not self.allows(origin, f"{request.url.scheme}://{request.headers.get('host', '')}"):
            fault = Refused(403, "wrong-origin", f"{origin[:100]!r} is not where this service's pages are; see allowed_origins")
            raise self.refusing(request, fault, person)
        if (
            request.headers.get("authorization") is None and request.headers.get(HEADER) is None
        ):  # what programs show, no browser adds by itself
            raise self.refusing(request, Refused(403, "wrong-origin", f"send the header {HEADER}: 1, which only our own pages can"), person)

    def allows(self, origin: str, own: str) -> bool:
        """Whether a page from there may act. ``own``: the address that was asked, as an origin."""
        return origin in self._origins if self._origins else origin == own

    def check_follower(self, origin: str | None, host: str) -> None:
        """Check the page that would follow the feed, which stands on a port of its own. Where viewing is public, any page may.

        Raises:
            Refused: 403; it stands elsewhere.

        """
        if self.public or origin is None:
            return
        if not (origin in self._origins if self._origins else _same_host(origin, host)):
            raise Refused(403, "wrong-origin", f"{origin[:100]!r} is not where this service's pages are; see allowed_origins")

    def may_try(self, request: Request) -> None:
        """Slow down who tries tokens.

        Raises:
            Refused: 429, said in the log.

        """
        if wait := self._sign_ins.wait(request.client.host if request.client else "", self._time()):
            raise self.refusing(request, _too_often("attempts to sign in", wait))

    async def body(self, request: Request, largest: int, person: Person | None = None) -> bytes:
        """Read what was sent.

        Raises:
            Refused: 413 or 408, said in the log: it is larger than ``largest`` bytes, or did not come in time.
            ClientDisconnect: whoever asked has gone.

        """
        try:
            return await body_of(request, largest)
        except Refused as fault:
            raise self.refusing(request, fault, person) from None

    def refusing(self, request: Request, fault: Refused, person: Person | None = None) -> Refused:
        """Say a refusal in the log, and give it to be raised."""
        self.say(fault, path=request.url.path, client=request.client.host if request.client else None, person=person)
        return fault

    def say(self, fault: Refused, *, path: str, client: str | None = None, person: Person | None = None) -> None:
        """Count a refusal, and say it in the log."""
        self._refusals.say(
            "request refused", self._time(), code=fault.code, status=fault.status, path=path[:200], client=client,
            name=person.name if person else None, token=person.token if person else None,
        )  # fmt: skip


def _same_host(origin: str, host: str) -> bool:
    try:
        named = urlsplit(origin).hostname
        return named is not None and named == urlsplit(f"//{host}").hostname
    except ValueError:  # no address at all
        return False


def _too_often(what: str, wait: float) -> Refused:
    seconds = max(1, math.ceil(wait))
    return Refused(429, "too-often", f"too many {what}; try again in {seconds} s", {"retry-after": str(seconds)}, {"seconds": str(seconds)})


def origins_checked(origins: Sequence[str]) -> tuple[str, ...]:
    """Check that origins are written as browsers write them.

    Raises:
        ConfigurationError: naming the one that is not.

    """
    for origin in origins:
        scheme, _, rest = origin.partition("://")
        if scheme not in {"http", "https"} or not rest or any(c in rest for c in "/?#@* ") or origin != origin.lower():
            raise ConfigurationError(f"allowed_origins: {origin!r} is no origin; write https://timing.example.org, as browsers do")
    return tuple(origins)


def rights_shown(rights: Rights, session: str | None) -> dict[str, object]:
    """Give rights as pages are told them: the channels on which one may speak, in a session or wherever one may."""
    channels = rights.speaking_on(session) if session else _anywhere(rights)
    return {"roles": rights.roles, "sessions": rights.sessions, "channels": channels}


def _anywhere(rights: Rights) -> tuple[str, ...]:
    return Rights(roles=rights.roles, channels=rights.channels).speaking_on("any")
