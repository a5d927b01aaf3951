"""An anomaly: something in the evidence that cannot be as it was said, with what it rests on and the correction that would mend it."""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from timing.domain.crossings import ADDED_PREFIX, LAP_PREFIX, Key
from timing.domain.events import Correction

AnomalyKind = Literal[
    "decoder_offset", "missed_crossing", "numbers_missing", "impossible_time", "unknown_transponder", "unknown_loop", "unknown_car",
    "short_lap", "duplicate",
]  # fmt: skip


class Anomaly(Struct, frozen=True, kw_only=True):
    """Something that race control should look at. ``id`` stays the same while the anomaly grows.

    ``at``: the instant of its first evidence; ``count``: how many crossings or passings it concerns; ``evidence``: the first of them, as
    ``decoder/boot/number``. ``suggestion``: the correction that would mend it, as an event of the contract ready to be sent (``by`` is
    whoever sends it). ``notable``: shown among the messages; the others are only listed. ``data``: what the text names, for words in other
    languages, durations as ``*_us``.
    """

    id: str
    kind: AnomalyKind
    at: int
    text: str
    car: str | None = None
    count: int = 1
    evidence: tuple[str, ...] = ()
    suggestion: dict[str, Any] | None = None
    notable: bool = True
    data: dict[str, str | int] = {}


def named(key: Key) -> str:
    """Name what a crossing rests on, as people and corrections do: ``line-1/1/42``, ``lap club/1/7``, ``by hand added-3``."""
    decoder, boot, number = key
    if decoder.startswith(ADDED_PREFIX):
        return f"by hand {decoder.removeprefix(ADDED_PREFIX)}"
    return f"lap {decoder.removeprefix(LAP_PREFIX)}/{boot}/{number}" if decoder.startswith(LAP_PREFIX) else f"{decoder}/{boot}/{number}"


def device(decoder: str) -> str:
    """Name a device as people do: ``decoder line-1``, ``system club``. A decoder and a system may bear the same name."""
    return f"system {decoder.removeprefix(LAP_PREFIX)}" if decoder.startswith(LAP_PREFIX) else f"decoder {decoder}"


def middle(values: Iterable[int]) -> int:
    """Give the middle one of some durations: of two in the middle the lesser. There is at least one."""
    found = sorted(values)
    return found[(len(found) - 1) // 2]


def suggested(event: Correction) -> dict[str, Any]:
    """Give a correction as it would be sent. Its id is made from its content, so that two people who send it send one event."""
    content: dict[str, Any] = msgspec.to_builtins(event)
    content.pop("id")
    name = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:16]
    return {**content, "id": f"suggested-{name}"}
