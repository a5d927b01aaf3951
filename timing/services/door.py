"""The door: what each message that came in is to become in the log, and what its sender is told."""

import hashlib
import re
from typing import Any, Literal

import msgspec
import structlog
from msgspec import Struct

from timing.domain.errors import MalformedEvent
from timing.domain.events import (
    CHANNEL_OF,
    CHANNELS,
    ActedBy,
    AnyEvent,
    Fact,
    MessageRejected,
    SessionOpened,
    StampableCommand,
    channel_of,
    event_type,
    identity,
    source_of,
)
from timing.log.event_log import Appended
from timing.log.record import Draft, decode_event, draft, whoever_acted
from timing.projections.decider import Decider, Refusal, ResolveRulebook

_log = structlog.get_logger(__name__)

NOWHERE = "_"
"""The session under which that is kept which belongs to no known session. No session can have this name."""

_SESSION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_CHANNEL = re.compile(r"[^\x00-\x1f\x7f+#]{1,200}")
_SUSPICIOUS = re.compile(rb'"(?:seq|recorded_at|hash|acted_by)"|\\u')
_RESERVED = {
    "acted_by": "the service itself, from the sign-in of whoever gave the command",
    **dict.fromkeys(("seq", "recorded_at", "hash"), "the log"),
}
_KEPT = 1024 * 1024  # bytes of a rejected message that the log keeps
_PREFIX = "timing/v1/"

Outcome = Literal["fact", "accepted", "rejected"]


class Message(Struct, frozen=True, gc=False):
    """What came, and when (µs). ``acted_by``: who sent it, where that is known; over MQTT it is not."""

    payload: bytes
    arrived_at: int
    acted_by: ActedBy | None = None


class Judged(Struct, frozen=True, gc=False):
    """A message after the door. ``session`` and ``channel`` are those of its topic, fit for an answer's; ``written`` is how they were."""

    outcome: Outcome
    session: str
    channel: str
    written: str
    draft: Draft
    payload: bytes


class Answer(Struct, frozen=True):
    """What a sender is told: the topic and the JSON text."""

    topic: str
    payload: bytes


class Door:
    """Knows every session's decider. ``restore`` takes in what is in the log, before the first ``judge``."""

    def __init__(self, resolve: ResolveRulebook) -> None:
        self._resolve = resolve
        self._deciders: dict[str, Decider] = {}

    def restore(self, session: str, event: AnyEvent) -> None:
        """Take in an event of the log."""
        if not isinstance(event, Fact):
            self._decider(session).evolve(event)

    def decider(self, session: str) -> Decider | None:
        """Give the decider of a session that is open."""
        decider = self._deciders.get(session)
        return decider if decider and decider.open else None

    def judge(self, topic: str, payload: bytes, arrived_at: int, acted_by: ActedBy | None = None) -> Judged | None:
        """Say what a message becomes. What it says is taken in at once: the next message may rest on it. ``None``: an answer of our own.

        ``acted_by``: who gave it, where that is known; it is written into the record.
        """
        written = topic.removeprefix(_PREFIX)
        session, _, channel = written.partition("/")
        if channel.startswith(("accepted/", "rejected/")):
            return None
        name = session if _SESSION.fullmatch(session) else NOWHERE
        channel = channel if _CHANNEL.fullmatch(channel) else NOWHERE
        message = Message(payload, arrived_at, acted_by)
        try:
            event, raw = self._event(name, session, channel, message)
        except MalformedEvent as fault:
            return self._reject(name, channel, written, message, fault)
        except Exception:  # noqa: BLE001  # a message that ended the service would be delivered again, and end it again, in the middle of a race
            _log.exception("a message that the program does not understand; please report this", topic=topic, payload=payload[:1000])
            ours = MalformedEvent("internal-error", "a fault in the program; please report it")
            return self._reject(name, channel, written, message, ours)
        return Judged("fact" if isinstance(event, Fact) else "accepted", name, channel, written, draft(name, event, raw), payload)

    def reject(self, session: str, channel: str, message: Message, fault: MalformedEvent) -> Judged:
        """Keep what cannot be taken, under its session if that is known. The same message rejected again is the same record."""
        return self._reject(session, channel, f"{session}/{channel}", message, fault)

    def conflict(self, judged: Judged, seq: int, arrived_at: int) -> Judged:
        """Turn what the log would not take, because its identity is there with other content, into a rejection."""
        name = identity(judged.draft.event)
        fault = MalformedEvent(
            "identity-conflict",
            f"{name} is record {seq} of {judged.session} already, with other content; nothing was changed. Send a correction instead",
            {"id": name.removeprefix("id/"), "seq": str(seq)},
        )
        acted_by = None if isinstance(judged.draft.event, Fact) else judged.draft.event.acted_by
        message = Message(judged.payload, arrived_at, acted_by)
        return self._reject(judged.session, judged.channel, judged.written, message, fault)

    def _reject(self, session: str, channel: str, written: str, message: Message, fault: MalformedEvent) -> Judged:
        known = self.decider(session) is not None
        topic = written.partition("/")[2] if known else written
        name = hashlib.sha256(b"\0".join((fault.code.encode(), topic.encode(), message.payload))).hexdigest()[:48]
        event = MessageRejected(
            id=f"rejected-{name}",
            at=message.arrived_at,
            channel=topic[:1000],
            code=fault.code,
            reason=fault.reason[:2000],
            data={name: value[:200] for name, value in fault.data.items()},
            payload=message.payload[:_KEPT],
            acted_by=message.acted_by,
        )
        return Judged("rejected", session, channel, written, draft(session if known else NOWHERE, event), message.payload)

    def _decider(self, session: str) -> Decider:
        if session not in self._deciders:
            self._deciders[session] = Decider(session, self._resolve)
        return self._deciders[session]

    def _event(self, session: str, written: str, channel: str, message: Message) -> tuple[AnyEvent, bytes]:
        decider = self.decider(session)
        if decider is None and (session == NOWHERE or channel != "session"):
            raise _unknown_session(session, written)
        if channel not in CHANNELS and channel.partition("/")[0] not in {"passings", "laps"}:
            raise MalformedEvent("wrong-channel", f"there is no channel {channel}; the channels are {', '.join(CHANNELS)}")
        event = decode_event(message.payload)
        _check_channel(event, channel)
        _check_reserved(message.payload)
        if isinstance(event, Fact):
            return event, message.payload
        if isinstance(event, SessionOpened):
            if event.session != session:
                raise MalformedEvent("wrong-session", f"it opens {event.session}, but was sent on the topic of {session}")
        elif decider is None:
            raise _unknown_session(session, written)
        return self._decide(decider or Decider(session, self._resolve), event, message)

    def _decide(self, decider: Decider, command: AnyEvent, message: Message) -> tuple[AnyEvent, bytes]:
        known = identity(command).removeprefix("id/") in decider.events
        decided = decider.decide(command, message.arrived_at)
        if isinstance(decided, Refusal):
            raise MalformedEvent(decided.code, decided.reason, decided.data)
        if known and decided is command and isinstance(decided, StampableCommand) and decided != whoever_acted(decider.events[decided.id]):
            decided = msgspec.structs.replace(decided, stamped=False)  # it came with `at`, so `at` is part of what was sent
        if message.acted_by is not None:
            decided = msgspec.structs.replace(decided, acted_by=message.acted_by)
        raw = message.payload if decided is command else _filled_in(message.payload, command, decided)
        if not known:  # one that is known is either the same again or a conflict; the log says which
            decider.evolve(decided)
            self._deciders[decider.session] = decider
        return decided, raw


