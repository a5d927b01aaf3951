"""Commands over HTTP, for race control's desk: through the same door and into the same log as those over MQTT, with who gave them.

``POST /api/sessions/{session}/{channel}`` takes one event as it would be sent over MQTT, and answers when it is durable: 200 with
``{"id", "seq"}``, or a status from 400 with ``{"code", "reason", "id"?, "data"?}``. Facts come from devices, over MQTT alone.

Limits: a body of 64 KiB, beyond that 413 and nothing is kept; ``Rates.commands`` a minute by one person, beyond that 429.
"""

import structlog
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from timing.domain.errors import LogError, MalformedEvent
from timing.domain.events import CHANNEL_OF, EventRetimed, EventVoided, MessageRejected, channel_of
from timing.domain.roles import COMMAND_CHANNELS, Role, speakers_on
from timing.log.record import LARGEST_PAYLOAD, decode_event
from timing.services.access import Access
from timing.services.asked import Refused, json_answer
from timing.services.clock import Clock
from timing.services.door import Door, Judged, Message, answers
from timing.services.intake import Intake
from timing.services.tokens import Person

_log = structlog.get_logger(__name__)

_STATUS = {
    "not-allowed": 403,
    "unknown-session": 404,
    "internal-error": 500,
    **dict.fromkeys(("not-json", "unknown-type", "bad-field", "reserved-field", "wrong-channel", "wrong-session"), 400),
}
_REFUSED = 409  # what does not fit what has happened


class Counted(Struct):
    """What came in over HTTP since the start."""

    accepted: int = 0
    rejected: int = 0


class Desk:
    """Takes commands from people who are signed in."""

    def __init__(self, access: Access, door: Door, intake: Intake, clock: Clock) -> None:
        self._access, self._door, self._intake, self._clock = access, door, intake, clock
        self.counted = Counted()

    def routes(self) -> list[Route]:
        """Give a route for each channel on which people speak."""
        return [Route(f"/api/sessions/{{session}}/{channel}", self.take, methods=["POST"], name=channel) for channel in COMMAND_CHANNELS]

    async def take(self, request: Request) -> Response:
        """Take one command."""
        session, channel = request.path_params["session"], str(request.scope["path"]).rpartition("/")[2]
        try:
            person = self._access.acting(request)
            payload = await self._access.body(request, LARGEST_PAYLOAD, person)
            judged = self._judge(person, session, channel, payload)
            begun = self._intake.begin([judged])  # at once: what is judged next may rest on it
            [(judged, appended)] = await self._intake.settled(begun)
        except Refused as fault:
            return fault.answer()
        except LogError as fault:
            return self._access.refusing(request, Refused(503, "not-stored", f"the log took nothing ({fault}); send it again")).answer()
        except ClientDisconnect:
            return Response(status_code=400)
        said = answers(judged, appended)[0].payload
        event = judged.draft.event
        if isinstance(event, MessageRejected):
            self.counted.rejected += 1
            _log.warning(
                "command refused", session=session[:64], channel=channel, code=event.code, reason=event.reason, name=person.name,
                token=person.token, kept_as=f"{judged.draft.session}/{appended.seq}",
            )  # fmt: skip
            return json_answer(said, _STATUS.get(event.code, _REFUSED))
        self.counted.accepted += 1
        return json_answer(said)

    def _judge(self, person: Person, session: str, channel: str, payload: bytes) -> Judged:
        now = self._clock()
        role = person.rights.role_on(session, channel) or self._role_to_take_back(person, session, channel, payload)
        if role is None:
            by = person.acting_as(person.rights.roles[0])
            return self._door.reject(session, channel, Message(payload, now, by), _not_allowed(person, session, channel))
        judged = self._door.judge(f"timing/v1/{session}/{channel}", payload, now, person.acting_as(role))
        assert judged is not None, "these are no channels of answers"
        return judged

    def _role_to_take_back(self, person: Person, session: str, channel: str, payload: bytes) -> Role | None:
        """Give the role of who takes back, or retimes, what was said on a channel where they may speak."""
        if channel != "corrections" or (decider := self._door.decider(session)) is None:
            return None
        try:
            event = decode_event(payload)
        except MalformedEvent:
            return None
        target = decider.events.get(event.event) if isinstance(event, EventVoided | EventRetimed) else None
        return person.rights.role_on(session, channel_of(target)) if target and type(target) in CHANNEL_OF else None


def _not_allowed(person: Person, session: str, channel: str) -> MalformedEvent:
    rights = person.rights
    if not rights.see(session):
        return MalformedEvent(
            "not-allowed",
            f"{person.name} signed in for the sessions {', '.join(rights.sessions)}, not for {session[:64]}",
            {"name": person.name},
        )
    who, have = " or ".join(speakers_on(channel)), ", ".join(rights.roles)
    narrowed = "" if rights.channels is None else f" on {', '.join(rights.channels)} alone"
    return MalformedEvent(
        "not-allowed", f"on the channel {channel} speaks who is {who}; {person.name} is {have}{narrowed}", {"name": person.name}
    )
