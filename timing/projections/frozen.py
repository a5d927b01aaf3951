"""The order while it is frozen, the gaps as they were before, and the candidates that wait for race control."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from timing.domain.crossings import ADDED_PREFIX, LAP_PREFIX, Key
from timing.domain.events import OvertakeRuled, SessionOpened
from timing.domain.laps import CarLaps
from timing.domain.neutralisation import Window, pit_lane_open
from timing.domain.order import Standing, race_gap, race_order
from timing.domain.overtakes import Overtake, hold_back, name_of
from timing.projections.board import CandidateView, Gap, Notice
from timing.projections.road import Road, given_back, retirements, waves_of
from timing.projections.state import State
from timing.projections.stoppage import gap_clock
from timing.projections.terms import Terms

if TYPE_CHECKING:
    from timing.projections.timing import Timing

CANDIDATES_KEPT = 50
"""So many candidates are shown, the latest; all overtakes are in the session's document ``overtakes``."""

_FAR = 2**62
_UNDER = {
    "safety_car": "under the safety car", "vsc": "under the virtual safety car", "fcy": "under full course yellow",
    "code60": "under Code 60",
}  # fmt: skip
_RULED = {"accepted": "accepted", "give_back": "to be given back", "given_back": "given back", "referred": "referred to the stewards"}

Stands: TypeAlias = Literal["open", "accepted", "give_back", "given_back", "referred"]


class Passed(Struct, frozen=True):
    """An overtake under a neutralisation with what became of it: explained, open for race control, or ruled on."""

    overtake: Overtake
    under: str
    stands: Literal["explained"] | Stands


