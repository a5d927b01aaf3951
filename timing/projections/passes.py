"""The document ``overtakes``: every pass that the loops saw under a frozen order, with what explains it or what race control ruled."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from timing.projections.board import CandidateView
from timing.projections.frozen import candidate_of, entries_into_closed

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class PassView(Struct, frozen=True):
    """A pass: the fields of a candidate. ``why``: what explains it (``stands`` is ``explained`` then), else null."""

    id: str
    at: int
    kind: str
    car: str
    over: str | None
    loop: str
    under: str | None
    stands: str
    evidence: tuple[str, ...]
    place: bool
    why: str | None


class Passes(Struct, frozen=True):
    """The passes and the entries into a closed pit lane, in order of time."""

    session: str
    seq: int
    overtakes: tuple[PassView, ...]


def passes(timing: "Timing") -> Passes:
    """Give every pass under a frozen order, explained or not, and every entry into a closed pit lane."""
    state, opened = timing.state(), timing.evidence.opened
    views: list[PassView] = []
    if opened is not None:
        for passed in timing.neutral.frozen.passes(timing, state):
            candidate = candidate_of(passed, opened, None)
            views.append(_view(candidate, passed.stands, passed.overtake.why))
        views += [_view(c, c.stands, None) for c in entries_into_closed(timing, state, opened)]
    return Passes(timing.session, timing.seq, tuple(sorted(views, key=lambda view: (view.at, view.id))))


def passes_json(timing: "Timing") -> bytes:
    """Write the document as JSON."""
    return msgspec.json.encode(passes(timing))


def _view(c: CandidateView, stands: str, why: str | None) -> PassView:
    return PassView(c.id, c.at, c.kind, c.car, c.over, c.loop, c.under, stands, c.evidence, c.place, why)
