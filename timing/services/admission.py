"""Who may follow the feed, where watching is not for everybody: asked when a screen connects, and again while it stays."""

from websockets.datastructures import MultipleValuesError
from websockets.http11 import Request

from timing.services.access import Access
from timing.services.asked import Refused
from timing.services.sessions import NoSeat
from timing.services.tokens import Person


class _Headers:
    """The headers of a handshake; one that came several times is none that could be trusted."""

    def __init__(self, request: Request) -> None:
        self._headers = request.headers

    def get(self, key: str, /) -> str | None:
        try:
            return self._headers.get(key)
        except MultipleValuesError:
            return None


class Admission:
    """The rights of the pages, at the feed's door: the same cookie, or a program's token as ``Authorization: Bearer …``."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def admit(self, request: Request, session: str | None) -> Person | None:
        """Say who would follow a session, or see the list of them; ``None`` where everybody may.

        Raises:
            NoSeat: 401 or 403, said in the log.

        """
        headers = _Headers(request)
        try:
            self._access.check_follower(headers.get("origin"), headers.get("host") or "")
            person = self._access.watching(headers, session)
        except Refused as fault:
            self._access.say(fault, path=request.path.partition("?")[0])
            raise NoSeat(fault.status, str(fault)) from None
        return None if self._access.public else person

    def holds(self, person: Person) -> bool:
        """Whether somebody who was admitted may stay."""
        return self._access.tokens.holds(person)
