"""The leaderboard on a whole terminal: what fits its height, what the keys change, and the flag that cannot be missed."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.text import Text

from timing.commands.watch_table import band, head, lost, messages, table
from timing.domain.errors import ConfigurationError
from timing.projections.frames import State

_TABLE_HEAD, _LEAST_ROWS, _NARROW = 2, 3, 80
KEYS = "q quit · ↑↓ PgUp PgDn Home End scroll · c class · m messages"


class View(Struct):
    """What is known, since when (by this machine's own monotonic clock), and whether the connection stands."""

    state: State | None = None
    since: float = 0.0
    trouble: str | None = None


class Choice(Struct):
    """What whoever watches has chosen: ``classes`` (none: all), ``columns`` (none: by width), the first row, how many messages."""

    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    first: int = 0
    messages: int = 5
    asked_to_end: bool = False


def check_classes(state: State, wanted: Sequence[str]) -> tuple[str, ...]:
    """Find the classes that are meant, whatever their capitals.

    Raises:
        ConfigurationError: there is no such class.

    """
    known = {name.casefold(): name for name in state["session"].get("classes") or ()}
    for name in wanted:
        if name.casefold() not in known:
            raise ConfigurationError(f"there is no class {name}; there are: {', '.join(known.values()) or 'none yet'}")
    return tuple(known[name.casefold()] for name in wanted)


def check_columns(state: State, wanted: str) -> tuple[str, ...]:
    """Find the columns that a list such as ``position,car,points`` means, by the feed's names with or without their units.

    Raises:
        ConfigurationError: there is no such column.

    """
    short = {column["id"].removesuffix("_us").removesuffix("_milli"): column["id"] for column in state["columns"]}
    known = short | {name: name for name in short.values()}
    names = [name.strip() for name in wanted.casefold().split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ConfigurationError(f"there is no column {name}; there are: {', '.join(short)}")
    return tuple(known[name] for name in names)


def cars_of(state: State, classes: Sequence[str]) -> list[str]:
    """Give the cars of some classes, or of all, in running order."""
    return [car for car in state["order"] if not classes or state["rows"][car].get("class") in classes]


def picture(view: View, gone_us: int, width: int, *, choice: Choice | None = None, plain: bool = False) -> RenderableType:
    """Draw what is known, all of it, one under the other."""
    choice = choice or Choice(messages=0)
    if view.state is None:
        return head(None, 0, view.trouble, plain=plain)
    parts: list[RenderableType] = [head(view.state, gone_us, view.trouble, plain=plain)]
    parts += [flag] if (flag := band(view.state, width, plain=plain)) else []
    parts.append(
        table(view.state, cars_of(view.state, choice.classes), width, choice.columns, in_class=len(choice.classes) == 1, plain=plain)
    )
    parts += messages(view.state, choice.messages, width)
    return Group(*parts)


def screen(view: View, gone_us: int, width: int, height: int, choice: Choice) -> RenderableType:
    """Draw what fits a terminal: the flag and the clock always, then the rows from where it was scrolled to, messages and keys."""
    if view.state is None:
        return head(None, 0, view.trouble, plain=False)
    flag, said = band(view.state, width, plain=False), messages(view.state, choice.messages, width)
    first_line = head(view.state, gone_us, None, narrow=width < _NARROW, plain=False)
    top = [line for line in (first_line, flag, lost(view.trouble) if view.trouble else None) if line is not None]
    for line in top:
        line.truncate(width, overflow="ellipsis")
    room = height - len(top) - _TABLE_HEAD - 1
    said = said[: max(room - _LEAST_ROWS, 0)]
    room = max(room - len(said), 1)
    cars = cars_of(view.state, choice.classes)
    choice.first = max(min(choice.first, len(cars) - room), 0)
    shown = cars[choice.first : choice.first + room]
    rows = table(view.state, shown, width, choice.columns, in_class=len(choice.classes) == 1, plain=False)
    return Group(*top, rows, *said, _foot(choice, len(cars), len(shown), width))


def _foot(choice: Choice, all_cars: int, shown: int, width: int) -> Text:
    part = f"{choice.first + 1}-{choice.first + shown} of {all_cars}  " if shown < all_cars else ""
    classes = f"{', '.join(choice.classes)}  " if choice.classes else ""
    line = Text(f"{classes}{part}{KEYS}", style="dim", no_wrap=True)
    line.truncate(width, overflow="ellipsis")
    return line


def pressed(key: str, choice: Choice, state: State | None, page: int) -> None:
    """Do what a key asks for; ``page``: the rows of a screenful."""
    if step := _STEPS.get(key):
        choice.first = max(step(choice.first, page), 0)
    elif key == "q":
        choice.asked_to_end = True
    elif key == "m":
        choice.messages = 0 if choice.messages else Choice().messages
    elif key == "c" and state is not None:
        choice.classes, choice.first = _next_class(choice.classes, state), 0


def _next_class(now: tuple[str, ...], state: dict[str, Any]) -> tuple[str, ...]:
    """All classes, then each by itself, and all again."""
    each: list[tuple[str, ...]] = [(), *((name,) for name in state["session"].get("classes") or ())]
    return each[(each.index(now) + 1) % len(each)] if now in each else ()


_STEPS: dict[str, Callable[[int, int], int]] = {
    "up": lambda first, page: first - 1,  # noqa: ARG005  # one form for all
    "k": lambda first, page: first - 1,  # noqa: ARG005  # the same
    "down": lambda first, page: first + 1,  # noqa: ARG005  # the same
    "j": lambda first, page: first + 1,  # noqa: ARG005  # the same
    "page-up": lambda first, page: first - page,
    "page-down": lambda first, page: first + page,
    " ": lambda first, page: first + page,
    "home": lambda first, page: 0,  # noqa: ARG005  # the same
    "end": lambda first, page: 1_000_000,  # noqa: ARG005  # the same; the drawing finds the last
}
