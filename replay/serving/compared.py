"""What the two ways of knowing a moment differ in: as it was known then, and as it is known now."""

from typing import Any

import msgspec

from replay.serving.recording import Recording
from timing.projections.board import Board
from timing.projections.copied import let_go
from timing.projections.timing import Timing
from timing.services.replayed import Known, ReplayDifference


def compare(recording: Recording, known: Known, timing: Timing, at: int) -> bytes:
    """Write what differs at an instant of the replay's clock. ``timing``: the moment as ``known``; the other one is folded here."""
    other_known: Known = "now" if known == "then" else "then"
    other = recording.keyframes(other_known).fold(recording.way(other_known).place_at(at))
    boards = (timing.board(), other.board()) if known == "then" else (other.board(), timing.board())
    answer = msgspec.json.encode(difference(recording.title.session, at, *boards))
    let_go(other)
    return answer


def difference(session: str, at: int, then: Board, now: Board) -> ReplayDifference:
    """Compare two boards field by field."""
    rows: dict[str, dict[str, tuple[Any, Any]]] = {}
    for car in (*then.order, *(c for c in now.order if c not in then.rows)):
        one, other = _plain(then.rows.get(car)), _plain(now.rows.get(car))
        if fields := _fields(one, other):
            rows[car] = fields
    head = _fields(_plain(then.session), _plain(now.session))
    return ReplayDifference(session, at, (then.order, now.order), head, rows)


def _fields(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (one.get(name), other.get(name)) for name in one | other if one.get(name) != other.get(name)}


def _plain(value: msgspec.Struct | None) -> dict[str, Any]:
    return {} if value is None else msgspec.to_builtins(value)
