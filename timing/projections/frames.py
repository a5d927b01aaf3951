"""Frames: what the feed says of a board, whole (snapshot) or as changes (delta), encoded once; and ``apply``, which proves it.

The law: applying the deltas of an epoch, in order, to any of its snapshots gives the next snapshots exactly. A session starts as the
empty snapshot with ``rev`` 0, so the law holds from the first board on.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from timing.projections.board import Board, Notice, Row, SessionView

MESSAGES_KEPT = 200
"""The length of the message list, on both sides: what comes in beyond it pushes the oldest out."""

State: TypeAlias = dict[str, Any]
"""A screen's knowledge of a session: a decoded snapshot."""

Verdict: TypeAlias = Literal["applied", "ignored", "resync"]

_Message = TypeVar("_Message")


class Column(Struct, frozen=True, gc=False):
    """A column as data. ``id`` is the row's field, ``kind`` how to write it; ``priority`` 1 fits on a phone, 4 only on a wide screen.

    Those of 5 are for viewers who ask for them.
    """

    id: str
    label: str
    kind: Literal["number", "text", "car", "class", "driver", "gap", "duration", "durations", "status", "penalties", "live", "points"]
    align: Literal["left", "right", "centre"]
    priority: int


COLUMNS = (
    Column("position", "Pos", "number", "right", 1),
    Column("class_position", "PIC", "number", "right", 2),
    Column("car", "Car", "car", "right", 1),
    Column("class", "Class", "class", "left", 1),
    Column("driver", "Driver", "driver", "left", 1),
    Column("team", "Team", "text", "left", 4),
    Column("laps", "Laps", "number", "right", 2),
    Column("gap", "Gap", "gap", "right", 1),
    Column("interval", "Int", "gap", "right", 2),
    Column("last_lap_us", "Last", "duration", "right", 1),
    Column("best_lap_us", "Best", "duration", "right", 2),
    Column("sectors_us", "Sectors", "durations", "right", 4),
    Column("pit_stops", "Pit", "number", "right", 3),
    Column("status", "Status", "status", "centre", 1),
    Column("penalties", "Penalties", "penalties", "left", 3),
    Column("stint_laps", "Stint", "number", "right", 5),
    Column("grid", "Grid", "number", "right", 5),
    Column("best_sectors_us", "Best sectors", "durations", "right", 5),
    Column("live", "Live", "live", "right", 5),
    Column("segment", "Segment", "text", "left", 5),
    Column("points_milli", "Points", "points", "right", 5),
)


class Snapshot(Struct, frozen=True, tag_field="kind", tag="snapshot"):
    """Everything a screen shows, as of frame ``rev``."""

    epoch: str
    rev: int
    seq: int
    at: int
    session: SessionView | dict[str, Any]
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    rows: dict[str, Row]
    messages: tuple[Notice, ...]


class Delta(Struct, frozen=True, tag_field="kind", tag="delta"):
    """What frame ``rev`` changes. A row that is new is whole; nested values (``gap``, ``result`` …) are always whole."""

    epoch: str
    rev: int
    seq: int
    at: int
    session: SessionView | dict[str, Any]
    rows: dict[str, Row | dict[str, Any]]
    gone: tuple[str, ...]
    messages: tuple[Notice, ...]
    order: tuple[str, ...] | UnsetType = UNSET


class _Differ:
    """Compares two structs of one type field by field, in the names that are sent."""

    def __init__(self, struct: type[Struct]) -> None:
        fields = msgspec.structs.fields(struct)
        self._names = tuple(field.encode_name for field in fields)
        self._values = attrgetter(*(field.name for field in fields))

    def __call__(self, old: Struct, new: Struct) -> dict[str, Any]:
        pairs = zip(self._names, self._values(old), self._values(new), strict=True)
        return {name: after for name, before, after in pairs if before is not after and before != after}


_row_changes = _Differ(Row)
_session_changes = _Differ(SessionView)
_encoder = msgspec.json.Encoder()


