"""What a screen may say on the feed: asking for a snapshot or for what a place rests on, driving a replay; and how often."""

from collections import deque
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from timing.services.replayed import Control

UNDERSTOOD = 'only {"kind":"resync"} and {"kind":"explain","car":"7"} are understood, and of a replay {"kind":"replay"}'
_REASON = 120  # bytes


class Resync(Struct, tag_field="kind", tag="resync"):
    """A screen asks for a fresh snapshot."""


class Explain(Struct, tag_field="kind", tag="explain"):
    """A screen asks what a car's place rests on; the answer is an ``explanation``."""

    car: Annotated[str, Meta(min_length=1, max_length=8)]


_spoken: msgspec.json.Decoder[Resync | Explain | Control] = msgspec.json.Decoder(Resync | Explain | Control)


def understood(message: str | bytes) -> Resync | Explain | Control | str | None:
    """Read what a screen says; ``None`` where it is none of these, and in as many bytes as a close frame takes which field is wrong."""
    try:
        return _spoken.decode(message)
    except msgspec.ValidationError as error:
        fault = str(error)
        if "`$." not in fault or fault.endswith("`$.kind`"):
            return None
        return f"not understood: {fault}".encode()[:_REASON].decode("utf-8", "ignore")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class Allowance:
    """``times`` within any ``within_s`` seconds."""

    def __init__(self, times: int, within_s: float) -> None:
        self._asked: deque[float] = deque(maxlen=times)
        self._within_s = within_s

    def take(self, now: float) -> bool:
        """Note that something is asked, and say whether it is not asked too often."""
        if len(self._asked) == self._asked.maxlen and now - self._asked[0] < self._within_s:
            return False
        self._asked.append(now)
        return True