class Frozen:
    """The order on the road under a session's neutralisations. What it keeps between boards is only to be quick: see ``forget``."""

    def __init__(self) -> None:
        self._roads: dict[int, Road] = {}
        self._key: tuple[object, ...] = ()
        self._begun = 0
        self._before: tuple[tuple[object, ...], dict[str, Gap]] = ((), {})
        self._before_at = 0
        self._candidates: tuple[tuple[object, ...], list[CandidateView]] = ((), [])
        self._ruled: dict[int, tuple[tuple[object, ...], list[Passed], list[CandidateView]]] = {}
        self._notices: tuple[tuple[Notice, ...], Sequence[CandidateView], tuple[Notice, ...]] = ((), (), ())

    def forget(self) -> None:
        """Begin anew: crossings changed that were taken in."""
        self._roads, self._key, self._before, self._candidates, self._ruled = {}, (), ((), {}), ((), []), {}

    def touch(self, oldest: int) -> None:
        """Hear of new crossings, the first of them at that instant."""
        for road in self._roads.values():
            road.stale = road.stale or road.terms.until >= oldest
            if any(at >= oldest for at, _ in road.terms.waves):
                self._key = ()  # others may have been lapped then
        if oldest <= self._before_at:
            self._before = ((), {})

    def shown(self, timing: "Timing", state: State) -> list[Standing]:
        """Give the order that is shown: the running order, but while it is frozen each car behind those it may not have passed.

        Frozen, it is as of the last loop each car passed, not of the line. What happened on the road stays in laps and gaps, and the
        classification never looks at this.
        """
        window = timing.neutral.current()
        if window is None or not window.frozen or not timing.race or state.over or state.said.start is None:
            return state.standings
        road = next((r for r in self._all_roads(timing, state) if window in r.terms.windows), None)
        if road is None:
            return state.standings
        held = [
            (p.overtake.car, p.overtake.over)
            for p in self._passes_of(timing, road)[0]
            if p.overtake.place and p.stands in ("open", "give_back")
        ]
        held += road.held(state.at, frozenset(s.car for s in state.standings if s.standing))
        places = {s.car: place for place, s in enumerate(state.standings)}
        along = sorted(state.standings, key=lambda s: (-s.laps, *_since_line(timing.laps.get(s.car), s), places[s.car]))
        by_car = {s.car: s for s in along}
        return [by_car[car] for car in hold_back([s.car for s in along], held)]

    def gaps_before(self, timing: "Timing", state: State) -> Mapping[str, Gap]:
        """Give the gaps to the leader as of the line before the neutralisation that lasts began; nothing where none lasts."""
        window = timing.neutral.current()
        if window is None or not timing.race or state.over or state.said.start is None:
            return {}
        chain = next((c for c in _chains(timing.neutral.windows) if window in c), (window,))
        key = (timing.evidence.version, chain[0].interval)
        if self._before[0] != key:
            began = chain[0].interval.began
            then = [
                Standing(s.car, s.class_, s.ends, bisect_right(s.ends, began), s.start) for s in state.standings if s.car in timing.laps
            ]
            order, clock = race_order(then, state.said.grid), gap_clock(timing, state)
            self._before_at = began
            self._before = (key, {s.car: Gap(*race_gap(s, order[0], clock)) for s in order if s.laps})
        return self._before[1]

    def passes(self, timing: "Timing", state: State) -> list[Passed]:
        """Give every overtake under a frozen order, explained ones too, in order of time."""
        if not timing.race or state.said.start is None:
            return []
        return [p for road in self._all_roads(timing, state) for p in self._passes_of(timing, road)[0]]

    def candidates(self, timing: "Timing", state: State) -> list[CandidateView]:
        """Give what race control has to rule on or has ruled on, in order of time: overtakes, entries into a closed pit lane."""
        opened = timing.evidence.opened
        lanes = timing.neutral.pit_lane(timing)
        if opened is None or not (timing.neutral.windows or lanes) or not timing.race:
            return []
        roads = self._all_roads(timing, state)
        closed = not all(is_open for _, is_open in lanes)
        entries = sum(len(laps.entered) for laps in timing.laps.values()) if closed else 0
        known = (timing.evidence.version, timing.neutral.windows, _end_of(state))
        key = (known, self._begun, sum(road.seen for road in roads), entries)
        if self._candidates[0] != key or any(c.stands == "give_back" for c in self._candidates[1]):
            found = [view for road in roads for view in self._passes_of(timing, road)[1]]
            if closed:
                found += entries_into_closed(timing, state, opened)
            self._candidates = (key, sorted(found, key=lambda c: (c.at, c.id))[-CANDIDATES_KEPT:])
        return self._candidates[1]

    def notices(self, said: tuple[Notice, ...], candidates: Sequence[CandidateView]) -> tuple[Notice, ...]:
        """Add the candidates to the message list; the same list while neither changed."""
        before, those, merged = self._notices
        if those is not candidates or before != said:
            merged = with_candidates(said, candidates)
            self._notices = (said, candidates, merged)
        return merged

    def _passes_of(self, timing: "Timing", road: Road) -> tuple[list[Passed], list[CandidateView]]:
        """Give a road's passes with what became of them, and the candidates among them."""
        began, opened = road.terms.began, timing.evidence.opened
        key = (timing.evidence.version, self._begun, road.seen, timing.neutral.windows)
        known = self._ruled.get(began)
        if known is None or known[0] != key or any(c.stands == "give_back" for c in known[2]):
            passed = _ruled(timing, road)
            before = {c.id: c for c in known[2]} if known else {}
            views = [candidate_of(p, opened, before.get(p.overtake.id)) for p in passed if p.stands != "explained"] if opened else []
            known = self._ruled[began] = (key, passed, views)
        return known[1], known[2]

    def _all_roads(self, timing: "Timing", state: State) -> list[Road]:
        opened, windows = timing.evidence.opened, timing.neutral.windows
        if opened is None or not windows:
            return []
        flag, limit = state.end.at if state.end else None, _end_of(state)
        key = (timing.evidence.version, windows, flag, limit)
        terms = {began: road.terms for began, road in self._roads.items()}
        if self._key != key:
            terms = _terms(timing, windows, flag, limit)
        roads: dict[int, Road] = {}
        for began, its in terms.items():
            road = self._roads.get(began)
            if road is None or not road.goes_on(its) or not road.take():
                road = Road(timing, its, opened)
                road.take()
                self._begun += 1
            roads[began] = road
        self._roads, self._key = roads, key
        return list(roads.values())


def _terms(timing: "Timing", windows: Sequence[Window], flag: int | None, limit: int) -> dict[int, Terms]:
    waves, retired = waves_of(timing), retirements(timing)
    terms: dict[int, Terms] = {}
    for chain in _roads(windows):
        settled, began = _settled_at(chain), chain[0].interval.began
        ended = flag if flag is not None and flag >= began and flag <= settled else None
        not_raced = tuple(
            (w.interval.began, began if w.free_at is None else min(w.free_at, began)) for w in windows if w.interval.began < began
        )
        terms[began] = Terms(chain, not_raced, waves, retired, ended, min(limit if flag is None else _FAR, settled))
    return terms


def _roads(windows: Sequence[Window]) -> list[tuple[Window, ...]]:
    """Join the neutralisations with a frozen order of which each began before all cars were free of the one before it."""
    roads: list[tuple[Window, ...]] = []
    for window in windows:
        if not window.frozen:
            continue
        if roads and _settled_at(roads[-1]) >= window.interval.began:
            roads[-1] = (*roads[-1], window)
        else:
            roads.append((window,))
    return roads


def _settled_at(road: Sequence[Window]) -> int:
    """Give when every car had resumed after the last of them; far ahead while it is not known."""
    return max(_FAR if window.settled_at is None else window.settled_at for window in road)


