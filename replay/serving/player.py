"""The clock of a replay: where the cursor is at this instant, playing or paused, at whatever speed. It knows nothing of records."""

import asyncio
import contextlib
from typing import Literal, Protocol

from timing.services.replayed import Speed

MAX: Literal["max"] = "max"


class Time(Protocol):
    """The time by which a replay is paced, in seconds that only grow; tests give their own."""

    def __call__(self) -> float:
        """Give the time."""
        ...

    async def wait(self, woken: asyncio.Event, seconds: float | None, /) -> None:
        """Wait until the event is set or so many seconds are over, whichever comes first."""
        ...


class LoopTime:
    """The running loop's time."""

    def __call__(self) -> float:
        """Give the time."""
        return asyncio.get_running_loop().time()

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        """Wait until the event is set or so many seconds are over, whichever comes first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await woken.wait()


class Player:
    """Where the cursor is. ``at`` gives its instant (µs) as of now; ``speed`` is how many times quicker than life, or ``max``."""

    def __init__(self, time: Time, at: int, speed: Speed) -> None:
        self.playing = False
        self.speed: Speed = speed
        self._time = time
        self._at = at
        self._since = time()

    @property
    def at(self) -> int:
        """The cursor's instant. At the speed ``max`` it stays where it was put."""
        if not self.playing or self.speed == MAX:
            return self._at
        return self._at + int((self._time() - self._since) * 1_000_000 * self.speed)

    def put(self, at: int) -> None:
        """Put the cursor to an instant; it goes on from there if it was playing."""
        self._at, self._since = at, self._time()

    def play(self) -> None:
        """Go on from where it is."""
        self.put(self.at)
        self.playing = True

    def pause(self) -> None:
        """Stay where it is."""
        self.put(self.at)
        self.playing = False

    def run_at(self, speed: Speed) -> None:
        """Go on at another speed from where it is."""
        self.put(self.at)
        self.speed = speed

    def seconds_until(self, instant: int) -> float:
        """Give how long, in seconds of its time, it takes to come to an instant; to be asked only while it plays at a speed."""
        assert self.speed != MAX, "as fast as it goes, nothing is waited for"
        return max(0.0, (instant - self.at) / 1_000_000 / self.speed)
