"""Crossings of the line that no loop heard: the car was seen in its sectors twice, and its lap took about two."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from timing.domain.events import PassingAdded
from timing.domain.laps import CarLaps, Round
from timing.domain.units import format_duration, time_of_day
from timing.projections.anomaly import Anomaly, middle, suggested

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_LAPS = 2  # from so many on a car has a usual lap


def missed_crossings(timing: "Timing") -> Iterator[Anomaly]:
    """Offer each crossing that was most likely missed, at the instant that the car's usual sectors make likely."""
    loops = _finish_loops(timing)
    if not loops:
        return
    for car in sorted(timing.laps):
        laps = timing.laps[car]
        if laps.rounds:
            yield from _of_car(car, laps, loops)


def _of_car(car: str, laps: CarLaps, loops: tuple[str, str]) -> Iterator[Anomaly]:
    around: dict[int, list[Round]] = {}
    for found in laps.rounds:
        around.setdefault(found.ended, []).append(found)
    usual = [us for n, us in enumerate(laps.times) if us and n not in around]
    if len(usual) < _LAPS:
        return
    usual_us = middle(usual)
    for n, rounds in around.items():
        began = laps.ends[n - 1] if n else (laps.since or 0)
        if n < len(laps.ends):
            if laps.ends[n] - began < (len(rounds) + 0.6) * usual_us:
                continue
        elif rounds[-1].seen_at - began < (len(rounds) - 0.1) * usual_us:
            continue
        for found in rounds:
            at = _likely(laps, found, around.keys())
            in_pit = any(found.left_at <= entered <= found.seen_at for entered in laps.entered)
            took = f"took {format_duration(laps.ends[n] - began)}" if n < len(laps.ends) else "is not over yet"
            yield Anomaly(
                id=f"anomaly/missed_crossing/{car}/{found.seen_at}",
                kind="missed_crossing",
                at=at,
                car=car,
                text=f"Car {car} was not heard at the line about {time_of_day(at)}: it passed sector {found.seen} twice, and the lap "
                f"{took}, usually {format_duration(round(usual_us))}",
                data={"sector": found.seen, "usual_us": round(usual_us)},
                suggestion=suggested(
                    PassingAdded(
                        id="-",
                        at=at,
                        car=car,
                        loop=loops[in_pit],
                        reason=f"missed between {time_of_day(found.left_at)} and {time_of_day(found.seen_at)}; the instant is an estimate",
                        by="timekeeper",
                    )
                ),
            )


def _likely(laps: CarLaps, found: Round, unusual: object) -> int:
    """Part the time between the two loops as the car usually does: what it needs to the line, and from there on."""
    whole = [s for n, s in enumerate(laps.sectors) if s and None not in s and n not in unusual]  # type: ignore[operator]  # keys
    span = found.seen_at - found.left_at
    if not whole:
        return found.left_at + span // 2
    to_line = middle(_sum(sectors[found.left :]) for sectors in whole)
    from_line = middle(_sum(sectors[: found.seen]) for sectors in whole)
    return found.left_at + round(span * to_line / max(to_line + from_line, 1))


def _sum(sectors: Sequence[int | None]) -> int:
    return sum(us or 0 for us in sectors)


def _finish_loops(timing: "Timing") -> tuple[str, str] | None:
    """Give the loop of the line on the track, and the one in the pit lane (the same where there is only one)."""
    opened = timing.evidence.opened
    finish = sorted((loop.pit, n, loop.id) for n, loop in enumerate(opened.circuit.loops) if loop.line == "finish") if opened else []
    return (finish[0][2], finish[-1][2]) if finish else None
