"""What each command is checked against before it becomes an event: a refusal with a code, a reason and what it names, or nothing."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from timing.domain.decisions import NEXT, life, why_not
from timing.domain.events import (
    AnyEvent,
    CarRetired,
    CarWithdrawn,
    Decision,
    DecisionUpdated,
    DecoderClockCorrected,
    DriverChanged,
    EntryRegistered,
    EventRetimed,
    EventVoided,
    FinishOrderRuled,
    GridSet,
    Message,
    PassingAdded,
    PassingReassigned,
    RaceStopped,
    ResultPublished,
    ResultSigned,
    SegmentEnded,
    SegmentStarted,
    SessionEnded,
    SessionOpened,
    SessionStarted,
    SigningKey,
    TrackStatus,
    TransponderAssigned,
    WaveBy,
)
from timing.domain.neutralisation import intervals, neutral_of
from timing.domain.rulebook import Neutralisation, rulebook_from
from timing.domain.suspension import resumes
from timing.projections.evidence import holding

if TYPE_CHECKING:
    from timing.projections.decider import Decider


AMOUNT = {
    "time": "seconds",
    "laps": "laps",
    "positions": "positions",
    "grid_places": "positions",
    "lap_time_deleted": "lap",
}
"""The field in which a penalty of this kind says how much."""

_FAR = 2**62


class Refusal(Struct, frozen=True):
    """A command that is not taken: a code for programs, a reason for people, what it names as ``data`` for words in other languages."""

    code: str
    reason: str
    data: dict[str, str] = {}


def _standing(known: "Decider", kind: type[AnyEvent]) -> AnyEvent | None:
    return next((e for i, e in known.events.items() if isinstance(e, kind) and i not in known.voided), None)


def _unknown_car(known: "Decider", car: str | None) -> Refusal | None:
    if car is None or car in known.entries:
        return None
    return Refusal("unknown-car", f"car {car} is not entered in {known.session}; register it first (entry_registered)", {"car": car})


def _session_opened(known: "Decider", command: SessionOpened) -> Refusal | None:
    if known.opened:
        return Refusal(
            "already-open",
            f"{known.session} is open already, by the event {known.opened.id}; choose another session name",
            {"session": known.session},
        )
    loops = [loop.id for loop in command.circuit.loops]
    if twice := sorted({i for i in loops if loops.count(i) > 1}):
        return Refusal("bad-circuit", f"loop {twice[0]} is given twice; each loop has an id of its own", {"loop": twice[0]})
    if not any(loop.line == "finish" for loop in command.circuit.loops):
        return Refusal("bad-circuit", "no loop of the circuit is on the finish line; give one with line: finish")
    return None


def _grid_set(known: "Decider", command: GridSet) -> Refusal | None:
    cars = [car for car in command.cars if car is not None]
    if twice := sorted({c for c in cars if cars.count(c) > 1}):
        return Refusal("bad-grid", f"car {twice[0]} is on the grid twice", {"car": twice[0]})
    return next(filter(None, map(partial(_unknown_car, known), cars)), None)


def _session_started(known: "Decider", _: SessionStarted) -> Refusal | None:
    if standing := _standing(known, SessionStarted):
        return Refusal("already-started", f"the session has started, by {_id(standing)}; void that event first, or retime it")
    return None


def _segment_started(known: "Decider", command: SegmentStarted) -> Refusal | None:
    if refusal := _unknown_segment(known, command.segment) or _unknown_class(known, command.class_):
        return refusal
    if before := _segment_of(known, command):
        return Refusal(
            "segment-started",
            f"{command.segment} has started, by {before.id}; void that event first, or retime it",
            {"segment": command.segment},
        )
    return next(filter(None, map(partial(_unknown_car, known), command.cars or ())), None)


def _segment_ended(known: "Decider", command: SegmentEnded) -> Refusal | None:
    if refusal := _unknown_segment(known, command.segment) or _unknown_class(known, command.class_):
        return refusal
    if _segment_of(known, command):
        return None
    return Refusal("segment-not-started", f"{command.segment} has not started; give segment_started first", {"segment": command.segment})


def _segment_of(known: "Decider", command: SegmentStarted | SegmentEnded) -> SegmentStarted | None:
    """Find the start, among those that hold, of the segment that a command names, for its class."""
    started = (e for e in holding(known.events) if isinstance(e, SegmentStarted) and e.segment == command.segment)
    return next((e for e in started if command.class_ is None or e.class_ in (None, command.class_)), None)


def _unknown_segment(known: "Decider", name: str) -> Refusal | None:
    rules = known.opened.rules if known.opened and isinstance(known.opened.rules, dict) else {}
    names = [segment["name"] for segment in rules.get("qualifying", {}).get("segments", ())]
    if known.opened is None or known.opened.kind != "qualifying" or not names:
        return Refusal("no-segments", f"{known.session} has no segments; its kind is not qualifying, or its rulebook lists none")
    return (
        None
        if name in names
        else Refusal(
            "unknown-segment",
            f"there is no segment {name}; the rulebook has: {', '.join(names)}",
            {"segment": name, "segments": ", ".join(names)},
        )
    )


def _unknown_class(known: "Decider", class_: str | None) -> Refusal | None:
    classes = sorted({entry.class_ for entry in known.entries.values()})
    if class_ is None or class_ in classes:
        return None
    return Refusal(
        "unknown-class",
        f"no car of the class {class_} is entered; there are: {', '.join(classes)}",
        {"class": class_, "classes": ", ".join(classes)},
    )


def _track_status(known: "Decider", command: TrackStatus) -> Refusal | None:
    return _unknown_car(known, command.cause)


def _session_ended(known: "Decider", _: SessionEnded) -> Refusal | None:
    if standing := _standing(known, SessionEnded):
        return Refusal("already-ended", f"the session has ended, by {_id(standing)}; void that event first, or retime it")
    return None


def _entry(known: "Decider", command: EntryRegistered) -> Refusal | None:
    for other in known.entries.values():
        taken = set(other.transponders) & set(command.transponders)
        if taken and other.car != command.car:
            return Refusal(
                "transponder-taken",
                f"transponder {min(taken)} is on car {other.car}; for a change of cars use transponder_assigned",
                {"transponder": min(taken), "car": other.car},
            )
    return None


def _assignment(known: "Decider", command: TransponderAssigned) -> Refusal | None:
    return _unknown_car(known, command.car) or _backwards(command.from_, command.until)


def _driver(known: "Decider", command: DriverChanged) -> Refusal | None:
    if refusal := _unknown_car(known, command.car):
        return refusal
    drivers = [driver.id for driver in known.entries[command.car].drivers]
    if drivers and command.driver not in drivers:
        return Refusal(
            "unknown-driver",
            f"driver {command.driver} is not entered for car {command.car}; its drivers: {', '.join(drivers)}",
            {"driver": command.driver, "car": command.car, "drivers": ", ".join(drivers)},
        )
    return None


def _of_car(known: "Decider", command: CarRetired | CarWithdrawn | Message | PassingReassigned) -> Refusal | None:
    return _unknown_car(known, command.car)


def _race_stopped(known: "Decider", _: RaceStopped) -> Refusal | None:
    statuses = [event for event in holding(known.events) if isinstance(event, TrackStatus)]
    reds = [place for place, status in enumerate(statuses) if status.status == "red"]
    if not reds:
        return Refusal("not-suspended", "no red flag has been given, so there is no suspended race to stop; give track_status red first")
    if resumed := next((s for s in statuses[reds[-1] + 1 :] if resumes(s)), None):
        return Refusal(
            "not-suspended", f"the race was resumed by {resumed.id} ({resumed.status}); void that event first, or give red again"
        )
    return None


def _wave_by(known: "Decider", command: WaveBy) -> Refusal | None:
    if stranger := next(filter(None, map(partial(_unknown_car, known), command.cars)), None):
        return stranger
    rules = known.opened.rules if known.opened else None
    neutral = rulebook_from(rules).neutralisation if isinstance(rules, dict) else Neutralisation()
    statuses = (event for event in holding(known.events) if isinstance(event, TrackStatus))
    at = command.at or _FAR
    now = [i for i in intervals(statuses, neutral) if not i.sectors and i.began <= at and (i.ended is None or at < i.ended)]
    rule = neutral_of(now[-1].kind, neutral) if now else None
    if rule is None:
        return Refusal("not-neutralised", "lapped cars are waved by under a neutralisation, and there is none; give track_status first")
    if not command.cars and rule.lapped == "stay":
        return Refusal(
            "lapped-cars-stay",
            f"by the rulebook lapped cars stay where they are under {now[-1].kind}; name the cars in `cars`",
            {"status": now[-1].kind},
        )
    return None


def _decision(known: "Decider", command: Decision) -> Refusal | None:
    if refusal := _unknown_car(known, command.car):
        return refusal
    if command.decision in known.decisions:
        return Refusal(
            "decision-exists",
            f"decision {command.decision} exists; go on with decision_updated, or give another name",
            {"decision": command.decision},
        )
    amount = AMOUNT.get(command.penalty)
    if amount and getattr(command, amount) is None:
        return Refusal("missing-field", f"a penalty {command.penalty} says how much in the field {amount}", {"field": amount})
    return None


def _decision_updated(known: "Decider", command: DecisionUpdated) -> Refusal | None:
    held = [e for e in holding(known.events) if isinstance(e, Decision | DecisionUpdated) and e.decision == command.decision]
    decision = next((e for e in held if isinstance(e, Decision)), None)
    if decision is None:
        return Refusal(
            "unknown-decision",
            f"there is no decision {command.decision} in {known.session}, or it was voided",
            {"decision": command.decision},
        )
    updates = [e for e in held if isinstance(e, DecisionUpdated)]
    # its place is that of its own time: a step that came in late may not undo one that was taken in time
    after = [e for e in updates if command.at and (e.at, e.id) > (command.at, command.id)]
    before = [e for e in updates if e not in after]
    stage = life(decision, before).stage
    refused = len(life(decision, updates).refused)
    if command.stage not in NEXT[stage]:
        return Refusal(
            "decision-quashed" if stage == "quashed" else "not-from-here",
            why_not(command.decision, stage, command.stage),
            {"decision": command.decision},
        )
    if after and len(life(decision, [*before, command, *after]).refused) > refused:
        return Refusal(
            "not-from-here",
            f"decision {command.decision} was {after[0].stage} after that already, by {after[0].id}; void that event first",
            {"decision": command.decision},
        )
    return None


def _result_published(known: "Decider", command: ResultPublished) -> Refusal | None:
    published = [e for e in holding(known.events) if isinstance(e, ResultPublished)]
    if command.stage == "provisional" and (final := next((e for e in published if e.stage != "provisional"), None)):
        return Refusal("not-provisional", f"a result was published as {final.stage} already, by {final.id}; what follows it is amended")
    return None


def _finish_order(known: "Decider", command: FinishOrderRuled) -> Refusal | None:
    if twice := sorted({car for car in command.cars if command.cars.count(car) > 1}):
        return Refusal("bad-order", f"car {twice[0]} is named twice; each car has one place in the order", {"car": twice[0]})
    return next(filter(None, map(partial(_unknown_car, known), command.cars)), None)


def _passing_added(known: "Decider", command: PassingAdded) -> Refusal | None:
    if refusal := _unknown_car(known, command.car):
        return refusal
    loops = [loop.id for loop in known.opened.circuit.loops] if known.opened else []
    if command.loop not in loops:
        return Refusal(
            "unknown-loop",
            f"there is no loop {command.loop} on this circuit; its loops: {', '.join(loops)}",
            {"loop": command.loop, "loops": ", ".join(loops)},
        )
    return None


def _decoder_clock(_: "Decider", command: DecoderClockCorrected) -> Refusal | None:
    return _backwards(command.from_, command.until)


def _event_voided(known: "Decider", command: EventVoided) -> Refusal | None:
    if command.event in known.voided:
        return Refusal("already-voided", f"event {command.event} is void already")
    return _unknown_event(known, command.event)


def _event_retimed(known: "Decider", command: EventRetimed) -> Refusal | None:
    if not command.at:
        return Refusal("missing-field", "say in `at` from which instant the event holds", {"field": "at"})
    if command.event in known.retimed:
        return Refusal("already-retimed", f"event {command.event} was retimed already; void that retiming first")
    return _unknown_event(known, command.event)


def _unknown_event(known: "Decider", event_id: str) -> Refusal | None:
    target = known.events.get(event_id)
    if target is None:
        return Refusal("unknown-event", f"there is no event {event_id} in {known.session}", {"event": event_id})
    if isinstance(target, SessionOpened | SigningKey | ResultSigned):
        return Refusal("not-correctable", "the opening of a session cannot be corrected, nor a signature; open another, or publish again")
    return None


def _backwards(start: int | None, end: int | None) -> Refusal | None:
    if start is not None and end is not None and end <= start:
        return Refusal("bad-interval", f"it would end ({end}) before it begins ({start})")
    return None


def _id(event: AnyEvent) -> str:
    return getattr(event, "id", "")


CHECKS: dict[type, Callable[["Decider", Any], Refusal | None]] = {
    SessionOpened: _session_opened,
    GridSet: _grid_set,
    SessionStarted: _session_started,
    SegmentStarted: _segment_started,
    SegmentEnded: _segment_ended,
    SessionEnded: _session_ended,
    TrackStatus: _track_status,
    EntryRegistered: _entry,
    TransponderAssigned: _assignment,
    DriverChanged: _driver,
    CarRetired: _of_car,
    CarWithdrawn: _of_car,
    Message: _of_car,
    RaceStopped: _race_stopped,
    Decision: _decision,
    DecisionUpdated: _decision_updated,
    FinishOrderRuled: _finish_order,
    PassingAdded: _passing_added,
    PassingReassigned: _of_car,
    DecoderClockCorrected: _decoder_clock,
    WaveBy: _wave_by,
    ResultPublished: _result_published,
    EventVoided: _event_voided,
    EventRetimed: _event_retimed,
}
"""The check of each kind of command that may be refused."""
