"""A rulebook as a value: named policies and numbers, no code. It is stored whole in ``session_opened``, so a log replays alone.

Each key names its alternatives; the shipped rulebooks (``config/rulebooks``) choose among them and cite the article. The text under a key
is what ``timing rulebook show`` and docs/rulebook.md say of it.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from timing.domain.errors import RulebookError
from timing.domain.parts import Penalty
from timing.domain.units import HOUR, SECOND, Duration


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A chapter of a rulebook."""


class Laps(Rules, frozen=True, kw_only=True):
    """What counts as a lap. What does not is kept as suspect, and does not move the start of the next lap."""

    duplicate_window_us: Duration = 1 * SECOND
    """A crossing of the same line within this time of the one before is the same crossing heard twice."""
    min_lap_us: Duration = 0
    """A crossing that would end a lap shorter than this ends none."""
    horizon_us: Duration = 48 * HOUR
    """Passings later than this after the start are not of this session: a decoder's clock is wrong."""


class Start(Rules, frozen=True, kw_only=True):
    """Where the first lap begins, and what the first crossings mean."""

    lap1_from: Literal["signal", "line_of_leader", "own_crossing"] = "signal"
    """The first lap is timed from the start signal (FIA F1 2025 art. 5.4), from the leader's first crossing of the line (a rolling start
    timed from the line), or from the car's own first crossing, which then ends no lap."""
    ignore_crossings_us: Duration = 0
    """A crossing within this time of the start ends no lap: the line lies just ahead of the grid."""
    behind_safety_car: Literal["laps_count", "distance_reduced"] = "laps_count"
    """The race starts behind the safety car: the laps behind it count (Motorsport UK NCR), or the distance is shortened by one less than
    their number (FIA F1 2025 art. 5.4b, 49.1)."""


class Finish(Rules, frozen=True, kw_only=True):
    """When the race is over, where the chequered flag, the distance and the time limit disagree."""

    early_flag: Literal["leader_last_crossing_before", "leader_next_crossing"] = "leader_last_crossing_before"
    """The flag is shown before the distance is covered: the race ended when the leader last crossed the line before the signal
    (FIA F1 2025 art. 59.2), or ends at his next crossing (IMSA 2024 art. 49)."""
    late_flag: Literal["should_have_finished", "at_flag"] = "should_have_finished"
    """The flag is shown too late: the race ended when it should have been shown (FIA F1 2025 art. 59.2), or at the flag."""
    grace_us: Duration | None = None
    """A car that does not come round within this time after the leader's finish keeps its last crossing. `none`: it is waited for."""
    time_limit_us: Duration | None = None
    """A race by laps ends then at the latest (FIA F1 2025 art. 5.3: two hours)."""
    time_limit_at: Literal["lap_under_way", "lap_after"] = "lap_under_way"
    """At the time limit the flag is shown at the end of the lap under way, or of the one after it (FIA F1 2025 art. 5.3)."""
    time_limit_total_us: Duration | None = None
    """Suspensions prolong the time limit, up to this in all (FIA F1 2025 art. 5.4: three hours). `none`: they do not prolong it."""
    dead_heat: Literal["shared", "running_order"] = "shared"
    """Cars level to the microsecond share the place, or stand as in the running order."""
    photo_us: Duration = 0
    """Closer than this, the decoder's error, a finish is marked as one for the photo until race control rules on it."""


class Classification(Rules, frozen=True, kw_only=True):
    """Who is classified."""

    min_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    """At least this share of the winner's laps, rounded down (FIA F1 2025 art. 62.1: 90)."""
    base: Literal["overall_winner", "class_winner"] = "overall_winner"
    """The winner whose laps count for that: the overall one, or that of the car's class."""
    must_cross_flag: bool = False
    """Only a car that takes the chequered flag is classified."""
    last_lap_within_us: Duration | None = None
    """Only a car whose last lap took no longer than this is classified. `none`: however long."""
    disqualified: Literal["others_move_up", "place_left_empty"] = "others_move_up"
    """Behind a car that is disqualified the others move up, or its place stays empty."""


