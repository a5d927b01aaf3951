"""The events of the contract: what may be said about a session, in the words of the sport.

Every event is a frozen struct, tagged by ``type``. Fields that later versions add are optional, and unknown ones are let through
(they stay in the log as they were sent), so old logs and new senders keep working together.
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from timing.domain.event_base import Command, Event, Fact, StampableCommand
from timing.domain.own_events import OWN, MessageRejected, OwnEvent, ResultSigned, SigningKey  # noqa: F401  # given on
from timing.domain.parts import (
    ActedBy,  # noqa: F401  # given on
    Car,
    Circuit,
    Counter,
    DecisionStage,
    Distance,
    Driver,
    GridSource,
    Id,
    Key,
    Loop,  # noqa: F401  # given on
    Name,
    PassingKey,
    Penalty,
    Positive,
    SessionId,
    SessionKind,
    SourceName,
    Status,
    event_type,  # noqa: F401  # given on
)
from timing.domain.units import Duration, Instant, Offset

# --- session ---------------------------------------------------------------------------------------------------------------------


class SessionOpened(Command, frozen=True, kw_only=True):
    """A session exists: its name, rules, distance and circuit. ``rules`` is the whole rulebook, filled in at the door."""

    session: SessionId
    name: Name
    kind: SessionKind
    rulebook: Name | dict[str, Any]
    distance: Distance
    circuit: Circuit
    rules: dict[str, Any] | UnsetType = UNSET


class GridSet(Command, frozen=True, kw_only=True):
    """The starting grid, from pole. ``None`` is a place left empty. ``source``: what it was made from, frozen as it was then."""

    cars: Annotated[tuple[Car | None, ...], Meta(max_length=500)]
    source: GridSource | None = None


class SessionStarted(Command, frozen=True, kw_only=True):
    """The start signal: lights out, or green flag."""


class SegmentStarted(Command, frozen=True, kw_only=True):
    """A segment of qualifying begins: times start anew. ``class`` says that it is for the cars of one class only.

    Who may run are those who went on from the segment before, by what was decided until this instant; ``cars`` names them instead.
    """

    segment: Name
    class_: Name | None = field(name="class", default=None)
    cars: Annotated[tuple[Car, ...], Meta(max_length=500)] | None = None


class SegmentEnded(Command, frozen=True, kw_only=True):
    """A segment of qualifying is closed: nothing later belongs to it. Who is on a lap when time is up is flagged first (chequered)."""

    segment: Name
    class_: Name | None = field(name="class", default=None)


class SessionEnded(Command, frozen=True, kw_only=True):
    """The timekeeper closes the session: nothing that happens later on the track belongs to it."""


class ResultPublished(Command, frozen=True, kw_only=True):
    """A result is given out, as of the record before this one, or of ``as_of``. ``document`` is the sheet's number.

    ``digest`` and ``rulebook`` (hexadecimal) name the state and the rules it was made from; who gives them has them checked.
    """

    stage: Literal["provisional", "amended", "final"]
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    document: Name | None = None
    as_of: Annotated[int, Meta(ge=1, le=2**53 - 1, description="the last record that the result rests on")] | None = None
    rulebook: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None


# --- entries ---------------------------------------------------------------------------------------------------------------------


class EntryRegistered(Command, frozen=True, kw_only=True):
    """A car takes part. Registered again, it replaces the entry of the same number."""

    car: Car
    class_: Name = field(name="class")
    team: Name | None = None
    drivers: Annotated[tuple[Driver, ...], Meta(max_length=20)] = ()
    transponders: Annotated[tuple[Key, ...], Meta(max_length=20)] = ()
    guest: bool = False
    championships: Annotated[tuple[Name, ...], Meta(max_length=20)] = ()


class TransponderAssigned(Command, frozen=True, kw_only=True):
    """A transponder is on a car, from one instant until before another; ``None`` is without limit."""

    transponder: Key
    car: Car
    from_: Instant | None = field(name="from", default=None)
    until: Instant | None = None


class DriverChanged(Command, frozen=True, kw_only=True):
    """From ``at`` on this driver is at the wheel."""

    car: Car
    driver: Key


class CarRetired(Command, frozen=True, kw_only=True):
    """The car takes no further part; the laps it did stand."""

    car: Car
    reason: Name | None = None


class CarWithdrawn(Command, frozen=True, kw_only=True):
    """The car does not start."""

    car: Car
    reason: Name | None = None


# --- facts -----------------------------------------------------------------------------------------------------------------------


class Passing(Fact, frozen=True, kw_only=True):
    """A loop heard a transponder. Identified by decoder, boot and number."""

    decoder: SourceName
    boot: Counter
    number: Counter
    loop: Key
    transponder: Key
    strength: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | None = None
    hits: Counter | None = None


class Lap(Fact, frozen=True, kw_only=True):
    """A lap counted by another system, ended at ``at``. Identified by source, boot and number; ``lap`` is the car's lap number."""

    source: SourceName
    boot: Counter
    number: Counter
    car: Car
    lap: Positive
    lap_time_us: Duration | None = None
    sectors_us: Annotated[tuple[Duration | None, ...], Meta(max_length=99)] | None = None
    pit: bool = False
    id: Id | None = None


