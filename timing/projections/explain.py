"""Explain a car's place: the crossings, corrections, decisions and rules it rests on, and why its neighbours are its neighbours."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from timing.domain.order import Standing
from timing.domain.units import format_duration, time_of_day
from timing.projections.asked import rule_lines
from timing.projections.circumstances import (
    formation_in_words,
    frozen_in_words,
    photo_in_words,
    ruling_between,
    ruling_text,
    sum_in_words,
    sum_of,
    suspensions_in_words,
)
from timing.projections.compared import in_the_result, on_the_road
from timing.projections.counted import read_in_words, read_to
from timing.projections.explanation import Decided, Explanation
from timing.projections.heard import crossing_in_words, crossings_of, taken_from
from timing.projections.notices import penalty_text
from timing.projections.points import points
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing


def explain(timing: "Timing", car: str, *, last: int | None = None) -> Explanation | None:
    """Explain a car's place as it stands; ``None`` for a car that is not entered. ``last``: list only so many of its crossings."""
    state = timing.state()
    standings = {s.car: (place, s) for place, s in enumerate(state.standings, start=1)}
    if car not in standings:
        return None
    road_place, standing = standings[car]
    places = timing.classification()
    place = next(p for p in places if p.car == car)
    crossings, earlier = crossings_of(timing, standing, last=last)
    decisions = tuple(_decisions(state, car))
    moved, scored = _moved(state), points(timing, places)
    shown, read = timing.board().rows[car].position, read_to(timing, state, car)
    circumstances = (
        *formation_in_words(timing),
        *suspensions_in_words(timing, state, car),
        *frozen_in_words(timing, state, car, moved=shown != road_place),
        *photo_in_words(timing, state, car),
    )

    def ruled(one: str, two: str) -> str | None:
        ruling = ruling_between(state, one, two)
        return None if ruling is None else ruling_text(ruling)

    explanation = Explanation(
        session=timing.session,
        car=car,
        class_=place.class_,
        seq=timing.seq,
        at=state.at,
        on_the_road=road_place,
        shown=shown,
        position=place.position,
        class_position=place.class_position,
        status=place.status,
        laps=standing.laps,
        result_laps=place.laps,
        total_us=place.total_us,
        best_lap_us=standing.best_us,
        last_crossing_at=standing.last_at if standing.laps else None,
        road=tuple(on_the_road(state.standings, car, state.said.grid, ruled, race=timing.race)),
        result=tuple(in_the_result(places, car, {s.car: s for s in state.standings}, moved, ruled, race=timing.race)),
        end=tuple(_end(timing, state, standing)),
        decisions=decisions,
        weighs=_weigh(state, car),
        corrections=tuple(taken_from(timing, car)),
        rules=tuple(rule_lines(timing, state, place, crossings, decided=bool(decisions))),
        crossings=crossings,
        earlier=earlier,
        words=(),
        sum=sum_of(timing, state, standing, place),
        circumstances=circumstances,
        readings=read,
        points=tuple(f"{c.championship}: {row.points:g} ({row.why})" for c in scored for row in c.rows if row.car == car),
    )
    return msgspec.structs.replace(explanation, words=tuple(_words(explanation)))


def _decisions(state: State, car: str) -> Iterator[Decided]:
    for ruling in state.said.rulings:
        d = ruling.decision
        if d.car == car:
            steps = [
                f"{time_of_day(step.at)} {step.stage}" + (f": {step.reason}" if step.reason and step.reason != d.reason else "")
                for step in ruling.steps
            ]
            steps += [f"{time_of_day(r.update.at)} not {r.update.stage}: {r.why}" for r in ruling.refused]
            yield Decided(d.decision, d.penalty, penalty_text(d), ruling.stage, d.at, d.reason, d.article, tuple(steps))


def _moved(state: State) -> dict[str, str]:
    """Name what moved each car that decisions moved by places, not by laps or time."""
    moved: dict[str, str] = {}
    for ruling in state.said.rulings:
        d, found = ruling.decision, state.penalties.get(ruling.decision.car)
        if found and d.penalty in {"positions", "last", "last_of_class"} and (found.drops or found.last or found.last_of_class):
            moved[d.car] = f"{d.decision}, {penalty_text(d)} for {d.car}"
    return moved


