"""The board: what a screen shows of a session at one moment, as plain values in the contract's shapes."""

from typing import Literal

from msgspec import Struct

CarStatus = Literal["running", "pit", "stopped", "retired", "finished", "disqualified", "not_started"]
ResultStatus = Literal["classified", "not_classified", "retired", "disqualified", "not_started", "running"]
SessionStatus = Literal["scheduled", "running", "suspended", "finished", "provisional", "final"]


class Gap(Struct, frozen=True, gc=False):
    """The distance to another car: whole laps down, and the time between the two at the line, on the same lap number."""

    laps: int
    time_us: int


class Clock(Struct, frozen=True, gc=False):
    """The session's clock at the frame's ``at``; screens let it run on from there while the session runs."""

    elapsed_us: int
    remaining_us: int | None = None


class Distance(Struct, frozen=True, gc=False):
    """The session's distance as opened."""

    laps: int | None = None
    minutes: int | None = None
    plus_laps: int = 0


class SegmentView(Struct, frozen=True, gc=False, rename={"class_": "class"}):
    """The segment of qualifying that was started last: the ``number``-th ``of`` so many. ``advance``: how many go on from it."""

    name: str
    class_: str | None
    number: int
    of: int
    status: Literal["running", "flagged", "closed"]
    started_at: int
    minutes: int
    advance: int | None


class SessionView(Struct, frozen=True, gc=False):
    """The head of the screen. ``laps`` is the number the leader has completed. ``restart_order``: while the race is suspended.

    ``neutralised``: live gaps are gaps of a queue, and ``max_speed_kmh`` is its limit where there is one. ``candidates``: what waits for
    race control, open or to be given back. ``result_due``: the result differs from the one published last; an amended one is due.
    ``championships``: those that the session gives points to.
    """

    name: str
    kind: str
    status: SessionStatus
    track_status: str
    rulebook: str
    laps: int
    distance: Distance
    started_at: int | None
    clock: Clock
    neutralised: bool
    pit_lane_open: bool
    circuit: str
    sectors: int
    classes: tuple[str, ...]
    finished_at: int | None
    restart_order: tuple[str, ...] | None = None
    segment: SegmentView | None = None
    max_speed_kmh: int | None = None
    candidates: tuple["CandidateView", ...] = ()
    result_due: bool = False
    championships: tuple[str, ...] = ()


class ResultView(Struct, frozen=True, gc=False):
    """A car's place in the classification as it stands, decisions included. ``photo``: its place waits for the photo finish."""

    position: int | None
    class_position: int | None
    status: ResultStatus
    total_us: int | None
    photo: bool = False


class CandidateView(Struct, frozen=True, gc=False):
    """An overtake under a neutralisation, or an entry into a closed pit lane, for race control to rule on.

    ``car`` got past ``over`` before ``loop``, which it crossed at ``at``; for a place, or to lap the other or take a lap back.
    ``evidence``: the passings it rests on, as ``decoder/boot/number``.
    """

    id: str
    at: int
    kind: Literal["overtake", "pit_entry"]
    car: str
    over: str | None
    loop: str
    under: str | None
    stands: Literal["open", "accepted", "give_back", "given_back", "referred"]
    evidence: tuple[str, ...]
    place: bool = False


class PenaltyView(Struct, frozen=True, gc=False):
    """A decision about a car, as its badge needs it. ``text`` says it in English; the other fields, as decided, are for other languages."""

    decision: str
    penalty: str
    stage: str
    text: str
    seconds: float | None = None
    laps: int | None = None
    positions: int | None = None
    lap: int | None = None
    reason: str | None = None


class LiveView(Struct, frozen=True, gc=False):
    """Where a car is between the lines: its place by the last loop it passed, ``sector`` of the lap it is on (0: the line).

    ``gap`` and ``interval`` are those at that loop; ``None`` where it cannot be said.
    """

    position: int
    sector: int
    gap: Gap | None
    interval: Gap | None


class DriverView(Struct, frozen=True, gc=False):
    """The driver at the wheel."""

    id: str
    name: str
    category: str | None = None


class Row(Struct, frozen=True, gc=False, rename={"class_": "class"}):
    """A car's line on the board.

    ``interval_change_us``, ``class_interval_change_us``: how the interval to the car ahead changed on the last lap, negative where it
    closed; ``None`` unless both did that lap in this order. ``best_sectors_us``: the car's best time in each sector.
    ``live``: its place between the lines, where there is one to tell. ``points_milli``: what its place in the result gives as it stands,
    in thousandths of a point, for each of the session's championships; ``None`` where it does not score.
    """

    position: int
    result: ResultView
    class_: str
    class_position: int
    car: str
    team: str | None
    driver: DriverView | None
    laps: int
    last_lap_us: int | None
    best_lap_us: int | None
    sectors_us: tuple[int | None, ...]
    gap: Gap
    interval: Gap
    class_gap: Gap
    class_interval: Gap
    status: CarStatus
    pit_stops: int
    penalties: tuple[PenaltyView, ...]
    grid: int | None
    last_crossing_at: int | None
    stint_laps: int
    segment: str | None = None
    segment_bests_us: tuple[int | None, ...] = ()
    gap_before: Gap | None = None
    last_lap_tags: tuple[str, ...] = ()
    interval_change_us: int | None = None
    class_interval_change_us: int | None = None
    best_sectors_us: tuple[int | None, ...] = ()
    live: LiveView | None = None
    points_milli: tuple[int | None, ...] = ()


class NoticeFacts(Struct, frozen=True, gc=False, omit_defaults=True, rename={"class_": "class"}):
    """What a notice says, for those who write it in another language than ``text``: the event's ``type``, and its fields as they came."""

    type: str
    status: str | None = None
    sectors: tuple[int, ...] = ()
    cause: str | None = None
    cars: tuple[str, ...] = ()
    open: bool | None = None
    car: str | None = None
    reason: str | None = None
    decision: str | None = None
    penalty: str | None = None
    seconds: float | None = None
    laps: int | None = None
    positions: int | None = None
    lap: int | None = None
    stage: str | None = None
    segment: str | None = None
    class_: str | None = None
    dead_heat: bool = False


class Notice(Struct, frozen=True, gc=False):
    """A line of the message list: what race control said or did. Of two with the same ``id`` the later replaces the earlier.

    ``facts``: the same for other languages, unless the text is race control's own.
    ``struck``: the event was voided since; screens strike the line through.
    """

    id: str
    at: int
    kind: Literal["message", "track_status", "pit_lane", "decision", "session", "anomaly", "candidate"]
    text: str
    car: str | None = None
    struck: bool = False
    facts: NoticeFacts | None = None


class Board(Struct, frozen=True, gc=False):
    """Everything a screen shows. ``order`` is the running order of the cars of ``rows``; ``at`` is the latest evidence's instant."""

    at: int
    session: SessionView
    order: tuple[str, ...]
    rows: dict[str, Row]
    notices: tuple[Notice, ...]
