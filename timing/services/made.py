"""What was made for one visitor is kept for the next, and made once for several who ask at a time.

Limits and what happens at them: of what was made the latest used are kept, ``most`` bytes in all; what is larger is made anew each time.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from msgspec import Struct

MOST = 32 * 2**20


class _Making(Struct):
    """Something that is being made. ``waiting``: for so many visitors."""

    task: asyncio.Task[bytes]
    waiting: int = 0


class Made:
    """Keeps what was made by its name, together with what it was made from: where that has changed, it is made anew."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[Hashable, tuple[Hashable, bytes]] = {}  # in the order of their last use
        self._making: dict[Hashable, _Making] = {}

    async def give(self, name: Hashable, origin: Hashable, make: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Give what is called ``name`` as it is made from ``origin``; ``make`` makes it where it is not there. What it raises is raised.

        Work that nobody waits for any more is cancelled.
        """
        found = self._kept.pop(name, None)
        if found and found[0] == origin:
            self._kept[name] = found
            return found[1]
        key = (name, origin)
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = _Making(asyncio.create_task(make(), name=f"make {name}"))
            making.task.add_done_callback(lambda task: self._done(name, origin, task))
        making.waiting += 1
        try:
            return await asyncio.shield(making.task)
        finally:
            making.waiting -= 1
            if not making.waiting and not making.task.done():
                self._making.pop(key, None)
                making.task.cancel()
                await asyncio.wait({making.task})

    def _done(self, name: Hashable, origin: Hashable, task: asyncio.Task[bytes]) -> None:
        making = self._making.get((name, origin))
        if making and making.task is task:
            del self._making[name, origin]
        if task.cancelled() or task.exception():
            return
        self._kept.pop(name, None)
        self._kept[name] = (origin, task.result())
        while sum(len(content) for _, content in self._kept.values()) > self._most:
            del self._kept[next(iter(self._kept))]
