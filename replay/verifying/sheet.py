"""Check a result sheet, a published result as JSON: alone, by its signature, and against a log, by folding it again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from replay.verifying.held import Held
from replay.verifying.verdict import Difference, What, exit_status
from replay.verifying.verify import compared
from timing.domain.errors import LogDamaged, TimingError
from timing.domain.events import ResultPublished
from timing.domain.own_events import Statement
from timing.log.record import Record
from timing.projections.statement import FORM, canonical, key_id, result_hash, signed_bytes, statement_of
from timing.projections.timing import Timing
from timing.projections.versions import Snapshot, Version
from timing.services.keys import holds, is_key

LARGEST = 64 * 1024 * 1024  # bytes of a sheet, or of a document with every version of a 24-hour race

# What a sheet says beside its result, by what the statement calls it. The numbers and the instant may have changed since with a correction.
_SAME = (("digest", "digest"), ("seq", "seq"), ("stage", "stage"), ("id", "publication"), ("rulebook", "rulebook"))
_NOTED = (("number", "version"), ("document", "document"), ("at", "at"))


class CheckedSheet(Struct, frozen=True):
    """A sheet: what it says it is, who signed it, and what differs. ``against``: the log it was held against as well.

    ``seq`` and ``hash`` are the head of the chain that its statement names. ``notes``: what is worth knowing, and no fault.
    """

    holds: bool
    session: str
    document: str
    stage: str
    seq: int
    digest: str
    hash: str | None
    key_id: str | None
    key: str | None
    against: str | None
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 it holds, 1 something differs, 3 it holds but was not signed by a key that was given, or not at all."""
        return exit_status(self.holds, self.differences)


def sheets_of(content: bytes) -> list[dict[str, Any]]:
    """Read sheets: one version of a result, or a document of all of them.

    Raises:
        TimingError: it is neither.

    """
    try:
        said = msgspec.json.decode(content, type=dict[str, Any])
        sheets: list[dict[str, Any]] = said.get("versions", [said])
        for sheet in sheets:
            msgspec.convert({name: value for name, value in sheet.items() if name != "signature"}, Version)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, AttributeError) as error:
        raise TimingError(f"this is no result sheet ({error}); give what `timing results LOG --version N --json` printed") from None
    return sheets


