"""Results with versions: each result that was published, as it was then, and what differs from the one before."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from timing.domain.decisions import Ruling
from timing.domain.events import ResultPublished
from timing.domain.own_events import Statement
from timing.log.record import Record
from timing.projections.differences import Differences, Line, differences, in_words, lines
from timing.projections.notices import penalty_text
from timing.projections.result import Result, result
from timing.projections.statement import key_id

if TYPE_CHECKING:
    from timing.projections.timing import Timing

VOIDED = "voided"
"""What a decision came to that is there no more."""

Publication = Literal["provisional", "amended", "final"]


class Snapshot(Struct, frozen=True):
    """What a session was when a result of it was published: of the records before the event's own, record ``seq`` with that ``hash``.

    ``number`` counts the publications that held then, this one included.
    """

    event: ResultPublished
    seq: int
    hash: bytes
    number: int
    result: Result
    lines: dict[str, Line]
    rulings: tuple[Ruling, ...]


class DecisionStep(Struct, frozen=True):
    """A decision that came, or went on with its life, between two versions. ``before`` is ``None`` for one that was new."""

    decision: str
    car: str
    text: str
    before: str | None
    after: str
    reason: str | None
    article: str | None


class Signature(Struct, frozen=True):
    """The signature of a published result, as recorded. ``key_id`` is the short name of ``key``; ``statement`` is what was signed.

    Whether it holds, and whose key it is, is not said here: see ``replay verify`` and ``replay check``.
    """

    key_id: str
    key: str
    signature: str
    statement: Statement


class Version(Struct, frozen=True):
    """A published result. ``number`` counts from 1; ``document`` is the number on the sheet, this count where none was given.

    ``seq``: the record that published it; the result is that of the records before it. ``current``: nothing that it says has changed
    since. ``faults``: what its sender said of it that the log does not bear out. ``changes``: what differs from the version before.
    ``signature``: ``None`` where it was not signed, or is not yet.
    """

    number: int
    document: str
    stage: Publication
    at: int
    id: str
    seq: int
    digest: str
    rulebook: str | None
    current: bool
    faults: tuple[str, ...]
    changes: Differences
    decisions: tuple[DecisionStep, ...]
    result: Result
    signature: Signature | None = None


class Versions(Struct, frozen=True):
    """Every version of a session's result, and what has changed since the last: an amended result is due where that is not empty."""

    session: str
    name: str
    status: str
    due: bool
    versions: tuple[Version, ...]
    since: Differences
    decisions_since: tuple[DecisionStep, ...]


def snapshot(timing: "Timing", event: ResultPublished, record: Record) -> Snapshot:
    """Keep what a session is now, just before the record that publishes it."""
    found, said = result(timing), timing.state().said
    number = len(timing.evidence.of(ResultPublished)) + 1
    return Snapshot(event, record.seq, record.hash, number, found, lines(timing), said.rulings)


def signature_of(timing: "Timing", publication: str) -> Signature | None:
    """Give what a published result was signed with."""
    signed = timing.evidence.own.by_publication.get(publication)
    return None if signed is None else Signature(key_id(signed.key), signed.key, signed.signature, signed.statement)


def versions(timing: "Timing") -> Versions:
    """Give the versions of the records applied, in the order of the log; a publication that was voided is none."""
    now, ruled = lines(timing), timing.state().said.rulings
    holding = {event.id: event for event in timing.evidence.of(ResultPublished)}
    kept = sorted((s for i, s in timing.published.items() if i in holding), key=lambda s: s.seq)
    found: list[Version] = []
    before: Snapshot | None = None
    for number, kept_one in enumerate(kept, start=1):
        current, signature = differences(kept_one.lines, now).none, signature_of(timing, kept_one.event.id)
        found.append(_version(number, kept_one, holding[kept_one.event.id], before, current=current, signature=signature))
        before = kept_one
    since = differences(before.lines, now) if before else Differences()
    steps = decision_steps(before.rulings, ruled) if before else ()
    view = result(timing)
    return Versions(timing.session, view.name, view.status, not since.none, tuple(found), since, steps)


def amendment_due(timing: "Timing") -> bool:
    """Say whether the result as it stands differs from the one that was published last."""
    holding = {event.id for event in timing.evidence.of(ResultPublished)}
    last = max((s for i, s in timing.published.items() if i in holding), key=lambda s: s.seq, default=None)
    return last is not None and not differences(last.lines, lines(timing)).none


def _version(
    number: int, kept: Snapshot, event: ResultPublished, before: Snapshot | None, *, current: bool, signature: Signature | None
) -> Version:
    by_hash = kept.result.rulebook.hash if kept.result.rulebook else None
    return Version(
        number=number,
        document=event.document or str(number),
        stage=event.stage,
        at=event.at,
        id=event.id,
        seq=kept.seq,
        digest=kept.result.digest,
        rulebook=by_hash,
        current=current,
        faults=tuple(_faults(kept, by_hash)),
        changes=differences(before.lines, kept.lines) if before else Differences(),
        decisions=decision_steps(before.rulings, kept.rulings) if before else (),
        result=kept.result,
        signature=signature,
    )


def _faults(kept: Snapshot, by_hash: str | None) -> Iterable[str]:
    event, digest = kept.event, kept.result.digest
    if event.digest and event.digest != digest:
        came = ""
        if event.as_of and event.as_of < kept.seq - 1:
            came = f"; the sheet rests on record {event.as_of}, and {kept.seq - 1 - event.as_of} more came in before it was published"
        yield f"the digest given is {event.digest[:12]}…, the records before this one make {digest[:12]}…{came}"
    if event.rulebook and event.rulebook != by_hash:
        yield f"the rulebook given is {event.rulebook[:12]}…, the session's is {(by_hash or 'none')[:12]}…"
    if event.as_of and event.as_of >= kept.seq:
        yield f"it says that it rests on record {event.as_of}, and is itself record {kept.seq}"


def decision_steps(before: Iterable[Ruling], after: Iterable[Ruling]) -> tuple[DecisionStep, ...]:
    """Give what became of decisions from one state of a session to another."""
    stages = {r.decision.id: r.stage for r in before}
    steps = []
    for ruling in after:
        decision, was = ruling.decision, stages.get(ruling.decision.id)
        if was != ruling.stage:
            steps.append(
                DecisionStep(
                    decision.decision, decision.car, penalty_text(decision), was, ruling.stage, ruling.steps[-1].reason, decision.article
                )
            )
    kept = {r.decision.id for r in after}
    for ruling in before:
        if ruling.decision.id not in kept:
            decision = ruling.decision
            steps.append(
                DecisionStep(decision.decision, decision.car, penalty_text(decision), ruling.stage, VOIDED, None, decision.article)
            )
    return tuple(steps)


def version_in_words(version: Version) -> list[str]:
    """Write what a version changed, one line each: the decisions first, then the cars."""
    return [*map(step_in_words, version.decisions), *in_words(version.changes)]


def step_in_words(step: DecisionStep) -> str:
    """Write what became of a decision between two versions."""
    because = f": {step.reason}" if step.reason else ""
    article = f" ({step.article})" if step.article else ""
    was = f", was {step.before}" if step.before else ""
    return f"decision {step.decision}, car {step.car}: {step.text} {step.after}{was}{article}{because}"


def versions_json(timing: "Timing") -> bytes:
    """Write the versions as JSON."""
    return msgspec.json.encode(versions(timing))
