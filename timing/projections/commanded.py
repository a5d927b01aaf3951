"""What people said comes to: read off the commands that hold, and formed anew only when one comes in."""

from collections.abc import Iterable

from msgspec import Struct

from timing.domain.classification import Penalties
from timing.domain.decisions import SERVED_IN_THE_PIT_LANE, Ruling, penalties_of, rulings, strikes
from timing.domain.events import (
    CarRetired,
    CarWithdrawn,
    Decision,
    DecisionUpdated,
    DriverChanged,
    EntryRegistered,
    FinishOrderRuled,
    GridSet,
    PitLane,
    RaceStopped,
    ResultPublished,
    SegmentStarted,
    SessionEnded,
    SessionStarted,
    TrackStatus,
)
from timing.domain.suspension import Suspension, suspensions
from timing.projections.board import DriverView, Notice, PenaltyView
from timing.projections.evidence import Evidence, entries_of
from timing.projections.notices import Written, notices, penalty_text


class Commanded(Struct, frozen=True):
    """What the commands that hold come to. Instants in µs; ``None`` where nobody said so.

    ``latest``: the last command's instant; a result given out says nothing of the track, and must not change what it gives out.
    ``flag_at``: the chequered flag's; one shown while the race is suspended ends nothing. ``red_at``: that of the red flag after which the
    race was not resumed: so it was said, or the session was closed. ``suspensions``: every red
    flag, until racing went on. ``grid``: place by car, from 1. ``started``: cars that race control retired after the start, so they did.
    ``rulings``: every decision with its life. ``penalties``: what weighs on the result but for ``drives``, the drive-throughs and stop-gos,
    which weigh by how the race ends. ``strikes``: the instants of each car's track-limits strikes.
    """

    latest: int
    start: int | None
    closed_at: int | None
    flag_at: int | None
    red_at: int | None
    suspensions: tuple[Suspension, ...]
    finish_rulings: list[FinishOrderRuled]
    entries: dict[str, EntryRegistered]
    grid: dict[str, int]
    retired: frozenset[str]
    withdrawn: frozenset[str]
    started: frozenset[str]
    rulings: tuple[Ruling, ...]
    penalties: dict[str, Penalties]
    drives: tuple[Ruling, ...]
    strikes: dict[str, tuple[int, ...]]
    statuses: list[TrackStatus]
    drivers: dict[str, DriverView]
    badges: dict[str, tuple[PenaltyView, ...]]
    published: str | None
    pit_lane_open: bool
    classes: tuple[str, ...]
    notices: tuple[Notice, ...]


def commanded(evidence: Evidence, written: Written) -> Commanded:
    """Read the commands of a settled evidence; ``written`` keeps the notices from one reading to the next."""
    started, ended = evidence.of(SessionStarted), evidence.of(SessionEnded)
    start = next((said[0].at for said in (started, evidence.of(SegmentStarted)) if said), None)
    statuses, stops = evidence.of(TrackStatus), evidence.of(RaceStopped)
    flags = [s.at for s in statuses if s.status == "chequered" and start is not None and s.at > start]
    breaks = suspensions(s for s in statuses if start is None or s.at >= start)
    flags = [at for at in flags if not any(b.began < at and (b.ended is None or at < b.ended) for b in breaks)]
    closed_at = ended[0].at if ended else None
    not_resumed_at = stops[-1].at if stops else closed_at if breaks and breaks[-1].ended is None else None
    reds = [b.began for b in breaks if not_resumed_at is not None and b.began <= not_resumed_at]
    grids, lanes, published = evidence.of(GridSet), evidence.of(PitLane), evidence.of(ResultPublished)
    retired = evidence.of(CarRetired)
    entries = entries_of(evidence)
    ruled = rulings(evidence.of(Decision), evidence.of(DecisionUpdated))
    return Commanded(
        latest=max((c.at for c in evidence.commands if not isinstance(c, ResultPublished)), default=0),
        start=start,
        closed_at=closed_at,
        flag_at=flags[0] if flags else None,
        red_at=reds[-1] if reds else None,
        suspensions=breaks,
        finish_rulings=evidence.of(FinishOrderRuled),
        entries=entries,
        grid={car: place for place, car in enumerate(grids[-1].cars, start=1) if car} if grids else {},
        retired=frozenset(c.car for c in retired),
        withdrawn=frozenset(c.car for c in evidence.of(CarWithdrawn)),
        started=frozenset(c.car for c in retired if start is not None and c.at >= start),
        rulings=ruled,
        penalties=penalties_of(r for r in ruled if r.decision.penalty not in SERVED_IN_THE_PIT_LANE),
        strikes=strikes(ruled),
        drives=tuple(r for r in ruled if r.decision.penalty in SERVED_IN_THE_PIT_LANE),
        statuses=statuses,
        drivers=_drivers(entries, evidence),
        badges=_badges(ruled),
        published=published[-1].stage if published else None,
        pit_lane_open=lanes[-1].open if lanes else True,
        classes=tuple(sorted({entry.class_ for entry in entries.values()})),
        notices=notices(evidence.said(), written),
    )


def _drivers(entries: dict[str, EntryRegistered], evidence: Evidence) -> dict[str, DriverView]:
    """Find who is at the wheel of each car: the driver last named, otherwise the first entered."""
    named = {c.car: c.driver for c in evidence.of(DriverChanged)}
    at_wheel = {}
    for car, entry in entries.items():
        if entry.drivers:
            driver = next((d for d in entry.drivers if d.id == named.get(car)), entry.drivers[0])
            at_wheel[car] = DriverView(driver.id, driver.name, driver.category)
    return at_wheel


def _badges(ruled: Iterable[Ruling]) -> dict[str, tuple[PenaltyView, ...]]:
    of_car: dict[str, tuple[PenaltyView, ...]] = {}
    for ruling in ruled:
        decision = ruling.decision
        view = PenaltyView(
            decision.decision, decision.penalty, ruling.stage, penalty_text(decision), decision.seconds, decision.laps,
            decision.positions, decision.lap, decision.reason,
        )  # fmt: skip
        of_car[decision.car] = (*of_car.get(decision.car, ()), view)
    return of_car
