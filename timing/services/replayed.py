"""The part of the feed's protocol that is there for replays: what a screen may ask of one, and what it is told beside the frames."""

import re
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from timing.projections.marks import Mark, MarkKind

Known: TypeAlias = Literal["then", "now"]
"""Two ways of knowing a moment: by what had come in then, or by all that is known now of what had happened until then."""

MOMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""What a moment may be called in addresses."""

SLOWEST, FASTEST = 0.1, 1_000.0

Speed: TypeAlias = Annotated[float, Meta(ge=SLOWEST, le=FASTEST)] | Literal["max"]
"""How many times quicker than life; ``max``: as fast as it goes."""


class Target(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Where to seek; exactly one of these.

    ``at``: an instant. ``by_us``: from here, back where negative. ``elapsed_us``: since the start signal. ``lap``: the leader completes
    it, 0 for the start. ``seq``: a record. ``event``: an event's id, or a passing's ``decoder/boot/number``. ``next`` and ``previous``: a
    mark of that kind, or of any. ``place``: the first record, just before the start signal, or the last record.
    """

    at: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    by_us: Annotated[int, Meta(ge=-(2**53), le=2**53)] | None = None
    elapsed_us: Annotated[int, Meta(ge=-(2**53), le=2**53)] | None = None
    lap: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    seq: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    event: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    next: MarkKind | Literal["any"] | None = None
    previous: MarkKind | Literal["any"] | None = None
    place: Literal["begin", "start", "end"] | None = None


class Control(Struct, frozen=True, tag_field="kind", tag="replay", omit_defaults=True, kw_only=True):
    """A screen drives a replay, or asks about it; from its first one on it is told the replay's state beside the frames.

    ``tell``: only that. ``play`` and ``pause``; ``play`` and ``speed`` take a ``speed``. ``seek``: with ``to``. ``step``: by ``count``
    records or frames, back where negative. ``know``: with ``known``, or else
    the other way of knowing. ``compare``: what the two ways of knowing differ in now.
    """

    do: Literal["tell", "play", "pause", "speed", "seek", "step", "know", "compare"] = "tell"
    speed: Speed | None = None
    to: Target | None = None
    by: Literal["record", "frame"] = "record"
    count: Annotated[int, Meta(ge=-1_000, le=1_000)] = 1
    known: Known | None = None


class Replay(Struct, frozen=True, tag_field="kind", tag="replay"):
    """The state of a replay. ``at`` is the cursor's instant, which runs on at ``speed`` while it plays; ``seq`` the last record shown.

    ``moment``: what the moment is called in addresses. ``begin`` and ``end``: the first and the last instant; ``end`` and ``records``, how
    many there are, are null where the operator keeps them back. ``paced_by``: what the cursor's instants are, those at which records came
    in or those of the events. ``started_at``: the start signal, once it is known. ``laps``: those the leader has completed.
    """

    session: str
    moment: str
    state: Literal["playing", "paused", "ended"]
    speed: Speed
    known: Known
    paced_by: Literal["recorded_at", "at"]
    at: int
    seq: int
    begin: int
    end: int | None
    records: int | None
    started_at: int | None
    laps: int


class ReplayMarks(Struct, frozen=True, tag_field="kind", tag="replay_marks"):
    """What a scrub bar marks, all of it, in order of time: up to the cursor, or of the whole session where the operator shows that."""

    session: str
    marks: tuple[Mark, ...]


class ReplayDifference(Struct, frozen=True, tag_field="kind", tag="replay_difference"):
    """What the two ways of knowing differ in at a moment: the answer to ``compare``.

    ``rows``: by car, by field, what was known then and what is known now; a car that only one of them has is ``null`` in the other.
    """

    session: str
    at: int
    order: tuple[tuple[str, ...], tuple[str, ...]]
    head: dict[str, tuple[Any, Any]]
    rows: dict[str, dict[str, tuple[Any, Any]]]


class ReplayRefused(Struct, frozen=True, tag_field="kind", tag="replay_refused"):
    """What a screen asked of a replay cannot be done, and why."""

    session: str
    do: str
    error: str
