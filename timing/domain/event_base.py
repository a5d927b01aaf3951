"""What all events have in common, and the kinds there are: facts, commands, commands whose instant may be left out."""

from msgspec import Struct

from timing.domain.parts import ActedBy, Id, event_type
from timing.domain.units import Instant, StampedInstant


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=event_type, gc=False):
    """What all events have. ``at`` is the source's clock, and it alone decides sport."""


class Fact(Event, frozen=True, kw_only=True):
    """Something a device saw. Kept even if it is absurd; shown as an anomaly then."""

    at: Instant


class Command(Event, frozen=True, kw_only=True):
    """Something a person says. Checked against the state, then either an event or refused. ``acted_by`` is filled in at the door."""

    id: Id
    at: Instant
    acted_by: ActedBy | None = None


class StampableCommand(Event, frozen=True, kw_only=True):
    """A command whose ``at`` may be left out; it is then the time of arrival, and ``stamped`` says that it is."""

    id: Id
    at: StampedInstant = 0
    stamped: bool = False
    acted_by: ActedBy | None = None