def _weigh(state: State, car: str) -> str | None:
    """Say what the decisions about a car come to in the result, unserved ones included; ``None`` where nothing weighs."""
    found = state.penalties.get(car)
    if found is None:
        return None
    parts = [f"{format_duration(found.time_us)} added"] if found.time_us else []
    parts += [f"{_laps(found.laps)} taken"] if found.laps else []
    parts += [f"{drop.places} place{'s' if drop.places != 1 else ''} down" for drop in found.drops]
    parts += [f"time of lap {lap} deleted" for lap in sorted(found.deleted_laps)]
    said = {"last of its class": found.last_of_class, "last": found.last, "disqualified": found.disqualified}
    return ", ".join([*parts, *(words for words, holds in said.items() if holds)]) or None


def _end(timing: "Timing", state: State, standing: Standing) -> Iterator[str]:
    """Say how the session ended, or that it goes on, and where this car's part in it ended."""
    said, car = state.said, standing.car
    done = len(laps.ends) if (laps := timing.laps.get(car)) else 0
    if said.start is None:
        yield "The session has not started."
        return
    if car not in state.started:
        yield f"Car {car} was not seen after the start at {time_of_day(said.start)}."
    if state.stopped:
        stopped = state.stopped
        yield (
            f"Red flag at {time_of_day(stopped.signal_at)}, not resumed: the leader had completed {_laps(stopped.completed)}; "
            f"the result is taken at the end of lap {stopped.counted}, ended at {time_of_day(stopped.at)}."
        )
        yield f"Of the {_laps(done)} of car {car}, {standing.laps} count."
    elif state.end and timing.race:
        flag = "" if said.flag_at is None else f" (flag shown at {time_of_day(said.flag_at)})"
        yield f"The leader's last crossing was at {time_of_day(state.end.at)}, after {_laps(state.end.laps)}{flag}."
        if standing.flagged:
            yield f"Car {car} took the flag at {time_of_day(standing.last_at)}, after {_laps(standing.laps)}."
        else:
            yield f"Car {car} has not taken the flag; it has {_laps(standing.laps)}."
    elif state.end:
        yield f"Chequered flag at {time_of_day(state.end.at)}."
    elif said.closed_at is None:
        yield f"The session is {'suspended' if state.suspended else 'under way'}; car {car} has {_laps(standing.laps)}."
    if said.closed_at is not None:
        yield f"The session was closed at {time_of_day(said.closed_at)}."


def _words(e: Explanation) -> Iterator[str]:
    yield from _of_the_place(e)
    for order, neighbours in (("On the road", e.road), ("In the result", e.result)):
        for n in neighbours:
            yield f"{order} {'behind' if n.where == 'ahead' else 'ahead of'} {n.car}: {n.why}."
    yield from e.circumstances
    yield from e.end
    yield from (f"  {read_in_words(found)}" for found in e.readings)
    yield from _of_decisions(e)
    yield from (f"Points, {scored}." for scored in e.points)
    yield from (f"Passing {c.key} {c.text}." for c in e.corrections)
    if e.rules:
        yield f"By the rulebook ({e.rules[0].source}):"
    yield from (f"  {rule.key} = {rule.value}" for rule in e.rules)
    if e.earlier:
        yield f"{e.earlier} earlier crossings are not listed."
    yield from (f"  {crossing_in_words(heard)}" for heard in e.crossings)


def _of_the_place(e: Explanation) -> Iterator[str]:
    place = f"P{e.position}" if e.position is not None else e.status.replace("_", " ")
    in_class = f", P{e.class_position} in {e.class_}" if e.class_position is not None else ""
    total = "" if e.total_us is None else f", {format_duration(e.total_us)}"
    yield f"Car {e.car}: {place}{in_class} ({e.status.replace('_', ' ')}), {_laps(e.result_laps)}{total}; P{e.on_the_road} on the road."
    if e.shown != e.on_the_road:
        yield f"The board shows it P{e.shown}."
    if e.laps != e.result_laps:
        yield f"On the road it did {_laps(e.laps)}."
    if e.sum:
        yield sum_in_words(e.sum)


def _of_decisions(e: Explanation) -> Iterator[str]:
    for d in e.decisions:
        because = "".join((f", {d.reason}" if d.reason else "", f" (art. {d.article})" if d.article else ""))
        yield f"Decision {d.decision}: {d.text}{because}. {'; '.join(d.steps)}. Now {d.stage}."
    if e.weighs:
        yield f"In the result that comes to: {e.weighs}."


def _laps(count: int) -> str:
    return f"{count} lap{'s' if count != 1 else ''}"


def explanation_json(timing: "Timing", car: str, *, last: int | None = None) -> bytes | None:
    """Write an explanation as JSON; ``None`` for a car that is not entered."""
    found = explain(timing, car, last=last)
    return None if found is None else msgspec.json.encode(found)
