"""Records: what the log keeps of each event, and the chain of hashes that makes an alteration show.

The hash of a record is SHA-256 over: the hash of the record before it in its session (32 zero bytes for the first), the session's name,
a zero byte, ``seq`` and ``recorded_at`` as eight big-endian bytes each, and the event's JSON text as stored. Anyone can recompute it.
"""

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Struct

from timing.domain.errors import LogDamaged, MalformedEvent
from timing.domain.events import AnyEvent, Identity, SessionOpened, StampableCommand, identity

GENESIS = bytes(32)
LARGEST_PAYLOAD = 64 * 1024

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()


class Draft(Struct, frozen=True, gc=False):
    """An event on its way into the log. ``raw`` is its JSON text on one line, as sent but for white space."""

    session: str
    event: AnyEvent
    raw: bytes

    @property
    def identity(self) -> Identity:
        """What the event is called; unique in its session."""
        return identity(self.event)


class Record(Struct, frozen=True, gc=False):
    """An event in the log. ``seq`` counts from 1 in each session, without holes; ``recorded_at`` decides nothing in the sport."""

    session: str
    seq: int
    recorded_at: int
    event: AnyEvent
    raw: bytes
    hash: bytes


def decode_event(payload: bytes) -> AnyEvent:
    """Read one event from its JSON text.

    Raises:
        MalformedEvent: with the code ``too-large``, ``not-json``, ``unknown-type`` or ``bad-field``, and a reason that names the place.

    """
    if len(payload) > LARGEST_PAYLOAD:
        raise MalformedEvent(
            "too-large", f"the message has {len(payload):,} bytes, the most is {LARGEST_PAYLOAD:,}; send less in one event"
        )
    try:
        return _decoder.decode(payload)
    except msgspec.ValidationError as error:
        reason = str(error)
        if "`$.type`" in reason or "missing required field `type`" in reason:
            raise MalformedEvent("unknown-type", f"{reason}; the types are in the protocol's reference") from None
        raise MalformedEvent("bad-field", reason) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedEvent("not-json", f"not a JSON object in UTF-8: {error}") from None


def draft(session: str, event: AnyEvent, payload: bytes | None = None) -> Draft:
    """Make ready for the log an event whose JSON text is ``payload``; without one, or where the event was filled in, it is written anew."""
    raw = _encoder.encode(event) if payload is None else msgspec.json.format(payload, indent=-1)
    return Draft(session, event, raw)


def same_content(one: AnyEvent, other: AnyEvent) -> bool:
    """Say whether two events of one identity were sent with the same content, leaving out what the door fills in."""
    return _as_sent(one) == _as_sent(other)


def _as_sent(event: AnyEvent) -> AnyEvent:
    if isinstance(event, StampableCommand) and event.stamped:
        return msgspec.structs.replace(event, at=0, stamped=False)
    if type(event) is SessionOpened and event.rules is not UNSET:
        return msgspec.structs.replace(event, rules=UNSET)
    return event


def chain_hash(previous: bytes, session: str, seq: int, recorded_at: int, raw: bytes) -> bytes:
    """Hash a record with the one before it in its session."""
    return hashlib.sha256(b"".join((previous, session.encode(), b"\0", seq.to_bytes(8), recorded_at.to_bytes(8), raw))).digest()


def verify_chain(records: Iterable[Record]) -> int:
    """Check a session's records from its first on, and count them.

    Raises:
        LogDamaged: at the first record that does not follow from the one before.

    """
    previous, expected = GENESIS, 1
    for record in records:
        if record.seq != expected:
            raise LogDamaged(
                f"session {record.session}: record {expected} is missing, {record.seq} follows {expected - 1}",
                session=record.session,
                seq=expected,
            )
        if chain_hash(previous, record.session, record.seq, record.recorded_at, record.raw) != record.hash:
            raise LogDamaged(
                f"session {record.session}: record {record.seq} is not what was written; it or the one before was altered",
                session=record.session,
                seq=record.seq,
            )
        previous, expected = record.hash, expected + 1
    return expected - 1
