"""What events are made of: the names, numbers and choices of their fields, and the objects within them."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

# `$` alone also matches before a final newline in Python's dialect; the look-ahead closes that door in every dialect.
SessionId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)", description="names a session in topics and addresses")]
Id = Annotated[str, Meta(min_length=1, max_length=64, description="unique in its session")]
Car = Annotated[
    str, Meta(min_length=1, max_length=8, pattern=r"^[0-9A-Za-z-]{1,8}$(?!\n)", description='a car number as painted: "007", "1A"')
]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Key = Annotated[str, Meta(min_length=1, max_length=64)]
SourceName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^/+#\x00]{1,64}$(?!\n)", description="one level of a topic")]
Counter = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Positive = Annotated[int, Meta(ge=1, le=1_000_000)]

SessionKind = Literal["race", "qualifying", "practice"]
LineKind = Literal["finish", "sector", "speed", "pit_entry", "pit_exit", "sc_line"]
Status = Literal[
    "green", "yellow", "slow_zone", "safety_car", "safety_car_ending", "vsc", "vsc_ending", "fcy", "code60", "red", "chequered"
]
Penalty = Literal[
    "time", "drive_through", "stop_go", "lap_time_deleted", "laps", "positions", "last_of_class", "last", "grid_places",
    "disqualified", "reprimand", "warning",
]  # fmt: skip
DecisionStage = Literal["noted", "investigated", "issued", "served", "converted", "suspended", "quashed"]


def event_type(class_name: str) -> str:
    """Give the ``type`` of an event from the name of its struct: ``TrackStatus`` is ``track_status``."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in class_name).lstrip("_")


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A piece of an event that is an object of its own."""


class Loop(Part, frozen=True, kw_only=True):
    """An antenna in the track, and the line it stands for. Several loops may stand for the same line (track and pit lane)."""

    id: Key
    line: LineKind
    sector: Annotated[int, Meta(ge=1, le=99)] | None = None
    pit: bool = False


class Circuit(Part, frozen=True, kw_only=True):
    """Where the session runs. ``length_m`` in metres, for speeds and distances shown."""

    name: Name
    loops: Annotated[tuple[Loop, ...], Meta(min_length=1, max_length=200)]
    length_m: Positive | None = None


class Distance(Part, frozen=True, kw_only=True):
    """How long a race is: laps, minutes, minutes and then laps, or laps and minutes, whichever is over first."""

    laps: Positive | None = None
    minutes: Positive | None = None
    plus_laps: Annotated[int, Meta(ge=0, le=100)] = 0


class Driver(Part, frozen=True, kw_only=True):
    """One of a car's drivers. ``category`` as the series says it: Junior, Gentleman, Bronze."""

    id: Key
    name: Name
    category: Name | None = None


class PassingKey(Part, frozen=True, kw_only=True):
    """What identifies a passing: a decoder's own count since it was last switched on."""

    decoder: SourceName
    boot: Counter
    number: Counter


class GridSource(Part, frozen=True, kw_only=True):
    """What a grid was made from: a session, how, and the state of that session that was taken (its ``digest``, at record ``seq``).

    ``version``: which of its published results that was.
    """

    session: SessionId
    by: Name
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    seq: Counter | None = None
    version: Positive | None = None


class ActedBy(Part, frozen=True, kw_only=True):
    """Who gave a command, as the service knows it from the sign-in: the person, the role that allowed it, and the token's id."""

    name: Name
    role: Key
    token: Key