# --- control ---------------------------------------------------------------------------------------------------------------------


class TrackStatus(StampableCommand, frozen=True, kw_only=True):
    """The state of the track. Any racing status of the whole track after red means that the race is resumed.

    ``cause``: the car that brought it about.
    """

    status: Status
    sectors: Annotated[tuple[Annotated[int, Meta(ge=1, le=99)], ...], Meta(max_length=99)] = ()
    cause: Car | None = None


class PitLane(StampableCommand, frozen=True, kw_only=True):
    """The pit lane opens or closes."""

    open: bool


class RaceStopped(StampableCommand, frozen=True, kw_only=True):
    """The suspended race will not be resumed: the result is taken by the rulebook's count-back."""


class WaveBy(StampableCommand, frozen=True, kw_only=True):
    """Lapped cars may overtake under the neutralisation: these, or all that are lapped as the rulebook counts them."""

    cars: Annotated[tuple[Car, ...], Meta(max_length=500)] = ()


class OvertakeRuled(StampableCommand, frozen=True, kw_only=True):
    """Race control rules on a candidate: an overtake under a neutralisation, or an entry into a closed pit lane. The last ruling holds.

    ``accepted``: nothing follows. ``give_back``: the place is to be given back, and is watched until it is. ``referred``: to the stewards.
    """

    overtake: Key
    ruling: Literal["accepted", "give_back", "referred"]
    reason: Annotated[str, Meta(max_length=1000)] | None = None
    by: Name | None = None


class Message(StampableCommand, frozen=True, kw_only=True):
    """What race control tells everyone."""

    text: Annotated[str, Meta(min_length=1, max_length=1000)]
    car: Car | None = None


# --- stewards --------------------------------------------------------------------------------------------------------------------


class Decision(StampableCommand, frozen=True, kw_only=True):
    """A stewards' decision about a car. ``decision`` names it on paper. The amount is in the field the penalty's kind asks for."""

    decision: Key
    car: Car
    penalty: Penalty
    seconds: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    laps: Positive | None = None
    positions: Positive | None = None
    lap: Positive | None = None
    reason: Annotated[str, Meta(max_length=1000)] | None = None
    article: Name | None = None
    stage: DecisionStage = "issued"


class DecisionUpdated(StampableCommand, frozen=True, kw_only=True):
    """A decision goes on with its life. ``seconds``: what it is converted to, where that is not what the rulebook's table says."""

    decision: Key
    stage: DecisionStage
    reason: Annotated[str, Meta(max_length=1000)] | None = None
    seconds: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None


class FinishOrderRuled(StampableCommand, frozen=True, kw_only=True):
    """The order of cars that crossed the line too close for the decoder, read off the photo; with ``dead_heat`` they share the place."""

    cars: Annotated[tuple[Car, ...], Meta(min_length=2, max_length=100)]
    dead_heat: bool = False
    reason: Annotated[str, Meta(max_length=1000)] | None = None
    by: Name | None = None


# --- corrections -----------------------------------------------------------------------------------------------------------------


