"""The anomalies of a session: what in its evidence cannot be as it was said. Nothing is dropped for it, and nothing waits for it."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from timing.domain.crossings import Crossing, key_of
from timing.domain.events import Passing, TransponderAssigned
from timing.domain.laps import CarLaps
from timing.domain.units import SECOND, format_duration, time_of_day
from timing.projections.anomaly import Anomaly, device, named
from timing.projections.board import Notice
from timing.projections.decoders import Decoders
from timing.projections.unheard import missed_crossings

if TYPE_CHECKING:
    from timing.projections.timing import Timing

NOTICES = 50
"""The most that are shown among the messages: the latest. The list has all."""
SETTLING_US = 5 * SECOND
"""So long after a number was skipped, passings of several decoders may still be overtaking each other on their way."""
_SHOWN = 5  # pieces of evidence of one anomaly


class Watch:
    """Watches one session for anomalies. ``current`` is what the evidence says, whatever was asked before, and cheap to ask again."""

    def __init__(self, timing: "Timing") -> None:
        self._timing = timing
        self._decoders = Decoders()
        self._read = 0

    def current(self, *, settling_us: int = 0) -> list[Anomaly]:
        """List the anomalies as the evidence stands, by kind. A number skipped in the last ``settling_us`` is not yet missing."""
        timing = self._timing
        at = timing.state().at
        arrived = timing.evidence.arrived
        if self._read != len(arrived):
            self._decoders.take(arrived[self._read :])
            self._read = len(arrived)
        return [
            *self._decoders.offsets(timing),
            *missed_crossings(timing),
            *self._decoders.numbers_missing(timing, settled_before=at - settling_us + 1),
            *_impossible(timing),
            *_unplaced(timing),
            *_strangers(timing),
            *_suspects(timing),
        ]


def anomalies(timing: "Timing") -> list[Anomaly]:
    """List the anomalies of a session as it stands."""
    return Watch(timing).current()


LISTED = 1_000
"""The most that a document lists: the latest of those that are only listed are left out first."""


def anomalies_json(timing: "Timing") -> bytes:
    """Write the anomalies as JSON: ``{"session", "seq", "anomalies": […]}``, at most ``LISTED``."""
    found = anomalies(timing)
    shown = sorted(found, key=lambda a: (not a.notable, a.at))[:LISTED] if len(found) > LISTED else found
    return msgspec.json.encode({"session": timing.session, "seq": timing.seq, "count": len(found), "anomalies": shown})


def anomaly_notices(found: list[Anomaly]) -> tuple[Notice, ...]:
    """Write the notable anomalies as messages, the latest ``NOTICES`` of them, in order of time."""
    notable = sorted((a for a in found if a.notable), key=lambda a: (a.at, a.id))[-NOTICES:]
    return tuple(Notice(a.id, a.at, "anomaly", a.text, a.car) for a in notable)


def _impossible(timing: "Timing") -> Iterator[Anomaly]:
    """Find crossings farther from the start than the rulebook's horizon: a decoder's clock is wrong."""
    start = timing.state().said.start
    if start is None:
        return
    horizon = timing.rules.laps.horizon_us
    far: dict[tuple[str, int], list[Crossing]] = {}
    for crossings in timing.evidence.crossings.values():
        early, late = bisect_left(crossings, (start - horizon,)), bisect_right(crossings, (start + horizon + 1,))
        for crossing in (*crossings[:early], *crossings[late:]):
            far.setdefault((crossing[2], crossing[3]), []).append(crossing)
    for (decoder, boot), crossings in sorted(far.items()):
        crossings.sort()
        name, away = device(decoder), crossings[0][0] - start
        yield Anomaly(
            id=f"anomaly/impossible_time/{name}/{boot}",
            kind="impossible_time",
            at=crossings[0][0],
            text=f"{name[0].upper()}{name[1:]} (boot {boot}) gave {_times(len(crossings))} outside this session, "
            f"{format_duration(abs(away), 0)} {'after' if away > 0 else 'before'} the start: correct its clock",
            count=len(crossings),
            evidence=tuple(named(c[2:]) for c in crossings[:_SHOWN]),
            data={"device": name.partition(" ")[2], "boot": boot, "away_us": abs(away)},
        )


def _unplaced(timing: "Timing") -> Iterator[Anomaly]:
    """Find passings of transponders and at loops that nobody knows."""
    loops = timing.evidence.placement.loops
    by_loop: dict[tuple[str, str], list[Passing]] = {}
    by_transponder: dict[str, list[Passing]] = {}
    for fact in timing.evidence.unplaced.values():
        if isinstance(fact, Passing):
            if fact.loop in loops:
                by_transponder.setdefault(fact.transponder, []).append(fact)
            else:
                by_loop.setdefault((fact.decoder, fact.loop), []).append(fact)
    silent = [car for car in timing.state().said.entries if not timing.evidence.crossings.get(car)]
    for (decoder, loop), passings in sorted(by_loop.items()):
        yield _group(
            "unknown_loop",
            f"{decoder}/{loop}",
            passings,
            f"Decoder {decoder} hears a loop {loop} that this circuit does not have",
            {"decoder": decoder, "loop": loop},
        )
    for transponder, passings in sorted(by_transponder.items()):
        text = f"Transponder {transponder} is on no car of this session"
        anomaly = _group("unknown_transponder", transponder, passings, text, {"transponder": transponder})
        if len(silent) == len(by_transponder) == 1 and len(passings) > 1:
            yield _with_owner(anomaly, transponder, silent[0])
        else:
            yield anomaly


def _with_owner(anomaly: Anomaly, transponder: str, car: str) -> Anomaly:
    name = hashlib.sha256(f"{transponder}/{car}".encode()).hexdigest()[:16]
    assigned = TransponderAssigned(id=f"suggested-{name}", at=anomaly.at, transponder=transponder, car=car)
    text = f"{anomaly.text}; car {car} has not been heard at all"
    return msgspec.structs.replace(anomaly, text=text, suggestion=msgspec.to_builtins(assigned))


def _group(kind: str, name: str, passings: list[Passing], text: str, data: dict[str, str | int]) -> Anomaly:
    passings.sort(key=lambda p: (p.at, key_of(p)))
    return Anomaly(
        id=f"anomaly/{kind}/{name}",
        kind=kind,  # type: ignore[arg-type]  # one of the kinds, said by the callers above
        at=passings[0].at,
        text=f"{text}: {_times(len(passings))} since {time_of_day(passings[0].at)}",
        count=len(passings),
        evidence=tuple(named(key_of(p)) for p in passings[:_SHOWN]),
        data=data,
    )


def _strangers(timing: "Timing") -> Iterator[Anomaly]:
    """Find cars that a system counts laps for, or to which a correction gave a passing, and that are not entered."""
    for car in sorted(timing.evidence.crossings.keys() - timing.state().said.entries.keys()):
        if crossings := timing.evidence.crossings[car]:
            yield Anomaly(
                id=f"anomaly/unknown_car/{car}",
                kind="unknown_car",
                at=crossings[0][0],
                car=car,
                text=f"Car {car} is not entered: {_times(len(crossings))} since {time_of_day(crossings[0][0])}",
                count=len(crossings),
                evidence=tuple(named(c[2:]) for c in crossings[:_SHOWN]),
            )


def _suspects(timing: "Timing") -> Iterator[Anomaly]:
    """List the crossings that did not count, and why: short laps one by one, second reads by car."""
    for car in sorted(timing.laps):
        laps = timing.laps[car]
        duplicates = [crossing for crossing, reason in laps.suspects if reason == "duplicate"]
        for crossing, reason in laps.suspects:
            if reason == "short_lap":
                yield Anomaly(
                    id=f"anomaly/{reason}/{car}/{named(crossing[2:])}",
                    kind="short_lap",
                    at=crossing[0],
                    car=car,
                    text=f"Car {car} at the line at {time_of_day(crossing[0])} does not count: it ends {_short(laps, crossing[0])}",
                    evidence=(named(crossing[2:]),),
                    data={**_lasted(laps, crossing[0])},
                    notable=bool(laps.ends) and crossing[0] > laps.ends[0],  # before its first lap: over the line from the grid
                )
        if duplicates:
            yield Anomaly(
                id=f"anomaly/duplicate/{car}",
                kind="duplicate",
                at=duplicates[0][0],
                car=car,
                text=f"Car {car}: {_times(len(duplicates), 'second read')} of a crossing, the earliest counts",
                count=len(duplicates),
                evidence=tuple(named(c[2:]) for c in duplicates[-_SHOWN:]),
                notable=False,
            )


def _short(laps: CarLaps, at: int) -> str:
    lasted = _lasted(laps, at)
    return f"a lap of {format_duration(lasted['lap_us'])}, shorter than a lap can be" if lasted else "no lap"


def _lasted(laps: CarLaps, at: int) -> dict[str, int]:
    before = bisect_left(laps.ends, at)
    began = laps.ends[before - 1] if before else laps.since
    return {} if began is None else {"lap_us": at - began}


def _times(count: int, what: str = "passing") -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"
