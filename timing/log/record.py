"""Records: what the log keeps of each event, and the chain of hashes that makes an alteration show.

The hash of a record is SHA-256 over: the hash of the record before it in its session (32 zero bytes for the first), the session's name,
a zero byte, ``seq`` and ``recorded_at`` as eight big-endian bytes each, and the event's JSON text as stored. Anyone can recompute it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import UNSET, Struct

from timing.domain.errors import LogDamaged, MalformedEvent
from timing.domain.events import AnyEvent, Fact, Identity, MessageRejected, SessionOpened, StampableCommand, identity

GENESIS = bytes(32)
LARGEST_PAYLOAD = 64 * 1024

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()

decode_recorded: Callable[[bytes], AnyEvent] = _decoder.decode
"""Reads an event that a log holds: quick, without a limit of size, and raising one of ``NOT_AN_EVENT`` where it is none."""
NOT_AN_EVENT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


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


def decode_event(payload: bytes, largest: int | None = LARGEST_PAYLOAD) -> AnyEvent:
    """Read one event from its JSON text, of at most ``largest`` bytes (what a log exports has no limit: it was in a log).

    Raises:
        MalformedEvent: with the code ``too-large``, ``not-json``, ``unknown-type`` or ``bad-field``, and a reason that names the place.

    """
    if largest is not None and len(payload) > largest:
        raise MalformedEvent("too-large", f"the message has {len(payload):,} bytes, the most is {largest:,}; send less in one event")
    try:
        if not payload.isascii():
            payload.decode()  # the decoder does not look into fields it does not know; the log is UTF-8 throughout
        return _decoder.decode(payload)
    except msgspec.ValidationError as error:
        reason = str(error)
        if "`$.type`" in reason or "missing required field `type`" in reason:
            raise MalformedEvent("unknown-type", f"{reason}; the types are in the protocol's reference") from None
        raise MalformedEvent("bad-field", reason) from None
    except NOT_AN_EVENT as error:
        raise MalformedEvent("not-json", f"not a JSON object in UTF-8: {error}") from None


def draft(session: str, event: AnyEvent, payload: bytes | None = None) -> Draft:
    """Make ready for the log an event whose JSON text is ``payload``; without one, or where the event was filled in, it is written anew."""
    raw = _encoder.encode(event) if payload is None else msgspec.json.format(payload, indent=-1)
    return Draft(session, event, raw)


def same_content(one: AnyEvent, other: AnyEvent) -> bool:
    """Say whether two events of one identity were sent with the same content, leaving out what the door fills in."""
    return _as_sent(one) == _as_sent(other)


def whoever_acted(event: AnyEvent) -> AnyEvent:
    """Give an event without the name of who gave it: what it says of the sport."""
    if isinstance(event, Fact) or event.acted_by is None:
        return event
    return msgspec.structs.replace(event, acted_by=None)


def _as_sent(event: AnyEvent) -> AnyEvent:
    event = whoever_acted(event)
    if isinstance(event, StampableCommand) and event.stamped:
        return msgspec.structs.replace(event, at=0, stamped=False)
    if type(event) is SessionOpened and event.rules is not UNSET:
        return msgspec.structs.replace(event, rules=UNSET)
    if type(event) is MessageRejected:
        return msgspec.structs.replace(event, at=1)
    return event


def chain_hash(previous: bytes, session: str, seq: int, recorded_at: int, raw: bytes) -> bytes:
    """Hash a record with the one before it in its session."""
    return hashlib.sha256(b"".join((previous, session.encode(), b"\0", seq.to_bytes(8), recorded_at.to_bytes(8), raw))).digest()


def verify_chain(records: Iterable[Record], previous: bytes = GENESIS, after: int = 0) -> int:
    """Check that a session's records follow one another, the first of them record ``after``, whose hash is ``previous``.

    Returns:
        the ``seq`` of the last record; ``after`` where there is none.

    Raises:
        LogDamaged: at the first record that does not follow from the one before.

    """
    for record in following(records, previous, after):
        after = record.seq
    return after


def following(records: Iterable[Record], previous: bytes = GENESIS, after: int = 0) -> Iterator[Record]:
    """Give a session's records on, each when it is sure that it follows from the one before; see ``verify_chain``."""
    for record in records:
        if record.seq != after + 1:
            raise LogDamaged(
                f"session {record.session}: record {after + 1} is missing, {record.seq} follows {after}",
                session=record.session,
                seq=after + 1,
                expected=f"record {after + 1}",
                found=f"record {record.seq}",
            )
        made = GENESIS if record.recorded_at < 0 else chain_hash(previous, record.session, record.seq, record.recorded_at, record.raw)
        if made != record.hash:
            raise LogDamaged(
                f"session {record.session}: record {record.seq} is not what was written; it or the one before was altered",
                session=record.session,
                seq=record.seq,
                expected=f"hash {made.hex()}",
                found=f"hash {record.hash.hex()}",
            )
        yield record
        previous, after = record.hash, record.seq
