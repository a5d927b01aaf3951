"""What a scenario table may expect of the timing at a line: a sentence of the language against the board and the classification."""

import re
from collections.abc import Callable

import msgspec
from race_words import duration, gap

from timing.domain.events import AnyEvent
from timing.domain.grids import make_grid, reissue
from timing.domain.units import format_duration
from timing.log.record import decode_event
from timing.projections.anomalies import anomalies
from timing.projections.board import CandidateView, Row, SessionView
from timing.projections.controls import controls
from timing.projections.grid_source import issued_grid, lost_in, ordered
from timing.projections.result import result
from timing.projections.stoppage import points_percent
from timing.projections.timing import Timing
from timing.projections.versions import versions

CAR_STATUSES = ("running", "pit", "stopped", "retired", "finished", "disqualified", "not_started")


def expect(timing: Timing, text: str) -> None:
    """Hold the timing to a sentence: ``order 7 12``, ``12: P2, laps 1``.

    Raises:
        AssertionError: it does not hold; the text says what is.
        ValueError: it is not of the language.

    """
    board = timing.board()
    word, _, rest = text.partition(" ")
    if match := re.fullmatch(r"points of (.+?) ((?:\S+ [\d.]+(?:, )?)+|none)", text):
        _equal(f"the points of {match[1]}", _points_of(timing, match[1]), match[2])
    elif word in SENTENCES:
        what, of = SENTENCES[word]
        _equal(what, of(timing), rest)
    elif word == "clock":
        _equal("the clock", board.session.clock.elapsed_us, duration(rest))
    elif word in ("notice", "unnoticed"):
        told = [notice.text for notice in board.notices if not notice.struck]
        assert any(rest in said for said in told) == (word == "notice"), f"notices: {'; '.join(told)}"
    elif word in ("grid", "segment", "remaining"):
        _expect_of_qualifying(timing, word, rest)
    elif word in ("candidates", "neutralised", "racing", "pit-lane"):
        _expect_of_neutralisation(board.session, word, rest)
    elif word.endswith(":"):
        row = board.rows[word[:-1]]
        for part in rest.split(","):
            expect_of(timing, row, part.strip())
    else:
        raise ValueError(f"{word} is not of the language; see README.md")


def _anomalies(timing: Timing) -> list[str]:
    return [f"{a.kind}:{a.car}" if a.car else a.kind for a in anomalies(timing) if a.notable]


def suggestion(timing: Timing, kind: str) -> AnyEvent:
    """Give the correction that the first anomaly of a kind suggests.

    Raises:
        ValueError: there is none.

    """
    for anomaly in anomalies(timing):
        if anomaly.kind == kind and anomaly.suggestion:
            return decode_event(msgspec.json.encode(anomaly.suggestion))
    raise ValueError(f"no anomaly {kind} suggests anything; there are: {', '.join(_anomalies(timing)) or 'none'}")


def _points(timing: Timing) -> str:
    percent = points_percent(timing, timing.state())
    return "none" if percent is None else f"{percent} %"


def _points_of(timing: Timing, championship: str) -> str:
    found = {c.championship: c for c in result(timing).points}
    if championship not in found:
        raise ValueError(f"no championship {championship} is scored here; there are: {', '.join(found) or 'none'}")
    return ", ".join(f"{row.car} {row.points:g}" for row in found[championship].rows) or "none"


def _speed(kmh: int | None) -> str:
    return "none" if kmh is None else f"{kmh} km/h"


def _versions(timing: Timing) -> str:
    found = versions(timing)
    return f"{len(found.versions)} {'due' if found.due else 'current'}"


def _offences(timing: Timing) -> str:
    told = [
        f"{each.offence}{f' ({each.article})' if each.article else ''} {each.penalty}{f' {each.amount}' if each.amount else ''}"
        for each in controls(timing).offences
    ]
    return ", ".join(told) or "none"


SENTENCES: dict[str, tuple[str, Callable[[Timing], str]]] = {
    "order": ("the running order", lambda timing: " ".join(timing.board().order)),
    "result": ("the result", lambda timing: " ".join(p.car for p in timing.classification() if p.position is not None)),
    "restart": ("the restart order", lambda timing: " ".join(timing.board().session.restart_order or ("none",))),
    "points": ("the share of the points", _points),
    "session": ("the session", lambda timing: timing.board().session.status),
    "track": ("the track", lambda timing: timing.board().session.track_status),
    "speed": ("the speed shown", lambda timing: _speed(timing.board().session.max_speed_kmh)),
    "leader": ("the leader's laps", lambda timing: f"laps {timing.board().session.laps}"),
    "anomalies": ("the anomalies", lambda timing: " ".join(_anomalies(timing)) or "none"),
    "offences": ("the offences offered", _offences),
    "versions": ("the versions of the result", _versions),
    "unplaced": ("passings of nobody", lambda timing: str(len(timing.evidence.unplaced))),
}
"""What may be expected of the session: the word, what it is about, and how it reads. A word more is a line more."""