def _unknown_session(session: str, written: str) -> MalformedEvent:
    if session == NOWHERE:
        return MalformedEvent(
            "unknown-session", f"{written[:100]!r} cannot be a session: its name has 1 to 64 of a-z, 0-9 and -, and does not begin with -"
        )
    return MalformedEvent("unknown-session", f"there is no session {session}; open it first (session_opened)")


def _check_channel(event: AnyEvent, channel: str) -> None:
    if type(event) not in CHANNEL_OF:
        raise MalformedEvent("wrong-channel", f"a {event_type(type(event).__name__)} is written by the service itself, nobody sends it")
    right = channel_of(event)
    if channel == right:
        return
    if (source := source_of(event)) is not None and channel.partition("/")[0] == right.partition("/")[0]:
        raise MalformedEvent("wrong-device", f"it says that it comes from {source}, but was sent on {channel}; send it on {right}")
    raise MalformedEvent("wrong-channel", f"it belongs on the channel {right}, but was sent on {channel}")


def _check_reserved(payload: bytes) -> None:
    if not _SUSPICIOUS.search(payload):
        return
    if taken := [key for key in _RESERVED if key in _as_object(payload)]:
        raise MalformedEvent(
            "reserved-field",
            f"{taken[0]} is written by {_RESERVED[taken[0]]}; "
            "an exported file is sent with `timing publish`, or read by `timing log import`",
        )


def _filled_in(payload: bytes, sent: AnyEvent, decided: AnyEvent) -> bytes:
    """Write into what was sent the fields that the decider filled in, and keep those that only its sender knows."""
    merged = _as_object(payload)
    for field in msgspec.structs.fields(decided):
        value = getattr(decided, field.name)
        if value != getattr(sent, field.name):
            merged[field.encode_name] = msgspec.to_builtins(value)
    return msgspec.json.encode(merged)


def _as_object(payload: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise MalformedEvent("bad-field", f"a field beyond the protocol cannot be read: {error}") from None


def answers(judged: Judged, appended: Appended) -> list[Answer]:
    """Give what is said about a message that is in the log now: to the sender of a command, or of something rejected."""
    event = judged.draft.event
    if judged.outcome == "fact":
        return []
    if judged.outcome == "accepted":
        name = identity(event).removeprefix("id/")
        return [_answer(judged.session, "accepted", judged.channel, {"id": name, "seq": appended.seq})]
    assert isinstance(event, MessageRejected)
    said: dict[str, object] = {"code": event.code, "reason": event.reason, **_sender_id(judged.payload)}
    if event.data:
        said["data"] = event.data
    addressed = {judged.session, judged.draft.session} if event.code == "unknown-session" else {judged.session}
    return [_answer(session, "rejected", judged.channel, said) for session in sorted(addressed)]


def _answer(session: str, what: str, channel: str, said: Any) -> Answer:
    return Answer(f"{_PREFIX}{session}/{what}/{channel}", msgspec.json.encode(said))


class _Named(Struct):
    id: str | None = None


_named: msgspec.json.Decoder[_Named] = msgspec.json.Decoder(_Named)


def _sender_id(payload: bytes) -> dict[str, str]:
    """Find the ``id`` that the sender gave, so that it knows which message is meant, however wrong the rest is."""
    if len(payload) > _KEPT:
        return {}
    try:
        name = _named.decode(payload).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return {"id": name[:64]} if name else {}
