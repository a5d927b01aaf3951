"""The words of the scenario tables that stand for values: times, gaps, distances, rulebooks, penalties, options."""

import json
import re
from collections.abc import Sequence
from typing import Any

from timing.domain.events import Distance
from timing.domain.units import HOUR, MINUTE, SECOND
from timing.projections.board import Gap


def duration(text: str) -> int:
    """Read 12.5, 1:30.123 or 1:02:03 in microseconds."""
    match = re.fullmatch(r"\+?(?:(?:(\d+):)?(\d{1,2}):)?(\d+)(?:\.(\d{1,6}))?", text)
    if not match:
        raise ValueError(f"{text} is no time; write 12:01:30.123, 1:30.123 or 0.5")
    hours, minutes, seconds, fraction = match.groups(default="0")
    return int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND + int(fraction.ljust(6, "0"))


def offset(text: str) -> int:
    """Read a duration with its sign, which may not be left out: ``+2.5``, ``-0.120``."""
    if text[:1] not in ("+", "-"):
        raise ValueError(f"{text} is no offset; write +2.5 or -0.120")
    return duration(text[1:]) * (-1 if text[0] == "-" else 1)


def time_of_day(text: str) -> int:
    """Read 12:01:30.123 in microseconds since midnight; hours from 24 on are the next day's."""
    if not re.fullmatch(r"\d\d:\d\d:\d\d(\.\d{1,6})?", text):
        raise ValueError(f"{text} is no time of day; write 12:01:30.123")
    return duration(text)


def gap(text: str) -> Gap:
    """Read ``1.234``, ``1 lap +0.5`` or ``2 laps +1:00.0``."""
    match = re.fullmatch(r"(?:(\d+) laps? )?(\S+)", text)
    if not match:
        raise ValueError(f"{text} is no gap; write 1.234 or 2 laps +1.234")
    return Gap(int(match[1] or 0), duration(match[2]))


def distance(text: str) -> Distance:
    """Read ``10 laps``, ``20 minutes``, ``20 minutes + 1 lap``, ``10 laps or 4 minutes``; ``none`` for practice."""
    numbers = {unit.rstrip("s"): int(number) for number, unit in re.findall(r"(\d+) (laps?|minutes?)", text)}
    if not numbers and text != "none":
        raise ValueError(f"{text} is no distance; write 10 laps, 20 minutes + 1 lap, or none")
    if "minute" in numbers and "+" in text:
        return Distance(minutes=numbers["minute"], plus_laps=numbers["lap"])
    return Distance(laps=numbers.get("lap"), minutes=numbers.get("minute"))


def rulebook(text: str) -> tuple[str, str | dict[str, Any]]:
    """Read ``[LABEL:] NAME [chapter.key=value …]``: the label (the name without one), and what ``session_opened`` says."""
    label, _, named = text.rpartition(": ")
    base, *changes = named.split()
    if not changes:
        return label or base, base
    said: dict[str, Any] = {"base": base}
    for change in changes:
        where, _, written = change.partition("=")
        *chapters, key = where.split(".")
        place = said
        for chapter in chapters:
            place = place.setdefault(chapter, {})
        place[key] = value(written)
    return label or base, said


def value(text: str) -> Any:
    """Read a value as JSON where it is JSON, and as text otherwise: ``3``, ``true``, ``[1,2]``, ``frozen``."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def penalty(how: Sequence[str]) -> dict[str, Any]:
    """Read what a decision costs: the fields of the event."""
    text = " ".join(how)
    for pattern, kind, field in _PENALTIES:
        if match := re.fullmatch(pattern, text):
            return {"penalty": kind, field: float(match[1]) if field == "seconds" else int(match[1])}
    if text in ("disqualified", "reprimand", "warning", "last", "last-of-class", "drive-through"):
        return {"penalty": text.replace("-", "_")}
    raise ValueError("a penalty is `5 s`, `1 lap`, `3 places`, `drive-through`, `stop-go 10 s`, `lap-time 4`, `last` … : see README.md")


_PENALTIES = (
    (r"([\d.]+) s", "time", "seconds"),
    (r"stop-go ([\d.]+) s", "stop_go", "seconds"),
    (r"(\d+) laps?", "laps", "laps"),
    (r"(\d+) places?", "positions", "positions"),
    (r"(\d+) grid places?", "grid_places", "positions"),
    (r"lap-time (\d+)", "lap_time_deleted", "lap"),
)


def options(words: Sequence[str], *names: str) -> tuple[list[str], dict[str, str]]:
    """Part words from ``name value`` pairs."""
    plain: list[str] = []
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in names:
            found[word] = next(rest, "")
        else:
            plain.append(word)
    return plain, found


def segment(text: str) -> dict[str, Any]:
    """Read ``Q1 18 minutes``, with ``15 go on`` or ``10 of each class go on`` behind it."""
    match = re.fullmatch(r"(\S+) (\d+) minutes(?:, (\d+) (of each class )?go on)?", text)
    if not match:
        raise ValueError(f"{text} is no segment; write Q1 18 minutes, 15 go on")
    return {"name": match[1], "minutes": int(match[2]), "advance": match[3] and int(match[3]), "per_class": bool(match[4])}


def with_segments(rules: str | dict[str, Any], segments: list[dict[str, Any]]) -> str | dict[str, Any]:
    """Give the rulebook with these segments of qualifying; with its own where the table names none."""
    if not segments:
        return rules
    said: dict[str, Any] = {"base": rules} if isinstance(rules, str) else rules
    return {**said, "qualifying": {**said.get("qualifying", {}), "segments": segments}}