def expect_of(timing: Timing, row: Row, part: str) -> None:
    """Hold a car's row to one part of a sentence."""
    word, _, value = part.partition(" ")
    gaps = {
        "gap": row.gap, "interval": row.interval, "class-gap": row.class_gap, "class-interval": row.class_interval,
        "gap-before": row.gap_before,
    }  # fmt: skip
    counts = {"laps": row.laps, "stops": row.pit_stops, "grid": row.grid}
    times = {"last": row.last_lap_us, "best": row.best_lap_us, "total": row.result.total_us}
    if re.fullmatch(r"[PC]\d+", word):
        place = {"P": row.position, "C": row.class_position}[word[0]]
        _equal(f"the place of {row.car}", f"{word[0]}{place}", word)
    elif word in gaps:
        _equal(f"the {word} of {row.car}", gaps[word], None if value == "none" else gap(value))
    elif word in counts:
        _equal(f"the {word} of {row.car}", counts[word], int(value))
    elif word in times:
        _equal(f"the {word} of {row.car}", times[word], None if value == "none" else duration(value))
    elif word in ("gained", "lost"):
        gained = next(line.gained for line in result(timing).rows if line.car == row.car)
        _equal(f"the places {row.car} gained by decisions", gained, int(value) * (1 if word == "gained" else -1))
    elif word in ("segment", "bests", "tags"):
        said = {"segment": row.segment, "bests": " ".join(_time(us) for us in row.segment_bests_us), "tags": " ".join(row.last_lap_tags)}
        _equal(f"the {word} of {row.car}", said[word] or "none", value)
    elif word == "suspect":
        laps = timing.laps.get(row.car)
        _equal(f"the suspect crossings of {row.car}", len(laps.suspects) if laps else 0, int(value))
    elif word == "photo":
        _equal(f"the photo finish of {row.car}", "waits" if row.result.photo else "settled", value)
    elif word == "result":
        _equal(f"the result of {row.car}", _result(row, value), value)
    elif word in CAR_STATUSES:
        _equal(f"the status of {row.car}", row.status, word)
    else:
        raise ValueError(f"{word} is not of the language; see README.md")


def _expect_of_neutralisation(session: SessionView, word: str, rest: str) -> None:
    if word == "candidates":
        _equal("the candidates", " ".join(_candidate(c) for c in session.candidates) or "none", rest)
    elif word == "pit-lane":
        _equal("the pit lane", "open" if session.pit_lane_open else "closed", rest)
    else:
        _equal("the track", "neutralised" if session.neutralised else "racing", word)


def _candidate(candidate: CandidateView) -> str:
    what = f"{candidate.car}>{candidate.over}" if candidate.over else f"{candidate.car}>pits"
    return what if candidate.stands == "open" else f"{what}:{candidate.stands}"


def _equal(what: str, is_: object, expected: object) -> None:
    assert is_ == expected, f"{what}: expected {expected}, is {is_}"


def _result(row: Row, wanted: str) -> str:
    if re.fullmatch(r"P\d+", wanted):
        return f"P{row.result.position}"
    return f"C{row.result.class_position}" if re.fullmatch(r"C\d+", wanted) else row.result.status


def _expect_of_qualifying(timing: Timing, word: str, rest: str) -> None:
    if word == "grid":
        made, _, places = rest.partition(" is ")
        _equal(f"the grid {made}", grid_of(timing, made.split()), places.strip())
    elif word == "segment":
        _equal("the segment", _segment(timing), rest)
    else:
        _equal("the time remaining", timing.board().session.clock.remaining_us, None if rest == "none" else duration(rest))


def grid_of(timing: Timing, made: list[str]) -> str:
    """Make a grid: ``inverted:10``, with ``without 4 7`` for the cars withdrawn; ``issued`` is the session's own, given again."""
    way, withdrawn = made[0], made[2:]
    if way == "issued":
        return " ".join(car or "-" for car in reissue(issued_grid(timing) or (), timing.rules.grid, withdrawn))
    starters, invert = ordered([timing], way)
    places = make_grid(starters, timing.rules.grid, invert=invert, lost=lost_in(timing), withdrawn=withdrawn)
    return " ".join(car or "-" for car in places)


def _segment(timing: Timing) -> str:
    segment = timing.board().session.segment
    return "none" if segment is None else " ".join(filter(None, (segment.name, segment.class_, segment.status)))


def _time(us: int | None) -> str:
    return "-" if us is None else format_duration(us)