class Framer:
    """Forms the frames of one session in one epoch. ``rev`` is the last frame's, ``seq`` and ``at`` are what that frame carried."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.rev = 0
        self.seq = 0
        self.at = 0
        self._board: Board | None = None
        self._messages: dict[str, Notice] = {}
        self._encoded: bytes | None = None

    def advance(self, board: Board, seq: int) -> bytes | None:
        """Form the next frame from the board as of record ``seq``; ``None`` if a screen would show nothing new.

        The frame is a delta, but for one case: a message that is withdrawn (its event was voided) cannot be said in a delta, so the
        frame is then a snapshot with the next ``rev``. The board must keep its last 200 notices, or the older ones count as withdrawn.
        """
        assert seq >= self.seq, f"the board goes back from record {self.seq} to {seq}"
        previous, self._board = self._board, board
        session: SessionView | dict[str, Any]
        rows: dict[str, Row | dict[str, Any]]
        gone: tuple[str, ...] = ()
        if previous is None:
            session, rows, reordered = board.session, {**board.rows}, True
        else:
            session = {} if board.session is previous.session else _session_changes(previous.session, board.session)
            rows = _changed_rows(previous.rows, board.rows)
            if previous.rows.keys() != board.rows.keys():
                gone = tuple(car for car in previous.rows if car not in board.rows)
            reordered = previous.order != board.order
        news, withdrawn = self._take_notices(previous, board)
        if not (session or rows or gone or news or reordered or withdrawn):
            return None
        self.rev, self.seq, self.at, self._encoded = self.rev + 1, seq, board.at, None
        if withdrawn:
            return self.snapshot()
        order = board.order if reordered else UNSET
        return _encoder.encode(Delta(self.epoch, self.rev, seq, board.at, session, rows, gone, news, order))

    def snapshot(self) -> bytes:
        """Give the whole of what the last frame led to; encoded once, however often it is asked for."""
        if self._encoded is None:
            board, notices = self._board, tuple(self._messages.values())
            session: SessionView | dict[str, Any] = board.session if board else {}
            order, rows = (board.order, board.rows) if board else ((), {})
            self._encoded = _encoder.encode(Snapshot(self.epoch, self.rev, self.seq, self.at, session, COLUMNS, order, rows, notices))
        return self._encoded

    def _take_notices(self, previous: Board | None, board: Board) -> tuple[tuple[Notice, ...], bool]:
        """Merge the board's notices as screens will; give those to send, and whether one of those shown is gone from the board."""
        before = previous.notices if previous else ()
        if board.notices is before or board.notices == before:
            return (), False
        known = {notice.id: notice for notice in before}
        now = {notice.id: notice for notice in board.notices}
        news = tuple(notice for notice in now.values() if known.get(notice.id) != notice)
        merged = _merge(self._messages, ((notice.id, notice) for notice in news))
        withdrawn = not merged.keys() <= now.keys()
        self._messages = _merge({}, now.items()) if withdrawn else merged
        return news if known else news[-MESSAGES_KEPT:], withdrawn


def _changed_rows(before: Mapping[str, Row], after: Mapping[str, Row]) -> dict[str, Row | dict[str, Any]]:
    changed: dict[str, Row | dict[str, Any]] = {}
    for car, row in after.items():
        old = before.get(car)
        if old is row:
            continue
        if old is None:
            changed[car] = row
        elif fields := _row_changes(old, row):
            changed[car] = fields
    return changed


def _merge(messages: Mapping[str, _Message], news: Iterable[tuple[str, _Message]]) -> dict[str, _Message]:
    """Add messages by id: one that is known is replaced in its place. The last ``MESSAGES_KEPT`` stay."""
    merged = {**messages}
    merged.update(news)
    return dict(list(merged.items())[-MESSAGES_KEPT:])


def apply(state: State, frame: Mapping[str, Any]) -> State:
    """Give a screen's knowledge after a frame; ``state`` is left as it is. The frame is the next one, see ``receive``."""
    if frame["kind"] == "snapshot":
        return dict(frame)
    rows = {car: row for car, row in state["rows"].items() if car not in frame["gone"]}
    for car, fields in frame["rows"].items():
        rows[car] = {**rows.get(car, {}), **fields}
    messages = {message["id"]: message for message in state["messages"]}
    return {
        **state,
        "rev": frame["rev"],
        "seq": frame["seq"],
        "at": frame["at"],
        "session": {**state["session"], **frame["session"]},
        "order": frame.get("order", state["order"]),
        "rows": rows,
        "messages": list(_merge(messages, ((message["id"], message) for message in frame["messages"])).values()),
    }


def receive(state: State | None, frame: Mapping[str, Any]) -> tuple[State | None, Verdict]:
    """Judge a frame as a client does, and apply it if it is the next one.

    ``ignored``: the client knows it already. ``resync``: frames are missing or the epoch is another; the state stays as it is until the
    snapshot that the client asks for, once, arrives.
    """
    same_epoch = state is not None and frame["epoch"] == state["epoch"]
    if frame["kind"] == "snapshot":
        if state is not None and same_epoch and frame["rev"] < state["rev"]:
            return state, "ignored"
        return dict(frame), "applied"
    if state is None or not same_epoch or frame["rev"] > state["rev"] + 1:
        return state, "resync"
    if frame["rev"] <= state["rev"]:
        return state, "ignored"
    return apply(state, frame), "applied"