class _Sheet:
    def __init__(self, sheet: Mapping[str, Any], keys: Sequence[str]) -> None:
        self._sheet, self._keys = sheet, keys
        self.session = str(sheet["result"]["session"])
        self.differences: list[Difference] = []
        self.notes: list[str] = []
        self.statement: Statement | None = None
        self.key: str | None = None

    def differs(self, what: What, reason: str, expected: object = None, found: object = None) -> None:
        one, other = (None if value is None else str(value) for value in (expected, found))
        self.differences.append(Difference(what, reason, self.session, self._sheet["seq"], one, other))

    def alone(self) -> None:
        """Check what the sheet itself shows."""
        signature = self._sheet.get("signature")
        if signature is None:
            return
        try:
            self.key, signed = str(signature["key"]), str(signature["signature"])
            self.statement = said = msgspec.convert(signature["statement"], Statement)
        except (msgspec.ValidationError, KeyError, TypeError) as error:
            self.differs("signature", f"its signature cannot be read: {error}")
            return
        if said.form != FORM:
            self.differs("signature", "its signature is of a form that this version does not know; use a newer one", FORM, said.form)
            return
        if canonical(signature["statement"]) != canonical(said):
            self.differs("signature", "its statement has fields that are not of its form")
        if not holds(self.key, signed_bytes(said), signed):
            self.differs("signature", "its signature is not of this statement and key")
        if signature.get("key_id") not in (None, key_id(self.key)):
            self.differs("signature", "the short name of its key is another's", key_id(self.key), signature["key_id"])
        self._held_against(said)

    def _held_against(self, said: Statement) -> None:
        made = _hash_of(self._sheet["result"])
        if made != said.result:
            self.differs("result", "its result is not the one that was signed", said.result, made)
        for own, theirs in _SAME:
            if self._sheet[own] != getattr(said, theirs):
                self.differs("result", f"its {own} is not the one that was signed", getattr(said, theirs), self._sheet[own])
        for own, theirs in _NOTED:
            if self._sheet[own] != getattr(said, theirs):
                self.notes.append(f"the sheet says {own} {self._sheet[own]}, what was signed says {getattr(said, theirs)}")

    def look_for_keys(self, *, against: bool) -> None:
        """See that it is signed by whom it should be; unsigned, it says nothing on its own."""
        if self._sheet.get("signature") is None:
            if self._keys or not against:
                self.differs("key", "it is not signed")
        elif self._keys and not any(is_key(str(self.key), given) for given in self._keys):
            self.differs("key", f"it is signed by {key_id(self.key) if self.key else 'nobody'}, not by a key that was given")

    def against(self, held: Held) -> None:
        """Check it against a log."""
        if self.session not in held.sessions():
            self.differs("head", f"the log holds no session {self.session}")
            return
        try:
            record, kept = _published(held, self.session, self._sheet["seq"])
        except LogDamaged as damage:
            self.differs("record", str(damage), damage.expected, damage.found)
            return
        except LookupError as fault:
            self.differs("head", str(fault))
            return
        for why, expected, found in self._parted(record, kept):
            self.differs("result", why, expected, found)

    def _parted(self, record: Record, kept: Snapshot) -> Iterator[tuple[str, object, object]]:
        said, event = self.statement, kept.event
        if kept.result.digest != self._sheet["digest"]:
            yield "the log makes another state of the records before it", kept.result.digest, self._sheet["digest"]
        if (made := result_hash(kept.result)) != (found := _hash_of(self._sheet["result"])):
            yield "the log makes another result", made, found
        if said is not None:
            made_of = statement_of(
                self.session, event, kept.result, number=kept.number, seq=record.seq, head=record.hash, signed_at=said.signed_at,
                program=said.program,
            )  # fmt: skip
            for name, expected, there in compared(said, made_of):
                if name not in {"digest", "result"}:
                    yield f"what was signed says another {name} than the log makes", expected, there


def check_sheet(
    sheet: Mapping[str, Any], *, keys: Sequence[str] = (), held: Held | None = None, against: str | None = None
) -> CheckedSheet:
    """Check a sheet alone and, where there is one, against a log; ``keys`` are those that are to have signed it."""
    one = _Sheet(sheet, keys)
    one.alone()
    if held is not None:
        one.against(held)
    one.look_for_keys(against=held is not None)
    said = one.statement
    return CheckedSheet(
        not one.differences,
        one.session,
        said.document if said else str(sheet["document"]),
        said.stage if said else str(sheet["stage"]),
        said.seq if said else int(sheet["seq"]),
        said.digest if said else str(sheet["digest"]),
        said.hash if said else None,
        key_id(one.key) if one.key else None,
        one.key,
        against,
        tuple(one.differences),
        tuple(one.notes),
    )


def _hash_of(result: Mapping[str, Any]) -> str:
    try:
        return result_hash(result)
    except (KeyError, TypeError) as error:
        return f"none: it has no {error}"


def _published(held: Held, session: str, seq: int) -> tuple[Record, Snapshot]:
    """Fold a session up to the record that published a result, and give it with what it published.

    Raises:
        LogDamaged: at a record before it that does not hold.
        LookupError: the log ends before, or has something else there.

    """
    timing, last = Timing(session), 0
    for record in held.records(session, lambda _: None):
        timing.apply(record)
        last = record.seq
        if record.seq == seq:
            if isinstance(record.event, ResultPublished):
                return record, timing.published[record.event.id]
            raise LookupError(f"record {seq} of the log publishes no result; the sheet is of another log")
    raise LookupError(f"the log ends at record {last}, the sheet is of record {seq}: its end was cut off, or the sheet is of another log")
