"""The message list: what race control and the stewards said or did, in words."""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import structs

from timing.domain.events import (
    AnyCommand,
    CarRetired,
    CarWithdrawn,
    Decision,
    DecisionUpdated,
    FinishOrderRuled,
    Message,
    PitLane,
    RaceStopped,
    ResultPublished,
    SegmentEnded,
    SegmentStarted,
    SessionEnded,
    SessionStarted,
    TrackStatus,
    WaveBy,
    event_type,
)
from timing.projections.board import Notice, NoticeFacts

_STATUS = {
    "green": "Green flag",
    "yellow": "Yellow flag",
    "slow_zone": "Slow zone",
    "safety_car": "Safety car",
    "safety_car_ending": "Safety car in this lap",
    "vsc": "Virtual safety car",
    "vsc_ending": "Virtual safety car ending",
    "fcy": "Full course yellow",
    "code60": "Code 60",
    "red": "Red flag",
    "chequered": "Chequered flag",
}


_FACTS = tuple(name for name in NoticeFacts.__struct_fields__ if name not in ("type", "car"))


Written: TypeAlias = dict[tuple[str, bool, str | None], Notice | None]
"""Notices by what they are written from: the event's id, whether it holds, and the car of the decision that it is about."""


def notices(said: Iterable[tuple[AnyCommand, bool]], written: Written | None = None) -> tuple[Notice, ...]:
    """Give the message list from every command and whether it holds, in order of time; ``written`` keeps what is written once."""
    written = {} if written is None else written
    cars: dict[str, str] = {}
    found: list[Notice] = []
    for event, holds in sorted(said, key=lambda pair: (pair[0].at, pair[0].id)):
        if isinstance(event, Decision):
            cars[event.decision] = event.car
        key = (event.id, holds, cars.get(event.decision) if isinstance(event, DecisionUpdated) else None)
        if key not in written:
            written[key] = _write(event, cars, holds=holds)
        if notice := written[key]:
            found.append(notice)
    return tuple(found)


def _write(event: AnyCommand, cars: dict[str, str], *, holds: bool) -> Notice | None:
    notice = _notice(event, cars)
    return notice and structs.replace(notice, facts=_facts(event, notice.car), struck=not holds)


def _notice(event: AnyCommand, cars: dict[str, str]) -> Notice | None:  # noqa: PLR0911  # one case an event, nothing nested
    if text := _of_session(event):
        return Notice(event.id, event.at, "session", text)
    match event:
        case Message():
            return Notice(event.id, event.at, "message", event.text, event.car)
        case WaveBy():
            return Notice(event.id, event.at, "track_status", f"{_cars(event.cars)} may overtake")
        case TrackStatus():
            where = f" in sector {', '.join(map(str, event.sectors))}" if event.sectors else ""
            cause = f", caused by car {event.cause}" if event.cause else ""
            return Notice(event.id, event.at, "track_status", _STATUS[event.status] + where + cause, event.cause)
        case PitLane():
            return Notice(event.id, event.at, "pit_lane", "Pit lane open" if event.open else "Pit lane closed")
        case CarRetired():
            return Notice(event.id, event.at, "session", _because(f"Car {event.car} retired", event.reason), event.car)
        case CarWithdrawn():
            return Notice(event.id, event.at, "session", _because(f"Car {event.car} withdrawn", event.reason), event.car)
        case Decision():
            text = _because(f"Car {event.car}: {penalty_text(event)}", event.reason)
            return Notice(event.id, event.at, "decision", text if event.stage == "issued" else f"{text} ({event.stage})", event.car)
        case FinishOrderRuled():
            order = " level with ".join(event.cars) if event.dead_heat else " before ".join(event.cars)
            return Notice(event.id, event.at, "decision", _because(f"Finish order ruled: {order}", event.reason))
        case DecisionUpdated():
            car = cars.get(event.decision)
            of_car = f" (car {car})" if car else ""
            return Notice(event.id, event.at, "decision", _because(f"Decision {event.decision}{of_car}: {event.stage}", event.reason), car)
    return None


def _facts(event: AnyCommand, car: str | None) -> NoticeFacts | None:
    """Take what an event says, for screens that write it in their own language; race control's own words have none."""
    if isinstance(event, Message):
        return None
    said = {name: value for name in _FACTS if (value := getattr(event, name, None)) is not None}
    return NoticeFacts(type=event_type(type(event).__name__), car=car, **said)


def _of_session(event: AnyCommand) -> str | None:
    """Say what happened to the session."""
    match event:
        case SessionStarted():
            return "Start"
        case SegmentStarted() | SegmentEnded():
            what = "started" if isinstance(event, SegmentStarted) else "closed"
            return " ".join(filter(None, (event.segment, event.class_, what)))
        case SessionEnded():
            return "Session closed"
        case RaceStopped():
            return "Race stopped: it will not be resumed"
        case ResultPublished():
            return f"Result published: {event.stage}"
    return None


def _cars(cars: tuple[str, ...]) -> str:
    if not cars:
        return "Lapped cars"
    return f"Car{'s' if len(cars) > 1 else ''} {', '.join(cars)}"


def _because(text: str, reason: str | None) -> str:
    return f"{text}: {reason}" if reason else text


def penalty_text(decision: Decision) -> str:
    """Say a penalty in words: ``5 s``, ``drive-through``, ``lap 7 deleted``."""
    seconds = f"{decision.seconds:g} s" if decision.seconds is not None else ""
    match decision.penalty:
        case "time":
            return f"{seconds} penalty"
        case "stop_go":
            return f"{seconds} stop-go".strip()
        case "laps":
            return f"{decision.laps} lap{'s' if decision.laps != 1 else ''} taken" + (f" and {seconds}" if seconds else "")
        case "positions" | "grid_places":
            what = "grid place" if decision.penalty == "grid_places" else "place"
            return f"{decision.positions} {what}{'s' if decision.positions != 1 else ''}"
        case "lap_time_deleted":
            return f"time of lap {decision.lap} deleted"
        case other:
            return other.replace("_", " ").replace("drive through", "drive-through")
