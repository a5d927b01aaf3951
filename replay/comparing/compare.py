"""Two folds side by side: every car's line in each, what differs, and why."""

from msgspec import Struct

from replay.comparing.reasons import Reasons
from timing.projections.differences import Change, Line, differences, head, lines
from timing.projections.timing import Timing


class Side(Struct, frozen=True):
    """One of the two. ``words``: how it was asked for; ``seq``: its last record; ``rulebook``: the hash of the rules it was judged by."""

    words: str
    session: str
    name: str
    seq: int
    digest: str
    rulebook: str | None


class ComparedCar(Struct, frozen=True):
    """A car in both. ``left`` and ``right`` are ``None`` where it is not entered; ``changes``: ``before`` is left, ``after`` right.

    ``reasons``: its own first (decisions, crossings, corrections), then whom it changed places with. Empty where nothing differs.
    """

    car: str
    left: Line | None
    right: Line | None
    changes: dict[str, Change]
    reasons: tuple[str, ...]


class Comparison(Struct, frozen=True):
    """All of it. ``same``: neither the session's state nor any car's line differs. ``cars``: in the finishing order of the right side.

    ``session``: what differs in the session's state; ``reasons``: what differs that concerns all cars (flags, rules, the end), also
    where it changes nothing.
    """

    left: Side
    right: Side
    same: bool
    session: dict[str, Change]
    reasons: tuple[str, ...]
    cars: tuple[ComparedCar, ...]


def compare(left: Timing, right: Timing, words: tuple[str, str] = ("left", "right")) -> Comparison:
    """Put two folds side by side; both stay as they are."""
    before, after = lines(left), lines(right)
    found = differences(before, after, session_before=head(left), session_after=head(right))
    changes = {one.car: one.changes for one in found.cars}
    why = Reasons(left, right, before, after)
    cars = tuple(
        ComparedCar(car, before.get(car), after.get(car), changes.get(car, {}), tuple(why.of(car, changes[car])) if car in changes else ())
        for car in dict.fromkeys((*after, *before))
    )
    return Comparison(side(left, words[0]), side(right, words[1]), found.none, found.session, tuple(why.common()), cars)


def side(timing: Timing, words: str) -> Side:
    """Say what one of the two is."""
    opened = timing.evidence.opened
    name = timing.session if opened is None else opened.name
    return Side(words, timing.session, name, timing.seq, timing.digest().hex(), timing.rulebook_hash)
