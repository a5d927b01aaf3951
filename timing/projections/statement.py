"""What is signed of a published result: a statement that follows from the log, and its canonical text. See docs/verify.md.

The canonical text of a value is its JSON by RFC 8785: keys sorted, no white space, UTF-8, only what must be escaped. There are no
fractions in it. The bytes that are signed are ``PREFIX`` and the canonical text of the statement.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from timing.domain.events import ResultPublished
from timing.domain.own_events import Statement
from timing.projections.result import Result

FORM = "parcferme-result-1"
PREFIX = b"parcferme signed result\n"
KEY_ID_DIGITS = 32

# The fields of the form, once and for all: what a later version adds to a result is in a later form.
_RESULT = ("session", "name", "status", "seq", "digest", "rows", "rulebook", "grid_drops", "points_percent")
_ROW = (
    "position", "car", "class", "class_position", "driver", "team", "laps", "total_us", "gap", "status", "best_lap_us", "penalties",
    "on_the_road", "gained", "added_us", "laps_taken", "track_limits", "photo",
)  # fmt: skip
_PENALTY = ("decision", "penalty", "stage")
_POINTS = ("position", "car", "class", "place")


def canonical(value: Any) -> bytes:
    """Give the one text of a JSON value without fractions."""
    return msgspec.json.encode(value, order="sorted")


def signed_bytes(statement: Statement | Mapping[str, Any]) -> bytes:
    """Give the bytes that are signed of a statement."""
    return PREFIX + canonical(statement)


def key_id(key: str) -> str:
    """Name a public key briefly, for paper: the first digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()[:KEY_ID_DIGITS]


def grouped(digits: str) -> str:
    """Write the digits of a short name in groups, as they are read aloud and typed."""
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def result_hash(result: Result | Mapping[str, Any]) -> str:
    """Give the hash of a result, or of one read from a sheet: of the fields of the form alone, whatever else it has.

    Raises:
        KeyError, TypeError: what was read is no result.

    """
    said: Mapping[str, Any] = result if isinstance(result, Mapping) else msgspec.to_builtins(result)
    content = {name: said[name] for name in _RESULT}
    content["rows"] = [
        {name: row[name] for name in _ROW} | {"penalties": [{name: p[name] for name in _PENALTY} for p in row["penalties"]]}
        for row in said["rows"]
    ]
    content["points"] = [
        {
            "championship": scored["championship"],
            "rows": [{name: row[name] for name in _POINTS} | {"points": round(row["points"] * 1_000)} for row in scored["rows"]],
        }
        for scored in said["points"]
    ]
    return hashlib.sha256(canonical(content)).hexdigest()


def statement_of(
    session: str, event: ResultPublished, result: Result, *, number: int, seq: int, head: bytes, signed_at: int, program: str
) -> Statement:
    """State what was published: ``result`` by ``event``, as version ``number``, in record ``seq`` with the hash ``head``."""
    return Statement(
        form=FORM,
        session=session,
        publication=event.id,
        version=number,
        document=event.document or str(number),
        stage=event.stage,
        at=event.at,
        seq=seq,
        hash=head.hex(),
        digest=result.digest,
        result=result_hash(result),
        rulebook=result.rulebook.hash if result.rulebook else None,
        signed_at=signed_at,
        program=program,
    )
