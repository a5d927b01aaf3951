"""From the door into the log, the one way for messages from the broker and for commands from a desk.

What is judged may rest on what was judged before, so records stand in the order of judging: ``begin`` is called at once after it, without
waiting in between, and appends are made in the order of the calls.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from timing.log.event_log import Appended
from timing.log.record import Draft
from timing.services.clock import Clock
from timing.services.door import Door, Judged


class Appender(Protocol):
    """The log as those who bring messages see it (``LogWriter``): appends are made in the order of the calls."""

    async def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        """Append, and return when it is durable. Raises ``LogError``."""


class Begun(Struct, frozen=True, eq=False):
    """Messages that were judged, and their append, under way. Await ``settled``, or cancel ``appending``."""

    judged: Sequence[Judged]
    appending: asyncio.Task[list[Appended]]


class Intake:
    """Appends what the door has judged."""

    def __init__(self, log: Appender, door: Door, clock: Clock) -> None:
        self._log, self._door, self._clock = log, door, clock

    def begin(self, judged: Sequence[Judged]) -> Begun:
        """Begin to append; call it before anything else is judged."""
        return Begun(judged, asyncio.create_task(self._append([each.draft for each in judged]), name="intake: append"))

    async def settled(self, begun: Begun) -> list[tuple[Judged, Appended]]:
        """Wait until all is durable, and give what became of each.

        In the place of an event that the log did not take, because its identity is there with other content, stands the rejection that it
        took instead.

        Raises:
            LogError: the log took nothing of it; nobody may be told otherwise.

        """
        settled = list(zip(begun.judged, await begun.appending, strict=True))
        places = [i for i, (j, a) in enumerate(settled) if a.outcome == "conflict" and j.outcome != "rejected"]
        if places:
            now = self._clock()
            rejected = [self._door.conflict(settled[i][0], settled[i][1].seq, now) for i in places]
            outcomes = await self._append([r.draft for r in rejected])
            for i, pair in zip(places, zip(rejected, outcomes, strict=True), strict=True):
                settled[i] = pair
        return settled

    async def _append(self, drafts: list[Draft]) -> list[Appended]:
        return await self._log.append(drafts) if drafts else []
