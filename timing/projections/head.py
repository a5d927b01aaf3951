"""The head of the screen: the session, its status, its clock and the flags, from the state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.units import MINUTE
from timing.projections.board import CandidateView, Clock, Distance, SessionStatus, SessionView
from timing.projections.points import scored_for
from timing.projections.state import State
from timing.projections.stoppage import order_of_restart, race_clock

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_LOCAL = frozenset({"yellow", "slow_zone"})
_PUBLISHED: dict[str, SessionStatus] = {"provisional": "provisional", "amended": "provisional", "final": "final"}


def session_view(timing: "Timing", state: State, candidates: Sequence[CandidateView] = (), *, result_due: bool = False) -> SessionView:
    """Form the head of the screen."""
    opened = timing.evidence.opened
    laps = max((s.laps for s in state.standings), default=0)
    statuses = state.said.statuses
    track = statuses[-1].status if statuses else "green"
    if state.end and (not statuses or statuses[-1].at < state.end.at):
        track = "chequered"
    qualified = state.qualified
    if track == "chequered" and qualified and statuses and statuses[-1].at < qualified.heats.runs[-1].since:
        track = "green"  # the flag was that of the segment before
    neutral = None if state.over else timing.neutral.current()
    if neutral is not None and track in _LOCAL and not state.end:
        track = neutral.interval.status
    if state.suspended and track != "chequered":
        track = "red"
    finished_at = state.stopped.at if state.stopped else state.end.at if state.end else state.said.closed_at
    return SessionView(
        name=opened.name if opened else timing.session,
        kind=opened.kind if opened else "race",
        status=session_status(state),
        track_status=track,
        rulebook=timing.rules.title,
        laps=laps,
        distance=Distance(timing.distance.laps, timing.distance.minutes, timing.distance.plus_laps),
        started_at=state.said.start,
        clock=qualified.clock(state) if qualified else _clock(timing, state, opened.distance.minutes if opened else None, finished_at),
        neutralised=neutral is not None,
        pit_lane_open=timing.neutral.pit_lane_open(timing, state.at),
        circuit=opened.circuit.name if opened else "",
        sectors=timing.sectors,
        classes=state.said.classes,
        finished_at=finished_at,
        restart_order=restart.running if (restart := order_of_restart(timing, state)) else None,
        segment=qualified.segment_view() if qualified else None,
        max_speed_kmh=neutral.rule.max_speed_kmh if neutral and neutral.rule else None,
        candidates=tuple(c for c in candidates if c.stands in ("open", "give_back")),
        result_due=result_due,
        championships=tuple(c.name for c in scored_for(timing)),
    )


def session_status(state: State) -> SessionStatus:
    """Say where the session stands; what was published last comes before all."""
    if state.said.published is not None:
        return _PUBLISHED[state.said.published]
    if state.over:
        return "finished"
    if state.said.start is None:
        return "scheduled"
    return "suspended" if state.suspended else "running"


def _clock(timing: "Timing", state: State, minutes: int | None, finished_at: int | None) -> Clock:
    length = None if minutes is None else minutes * MINUTE
    if state.said.start is None:
        return Clock(0, length)
    elapsed = max(race_clock(timing, state, state.at if finished_at is None else min(state.at, finished_at)), 0)
    return Clock(elapsed, None if length is None else max(length - elapsed, 0))
