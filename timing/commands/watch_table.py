"""The leaderboard as text: the head with flag and clock, and the columns that the width allows. Nothing is said by colour alone."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from timing.domain.units import SECOND, format_duration
from timing.projections.frames import State

_PALETTE = ("cyan", "magenta", "yellow", "green", "blue", "red", "bright_cyan", "bright_magenta")
_WIDTHS = ((150, 4), (110, 3), (90, 2), (0, 1))  # from this width on, columns up to this priority
_NARROW, _OF_NARROW = 60, frozenset({"position", "car", "driver", "gap", "status"})
_IN_CLASS = {"position": "class_position", "gap": "class_gap", "interval": "class_interval"}
_SHORTENED = frozenset({"text", "driver", "penalties"})  # where the width is not enough; numbers are never cut
_FLAGS = {
    "green": "black on green",
    "yellow": "black on yellow",
    "slow_zone": "black on yellow",
    "red": "white on red",
    "chequered": "black on white",
}
_OTHER_FLAG = "black on bright_yellow"
_SAID = {"track_status": "bold", "decision": "bold", "anomaly": "italic", "candidate": "italic"}
_STATUS = {"running": "", "pit": "PIT", "stopped": "STOP", "retired": "OUT", "finished": "FIN", "disqualified": "DSQ", "not_started": "DNS"}


def head(state: State | None, gone_us: int, trouble: str | None, *, narrow: bool = False, plain: bool) -> Text:
    """Write the line above the table. ``gone_us`` is the time since the frame came: the clock runs on by it while the session runs.

    ``narrow``: the clock comes before the name, which is cut off.
    """
    line = Text(no_wrap=True)
    if state is None:
        return line.append("connecting" if trouble is None else f"no connection yet, trying again ({_clean(trouble)})", style="bold")
    session = state["session"]
    status = session.get("track_status", "green")
    flag = f" {str(status).replace('_', ' ').upper()} "
    line.append(f"[{flag.strip()}]" if plain else flag, style=_FLAGS.get(status, _OTHER_FLAG))
    laps = (session.get("distance") or {}).get("laps")
    name, words = _clean(session.get("name", "")), f"{_clock(session, gone_us)}  lap {session.get('laps', 0)}{f'/{laps}' if laps else ''}"
    if narrow:
        line.append(f"  {words}  ").append(name, style="bold")
    else:
        line.append(f"  {name}", style="bold").append(f"  {session.get('status', '')}  {words}")
    if trouble:
        line.append("  ").append_text(lost(trouble))
    return line


def lost(trouble: str) -> Text:
    """Say that the connection is lost."""
    return Text(f"connection lost, trying again ({_clean(trouble)})", style="bold red reverse", no_wrap=True)


def band(state: State, width: int, *, plain: bool) -> Text | None:
    """Write the flag over the whole width, where it is not green: by colour, by reversed type and in words."""
    status = str(state["session"].get("track_status", "green"))
    if status == "green":
        return None
    words = status.replace("_", " ").upper()
    if limit := state["session"].get("max_speed_kmh"):
        words += f"  {limit} km/h"
    if plain:
        return Text(f"*** {words} ***")
    return Text(f" {words} ".center(width), style=f"bold {_FLAGS.get(status, _OTHER_FLAG)}", no_wrap=True)


def messages(state: State, count: int, width: int) -> list[Text]:
    """Write the last messages, the newest first, each on one line; what was struck is struck through and says so."""
    lines = []
    for message in list(reversed(state.get("messages") or ()))[:count]:
        struck = bool(message.get("struck"))
        line = Text(f"{_time_of_day(message.get('at', 0))}  ", style="dim", no_wrap=True)
        line.append(_clean(message.get("text", "")), style="dim strike" if struck else _SAID.get(message.get("kind", ""), ""))
        line.append("  (withdrawn)" if struck else "")
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return lines


def _time_of_day(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%H:%M:%S")


def _clock(session: dict[str, Any], gone_us: int) -> str:
    clock = session.get("clock") or {}
    runs = gone_us if session.get("status") in {"running", "suspended"} else 0
    elapsed = format_duration((clock.get("elapsed_us") or 0) + runs, 0)
    remaining = clock.get("remaining_us")
    return elapsed if remaining is None else f"{elapsed} (-{format_duration(max(remaining - runs, 0) + SECOND - 1, 0)})"


def table(state: State, cars: Sequence[str], width: int, chosen: Sequence[str] = (), *, in_class: bool = False, plain: bool) -> Table:
    """Lay out the rows of cars, with the columns ``chosen``, or those the width allows.

    ``in_class``: places and gaps are those within the class. Points have a column for each championship.
    """
    columns = _chosen(state, chosen) if chosen else _fitting(state, width)
    if in_class:
        columns = [{**column, "id": _IN_CLASS.get(column["id"], column["id"])} for column in columns if column["id"] != "class_position"]
    drawn = Table(
        box=None if plain else box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), header_style="" if plain else "bold"
    )
    for column in columns:
        justify = {"right": "right", "centre": "center"}.get(column["align"], "left")
        whole = column["kind"] not in _SHORTENED
        drawn.add_column(column["label"], justify=justify, no_wrap=whole, overflow="ellipsis")  # type: ignore[arg-type]  # of rich's words
    colours = {name: _PALETTE[n % len(_PALETTE)] for n, name in enumerate(state["session"].get("classes") or ())}
    for car in cars:
        row = state["rows"][car]
        style = "dim" if row.get("status") in {"retired", "disqualified", "not_started"} else ""
        drawn.add_row(*(_cell(column, row, colours) for column in columns), style=style)
    return drawn


def _fitting(state: State, width: int) -> list[dict[str, Any]]:
    priority = next(most for least, most in _WIDTHS if width >= least)
    return [column for column in state["columns"] if column["priority"] <= priority and (width >= _NARROW or column["id"] in _OF_NARROW)]


def _chosen(state: State, chosen: Sequence[str]) -> list[dict[str, Any]]:
    known, columns = {column["id"]: column for column in state["columns"]}, []
    championships = state["session"].get("championships") or ()
    for column in (known[name] for name in chosen if name in known):
        if column["kind"] != "points":
            columns.append(column)
        elif len(championships) == 1:
            columns.append({**column, "of": 0})
        else:
            columns += [{**column, "label": _clean(name), "of": at} for at, name in enumerate(championships)]
    return columns


def _cell(column: dict[str, Any], row: dict[str, Any], colours: dict[str, str]) -> Text:
    value, kind = row.get(column["id"]), column["kind"]
    if "of" in column:
        value = value[column["of"]] if value else None
    if value is None or (kind == "gap" and row.get("class_position" if column["id"].startswith("class_") else "position") == 1):
        return Text("")
    style = colours.get(str(value), "") if kind == "class" else "bold" if kind in {"car", "status"} else ""
    return Text(_clean(_WRITTEN.get(kind, str)(value)), style=style, no_wrap=True, overflow="ellipsis")


def gap_text(gap: dict[str, int]) -> str:
    """Write a gap: whole laps if there are any, else the time."""
    laps = gap["laps"]
    if laps:
        return f"+{laps} lap{'s' if laps != 1 else ''}"
    return f"+{format_duration(gap['time_us'])}"


def _penalties(penalties: list[dict[str, str]]) -> str:
    return ", ".join(f"{penalty.get('text', '')} ({penalty.get('stage', '')})" for penalty in penalties)


_WRITTEN: dict[str, Callable[[Any], str]] = {
    "gap": gap_text,
    "duration": format_duration,
    "durations": lambda parts: " ".join("-" if part is None else format_duration(part) for part in parts),
    "driver": lambda driver: str(driver.get("name", "")),
    "status": lambda status: _STATUS.get(status, str(status)),
    "penalties": _penalties,
    "live": lambda live: f"P{live['position']}",
    "points": lambda milli: f"{milli / 1_000:g}",
}
"""How each kind of column is written; others as they are."""


def _clean(value: object) -> str:
    """Take out what a terminal might obey: names come from outside."""
    return "".join(c if c.isprintable() else " " for c in str(value))
