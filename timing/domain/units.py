"""Instants and durations: integers of microseconds, and the texts in which people read them."""

from typing import Annotated

from msgspec import Meta

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_LARGEST = 2**53 - 1  # the largest integer a JavaScript number holds exactly

Instant = Annotated[int, Meta(ge=1, le=_LARGEST, description="microseconds since 1970-01-01 UTC")]
StampedInstant = Annotated[int, Meta(ge=0, le=_LARGEST, description="microseconds since 1970-01-01 UTC; left out: the time of arrival")]
Duration = Annotated[int, Meta(ge=0, le=_LARGEST, description="microseconds")]
Offset = Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST, description="microseconds, either way")]


def format_duration(us: int, decimals: int = 3) -> str:
    """Write a duration of ``us`` microseconds as timing sheets do: ``1:23.456``, ``2:01:02.003``.

    The last digit is truncated, never rounded: a sheet that rounds can show two cars level that are not.
    """
    sign, us = ("-", -us) if us < 0 else ("", us)
    seconds, fraction = divmod(us, SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f".{fraction:06d}"[: decimals + 1] if decimals else ""
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{seconds:02d}{tail}"
    if minutes:
        return f"{sign}{minutes}:{seconds:02d}{tail}"
    return f"{sign}{seconds}{tail}"


def time_of_day(at: int) -> str:
    """Write an instant as the time of day in UTC, truncated to the millisecond: ``15:31:10.123``."""
    seconds, fraction = divmod(at % (24 * HOUR), SECOND)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction // MILLISECOND:03d}"
