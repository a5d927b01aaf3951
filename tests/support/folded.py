"""Events folded as they are given, and as they become when a session takes them."""

from collections.abc import Callable, Iterable, Iterator

from timing.domain.events import AnyEvent
from timing.log.record import Record
from timing.projections.decider import Decider, Refusal
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

RULEBOOKS = Rulebooks()


def fold(events: Iterable[AnyEvent], look: Callable[[], bool] = lambda: False, *, session: str = "s") -> Timing:
    """Fold events in this order; ``look`` says after which of them somebody looks at the board."""
    timing = Timing(session)
    for seq, event in enumerate(events, start=1):
        timing.apply(Record(session, seq, 1, event, b"", b""))
        if look():
            timing.board()
    return timing


def decided(events: Iterable[AnyEvent], session: str = "s") -> Iterator[AnyEvent]:
    """Give what a log would hold of them: commands become events.

    Raises:
        AssertionError: a command was refused.

    """
    decider = Decider(session, RULEBOOKS.resolve)
    for number, event in enumerate(events, start=1):
        taken = decider.decide(event, number)
        assert not isinstance(taken, Refusal), f"{event} was refused: {taken.reason}"
        decider.evolve(taken)
        yield taken
