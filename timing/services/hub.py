"""Who has seen which frame: each screen is a place in a bounded history, never a queue. No I/O; one hub for each session.

A screen that keeps up is handed every frame. One that resumes is handed what it missed while the history still holds it. One whose
connection is full is handed nothing; if it missed anything meanwhile it gets one fresh snapshot when it can be written to again.

Beside the frames a hub may have asides, for the screens that ask for them: of each only the latest is kept, and each screen gets that.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator

from timing.domain.errors import TimingError
from timing.projections.frames import Framer

_LOST = -1  # the place of a screen that needs a snapshot


class FeedFull(TimingError):
    """As many screens as the limit allows are joined already. The feed turns the new one away; it may try again later."""


class _Screen:
    """Where a screen stands: ``rev`` is the last frame it was handed, or ``_LOST``.

    ``asides``: by name, those it was handed; ``None`` if it wants none.
    """

    __slots__ = ("asides", "rev", "writable")

    def __init__(self, rev: int) -> None:
        self.rev = rev
        self.writable = True
        self.asides: dict[str, bytes] | None = None


class Hub:
    """Hands the frames of one session to its screens. ``wake`` is called whenever ``outgoing`` may have something to give.

    Limits: ``max_screens`` joined at a time; the history holds ``max_frames`` frames and ``max_bytes`` bytes (but always the last frame),
    the oldest are forgotten first, and who asks for a forgotten one gets a snapshot.
    """

    def __init__(self, framer: Framer, *, max_screens: int = 10_000, max_frames: int = 1_000, max_bytes: int = 1_048_576) -> None:
        assert min(max_screens, max_frames, max_bytes) > 0
        self.wake: Callable[[], None] = _nobody_listens
        self.rev = framer.rev
        self._framer = framer
        self._max_screens, self._max_frames, self._max_bytes = max_screens, max_frames, max_bytes
        self._screens: dict[Hashable, _Screen] = {}
        self._history: deque[bytes] = deque()
        self._bytes = 0
        self._asides: dict[str, bytes] = {}

    @property
    def screens(self) -> int:
        """The number of screens that have joined."""
        return len(self._screens)

    @property
    def full(self) -> bool:
        """Whether another screen would be turned away."""
        return len(self._screens) >= self._max_screens

    def join(self, screen: Hashable, resume: tuple[str, int] | None = None) -> list[bytes]:
        """Take in a screen and give what to send it first: a snapshot, or the frames after ``resume`` (epoch, rev), which may be none.

        Raises:
            FeedFull: nobody was taken in.

        """
        assert screen not in self._screens, "a screen joins once"
        if self.full:
            raise FeedFull(f"{self._max_screens} screens are watching already; try again later")
        self._screens[screen] = _Screen(self.rev)
        if resume and resume[0] == self._framer.epoch and 0 <= self.rev - resume[1] <= len(self._history):
            return [self._frame(rev) for rev in range(resume[1] + 1, self.rev + 1)]
        return [self._framer.snapshot()]

    def leave(self, screen: Hashable) -> None:
        """Forget a screen; one that is not there is no matter."""
        self._screens.pop(screen, None)

    def publish(self, frame: bytes) -> None:
        """Take in the framer's newest frame, for everyone."""
        self.rev += 1
        assert self.rev == self._framer.rev, f"frame {self._framer.rev} comes after {self.rev - 1}; every frame is published"
        self._history.append(frame)
        self._bytes += len(frame)
        while len(self._history) > 1 and (len(self._history) > self._max_frames or self._bytes > self._max_bytes):
            self._bytes -= len(self._history.popleft())
        self.wake()

    def renew(self, framer: Framer) -> None:
        """Go over to another framer, of another epoch: every screen is owed its snapshot, and nobody resumes from before."""
        assert framer.epoch != self._framer.epoch, "an epoch does not begin twice"
        self._framer, self.rev = framer, framer.rev
        self._history.clear()
        self._bytes = 0
        for known in self._screens.values():
            known.rev = _LOST
        self.wake()

    def aside(self, name: str, message: bytes) -> None:
        """Set what screens are told beside the frames under a name; what was said under it before and not yet sent is forgotten."""
        self._asides[name] = message
        self.wake()

    def listen(self, screen: Hashable) -> None:
        """Let a screen have the asides from now on, those of now first."""
        if (known := self._screens.get(screen)) and known.asides is None:
            known.asides = {}
            self.wake()

    def writable(self, screen: Hashable, can_write: bool) -> None:
        """Note that a screen's connection is full, or can be written to again."""
        if (known := self._screens.get(screen)) is None or known.writable == can_write:
            return
        known.writable = can_write
        if can_write and known.rev != self.rev:
            known.rev = _LOST
            self.wake()
        elif can_write and known.asides is not None:
            self.wake()

    def resync(self, screen: Hashable) -> None:
        """Owe a screen a snapshot, as it asked; asking again before it is sent changes nothing."""
        if known := self._screens.get(screen):
            known.rev = _LOST
            self.wake()

    def outgoing(self) -> Iterator[tuple[Hashable, bytes]]:
        """Give what is due, screen by screen; what is given counts as sent.

        Screens may come, go, fill up, and frames be published, between one and the next: each screen still gets every frame in order.
        Who comes after its turn, or falls behind after it, is served by the next call, for which ``wake`` was called.
        """
        for screen in list(self._screens):
            known = self._screens.get(screen)
            while known is not None and known.writable and known.rev != self.rev:
                if 0 <= known.rev >= self.rev - len(self._history):
                    known.rev += 1
                    yield screen, self._frame(known.rev)
                else:
                    known.rev = self.rev
                    yield screen, self._framer.snapshot()
                known = self._screens.get(screen)
            yield from self._outgoing_asides(screen)

    def _outgoing_asides(self, screen: Hashable) -> Iterator[tuple[Hashable, bytes]]:
        for name in list(self._asides):
            known = self._screens.get(screen)
            if known is None or known.asides is None or not known.writable:
                return
            message = self._asides[name]
            if known.asides.get(name) is not message:
                known.asides[name] = message
                yield screen, message

    def _frame(self, rev: int) -> bytes:
        return self._history[rev - self.rev - 1]


def _nobody_listens() -> None:
    """Stand in until somebody sends what is published."""
