"""What an event would change before it is sent: the session folded once more with it, without another, by other rules, and compared."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType

from timing.domain.events import AnyEvent
from timing.projections.differences import Differences, Line, Value, differences, head, in_words, lines
from timing.projections.result import Result, result
from timing.projections.supposing import Refused, assume, decider_of, judged_by, leave_out

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class Preview(Struct, frozen=True):
    """What would change. ``seq``: the last record known; ``words``: the differences, one line a car.

    ``unknown``: what was to be left out and is not there. ``result``: the whole classification as it would be, where it was asked for.
    """

    session: str
    seq: int
    differences: Differences
    words: tuple[str, ...]
    refused: tuple[Refused, ...]
    unknown: tuple[str, ...]
    result: Result | UnsetType = UNSET


class Known(Struct, frozen=True):
    """A session as it stands, taken down so that it can be compared with later, elsewhere, while the session goes on."""

    session: str
    seq: int
    at: int
    lines: dict[str, Line]
    head: dict[str, Value]
    events: tuple[AnyEvent, ...]


def known(timing: "Timing") -> Known:
    """Take down a session as it stands. The events are shared, they never change; nothing else is."""
    at = timing.state().at
    return Known(timing.session, timing.seq, at, lines(timing), head(timing), tuple(timing.evidence.recorded()))


def preview(
    timing: "Timing", events: Sequence[AnyEvent], *, without: Collection[str] = (), rules: Mapping[str, Any] | None = None
) -> Preview:
    """Say what these events would change, sent now in this order, and what leaving out others would. ``timing`` stays as it is.

    ``without``: ids or identities of events. A command is judged as the service would judge it; a refused one changes nothing.
    ``rules``: a rulebook in its stored form, to judge by instead of the session's own.
    """
    return preview_of(known(timing), events, type(timing), without=without, rules=rules)


def preview_of(
    before: Known,
    events: Sequence[AnyEvent],
    fold: "type[Timing]",
    *,
    without: Collection[str] = (),
    rules: Mapping[str, Any] | None = None,
    whole: bool = False,
) -> Preview:
    """Say the same of a session that was taken down; ``whole``: with the classification as it would be."""
    held, there = leave_out(before.events, frozenset(without)) if without else (before.events, set[str]())
    if rules is not None:
        held = judged_by(held, rules)
    decider, after = decider_of(before.session, held), fold(before.session)
    take_in = after.evidence.add  # as ``apply`` does, without a record for each of a race's thousands
    for event in held:
        take_in(event)
    after.seq = before.seq
    refused = assume(after, decider, events, before.at)
    found = differences(before.lines, lines(after), session_before=before.head, session_after=head(after))
    return Preview(
        before.session,
        before.seq,
        found,
        tuple(in_words(found)),
        refused,
        tuple(sorted(set(without) - there)),
        result(after) if whole else UNSET,
    )
