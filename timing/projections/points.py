"""The points that a session gives, for each championship of its rulebook; as they stand while it runs."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from timing.domain.classification import Place
from timing.domain.events import EntryRegistered
from timing.domain.points import Ran, Score, score, score_pole
from timing.domain.rulebook import Championship
from timing.projections.stoppage import points_percent, ran_less_than

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_TOUCHED = frozenset({"safety_car", "vsc", "fcy", "code60", "red"})


class PointsRow(Struct, frozen=True, rename={"class_": "class"}):
    """A car's points. ``position``: among those that score, in class where ``by_class``; ``place``: in the result (or in class).

    ``points``: with up to three decimals, shares and ``bonus`` in them. ``why``: how they came about, in words.
    """

    position: int
    car: str
    class_: str
    place: int
    points: float
    bonus: tuple[str, ...]
    why: str


class ChampionshipPoints(Struct, frozen=True):
    """What the session is worth to a championship: who scores, in order. ``note``: why there are fewer points than usual, or none."""

    championship: str
    by_class: bool
    note: str | None
    rows: tuple[PointsRow, ...]


def scored_for(timing: "Timing") -> tuple[Championship, ...]:
    """Give the championships that the session gives points to: a race to all of the rulebook, qualifying to those with points for pole."""
    opened = timing.evidence.opened
    if opened is None or opened.kind == "practice":
        return ()
    championships = timing.rules.points.championships
    return championships if timing.race else tuple(c for c in championships if c.pole_milli)


def points(timing: "Timing", places: Sequence[Place]) -> tuple[ChampionshipPoints, ...]:
    """Give the points of each championship by a classification of the session."""
    championships = scored_for(timing)
    if not championships:
        return ()
    ran = _ran(timing, places) if timing.race else None
    entries = timing.state().said.entries
    return tuple(_written(c, _scores(c, places, entries, ran), _note(c, ran) if ran else None) for c in championships)


class CarPoints:
    """The points of each car, kept until what they rest on changes: they are asked for with every board."""

    def __init__(self) -> None:
        self._places: Sequence[Place] = ()
        self._under: tuple[object, ...] = ()
        self._rests_on: tuple[object, ...] = ()
        self._found: dict[str, tuple[int | None, ...]] = {}

    def of(self, timing: "Timing", places: Sequence[Place]) -> Mapping[str, tuple[int | None, ...]]:
        """Give, by car, its thousandths of a point in each championship of ``scored_for``; ``None``: it does not score there."""
        championships = scored_for(timing)
        if not championships:
            return {}
        under = (timing.neutral.windows, timing.neutral.found)
        if places is self._places and under == self._under:  # nobody was at the line since
            return self._found
        self._places, self._under = places, under
        ran, entries = _ran(timing, places) if timing.race else None, timing.state().said.entries
        rests_on = (championships, entries, [(p.car, p.position, p.class_position) for p in places], ran and _told(ran, championships))
        if rests_on != self._rests_on:
            scores = [{s.car: s.points_milli for s in _scores(c, places, entries, ran)} for c in championships]
            self._found = {car: tuple(given.get(car) for given in scores) for car in entries}
            self._rests_on = rests_on
        return self._found


def _scores(championship: Championship, places: Sequence[Place], entries: Mapping[str, EntryRegistered], ran: Ran | None) -> list[Score]:
    """Score a race, or qualifying: there nothing was run."""
    return score(places, entries, championship, ran) if ran else score_pole(places, entries, championship)


def _told(ran: Ran, championships: Sequence[Championship]) -> tuple[object, ...]:
    """Give all that these championships ask of what was run, as values that can be compared."""
    short = [ran.less_than(s.below_percent) for c in championships for s in c.shortened]
    bests = ran.bests if any(c.fastest_lap_milli for c in championships) else None
    starters = frozenset(ran.starters) if any(c.small_field for c in championships) else None
    return ran.percent, ran.racing_laps, short, bests, starters


def points_by_car(timing: "Timing", places: Sequence[Place]) -> dict[str, str]:
    """Write each car's points on a line: ``France 12.5, Gentleman 8``."""
    found: dict[str, list[str]] = {}
    for scored in points(timing, places):
        for row in scored.rows:
            found.setdefault(row.car, []).append(f"{scored.championship} {row.points:g}")
    return {car: ", ".join(said) for car, said in found.items()}


def written(points_milli: int) -> str:
    """Write points: ``25``, ``12.5``."""
    return f"{points_milli / 1_000:.3f}".rstrip("0").rstrip(".")


def _ran(timing: "Timing", places: Sequence[Place]) -> Ran:
    state = timing.state()
    share = points_percent(timing, state)
    bests = {s.car: (s.best_us, s.ends[s.best_lap - 1]) for s in state.standings if s.best_us is not None}
    needed = max(c.racing_laps for c in timing.rules.points.championships)
    return Ran(ran_less_than(timing, state), 100 if share is None else share, _racing_laps(timing, places, needed), state.started, bests)


def _racing_laps(timing: "Timing", places: Sequence[Place], needed: int) -> int:
    """Count the winner's laps that no neutralisation and no suspension touched, as far as so many are needed."""
    winner = next((p for p in places if p.position is not None), None)
    laps = timing.laps.get(winner.car) if winner else None
    if winner is None or laps is None:
        return 0
    racing = (lap for lap in range(1, min(winner.laps, len(laps.ends)) + 1) if not _TOUCHED & set(timing.neutral.tags(laps, lap)))
    return len(list(islice(racing, needed)))


def _note(championship: Championship, ran: Ran) -> str | None:
    if ran.racing_laps < championship.racing_laps:
        laps = f"{ran.racing_laps} racing lap{'s' if ran.racing_laps != 1 else ''}"
        return f"no points: the winner did {laps}, {championship.racing_laps} are needed"
    if ran.percent == 0:
        return "no points: too little was run"
    short = next((s for s in championship.shortened if ran.less_than(s.below_percent)), None)
    if short is not None:
        return f"less than {short.below_percent} % of the distance was run: the points of such a race"
    return f"{ran.percent} % of the points, by the distance" if ran.percent < 100 and not championship.shortened else None


def _written(championship: Championship, found: Sequence[Score], note: str | None) -> ChampionshipPoints:
    by_class = championship.places == "class"
    rows = [PointsRow(s.rank, s.car, s.class_, s.place, s.points_milli / 1_000, tuple(s.bonus), _why(s, by_class=by_class)) for s in found]
    return ChampionshipPoints(championship.name, by_class, note, tuple(rows))


def _why(found: Score, *, by_class: bool) -> str:
    """Say how points came about."""
    place = f"P{found.place}{f' in {found.class_}' if by_class else ''}"
    parts = [place if found.bonus.keys() != {"pole"} else f"{place} in qualifying"]
    if found.ahead:
        parts.append(f"P{found.rank} of those that score")
    if "pole" not in found.bonus:
        level = f", shared by {found.shared}" if found.shared > 1 else ""
        parts.append(f"{written(found.scale_milli)} by the scale{level}")
    parts += [f"{written(more)} for the {name}" for name, more in found.bonus.items()]
    if found.percent != 100:
        parts.append(f"of that {float(found.percent):g} %")
    return ", ".join(parts)
