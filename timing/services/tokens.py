"""Tokens: who somebody is and what they may do, signed with the service's own secret (HS256), good for a while, and revocable.

Two kinds, told apart by their audience, and neither is taken for the other. A *token* (``parcferme/token``) is what ``timing token new``
prints: somebody signs in with it, or a program sends it with each request. A *pass* (``parcferme/pass``) is what the browser then holds.
"""

import secrets
from typing import Any, Literal

import jwt
import msgspec
from msgspec import Struct

from timing.domain.errors import TimingError
from timing.domain.parts import ActedBy
from timing.domain.roles import Rights, Role
from timing.services.access_folder import AccessFolder, Issued, Revoked, Used
from timing.services.clock import Clock, system_clock

ALGORITHM = "HS256"
ISSUER = "parcferme"
LONGEST = 4_096  # bytes of a token; the longest issued have a fifth of that
LONGEST_LIFE_S = 31 * 24 * 3600

Kind = Literal["token", "pass"]


class NotSignedIn(TimingError):
    """What was shown to say who somebody is does not hold. The request is refused with 401; ``code`` is for programs."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Person(Struct, frozen=True):
    """Somebody who showed a token or a pass. ``token`` is the id of the token, ``id`` that of what was shown; ``until`` in s since 1970."""

    id: str
    token: str
    name: str
    rights: Rights
    until: int
    once: bool = False

    def acting_as(self, role: Role) -> ActedBy:
        """Say who acted, for the record."""
        return ActedBy(name=self.name, role=role, token=self.token)


class Tokens:
    """Issues, reads and revokes tokens. What another process issues or revokes in the folder holds here from the next question on."""

    def __init__(self, folder: AccessFolder, clock: Clock = system_clock) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._revoked: set[str] = set()
        self._used: set[str] = set()

    def issue(self, name: str, rights: Rights, seconds: int, *, once: bool = True) -> tuple[str, Issued]:
        """Make a token, and give it with what is kept of it. ``seconds``: how long it is good.

        Raises:
            TimingError: it could not be written down, so it does not exist.

        """
        assert 0 < seconds <= LONGEST_LIFE_S
        now = self._now()
        issued = Issued(id=_new_id(), name=name, rights=rights, at=now, until=now + seconds, once=once)
        person = Person(issued.id, issued.id, name, rights, issued.until, once)
        with self._folder.exclusively():
            self._folder.add(issued)
        return self._sign("token", person), issued

    def sign_in(self, token: str) -> tuple[str, Person]:
        """Exchange a token for a pass, good as long as the token.

        Raises:
            NotSignedIn: it does not hold, or has been used where it may be used once.
            TimingError: that it is used could not be written down.

        """
        person = self.read("token", token)
        if person.once:
            with self._folder.exclusively():
                self._look()
                if person.id in self._used:
                    raise NotSignedIn("used-token", "this token has signed somebody in already, and does so once; ask for another")
                self._folder.add(Used(person.id, self._now()))
        signed_in = msgspec.structs.replace(person, id=_new_id())
        return self._sign("pass", signed_in), signed_in

    def revoke(self, name: str) -> None:
        """Make a token, and every sign-in by it, or one sign-in alone, void from now on.

        Raises:
            TimingError: it could not be written down.

        """
        with self._folder.exclusively():
            self._folder.add(Revoked(name, self._now()))

    def read(self, kind: Kind, text: str) -> Person:
        """Say whose token or pass this is.

        Raises:
            NotSignedIn: it is none of ours, has been altered, is over, or is revoked. The reason never holds any of it.

        """
        if len(text) > LONGEST:
            raise NotSignedIn("bad-token", "this is no token of this service")
        try:
            claims = jwt.decode(
                text,
                self._folder.secret,
                algorithms=[ALGORITHM],
                audience=_audience(kind),
                issuer=ISSUER,
                options={"require": ["exp", "iat", "jti", "sub", "aud", "iss"], "verify_exp": False, "verify_iat": False},
            )
            person = _person(claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            raise NotSignedIn("bad-token", f"this is no {kind} of this service") from None
        self._check(person)
        return person

    def holds(self, person: Person) -> bool:
        """Whether somebody who showed something before may still act."""
        try:
            self._check(person)
        except NotSignedIn:
            return False
        return True

    def _check(self, person: Person) -> None:
        if person.until <= self._now():
            raise NotSignedIn("expired", "this was good for a while, and that is over; ask for another token")
        self._look()
        if self._revoked & {person.id, person.token}:
            raise NotSignedIn("revoked", "this has been revoked, or signed out; ask for another token")

    def _look(self) -> None:
        """Read what was used and revoked, if anything was since the last look."""
        state = self._folder.state
        if state == self._seen:
            return
        entries = self._folder.entries()
        self._used = {entry.id for entry in entries if isinstance(entry, Used)}
        self._revoked = {entry.id for entry in entries if isinstance(entry, Revoked)}
        self._seen = state

    def _sign(self, kind: Kind, person: Person) -> str:
        claims: dict[str, Any] = {
            "iss": ISSUER, "aud": _audience(kind), "sub": person.name, "jti": person.id, "tok": person.token,
            "iat": self._now(), "exp": person.until, "rights": msgspec.to_builtins(person.rights), "once": person.once,
        }  # fmt: skip
        return jwt.encode(claims, self._folder.secret, algorithm=ALGORITHM)

    def _now(self) -> int:
        return self._clock() // 1_000_000


class _Claims(Struct):
    sub: str
    jti: str
    tok: str
    exp: int
    rights: Rights
    once: bool


def _person(claims: dict[str, Any]) -> Person:
    read = msgspec.convert(claims, _Claims)
    return Person(read.jti, read.tok, read.sub, read.rights, read.exp, read.once)


def _audience(kind: Kind) -> str:
    return f"{ISSUER}/{kind}"


def _new_id() -> str:
    return secrets.token_hex(8)
