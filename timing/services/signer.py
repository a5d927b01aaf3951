"""Signatures of results: when a result was published and is safe, it is signed, and the signature is recorded after it.

A signature covers the hash of the record that published the result, which there is only when that record is written; so it follows it as
a record of its own, within milliseconds. A publication that a crash left without one is signed at the next start, if the session's key
had been announced by then: older results stay as they are.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from timing import __version__
from timing.domain.events import AnyEvent, ResultPublished, ResultSigned, SessionOpened, SigningKey
from timing.log.event_log import Appended
from timing.log.record import Draft, Record, draft
from timing.projections.statement import signed_bytes, statement_of
from timing.projections.timing import Timing
from timing.projections.versions import Snapshot
from timing.services.clock import Clock
from timing.services.keys import SigningKeyFile
from timing.services.projector import Projector
from timing.services.shown import SessionBroken
from timing.services.writer import LogWriter

PROGRAM = f"parcferme {__version__}"

_log = structlog.get_logger(__name__)

Append = Callable[[Sequence[Draft]], Awaitable[list[Appended]]]


class Signer:
    """Signs what is published from now on. ``stored``: how far each session reaches in the log at the start."""

    def __init__(self, key: SigningKeyFile, writer: LogWriter, projector: Projector, stored: Mapping[str, int], clock: Clock) -> None:
        self._key = key
        self._writer, self._projector = writer, projector
        self._clock = clock
        self._seen = dict(stored)
        self._announced: set[str] = set()  # the sessions of which this life has said the key
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Sign until cancelled, or until the log's writer is closed.

        Raises:
            LogError: a signature could not be written; nothing else can be, either.

        """
        await self._projector.wait_ready()
        stored = dict(self._seen)
        for session in stored:
            await self._make_good(session)
        async for records in self._writer.follow(stored):
            for record in records:
                await self._look_at(record)
                self._seen[record.session] = record.seq
            self._moved.set()

    async def wait_for(self, heads: Mapping[str, int]) -> None:
        """Wait until everything up to these records is signed; how long at most is the caller's to say."""
        while any(self._seen.get(session, 0) < seq for session, seq in heads.items()):
            self._moved.clear()
            await self._moved.wait()

    async def _make_good(self, session: str) -> None:
        timing = self._projector.timing(session)
        if timing is None or timing.evidence.own.key != self._key.public:
            return
        signed = max((event.statement.seq for event in timing.evidence.own.by_publication.values()), default=0)
        for kept in [kept for kept in timing.published.values() if kept.seq > signed]:
            await self._record(session, [self._signature(session, kept)])

    async def _look_at(self, record: Record) -> None:
        if isinstance(record.event, SessionOpened):
            await self._record(record.session, [self._announcement(record.seq)])
        elif isinstance(record.event, ResultPublished):
            try:
                await self._projector.wait_for(record.session, record.seq)
            except SessionBroken as fault:
                _log.error("a result is published that cannot be signed", session=record.session, seq=record.seq, fault=str(fault))
                return
            timing = self._projector.timing(record.session)
            assert timing is not None, "what was published is of a session that is open"
            await self._sign(timing, timing.published[record.event.id])

    async def _sign(self, timing: Timing, kept: Snapshot) -> None:
        events: list[AnyEvent] = [self._signature(timing.session, kept)]
        if timing.session not in self._announced and timing.evidence.own.key != self._key.public:
            events.insert(0, self._announcement(kept.seq))
        await self._record(timing.session, events)

    def _announcement(self, seq: int) -> SigningKey:
        return SigningKey(id=f"key-{self._key.id[:16]}-{seq}", at=self._clock(), key=self._key.public)

    def _signature(self, session: str, kept: Snapshot) -> ResultSigned:
        now = self._clock()
        statement = statement_of(
            session, kept.event, kept.result, number=kept.number, seq=kept.seq, head=kept.hash, signed_at=now, program=PROGRAM
        )
        name = hashlib.sha256(kept.event.id.encode()).hexdigest()[:48]
        signature = self._key.sign(signed_bytes(statement))
        return ResultSigned(id=f"signed-{name}", at=now, statement=statement, key=self._key.public, signature=signature)

    async def _record(self, session: str, events: Sequence[AnyEvent]) -> None:
        outcomes = await self._writer.append([draft(session, event) for event in events])
        for event, outcome in zip(events, outcomes, strict=True):
            if outcome.outcome == "conflict":
                taken = getattr(event, "id", None)
                _log.error("an id of the service's own is taken; nothing was signed", session=session, id=taken, record=outcome.seq)
            elif isinstance(event, SigningKey):
                self._announced.add(session)
            elif isinstance(event, ResultSigned):
                said = event.statement
                _log.info("result signed", session=session, document=said.document, stage=said.stage, key=self._key.id, seq=outcome.seq)
