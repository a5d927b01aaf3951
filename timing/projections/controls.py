"""The document ``controls``: what a session's rulebook and circuit give race control to choose from, for a console."""

from typing import TYPE_CHECKING, get_args

import msgspec
from msgspec import Struct

from timing.domain.decisions import NEXT
from timing.domain.events import GridSet
from timing.domain.parts import DecisionStage, Driver, Loop, Penalty, Status
from timing.domain.rulebook import Offence
from timing.domain.units import SECOND
from timing.projections.checks import AMOUNT

if TYPE_CHECKING:
    from timing.projections.timing import Timing

LOCAL: tuple[Status, ...] = ("green", "yellow", "slow_zone")
"""What may be shown in some sectors alone."""


class PenaltyChoice(Struct, frozen=True):
    """A penalty. ``amount``: the field that says how much, ``None`` where there is nothing to say; ``optional``: it may be left out."""

    penalty: str
    amount: str | None
    optional: bool = False


class Entry(Struct, frozen=True, rename={"class_": "class"}):
    """A car's entry as it stands, to be changed."""

    car: str
    class_: str
    team: str | None
    drivers: tuple[Driver, ...]
    transponders: tuple[str, ...]
    guest: bool
    championships: tuple[str, ...]


class Controls(Struct, frozen=True):
    """What there is to choose from.

    ``statuses`` in the order of the protocol, ``local`` of them also for some of the ``sectors``. ``offences``: the rulebook's, each with
    the usual penalty. ``stages``: what may follow each stage of a decision. ``drive_through_s`` and ``stop_go_s`` (of ten seconds): what
    they come to where they were not served. ``decisions``: the names in use; ``articles``: those that decisions name. ``waved_by``: the
    neutralisations under which all lapped cars may be waved by at once. ``kind``: of the session; ``segments``: the rulebook's, of
    qualifying. ``championships``: of which an entry may name some. ``grid``: the cars in the order in which they start, as far as it is
    set. ``decoders``: those that were heard.
    """

    session: str
    seq: int
    rulebook: str
    source: str
    statuses: tuple[str, ...]
    local: tuple[str, ...]
    sectors: int
    loops: tuple[Loop, ...]
    penalties: tuple[PenaltyChoice, ...]
    offences: tuple[Offence, ...]
    stages: dict[DecisionStage, tuple[DecisionStage, ...]]
    drive_through_s: float
    stop_go_s: float
    decisions: tuple[str, ...]
    articles: dict[str, str]
    waved_by: tuple[str, ...]
    kind: str
    segments: tuple[str, ...]
    championships: tuple[str, ...]
    entries: tuple[Entry, ...]
    grid: tuple[str | None, ...]
    decoders: tuple[str, ...]


def controls(timing: "Timing") -> Controls:
    """Say what there is to choose from in a session as it stands."""
    state = timing.state()  # first: what came since the last look is taken in by it, the rules too
    rules, opened = timing.rules, timing.evidence.opened
    circuit = opened.circuit.name if opened else ""
    own = {name.casefold(): us for name, us in rules.penalties.per_circuit_us.items()}.get(circuit.casefold())
    neutral = rules.neutralisation
    kinds = {"safety_car": neutral.safety_car, "vsc": neutral.vsc, "fcy": neutral.fcy, "code60": neutral.code60}
    return Controls(
        session=timing.session,
        seq=timing.seq,
        rulebook=rules.title,
        source=rules.source,
        statuses=get_args(Status),
        local=LOCAL,
        sectors=timing.sectors,
        loops=opened.circuit.loops if opened else (),
        penalties=tuple(PenaltyChoice(p, AMOUNT.get(p) or _MAY.get(p), p in _MAY) for p in get_args(Penalty)),
        offences=rules.penalties.offences,
        stages=NEXT,
        drive_through_s=(rules.penalties.drive_through_us if own is None else own) / SECOND,
        stop_go_s=(rules.penalties.stop_go_us if own is None else own + 10 * SECOND) / SECOND,
        decisions=tuple(ruling.decision.decision for ruling in state.said.rulings),
        articles={ruling.decision.decision: ruling.decision.article for ruling in state.said.rulings if ruling.decision.article},
        waved_by=tuple(kind for kind, rule in kinds.items() if rule.lapped != "stay"),
        kind=opened.kind if opened else "",
        segments=tuple(segment.name for segment in rules.qualifying.segments) if opened and opened.kind == "qualifying" else (),
        championships=tuple(each.name for each in rules.points.championships),
        entries=tuple(
            Entry(e.car, e.class_, e.team, e.drivers, e.transponders, e.guest, e.championships) for e in state.said.entries.values()
        ),
        grid=next((grid.cars for grid in reversed(timing.evidence.of(GridSet))), ()),
        decoders=tuple(sorted({decoder for decoder, _, _ in timing.evidence.passings})),
    )


_MAY = {"stop_go": "seconds"}


def controls_json(timing: "Timing") -> bytes:
    """Write the document as JSON."""
    return msgspec.json.encode(controls(timing))