class PointsShare(Rules, frozen=True, kw_only=True):
    """The share of the points that a race gives which is shorter than so much of its distance."""

    below_percent: Annotated[int, Meta(ge=0, le=100)]
    """Of the distance; the first entry that fits holds."""
    percent: Annotated[int, Meta(ge=0, le=100)]
    """Of the points."""


class RedFlag(Rules, frozen=True, kw_only=True):
    """What a red flag does: while the race is suspended, and to the result when it is not resumed.

    C is the number of laps that the leader had completed at the signal.
    """

    clock: Literal["runs", "stops"] = "runs"
    """While the race is suspended its clock runs on (FIA F1 2025 art. 57), or stops."""
    restart_order: Literal["last_common_loop", "end_of_lap", "end_of_lap_before", "split_scoring"] = "last_common_loop"
    """The order of the restart: at the last loop that all cars had passed (FIA F1 2025 art. 57), at the end of lap C
    (KartSport NZ J2.14), of lap C-1 (Motorsport UK Q12.15), or by split scoring (DirtCar: cars scored before the signal keep that
    place, the others follow by their last lap completed before it)."""
    result: Literal["completed_minus", "last_lap_completed_by_all", "frozen_at_signal"] = "completed_minus"
    """A race that is not resumed is taken at lap C less `completed_minus`, at the last lap completed by all (MotoGP until 2021), or as
    the field stood at the signal (NASCAR, IndyCar)."""
    completed_minus: Annotated[int, Meta(ge=0, le=9)] = 1
    """Laps taken off C (FIA F1 2025 art. 58.14 and Motorsport UK Q12.15.2: 1; KartSport NZ J2.19: 0)."""
    scope: Literal["overall", "class"] = "overall"
    """Counted back for all from the leader's laps, or for each class from its own leader's (N24)."""
    others: Literal[
        "first_crossing_after_leader",
        "first_crossing_after_leader_before_signal",
        "last_crossing_before_leader",
        "same_lap_number",
        "composite",
    ] = "first_crossing_after_leader_before_signal"
    """How the other cars are read at the counted lap: at their first crossing after the leader's, as if the flag had been shown then
    (FIA F1 2026 B5.14.2); the same, but never after the signal; at their last crossing before the leader's; each at the same lap number; or
    composite (MotoGP since 2022: those on the leader's lap by that lap, the others by their lap before)."""
    min_laps: Annotated[int, Meta(ge=0, le=100)] = 0
    """With fewer laps counted there is no result."""
    stands_at_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    """From this share of the distance on, the result is taken at C itself (Motorsport UK Q12.15.5: 75). `none`: never."""
    not_returned_within_us: Duration | None = None
    """A car that is not back in the pit lane within this time of the signal is not classified (MotoGP: 5 min). `none`: it stays."""
    lap_across: Literal["counts_without_time", "counts"] = "counts_without_time"
    """The lap in which the race was suspended counts without a lap time, or with it."""
    gaps: Literal["race_clock", "reset"] = "race_clock"
    """A gap from a crossing before a suspension to one after it is what the race clock ran meanwhile, or begins anew with the resumption,
    and only whole laps stay (N24 2013)."""
    pit_visits: Literal["left_out", "count"] = "left_out"
    """A car that comes into the pit lane while the race is suspended, as all are told to, has made no pit stop, or has."""
    points: tuple[PointsShare, ...] = ()
    """The share of the points by the distance done; the first entry that fits, all of them where none does."""


class Neutral(Rules, frozen=True, kw_only=True):
    """One kind of neutralisation."""

    order: Literal["frozen", "free"] = "frozen"
    """Under it the order is frozen from the signal, or free."""
    until: Literal["line_after_signal", "signal", "next_post"] = "signal"
    """Racing resumes at the line after the signal that ends it (FIA F1 2025 art. 55), at that signal, or at the next post."""
    best_laps: Literal["count", "left_out"] = "left_out"
    """Laps run under it count as best laps, or are left out."""
    lapped: Literal["stay", "waved_by", "waved_by_class"] = "stay"
    """Lapped cars stay where they are, are waved by (FIA F1 2025 art. 55.14), or are waved by in each class (IMSA)."""
    pit_lane: Literal["open", "closed"] = "open"
    """The pit lane is open, or closed until race control opens it."""
    max_speed_kmh: Annotated[int, Meta(ge=1, le=400)] | None = None
    """The speed that is shown with it. `none`: none is."""