def _chains(windows: Sequence[Window]) -> list[tuple[Window, ...]]:
    """Join the neutralisations that follow one upon another: nobody has raced between them."""
    chains: list[tuple[Window, ...]] = []
    for window in windows:
        if window.rule is None:
            continue
        if chains and chains[-1][-1].interval.ended == window.interval.began and chains[-1][-1].frozen == window.frozen:
            chains[-1] = (*chains[-1], window)
        else:
            chains.append((window,))
    return chains


def _ruled(timing: "Timing", road: Road) -> list[Passed]:
    opened, found = timing.evidence.opened, []
    rulings = {ruled.overtake: ruled.ruling for ruled in timing.evidence.of(OvertakeRuled)}
    returned = {(o.over, o.car) for o in road.watch.found if o.why == "gives_back"}
    for overtake in road.watch.found:
        under = timing.neutral.under(overtake.at) or road.under(overtake.at)
        stands: Literal["explained"] | Stands = "open"
        if overtake.why is not None:
            stands = "explained"
        elif (ruling := rulings.get(overtake.id)) is not None:
            stands = ruling
        if stands in ("open", "give_back") and opened is not None:
            back = (overtake.car, overtake.over) in returned
            if back or (stands == "give_back" and given_back(timing, overtake, opened.circuit) is not None):
                stands = "given_back"
        found.append(Passed(overtake, under, stands))
    return found


def entries_into_closed(timing: "Timing", state: State, opened: SessionOpened) -> list[CandidateView]:
    """Give the entries into the pit lane while it was closed; under red cars are to go there."""
    lanes = timing.neutral.pit_lane(timing)
    if state.said.start is None or not timing.race or all(is_open for _, is_open in lanes):
        return []
    rulings = {ruled.overtake: ruled.ruling for ruled in timing.evidence.of(OvertakeRuled)}
    limit, found = _end_of(state), []
    for car, laps in timing.laps.items():
        for at in laps.entered:
            if at > limit or pit_lane_open(lanes, at) or timing.neutral.under(at) == "red":
                continue
            crossings = timing.evidence.crossings[car]
            crossing = crossings[bisect_left(crossings, (at,))]
            loop = opened.circuit.loops[crossing[1]].id
            name = name_of("pit-entry", car, loop, at)
            stands: Stands = rulings.get(name, "open")
            evidence = (evidence_text(crossing[2:]),)
            found.append(CandidateView(name, at, "pit_entry", car, None, loop, timing.neutral.under(at), stands, evidence))
    return found


def _since_line(laps: CarLaps | None, standing: Standing) -> tuple[int, int]:
    """Say how far a car is since the line: sectors passed, most first, and when."""
    if laps is None:
        return 0, standing.last_at
    seen, at = laps.along
    return -seen, standing.last_at if at is None else at


def _end_of(state: State) -> int:
    if state.stopped is not None:
        return state.stopped.signal_at
    if state.end is not None:
        return state.end.at
    return _FAR if state.said.closed_at is None else state.said.closed_at


def evidence_text(key: Key) -> str:
    """Write what a crossing rests on: ``decoder/boot/number``, or the id of the crossing added by hand."""
    name, boot, number = key
    if name.startswith(ADDED_PREFIX):
        return f"by hand {name.removeprefix(ADDED_PREFIX)}"
    return f"{name.removeprefix(LAP_PREFIX)}/{boot}/{number}"


def candidate_of(passed: Passed, opened: SessionOpened, before: CandidateView | None) -> CandidateView:
    """Show a pass as a candidate; ``before`` is kept where it says the same."""
    overtake = passed.overtake
    if before is not None and before.stands == passed.stands and before.under == passed.under and before.at == overtake.at:
        return before
    loop = opened.circuit.loops[overtake.loop].id
    texts = tuple(evidence_text(key) for key in overtake.evidence)
    stands = "open" if passed.stands == "explained" else passed.stands
    return CandidateView(
        overtake.id, overtake.at, "overtake", overtake.car, overtake.over, loop, passed.under, stands, texts, overtake.place
    )


def with_candidates(notices: tuple[Notice, ...], candidates: Sequence[CandidateView]) -> tuple[Notice, ...]:
    """Add the candidates to the message list, in order of time; one that is accepted is struck through."""
    if not candidates:
        return notices
    written = list(notices)
    for c in candidates:
        under = f" {_UNDER[c.under]}" if c.under in _UNDER else ""
        what = f"Car {c.car} went into the closed pit lane{under}"
        if c.kind == "overtake":
            what = f"Car {c.car} {'passed' if c.place else 'lapped, or took a lap back from,'} car {c.over} before {c.loop}{under}"
        text = what if c.stands == "open" else f"{what}: {_RULED[c.stands]}"
        written.append(Notice(c.id, c.at, "candidate", text, c.car, struck=c.stands == "accepted"))
    return tuple(sorted(written, key=lambda notice: (notice.at, notice.id)))
