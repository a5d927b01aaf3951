"""A log as a service that signs leaves it, made without one: the same records, in an instant."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from timing.domain.events import AnyEvent, ResultPublished, ResultSigned, SessionOpened, SigningKey
from timing.log.record import Record, decode_event, draft
from timing.log.sqlite_log import SqliteLog
from timing.projections.decider import Decider, Refusal
from timing.projections.statement import signed_bytes, statement_of
from timing.projections.timing import Timing
from timing.services.keys import SigningKeyFile
from timing.services.rulebooks import Rulebooks

ZERO = 1_747_400_000_000_000


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def passing(number: int, car: str, seconds: float) -> dict[str, Any]:
    return {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": car, "at": at(seconds)}


def opening(session: str = "sunday") -> list[dict[str, Any]]:
    return [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": session, "name": "Sunday – Course 1", "kind": "race",
            "rulebook": "fia-f1", "distance": {"laps": 2}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
        *({"type": "entry_registered", "id": f"e{car}", "at": at(-5), "car": car, "class": "GT", "transponders": [car]} for car in "79"),
        {"type": "session_started", "id": "start", "at": at(0)},
    ]  # fmt: skip


PENALTY = {"type": "decision", "id": "d1", "at": at(310), "decision": "D1", "car": "7", "penalty": "time", "seconds": 5}


def published(n: int, stage: str = "amended", **given: Any) -> dict[str, Any]:
    return {"type": "result_published", "id": f"p{n}", "at": at(300 + 20 * n), "stage": stage, **given}


def race(session: str = "sunday") -> list[dict[str, Any]]:
    """A race of two laps and two cars, its provisional result, a penalty, and its final one."""
    crossings = [("7", 60.0), ("9", 61.0), ("7", 120.0), ("9", 122.0)]
    laps = [passing(number, car, seconds) for number, (car, seconds) in enumerate(crossings, start=1)]
    return [*opening(session), *laps, published(0, "provisional", document="12"), PENALTY, published(1, "final", document="14")]


def written(path: Path, told: Iterable[dict[str, Any]], key: SigningKeyFile | None = None, session: str = "sunday") -> Path:
    """Write a log: the commands decided, results signed where there is a key."""
    log = SqliteLog(path)
    decider, timing, seconds = Decider(session, Rulebooks().resolve), Timing(session), 0

    def append(event: AnyEvent) -> Record:
        nonlocal seconds
        seconds += 1
        [appended] = log.append([draft(session, event)], recorded_at=ZERO + 1_000_000 * seconds)
        assert appended.record
        decider.evolve(event)
        timing.apply(appended.record)
        return appended.record

    for one in told:
        event = decider.decide(decode_event(msgspec.json.encode(one)), 1)
        assert not isinstance(event, Refusal), event
        record = append(event)
        if key and isinstance(event, SessionOpened):
            append(SigningKey(id="key-1", at=ZERO, key=key.public))
        if key and isinstance(event, ResultPublished):
            append(signature(key, timing, event, record))
    log.close()
    return path


def signature(key: SigningKeyFile, timing: Timing, event: ResultPublished, record: Record) -> ResultSigned:
    kept = timing.published[event.id]
    statement = statement_of(
        timing.session, event, kept.result, number=kept.number, seq=record.seq, head=record.hash, signed_at=ZERO, program="parcferme test"
    )
    return ResultSigned(id=f"signed-{event.id}", at=ZERO, statement=statement, key=key.public, signature=key.sign(signed_bytes(statement)))
