"""What the road under a neutralisation rests on besides crossings, and up to when other terms say the same of it."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from timing.domain.neutralisation import Window

_FAR = 2**62


class Terms(Struct, frozen=True):
    """What a watch rests on besides crossings.

    ``windows``: neutralisations of which each began before all cars were free of the one before it. ``not_raced``: the stretches of time
    before them under others. ``waves``: when which cars were waved by. ``retired``: when cars were. ``end_at``: the leader took the flag.
    ``until``: nothing after counts.
    """

    windows: tuple[Window, ...]
    not_raced: tuple[tuple[int, int], ...]
    waves: tuple[tuple[int, frozenset[str]], ...]
    retired: Mapping[str, int]
    end_at: int | None
    until: int

    @property
    def began(self) -> int:
        """The first signal."""
        return self.windows[0].interval.began

    def same_before(self, other: "Terms") -> int:
        """Give an instant: of every crossing before it, these terms say what the others say."""
        if self.began != other.began or self.not_raced != other.not_raced:
            return 0
        instants = [_FAR]
        if self.until != other.until:
            instants.append(min(self.until, other.until) + 1)
        if self.end_at != other.end_at:
            instants += _known((self.end_at, other.end_at))
        instants += [at for at, _ in {*self.waves} ^ {*other.waves}]
        instants += [at for _, at in self.retired.items() ^ other.retired.items()]
        for one, two in zip(self.windows, other.windows, strict=False):
            if one != two:
                instants.append(_same_window_before(one, two))
        beyond = max(self.windows, other.windows, key=len)[min(len(self.windows), len(other.windows)) :]
        instants += [window.interval.began for window in beyond]
        return min(instants)


def _same_window_before(one: Window, two: Window) -> int:
    """Give the instant before which a window keeps the same cars from passing; what is not known of it yet has not happened yet."""
    first, second = one.interval, two.interval
    if (first.kind, first.began, first.until, one.rule) != (second.kind, second.began, second.until, two.rule):
        return min(first.began, second.began)
    changed = [pair for pair in ((first.ended, second.ended), (one.free_at, two.free_at)) if pair[0] != pair[1]]
    if one.at_line != two.at_line:
        changed.append((one.free_at, two.free_at))
    return min((at for pair in changed for at in _known(pair)), default=_FAR)


def _known(instants: Iterable[int | None]) -> list[int]:
    return [at for at in instants if at is not None]
