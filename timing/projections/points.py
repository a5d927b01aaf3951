"""The points that a session gives, for each championship of its rulebook; as they stand while it runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from timing.domain.classification import Place
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


def points(timing: "Timing", places: Sequence[Place]) -> tuple[ChampionshipPoints, ...]:
    """Give the points of each championship by a classification of the session."""
    championships, state = timing.rules.points.championships, timing.state()
    opened = timing.evidence.opened
    if not championships or opened is None or opened.kind == "practice":
        return ()
    entries = state.said.entries
    if opened.kind == "qualifying":
        return tuple(_written(c, score_pole(places, entries, c), None) for c in championships if c.pole_milli)
    ran = _ran(timing, places)
    return tuple(_written(c, score(places, entries, c, ran), _note(c, ran)) for c in championships)


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
    return Ran(ran_less_than(timing, state), 100 if share is None else share, _racing_laps(timing, places), state.started, bests)


def _racing_laps(timing: "Timing", places: Sequence[Place]) -> int:
    """Count the winner's laps that no neutralisation and no suspension touched."""
    winner = next((p for p in places if p.position is not None), None)
    laps = timing.laps.get(winner.car) if winner else None
    if winner is None or laps is None:
        return 0
    return sum(not _TOUCHED & set(timing.neutral.tags(laps, lap)) for lap in range(1, min(winner.laps, len(laps.ends)) + 1))


def _note(championship: Championship, ran: Ran) -> str | None:
    if ran.racing_laps < championship.racing_laps:
        return f"no points: the winner did {ran.racing_laps} racing laps, {championship.racing_laps} are needed"
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