class Neutralisation(Rules, frozen=True, kw_only=True):
    """The neutralisations, and when a car under one is taken to be slow."""

    safety_car: Neutral = Neutral(until="line_after_signal")
    """The safety car."""
    vsc: Neutral = Neutral()
    """The virtual safety car."""
    fcy: Neutral = Neutral()
    """The full course yellow."""
    code60: Neutral = Neutral(until="next_post", max_speed_kmh=60)
    """Code 60."""
    slow_percent: Annotated[int, Meta(ge=100, le=2000)] = 300
    """A car that passes no loop for this share of its mean sector's time is slow: it may be overtaken under a neutralisation."""


class Offence(Rules, frozen=True, kw_only=True):
    """What a car may be penalised for, and what it usually is."""

    offence: str
    """In words, as decisions give it for their reason."""
    article: str | None = None
    """Where it is forbidden, as decisions cite it (FIA F1 2025: `48.1`). `none`: not known."""
    penalty: Penalty
    """The usual one."""
    amount: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """How much is usual, in what that penalty is counted in: seconds, laps or places. `none`: the stewards say, or there is
    nothing to say."""


class Penalties(Rules, frozen=True, kw_only=True):
    """What penalties come to in the result."""

    drive_through_us: Duration = 20 * SECOND
    """What a drive-through counts that is converted (FIA F1 2025 art. 54.3: 20 s)."""
    stop_go_us: Duration = 30 * SECOND
    """What a stop-and-go of ten seconds counts that is converted, another so much more or less (FIA F1 2025 art. 54.3: 30 s)."""
    per_circuit_us: dict[str, Duration] = {}
    """A circuit's own figure for the drive-through, by the circuit's name (Fuji 2025: 53 s); a stop-and-go is that and the stop."""
    convert_within_laps: Annotated[int, Meta(ge=0, le=100)] = 3
    """A drive-through or stop-and-go issued in so many last laps of the leader, after the flag, or in a race stopped under red and still
    to be served, is converted whatever ``unserved`` says (FIA F1 2025 art. 54.3: 3)."""
    serve_within_crossings: Annotated[int, Meta(ge=0, le=100)] = 2
    """Crossings of the line within which it is to be served, those under safety car or VSC not counted (FIA F1 2025 art. 54.4b: 2)."""
    unserved: Literal["converted", "disqualified", "reported"] = "converted"
    """One that could have been served and was not is converted, disqualifies, or is reported to the stewards and weighs nothing."""
    lap_conversion: Literal["none", "average_lap"] = "none"
    """A time penalty works within equal laps, or takes a lap for each average lap's time in it."""
    track_limits_strikes: Annotated[int, Meta(ge=0, le=100)] = 0
    """The number of track limits warnings after which a car is named to the stewards; 0 for never."""
    offences: tuple[Offence, ...] = ()
    """What the stewards are offered to choose from, in this order. It decides nothing: whatever is offered they may change."""


class Segment(Rules, frozen=True, kw_only=True):
    """A part of qualifying."""

    name: str
    """Its name: `Q1`."""
    minutes: Annotated[int, Meta(ge=1, le=600)]
    """Its length."""
    advance: Annotated[int, Meta(ge=1, le=500)] | None = None
    """How many cars go on from it, in order, with a time or without. `none`: all, or it is the last."""
    per_class: bool = False
    """So many of each class, not overall."""


