"""What the service itself records: nobody sends these. What came in and could not be taken, and what results were signed with."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from timing.domain.event_base import Command, Event
from timing.domain.parts import Counter, Id, Key, Name, Positive, SessionId
from timing.domain.units import Instant

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]
PublicKey = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="an Ed25519 public key, hexadecimal")]


class MessageRejected(Command, frozen=True, kw_only=True):
    """Bytes that came in and could not be taken; kept as they came, in base64. ``data``: what the reason names, for other languages."""

    channel: Annotated[str, Meta(max_length=1000)]
    code: Key
    reason: Annotated[str, Meta(max_length=2000)]
    payload: bytes
    data: dict[str, str] = msgspec.field(default_factory=dict)


class SigningKey(Command, frozen=True, kw_only=True):
    """From here on the service signs this session's results with the private half of this key."""

    key: PublicKey


class Statement(Struct, frozen=True, kw_only=True, gc=False):
    """What is signed of a published result; see docs/verify.md. All of it follows from the log but ``signed_at`` and ``program``.

    ``seq`` and ``hash``: of the record that published it, the head of the chain then. ``digest``: the state that the result was made from;
    ``result``: SHA-256 of the result itself. ``version``: the count of the results published until then; ``at``: when it was published.
    """

    form: Name
    session: SessionId
    publication: Id
    version: Positive
    document: Name
    stage: Key
    at: Instant
    seq: Counter
    hash: Hash
    digest: Hash
    result: Hash
    rulebook: Hash | None
    signed_at: Instant
    program: Name


class ResultSigned(Command, frozen=True, kw_only=True):
    """A published result was signed: the Ed25519 signature, by the private half of ``key``, of the statement's canonical text."""

    statement: Statement
    key: PublicKey
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$", description="an Ed25519 signature, hexadecimal")]


OwnEvent: TypeAlias = MessageRejected | SigningKey | ResultSigned

OWN: tuple[type[Event], ...] = (MessageRejected, SigningKey, ResultSigned)
"""What no channel has."""
