"""A rulebook as a value: named policies and numbers, no code. It is stored whole in ``session_opened``, so a log replays alone.

Each field names its alternatives; the shipped rulebooks (``config/rulebooks``) choose among them and cite the article.
"""

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from timing.domain.errors import RulebookError
from timing.domain.units import HOUR, SECOND, Duration


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A chapter of a rulebook."""


class Laps(Rules, frozen=True, kw_only=True):
    """What counts as a lap.

    A crossing of the same line within ``duplicate_window_us`` of the one before is the same crossing heard twice, and one that ends a
    lap shorter than ``min_lap_us`` is not a lap: both are kept as suspect and neither moves the start of the next lap.
    Passings later than ``horizon_us`` after the start are not of this session: a decoder's clock is wrong.
    """

    duplicate_window_us: Duration = 1 * SECOND
    min_lap_us: Duration = 0
    horizon_us: Duration = 48 * HOUR


class Start(Rules, frozen=True, kw_only=True):
    """Where the first lap begins, and what the first crossings mean.

    ``lap1_from``: the start signal (FIA F1 2025 art. 5.4), the leader's first crossing of the line (a rolling start timed from the line),
    or the car's own first crossing (which then ends no lap). A crossing within ``ignore_crossings_us`` of the start is none of a lap:
    the line lies just ahead of the grid. ``behind_safety_car``: the laps behind it count (Motorsport UK), or shorten the distance by one
    less than their number (FIA F1 2025 art. 5.4b, 49.1).
    """

    lap1_from: Literal["signal", "line_of_leader", "own_crossing"] = "signal"
    ignore_crossings_us: Duration = 0
    behind_safety_car: Literal["laps_count", "distance_reduced"] = "laps_count"


class Finish(Rules, frozen=True, kw_only=True):
    """When the race is over, where the chequered flag, the distance and the time limit disagree.

    ``early_flag``, shown before the distance is covered: the race ended when the leader last crossed the line before the signal
    (FIA F1 2025 art. 59.2), or ends at his next crossing (IMSA 2024 art. 49).
    ``late_flag``, shown after: as when it should have been shown (F1 59.2), or at the flag.
    ``grace_us``: a car that does not come round within this time after the leader keeps its last crossing; ``None`` waits for ever.
    ``time_limit_us``: a race by laps ends then at the latest, ``time_limit_at`` the end of the lap under way or of the one after
    (F1 5.3: two hours, ``lap_after``); suspensions prolong it up to ``time_limit_total_us`` in all (F1 5.4: three hours).
    ``dead_heat``: cars level to the microsecond share the place, or stand in the running order's order. Closer than ``photo_us`` (the
    decoder's error) the order is marked as one for the photo finish.
    """

    early_flag: Literal["leader_last_crossing_before", "leader_next_crossing"] = "leader_last_crossing_before"
    late_flag: Literal["should_have_finished", "at_flag"] = "should_have_finished"
    grace_us: Duration | None = None
    time_limit_us: Duration | None = None
    time_limit_at: Literal["lap_under_way", "lap_after"] = "lap_under_way"
    time_limit_total_us: Duration | None = None
    dead_heat: Literal["shared", "running_order"] = "shared"
    photo_us: Duration = 0


class Classification(Rules, frozen=True, kw_only=True):
    """Who is classified: at least ``min_percent`` of the laps of the winner (overall or of the class), rounded down.

    ``must_cross_flag``: only who takes the chequered flag. ``last_lap_within_us``: and whose last lap took no longer.
    ``disqualified``: those behind move up, or the place stays empty.
    """

    min_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    base: Literal["overall_winner", "class_winner"] = "overall_winner"
    must_cross_flag: bool = False
    last_lap_within_us: Duration | None = None
    disqualified: Literal["others_move_up", "place_left_empty"] = "others_move_up"


class PointsShare(Rules, frozen=True, kw_only=True):
    """The share of the points, in per cent, that a race shorter than ``below_percent`` of its distance gives."""

    below_percent: Annotated[int, Meta(ge=0, le=100)]
    percent: Annotated[int, Meta(ge=0, le=100)]


class RedFlag(Rules, frozen=True, kw_only=True):
    """What a red flag does: while the race is suspended, and to the result when it is not resumed.

    ``clock``: runs on (FIA F1 2025 art. 57) or stops. ``restart_order``: the last loop that all cars had passed (F1 57), the end of the
    last lap the leader completed (KartSport NZ J2.14), of the one before (Motorsport UK Q12.15), or split scoring (DirtCar).

    ``result``, when not resumed: ``completed_minus`` laps are taken off those C the leader had completed at the signal (F1 58.14 and
    Motorsport UK Q12.15.2: 1; KartSport NZ J2.19: 0); the last lap completed by all (MotoGP until 2021); the field frozen at the signal
    (NASCAR, IndyCar). ``scope``: counted for all, or for each class by its own leader (N24). ``others`` is how the other cars are read:
    at their first crossing after the leader's (as if the flag had been shown then; F1 2026 B5.14.2), the same but none after the signal,
    at their last crossing before the leader's, at the same lap number, or composite (MotoGP: those on the leader's lap by his last lap,
    the others by their lap before).

    With fewer than ``min_laps`` counted there is no result. From ``stands_at_percent`` of the distance on, ``result`` is taken at C itself
    (Motorsport UK Q12.15.5). ``not_returned_within_us``: a car that is not back in the pit lane within that time of the signal is not
    classified (MotoGP: 5 min). ``lap_across``: the lap in which the flag fell counts, without a time, or with it.
    ``points``: the share of the points by the distance done, the first that fits.
    """

    clock: Literal["runs", "stops"] = "runs"
    restart_order: Literal["last_common_loop", "end_of_lap", "end_of_lap_before", "split_scoring"] = "last_common_loop"
    result: Literal["completed_minus", "last_lap_completed_by_all", "frozen_at_signal"] = "completed_minus"
    completed_minus: Annotated[int, Meta(ge=0, le=9)] = 1
    scope: Literal["overall", "class"] = "overall"
    others: Literal[
        "first_crossing_after_leader",
        "first_crossing_after_leader_before_signal",
        "last_crossing_before_leader",
        "same_lap_number",
        "composite",
    ] = "first_crossing_after_leader_before_signal"
    min_laps: Annotated[int, Meta(ge=0, le=100)] = 0
    stands_at_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    not_returned_within_us: Duration | None = None
    lap_across: Literal["counts_without_time", "counts"] = "counts_without_time"
    points: tuple[PointsShare, ...] = ()


class Neutral(Rules, frozen=True, kw_only=True):
    """One kind of neutralisation.

    ``order``: frozen from the signal, or free. ``until``: racing resumes at the line after the signal that ends it (F1 55), at that signal,
    or at the next post. ``best_laps``: laps run under it count as best laps, or not. ``lapped``: stay, are waved by, or by class (IMSA).
    ``pit_lane``: open or closed until race control says otherwise. ``max_speed_kmh`` is shown.
    """

    order: Literal["frozen", "free"] = "frozen"
    until: Literal["line_after_signal", "signal", "next_post"] = "signal"
    best_laps: Literal["count", "left_out"] = "left_out"
    lapped: Literal["stay", "waved_by", "waved_by_class"] = "stay"
    pit_lane: Literal["open", "closed"] = "open"
    max_speed_kmh: Annotated[int, Meta(ge=1, le=400)] | None = None


class Neutralisation(Rules, frozen=True, kw_only=True):
    """The neutralisations, and when a car is taken to be slow: no loop for so many times its mean sector, in per cent."""

    safety_car: Neutral = Neutral(until="line_after_signal")
    vsc: Neutral = Neutral()
    fcy: Neutral = Neutral()
    code60: Neutral = Neutral(until="next_post", max_speed_kmh=60)
    slow_percent: Annotated[int, Meta(ge=100, le=2000)] = 300


class Penalties(Rules, frozen=True, kw_only=True):
    """What penalties come to in the result.

    A drive-through or stop-go that is not served counts ``drive_through_us`` or ``stop_go_us`` (and the stop's own seconds) where it was
    issued within the last ``convert_within_laps`` laps or after the flag, or where ``unserved`` says so (FIA F1 2025 art. 54.3: 20 s and
    30 s, three laps); ``per_circuit_us`` gives a circuit's own figure for the drive-through, by the circuit's name.
    ``serve_within_crossings``: of the line, not counting those under safety car or VSC (F1 54.4b).
    ``lap_conversion``: a time penalty works within equal laps, or takes a lap for each average lap's time in it.
    """

    drive_through_us: Duration = 20 * SECOND
    stop_go_us: Duration = 30 * SECOND
    per_circuit_us: dict[str, Duration] = {}
    convert_within_laps: Annotated[int, Meta(ge=0, le=100)] = 3
    serve_within_crossings: Annotated[int, Meta(ge=0, le=100)] = 2
    unserved: Literal["converted", "disqualified", "reported"] = "converted"
    lap_conversion: Literal["none", "average_lap"] = "none"
    track_limits_strikes: Annotated[int, Meta(ge=0, le=100)] = 0


class Segment(Rules, frozen=True, kw_only=True):
    """A part of qualifying: its name, its length, and how many cars go on from it (overall, or of each class)."""

    name: str
    minutes: Annotated[int, Meta(ge=1, le=600)]
    advance: Annotated[int, Meta(ge=1, le=500)] | None = None
    per_class: bool = False


class Qualifying(Rules, frozen=True, kw_only=True):
    """How qualifying is ordered.

    ``tie``: who set it first (FIA F1 2025 art. 39), or the better second-best lap (Orbits' option). ``percent``: of the best time, beyond
    which a car is not classified (F1: 107), 0 for none; ``percent_of``: overall, or of the class. ``red``: laps ended under red are void,
    or count. ``extended_by_red``: the interruption is added (F1 37.7). ``causing_red``: what the car that caused it loses.
    """

    tie: Literal["first_set", "second_best_lap"] = "first_set"
    percent: Annotated[int, Meta(ge=0, le=200)] = 0
    percent_of: Literal["overall", "class"] = "overall"
    red: Literal["laps_void", "laps_count"] = "laps_void"
    extended_by_red: bool = False
    causing_red: Literal["nothing", "best_lap_deleted", "best_two_deleted"] = "nothing"
    segments: tuple[Segment, ...] = ()


class Grid(Rules, frozen=True, kw_only=True):
    """How a grid is made.

    ``withdrawal``: a car withdrawn leaves its place empty, or those behind close up (FIA F1 2025 art. 42.4).
    ``penalties``: F1's algorithm (42.3: those penalised take their place plus the drop, the others fill the holes in order), or each
    drops from where it stands in turn. ``back_from_places``: so many places or more are the back of the grid (F1: more than 15).
    ``invert``: penalties weigh before the first N are inverted, or after.
    """

    withdrawal: Literal["left_empty", "closed_up"] = "left_empty"
    penalties: Literal["fia", "in_turn"] = "fia"
    back_from_places: Annotated[int, Meta(ge=1, le=500)] | None = None
    invert: Literal["penalties_before", "penalties_after"] = "penalties_before"


class Rulebook(Rules, frozen=True, kw_only=True):
    """Everything that series decide differently. ``source`` cites where the choices were read."""

    id: str
    title: str
    source: str
    start: Start = Start()
    laps: Laps = Laps()
    finish: Finish = Finish()
    classification: Classification = Classification()
    red_flag: RedFlag = RedFlag()
    neutralisation: Neutralisation = Neutralisation()
    penalties: Penalties = Penalties()
    qualifying: Qualifying = Qualifying()
    grid: Grid = Grid()


def rulebook_from(rules: dict[str, Any]) -> Rulebook:
    """Read a rulebook from the form in which ``session_opened`` stores it.

    Raises:
        RulebookError: naming the place that is not of the form.

    """
    try:
        return msgspec.convert(rules, Rulebook)
    except msgspec.ValidationError as error:
        raise RulebookError(f"the stored rulebook cannot be read: {error}") from None


def rules_of(rulebook: Rulebook) -> dict[str, Any]:
    """Give the form in which ``session_opened`` stores a rulebook."""
    stored: dict[str, Any] = msgspec.to_builtins(rulebook)
    return stored


def rulebook_hash(rules: dict[str, Any]) -> str:
    """Name a stored rulebook: SHA-256, in hexadecimal, of its JSON text with sorted keys. Results say by which rules they were made."""
    return hashlib.sha256(msgspec.json.encode(rules, order="sorted")).hexdigest()