class Qualifying(Rules, frozen=True, kw_only=True):
    """How qualifying is ordered."""

    tie: Literal["first_set", "second_best_lap"] = "first_set"
    """Equal best laps: who set it first stands ahead (FIA F1 2025 art. 39), or who has the better second-best lap (an option of Orbits)."""
    percent: Annotated[int, Meta(ge=0, le=200)] = 0
    """A car whose best lap is beyond this share of the best time is not classified (FIA F1 2025 art. 39: 107); 0 for no limit.
    With segments it is of the first one, and concerns who did not go on from it. Where it does not hold (a wet session) the session is
    opened with 0."""
    percent_of: Literal["overall", "class"] = "overall"
    """The best time for that: of all, or of the car's class."""
    red: Literal["laps_void", "laps_count"] = "laps_void"
    """Laps ended under the red flag are void (Super GT), or count."""
    yellow: Literal["laps_count", "laps_void"] = "laps_count"
    """Laps in which the car was in a sector while a yellow flag was shown or a slow zone was in force there count unless the stewards
    delete them, or are void. Where its sectors were not timed, the whole lap is meant."""
    extended_by_red: bool = False
    """The interruption is added to the session's or segment's length, so that its clock stands still (FIA F1 2025 art. 37.7)."""
    pit_laps: Literal["left_out", "count"] = "left_out"
    """Laps into the pit lane and out of it are no timed laps, or count as any other (an option of Orbits)."""
    causing_red: Literal["nothing", "best_lap_deleted", "best_two_deleted", "session_over"] = "nothing"
    """What the car that caused the red flag (`cause` of the track status) loses: nothing, its best lap or best two of that segment, or
    every lap that ends after the signal."""
    segments: tuple[Segment, ...] = ()
    """The parts of qualifying in their order; without any it is one session."""


class Grid(Rules, frozen=True, kw_only=True):
    """How a grid is made."""

    withdrawal: Literal["left_empty", "closed_up", "closed_up_until_issued"] = "left_empty"
    """A car withdrawn leaves its place empty, or those behind close up, or that only until the grid is issued (FIA F1 2025 art. 42.4)."""
    penalties: Literal["fia", "in_turn"] = "fia"
    """Places lost: those penalised take their place plus the drop and the others fill the holes in order (FIA F1 2025 art. 42.3), or each
    drops in turn from where it stands."""
    back_from_places: Annotated[int, Meta(ge=1, le=500)] | None = None
    """So many places lost or more are the back of the grid (FIA F1 2025 art. 42.3: more than 15, that is 16). `none`: never."""
    invert: Literal["penalties_before", "penalties_after"] = "penalties_before"
    """Of an inverted grid: penalties weigh before the first N are inverted, or after."""
    eligible_percent: Annotated[int, Meta(ge=0, le=200)] = 0
    """Only cars whose best lap is within this share of the best are inverted (TCR-like rules: 102; not verified); 0 for all."""
    classes: Literal["mixed", "by_class"] = "mixed"
    """All cars on one grid in their order, or class by class, the class of the first car ahead; each then has places and inversions of its
    own."""


Points = Annotated[int, Meta(ge=0, le=1_000_000)]
"""Points in thousandths: 12.5 is 12,500. A file has them as numbers with up to three decimals."""


class ShortScale(Rules, frozen=True, kw_only=True):
    """The points of a race that ran less than so much of its distance."""

    below_percent: Annotated[int, Meta(ge=0, le=100)]
    """Of the distance; the first entry that fits holds."""
    scale_milli: tuple[Points, ...]
    """The points of the first, the second and so on."""


class SmallField(Rules, frozen=True, kw_only=True):
    """The share of the points where fewer cars started."""

    below_starters: Annotated[int, Meta(ge=0, le=500)]
    """Starters that score, of the class where places are those in class; the first entry that fits holds."""
    percent: Annotated[int, Meta(ge=0, le=100)]
    """Of the points."""


