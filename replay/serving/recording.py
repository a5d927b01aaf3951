"""A recording: a session of a log or of a session file, read into memory, with what any number of moments of it share."""

from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec import Struct

from replay.serving.keyframes import Keyframes
from replay.serving.ways import Pace, Way, as_it_came, as_it_was
from timing.domain.events import ResultPublished
from timing.log.record import Record
from timing.projections.copied import let_go
from timing.projections.marks import Mark, marks
from timing.projections.timing import Timing
from timing.services.replayed import Known


class Title(Struct, frozen=True):
    """What lists show of a session before any moment of it is chosen: nothing of how it goes."""

    session: str
    name: str
    kind: str
    opened_at: int


class Recording:
    """A session's records, its two ways, and their keyframes; each is made when it is first asked for, and kept.

    ``last``: the number of its last record.
    """

    def __init__(self, title: Title, records: Sequence[Record], *, pace: Pace | None = None) -> None:
        assert records, "a session has at least its session_opened"
        self.title = title
        self.last = records[-1].seq
        self._records = records
        self._pace = pace
        self._keyframes: dict[Known, Keyframes] = {}

    @cached_property
    def then(self) -> Way:
        """The records as they came in."""
        way = as_it_came(self._records, self._pace)
        self._records = way.records  # the same, without the bytes that they were written as
        return way

    @cached_property
    def truth(self) -> Timing:
        """The session as all its records tell it. Not to be applied to."""
        timing = self.keyframes("then").fold(len(self.then))
        timing.state()
        return timing

    @cached_property
    def now(self) -> Way:
        """The records as what they tell happened."""
        return as_it_was(self.then.records, self.truth, self.then)

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """What a scrub bar marks of the whole session."""
        return marks(self.truth)

    @cached_property
    def dear(self) -> tuple[tuple[int, int], ...]:
        """The stretches of time whose records are dear to fold: the order is frozen, and every car is watched from loop to loop."""
        frozen = [w for w in self.truth.neutral.windows if w.frozen]
        return tuple((w.interval.began, self.then.end if w.settled_at is None else w.settled_at) for w in frozen)

    def let_go(self) -> None:
        """Free at once what it holds; to be called when nobody asks it any more."""
        for keyframes in self._keyframes.values():
            keyframes.let_go()
        if (truth := vars(self).get("truth")) is not None:
            let_go(truth)
        vars(self).clear()  # it is in circles with its keyframes, which the collector no longer looks at

    def way(self, known: Known) -> Way:
        """Give one of the two ways of knowing."""
        return self.then if known == "then" else self.now

    def keyframes(self, known: Known) -> Keyframes:
        """Give the keyframes of a way."""
        if known not in self._keyframes:
            self._keyframes[known] = Keyframes(self.title.session, self.way(known), self.take_in(known))
        return self._keyframes[known]

    def take_in(self, known: Known) -> Callable[[Timing, Record], None]:
        """Give what applies a record of a way to a fold of it."""
        return Timing.apply if known == "then" else self._take_in_now

    def _take_in_now(self, timing: Timing, record: Record) -> None:
        self.ready("now", timing, record)
        timing.apply(record)

    def ready(self, known: Known, timing: Timing, record: Record) -> None:
        """Make a fold ready for a record: a result was published as it was known then, however one looks at it now."""
        if known == "now" and isinstance(record.event, ResultPublished) and (published := self.truth.published.get(record.event.id)):
            timing.published.setdefault(record.event.id, published)
