"""Turns: what costs work and anybody may ask for is made one at a time, and no more than half of the time, so that the race goes on.

Limits and what happens at them: so many wait for their turn; who comes then is answered with 503 and told to ask again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from timing.services.asked import Refused


class Turns:
    """Lets ``what`` be made: ``async with turns.turn():``. ``most`` wait; who is one too many is told to come again in ``come_again_s``."""

    def __init__(self, what: str, most: int, *, come_again_s: int = 1) -> None:
        self._what, self._most, self._come_again_s = what, most, come_again_s
        self._one = asyncio.Lock()
        self._asking = 0
        self._not_before = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn: it comes when what was made before has been over for as long as it took.

        Raises:
            Refused: too many wait already.

        """
        if self._asking > self._most:
            wait = str(self._come_again_s)
            raise Refused(503, "busy", f"other {self._what} are being made; try again in {wait} s", {"retry-after": wait})
        self._asking += 1
        clock = asyncio.get_running_loop().time
        try:
            async with self._one:
                await asyncio.sleep(max(0.0, self._not_before - clock()))
                began = clock()
                try:
                    yield
                finally:
                    ended = clock()
                    self._not_before = ended + (ended - began)
        finally:
            self._asking -= 1