class Correction(StampableCommand, frozen=True, kw_only=True):
    """Something recorded was wrong. Nothing is edited: this says what was, who says so and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]
    by: Name


class PassingVoided(Correction, frozen=True, kw_only=True):
    """A passing does not count: ghost read, car carried across the line, wrong loop."""

    passing: PassingKey


class PassingAdded(Correction, frozen=True, kw_only=True):
    """A crossing that no decoder heard: photo finish, hand timing. ``at`` is the instant of the crossing."""

    car: Car
    loop: Key


class PassingReassigned(Correction, frozen=True, kw_only=True):
    """A passing belongs to another car than its transponder says."""

    passing: PassingKey
    car: Car


class DecoderClockCorrected(Correction, frozen=True, kw_only=True):
    """A decoder's clock was off: ``offset_us`` is added to its passings, of one boot and stretch of its own time if given.

    Of several that concern one passing only that with the latest ``at`` holds: it replaces the others, and is not added to them.
    """

    decoder: SourceName
    offset_us: Offset
    boot: Counter | None = None
    from_: Instant | None = field(name="from", default=None)
    until: Instant | None = None


class EventVoided(Correction, frozen=True, kw_only=True):
    """A command that was recorded does not hold."""

    event: Id


class EventRetimed(Correction, frozen=True, kw_only=True):
    """A command that was recorded holds from ``at``, not from the instant it was given."""

    event: Id


AnyFact: TypeAlias = Passing | Lap

AnyCommand: TypeAlias = (
    SessionOpened | GridSet | SessionStarted | SegmentStarted | SegmentEnded | SessionEnded | ResultPublished
    | EntryRegistered | TransponderAssigned | DriverChanged | CarRetired | CarWithdrawn
    | TrackStatus | PitLane | RaceStopped | WaveBy | OvertakeRuled | Message
    | Decision | DecisionUpdated | FinishOrderRuled
    | PassingVoided | PassingAdded | PassingReassigned | DecoderClockCorrected | EventVoided | EventRetimed
    | MessageRejected | SigningKey | ResultSigned
)  # fmt: skip

AnyEvent: TypeAlias = AnyFact | AnyCommand

CHANNELS: dict[str, tuple[type[Event], ...]] = {
    "session": (SessionOpened, GridSet, SessionStarted, SegmentStarted, SegmentEnded, SessionEnded, ResultPublished),
    "entries": (EntryRegistered, TransponderAssigned, DriverChanged, CarRetired, CarWithdrawn),
    "passings": (Passing,),
    "laps": (Lap,),
    "control": (TrackStatus, PitLane, RaceStopped, WaveBy, OvertakeRuled, Message),
    "stewards": (Decision, DecisionUpdated, FinishOrderRuled),
    "corrections": (PassingVoided, PassingAdded, PassingReassigned, DecoderClockCorrected, EventVoided, EventRetimed),
}
"""Who may say what: each channel is a right of its own at the broker. ``passings`` and ``laps`` go on with the source's name."""

CHANNEL_OF: dict[type[Event], str] = {kind: channel for channel, kinds in CHANNELS.items() for kind in kinds}

Identity: TypeAlias = str
"""An event's identity as one text: its ``id``, or decoder, boot and number joined by ``/`` (which no id of a device holds)."""


def identity(event: AnyEvent) -> Identity:
    """Name the event, uniquely in its session. The same identity twice is the same event sent twice, or a fault."""
    if isinstance(event, Passing):
        return f"passing/{event.decoder}/{event.boot}/{event.number}"
    if isinstance(event, Lap):
        return f"lap/{event.source}/{event.boot}/{event.number}"
    return f"id/{event.id}"


def source_of(event: AnyEvent) -> str | None:
    """Give the device a fact comes from, or ``None`` for a command."""
    if isinstance(event, Passing):
        return event.decoder
    return event.source if isinstance(event, Lap) else None


def channel_of(event: AnyEvent) -> str:
    """Give the channel an event is sent on, with the device's name where the channel has one: ``passings/line-1``."""
    channel = CHANNEL_OF[type(event)]
    source = source_of(event)
    return channel if source is None else f"{channel}/{source}"
