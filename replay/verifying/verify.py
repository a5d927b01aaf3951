"""Verify a log: fold it again while checking each record, and hold what it says it published and signed against what it makes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import msgspec
from msgspec import Struct

from replay.verifying.held import Held, Progress
from replay.verifying.verdict import CheckedResult, CheckedSession, Difference, Verdict, What
from timing.domain.errors import LogDamaged
from timing.domain.events import ResultPublished, ResultSigned, SigningKey
from timing.domain.own_events import Statement
from timing.log.record import GENESIS, Record
from timing.projections.statement import FORM, canonical, key_id, signed_bytes, statement_of
from timing.projections.timing import Timing
from timing.projections.versions import Snapshot
from timing.services.keys import holds, is_key

NOWHERE = "_"  # where a log keeps what belongs to no session


def verify(
    held: Held,
    source: str,
    sessions: Sequence[str] | None = None,
    *,
    keys: Sequence[str] = (),
    heads: Sequence[str] = (),
    progress: Callable[[str, int], AbstractContextManager[Progress]] = lambda _what, _total: nullcontext(lambda _done: None),
) -> Verdict:
    """Verify sessions of a log or an exported file, all of them unless some are named.

    ``keys``: public keys, or keys for short, of whom results are to be signed by. ``heads``: hashes, or the beginnings of some, that were
    noted elsewhere: each must be that of a record here. ``progress`` is told what is being done, and of how many records.
    """
    found: list[Difference] = []
    checked: list[CheckedSession] = []
    missing = set(heads)
    try:
        for name in held.sessions() if sessions is None else sessions:
            with progress(f"verify {name}", held.size(name)) as advance:
                one = _Session(held, name, keys, missing)
                one.follow(advance)
            checked.append(one.checked())
            found += one.differences
    except LogDamaged as damage:
        found.append(_damaged(damage))
    try:
        held.check_structure()
    except LogDamaged as damage:
        if damage.session is None or all(one.session != damage.session for one in found):
            found.append(_damaged(damage))  # else it is said already, and better
    found += [
        Difference("head", f"no record that holds has the hash {head}: the log was cut off before it, or is another one", expected=head)
        for head in sorted(missing)
    ]
    return Verdict(source, not found, tuple(checked), tuple(found))


def compared(said: Statement, made: Statement) -> Iterator[tuple[str, str, str]]:
    """Give each field in which a statement differs from what the log makes: its name, what is made, what is said."""
    for field in msgspec.structs.fields(Statement):
        one, other = getattr(made, field.name), getattr(said, field.name)
        if one != other:
            yield field.name, str(one), str(other)


class _Published(Struct):
    """A publication on its way through the log: the record, the session as it was then, its signatures that hold, and what is wrong."""

    record: Record
    kept: Snapshot
    event: ResultPublished
    holds: bool = True
    keys: list[str] = []
    note: str | None = None


class _Session:
    def __init__(self, held: Held, name: str, keys: Sequence[str], heads: set[str]) -> None:
        self.differences: list[Difference] = []
        self._held, self._name, self._keys, self._heads = held, name, keys, heads
        self._wanted = tuple(heads)
        self._timing = Timing(name)
        self._records, self._hash = 0, GENESIS
        self._published: dict[str, _Published] = {}
        self._announced: list[str] = []

    def follow(self, progress: Progress) -> None:
        """Take in the records as long as they hold."""
        try:
            for record in self._held.records(self._name, progress):
                if not self._take(record):
                    break
        except LogDamaged as damage:
            self.differences.append(_damaged(damage, self._name))
        self._timing.state()  # what holds is known when all of it is settled
        if self._keys and self._name != NOWHERE:
            self._look_for_keys()

    def checked(self) -> CheckedSession:
        """Give what was found."""
        opened = self._timing.evidence.opened is not None
        holding = {event.id for event in self._timing.evidence.of(ResultPublished)} if opened else set()
        results = (
            CheckedResult(
                p.kept.number, p.event.document or str(p.kept.number), p.event.stage, p.record.seq, p.kept.result.digest, p.holds,
                bool(p.keys), key_id(p.keys[0]) if p.keys else None, i not in holding, p.note,
            )
            for i, p in self._published.items()
        )  # fmt: skip
        digest = self._timing.digest().hex() if opened else None
        return CheckedSession(self._name, self._records, self._hash.hex(), digest, tuple(results), tuple(dict.fromkeys(self._announced)))

    def _take(self, record: Record) -> bool:
        try:
            self._timing.apply(record)
        except Exception as fault:  # noqa: BLE001  # whatever an event does to the fold, it is to be told
            reason = f"session {self._name}: what record {record.seq} says cannot be folded ({type(fault).__name__}: {fault})"
            self.differences.append(Difference("fold", reason, self._name, record.seq))
            return False
        self._records, self._hash = record.seq, record.hash
        if self._wanted:
            self._heads -= {head for head in self._wanted if record.hash.hex().startswith(head)}
        event = record.event
        if isinstance(event, ResultPublished):
            self._publication(record, event)
        elif isinstance(event, SigningKey):
            self._announced.append(event.key)
        elif isinstance(event, ResultSigned):
            self._signature(record, event)
        return True

    def _publication(self, record: Record, event: ResultPublished) -> None:
        kept = self._timing.published[event.id]
        published = self._published.setdefault(event.id, _Published(record, kept, event, keys=[]))
        rulebook = kept.result.rulebook.hash if kept.result.rulebook else None
        if event.as_of and event.as_of >= record.seq:
            self._differs(published, "it rests on a record that came after it", f"a record before {record.seq}", f"record {event.as_of}")
        elif event.digest and event.digest != kept.result.digest:
            self._other_digest(published, event)
        if event.rulebook and event.rulebook != rulebook:
            self._differs(published, "it was published as judged by another rulebook", rulebook or "none", event.rulebook)

    def _other_digest(self, published: _Published, event: ResultPublished) -> None:
        """Say that the digest given is not that of the records before: no fault where it is that of the records it says it rests on."""
        seq = published.record.seq
        if event.as_of and event.as_of < seq - 1 and self._digest_at(event.as_of) == event.digest:
            published.note = f"the sheet rests on record {event.as_of}; {seq - 1 - event.as_of} more came in before it was published"
            return
        self._differs(published, "the records before it make another state", published.kept.result.digest, str(event.digest))

    def _digest_at(self, seq: int) -> str:
        timing = Timing(self._name)
        for record in self._held.records(self._name, lambda _: None):
            if record.seq > seq:
                break
            timing.apply(record)
        return timing.digest().hex()

    def _differs(self, published: _Published, why: str, expected: str, found: str) -> None:
        published.holds = False
        document = published.event.document or str(published.kept.number)
        reason = f"session {self._name}: document {document}, record {published.record.seq}: {why}"
        self.differences.append(Difference("result", reason, self._name, published.record.seq, expected, found))

    def _signature(self, record: Record, event: ResultSigned) -> None:
        said = event.statement
        published = self._published.get(said.publication)
        faults = list(self._faults(record, event, published))
        if published is not None:
            published.holds = published.holds and not faults
            if not faults:
                published.keys.append(event.key)
        for why, expected, found in faults:
            reason = f"session {self._name}: the signature in record {record.seq}, of document {said.document}: {why}"
            self.differences.append(Difference("signature", reason, self._name, record.seq, expected, found))

    def _faults(self, record: Record, event: ResultSigned, published: _Published | None) -> Iterable[tuple[str, str | None, str | None]]:
        said = event.statement
        if said.form != FORM:
            yield f"it is of the form {said.form}, which this version does not know; use a newer one", FORM, said.form
            return
        if canonical(msgspec.json.decode(record.raw)["statement"]) != canonical(said):
            yield "the statement has fields that are not of its form", None, None
        if not holds(event.key, signed_bytes(said), event.signature):
            yield f"it was not made with the key {key_id(event.key)} of this statement", None, None
        if event.key not in self._announced:
            yield f"the key {key_id(event.key)} was not announced before", self._announced[-1] if self._announced else "no key", event.key
        if published is None:
            yield f"no result {said.publication} was published before it", said.publication, None
            return
        made = statement_of(
            self._name, published.event, published.kept.result, number=published.kept.number, seq=published.record.seq,
            head=published.record.hash, signed_at=said.signed_at, program=said.program,
        )  # fmt: skip
        for name, expected, found in compared(said, made):
            yield f"it says another {name} than the log makes (signed by {said.program})", expected, found

    def _look_for_keys(self) -> None:
        holding = {event.id for event in self._timing.evidence.of(ResultPublished)}
        for name, published in self._published.items():
            if name not in holding or any(is_key(key, given) for key in published.keys for given in self._keys):
                continue
            document = published.event.document or str(published.kept.number)
            by = f"signed by {key_id(published.keys[0])}, not by a key that was given" if published.keys else "not signed"
            reason = f"session {self._name}: document {document}, record {published.record.seq}, is {by}"
            self.differences.append(Difference("key", reason, self._name, published.record.seq))
        if not holding:
            self.differences.append(Difference("key", f"session {self._name}: no result was published, so none is signed", self._name))


def _damaged(damage: LogDamaged, session: str | None = None) -> Difference:
    what: What = "file" if damage.seq is None else "record"
    return Difference(what, str(damage), damage.session or session, damage.seq, damage.expected, damage.found)
