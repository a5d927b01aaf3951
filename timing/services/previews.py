"""Previews over HTTP: what events would change, folded in a thread of its own while the session goes on. Nothing is sent or stored.

Limits and what happens at them: a body over 64 KiB, 413; more than 100 events, 400; one that takes over 10 s to arrive, 408; one preview
is made at a time and four wait, beyond that 503. After each, the next waits as long as that one took, so that however many ask, previews
take no more than half of the time.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from timing.domain.errors import MalformedEvent, RulebookError
from timing.domain.events import AnyEvent
from timing.projections.decider import ResolveRulebook
from timing.projections.preview import Preview, known, preview_of
from timing.projections.supposing import event_of
from timing.projections.timing import Timing
from timing.services.access import Access
from timing.services.asked import Refused, json_answer
from timing.services.turns import Turns

LARGEST_BODY = 64 * 1024
MOST_EVENTS = 100
_WAITING = 4


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked: ``events`` to add, each as it would be sent (``id``, ``at`` and ``by`` may be left out), and ids to leave out.

    ``rulebook``: judge by another one, as ``session_opened`` says it: a name, or ``base`` and changes. ``result``: give the whole
    classification too.
    """

    events: tuple[dict[str, Any], ...] = ()
    without: tuple[str, ...] = ()
    rulebook: str | dict[str, Any] | None = None
    result: bool = False


class Previews:
    """Answers what-if questions about sessions.

    ``timing_of`` gives a session's fold, ``resolve`` a rulebook; ``access`` says who asks.
    """

    def __init__(self, timing_of: Callable[[str], Timing | None], resolve: ResolveRulebook, access: Access) -> None:
        self._timing_of = timing_of
        self._resolve = resolve
        self._access = access
        self._turns = Turns("previews", _WAITING)

    def route(self) -> Route:
        """Give the route under which they are asked."""
        return Route("/api/sessions/{session}/preview", self.answer, methods=["POST"])

    async def answer(self, request: Request) -> Response:
        """Answer one question."""
        try:
            return json_answer(await self._preview(request))
        except Refused as refused:
            return refused.answer()
        except ClientDisconnect:
            return Response(status_code=400)

    async def _preview(self, request: Request) -> bytes:
        session = request.path_params["session"]
        if self._timing_of(session) is None:
            raise Refused(404, "unknown-session", f"there is no session {session[:64]!r}")
        person = self._access.acting(request)
        if not person.rights.speaking_on(session):
            reason = "previews cost work, and are for those who may send a command in this session"
            raise self._access.refusing(request, Refused(403, "not-allowed", reason, data={"name": person.name}), person)
        asked = _read(await self._access.body(request, LARGEST_BODY, person))
        try:
            events = [event_of(msgspec.json.encode(said), number) for number, said in enumerate(asked.events, start=1)]
        except MalformedEvent as error:
            raise Refused(400, error.code, f"{error.code}: {error.reason}") from None
        async with self._turns.turn():
            timing = self._timing_of(session)
            assert timing is not None, "sessions do not go away"
            return msgspec.json.encode(await self._fold(timing, events, asked))

    async def _fold(self, timing: Timing, events: list[AnyEvent], asked: Asked) -> Preview:
        """Fold in a thread of its own."""
        rules = None
        if asked.rulebook is not None:
            try:
                rules = await asyncio.to_thread(self._resolve, asked.rulebook)
            except RulebookError as error:
                raise Refused(400, "unknown-rulebook", str(error)) from None
        now = known(timing)
        return await asyncio.to_thread(preview_of, now, events, Timing, without=asked.without, rules=rules, whole=asked.result)


def _read(body: bytes) -> Asked:
    try:
        asked = msgspec.json.decode(body, type=Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "bad-field", f'ask with {{"events": [{{…}}], "without": ["ID"], "rulebook": "NAME"}}: {error}') from None
    if not (asked.events or asked.without or asked.rulebook):
        raise Refused(400, "bad-field", "there is nothing to try: give events, ids to leave out, or a rulebook")
    if len(asked.events) > MOST_EVENTS or len(asked.without) > MOST_EVENTS:
        raise Refused(400, "bad-field", f"at most {MOST_EVENTS} events at a time")
    return asked
