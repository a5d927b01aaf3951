"""What sheets are made of: sections with a table, a lap chart or cars' laps; and the texts that several of them share."""

from typing import Literal, TypeAlias

from msgspec import Struct

from timing.domain.units import HOUR, format_duration, time_of_day

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip

Part: TypeAlias = Literal["classification", "classes", "points", "grid", "fastest", "chart", "laps", "stops", "decisions", "messages"]


class Column(Struct, frozen=True):
    """A column of a table: its heading, where its texts stand, and how wide it is (``auto``: as wide as they are)."""

    head: str
    align: Literal["left", "right", "center"] = "left"
    width: str = "auto"


class Line(Struct, frozen=True):
    """A row; a text after a line feed stands small below the first. ``kind``: ``head`` has one text over the whole width."""

    cells: tuple[str, ...]
    kind: Literal["row", "head"] = "row"


class Lap(Struct, frozen=True):
    """A column of a lap chart: the lap, and the cars in the order in which they completed it, with ``*`` if through the pit lane."""

    lap: str
    cars: tuple[str, ...]


class CarLaps(Struct, frozen=True):
    """A car's laps: its number, who and what it is, and a line for each lap. ``best``: the index of its best lap."""

    car: str
    names: str
    lines: tuple[tuple[str, ...], ...]
    best: int | None = None


class Section(Struct, frozen=True):
    """A section, which begins a page. One of ``lines``, ``chart`` and ``cars`` is there; ``columns`` are of lines and of cars' laps."""

    part: Part
    title: str
    columns: tuple[Column, ...] = ()
    lines: tuple[Line, ...] = ()
    chart: tuple[Lap, ...] = ()
    cars: tuple[CarLaps, ...] = ()
    notes: tuple[str, ...] = ()


def duration(us: int | None) -> str:
    """Write a duration, or nothing."""
    return "" if us is None else format_duration(us)


def day(at: int) -> str:
    """Write the day of an instant, in UTC: ``15 June 2024``. Howard Hinnant's ``civil_from_days``."""
    days = at // (24 * HOUR) + 719_468
    era, of_era = divmod(days, 146_097)
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    place = (5 * of_year + 2) // 153
    month = place + 3 if place < 10 else place - 9
    return f"{of_year - (153 * place + 2) // 5 + 1} {_MONTHS[month - 1]} {year_of_era + era * 400 + (month <= 2)}"


def of_day(at: int) -> str:
    """Write the time of day of an instant, in UTC, to the tenth: sheets have little room."""
    return time_of_day(at)[:10]


def speed(length_m: int | None, laps: int, us: int | None) -> str:
    """Write an average speed in km/h, truncated to the thousandth; nothing where the circuit's length is not known."""
    if not length_m or not us or not laps:
        return ""
    whole, part = divmod(laps * length_m * 3_600_000_000 // us, 1_000)
    return f"{whole}.{part:03d}"