class Championship(Rules, frozen=True, kw_only=True):
    """A championship that the session counts for. Several are scored from one result, each by its own entries and points."""

    name: str
    """Its name, as entries have it among their `championships`."""
    scale_milli: tuple[Points, ...]
    """The points of the first, the second and so on of the race."""
    entered: Literal["all", "named"] = "all"
    """Who scores: every car that is no guest, or only those whose entry names the championship."""
    classes: tuple[str, ...] = ()
    """Only cars of these classes score; `[]`: of all."""
    places: Literal["overall", "class"] = "overall"
    """The places that give points: those of the race, or those in class (WEC)."""
    ineligible: Literal["skip", "consume"] = "skip"
    """A place of a car that does not score goes to the next that does (WRC 2006, ELMS 2019), or its points are lost."""
    factor_percent: Annotated[int, Meta(ge=0, le=1000)] = 100
    """The share of the points that this race gives."""
    pole_milli: Points = 0
    """For the first of qualifying, of each class where places are those in class (WEC: 1)."""
    fastest_lap_milli: Points = 0
    """For the best lap of the race among those that score, of each class where places are those in class."""
    fastest_lap_within: Annotated[int, Meta(ge=1, le=500)] | None = None
    """Only to a car among the first so many that score; else nobody has them. `none`: to any."""
    racing_laps: Annotated[int, Meta(ge=0, le=100)] = 0
    """Nobody scores without so many laps of the winner that no neutralisation or suspension touched (FIA F1 2022, WEC: 2)."""
    shortened: tuple[ShortScale, ...] = ()
    """Own points of a shortened race, in place of the shares in `red_flag.points` (FIA F1 2022)."""
    small_field: tuple[SmallField, ...] = ()
    """The share of the points where few cars started (Ferrari Challenge 1999: below 3 a quarter, below 6 half)."""


class Scoring(Rules, frozen=True, kw_only=True):
    """What a result is worth. Season's standings are not kept: each session names the points that it gives."""

    championships: tuple[Championship, ...] = ()
    """The championships; without any no points are given."""


class Rulebook(Rules, frozen=True, kw_only=True):
    """Everything that series decide differently."""

    id: str
    """Its name: that of its file."""
    title: str
    """Its name on screens and results."""
    source: str
    """Where the choices were read, and what of them was not verified."""
    start: Start = Start()
    """The start."""
    laps: Laps = Laps()
    """Laps."""
    finish: Finish = Finish()
    """The finish."""
    classification: Classification = Classification()
    """The classification."""
    red_flag: RedFlag = RedFlag()
    """The red flag."""
    neutralisation: Neutralisation = Neutralisation()
    """Neutralisation."""
    penalties: Penalties = Penalties()
    """Penalties."""
    qualifying: Qualifying = Qualifying()
    """Qualifying and practice."""
    grid: Grid = Grid()
    """Grids."""
    points: Scoring = Scoring()
    """Points."""


def rulebook_from(rules: dict[str, Any]) -> Rulebook:
    """Read a rulebook from the form in which ``session_opened`` stores it. Keys that it does not have, being older, have their defaults.

    Raises:
        RulebookError: naming the place that is not of the form.

    """
    try:
        return msgspec.convert(merged(_DEFAULTS, rules), Rulebook)
    except msgspec.ValidationError as error:
        raise RulebookError(f"the stored rulebook cannot be read: {error}") from None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give a rulebook with changes, both as tables: chapter by chapter, key by key; a list is replaced whole."""
    whole = dict(base)
    for key, value in changes.items():
        old = whole.get(key)
        whole[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return whole


def rules_of(rulebook: Rulebook) -> dict[str, Any]:
    """Give the form in which ``session_opened`` stores a rulebook."""
    stored: dict[str, Any] = msgspec.to_builtins(rulebook)
    return stored


_DEFAULTS = {key: value for key, value in rules_of(Rulebook(id="", title="", source="")).items() if isinstance(value, dict)}


def rulebook_hash(rules: dict[str, Any]) -> str:
    """Name a stored rulebook: SHA-256, in hexadecimal, of its JSON text with sorted keys. Results say by which rules they were made."""
    return hashlib.sha256(msgspec.json.encode(rules, order="sorted")).hexdigest()
