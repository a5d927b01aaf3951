"""What a car's place rests on, as values: its crossings, corrections, decisions, the end of the race, rules, and its neighbours."""

from typing import Literal

from msgspec import Struct

from timing.projections.board import ResultStatus

Parting = Literal["laps", "time", "best_lap", "level", "grid", "decision", "ruled", "status", "number"]
Verdict = Literal[
    "lap", "first", "sector", "pit_entry", "pit_exit", "heard", "again", "duplicate", "short_lap", "before_start", "at_start",
    "formation", "after_close", "not_counted",
]  # fmt: skip
"""What a crossing is: the end of a lap, the start of a car's first, a sector or the pit lane, heard at a loop that decides nothing;
heard again at a sector or in the pit lane; a second read; too soon for a lap; on the line as the race starts just behind it;
in a formation lap behind the safety car; outside the session; or after the car's race was over."""


class Heard(Struct, frozen=True):
    """A crossing of the car. ``key``: what it rests on, ``decoder/boot/number``; ``lap`` and ``lap_time_us`` of the lap it ended.

    ``note``: the correction or assignment by which it is this car's, or at this instant. ``tags``: what the lap was run under, and
    ``in``, ``out``, ``first``. ``best_lap``: it may be one; not under a neutralisation that leaves them out, nor across a suspension, nor
    where its time was deleted.
    """

    at: int
    time: str
    loop: str
    line: str
    key: str
    verdict: Verdict
    lap: int | None = None
    lap_time_us: int | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    best_lap: bool = True


class TakenAway(Struct, frozen=True):
    """A passing that was taken from the car: void, or given to another. ``event`` is the correction's id."""

    event: str
    at: int
    key: str
    text: str


class Decided(Struct, frozen=True):
    """A decision about the car, with each step of its life."""

    decision: str
    penalty: str
    text: str
    stage: str
    at: int
    reason: str | None
    article: str | None
    steps: tuple[str, ...]


class RuleLine(Struct, frozen=True):
    """A line of the rulebook that the place rests on: its key and value as the file has them, and where the rulebook was read."""

    key: str
    value: str
    source: str


class Neighbour(Struct, frozen=True):
    """Why a car next to this one is ahead of it or behind it. ``laps`` and ``time_us``: by how much, neither negative.

    ``time_us`` is ``None`` where time does not part the two. ``by``: what does.
    """

    car: str
    where: Literal["ahead", "behind"]
    by: Parting
    laps: int
    time_us: int | None
    why: str


class Sum(Struct, frozen=True):
    """What a time in the result is made of: ``ended_at`` - ``began_at`` - ``stopped_us`` + ``added_us`` - ``converted_us`` = ``total_us``.

    ``began_at``: where race time is counted from; ``ended_at``: the car's last crossing that counts. ``stopped_us``: for which the race
    clock stood. ``added_us``: by decisions, of which ``converted_us`` became ``converted_laps`` laps.
    """

    began_at: int
    ended_at: int
    stopped_us: int
    added_us: int
    converted_laps: int
    converted_us: int
    total_us: int


class ReadTo(Struct, frozen=True):
    """So many ``laps`` of the car count by these readings of a red flag (``ways``), the last ended at ``ended_at`` by the crossing ``key``.

    ``own``: they are those of the rulebook, whose reading is ``rulebook``.
    """

    laps: int
    ended_at: int | None
    key: str | None
    own: bool
    rulebook: str | None
    ways: tuple[str, ...]


class Explanation(Struct, frozen=True, rename={"class_": "class"}):
    """A car's place, explained.

    ``on_the_road`` and ``laps`` are what happened; ``position``, ``result_laps`` and ``total_us`` what was decided; ``shown``: its place on
    the board, which is another one while the order shown is frozen. ``weighs``: what the decisions come to in the result. ``crossings``:
    in order of time, the last ones; ``earlier`` more are not listed. ``sum``: of ``total_us``. ``circumstances``: formation laps,
    suspensions, a frozen order, a photo finish, in words. ``readings``: of a red flag. ``points``: what the place gives in each
    championship, in words. ``words``: all of it as a person would say it.
    """

    session: str
    car: str
    class_: str
    seq: int
    at: int
    on_the_road: int
    shown: int
    position: int | None
    class_position: int | None
    status: ResultStatus
    laps: int
    result_laps: int
    total_us: int | None
    best_lap_us: int | None
    last_crossing_at: int | None
    road: tuple[Neighbour, ...]
    result: tuple[Neighbour, ...]
    end: tuple[str, ...]
    decisions: tuple[Decided, ...]
    weighs: str | None
    corrections: tuple[TakenAway, ...]
    rules: tuple[RuleLine, ...]
    crossings: tuple[Heard, ...]
    earlier: int
    words: tuple[str, ...]
    sum: Sum | None = None
    circumstances: tuple[str, ...] = ()
    readings: tuple[ReadTo, ...] = ()
    points: tuple[str, ...] = ()
