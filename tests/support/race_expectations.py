"""What a scenario table may expect of the timing at a line: a sentence of the language against the board and the classification."""

import re
from collections.abc import Callable

from race_words import duration, gap

from timing.projections.board import Row
from timing.projections.result import result
from timing.projections.stoppage import points_percent
from timing.projections.timing import Timing
from timing.projections.versions import versions

CAR_STATUSES = ("running", "pit", "stopped", "retired", "finished", "disqualified", "not_started")


SENTENCES: dict[str, tuple[str, Callable[[Timing], str]]] = {
    "order": ("the running order", lambda timing: " ".join(timing.board().order)),
    "result": ("the result", lambda timing: " ".join(p.car for p in timing.classification() if p.position is not None)),
    "session": ("the session", lambda timing: timing.board().session.status),
    "track": ("the track", lambda timing: timing.board().session.track_status),
    "restart": ("the restart order", lambda timing: " ".join(timing.board().session.restart_order or ("none",))),
    "points": ("the share of the points", lambda timing: f"{points_percent(timing, timing.state())} %"),
    "leader": ("the leader's laps", lambda timing: f"laps {timing.board().session.laps}"),
    "unplaced": ("passings of nobody", lambda timing: str(len(timing.evidence.unplaced))),
}
"""The sentences that say one thing of the session: what it is called, and how it is."""


def expect(timing: Timing, text: str) -> None:
    """Hold the timing to a sentence: ``order 7 12``, ``12: P2, laps 1``.

    Raises:
        AssertionError: it does not hold; the text says what is.
        ValueError: it is not of the language.

    """
    board = timing.board()
    word, _, rest = text.partition(" ")
    if word in SENTENCES:
        what, is_ = SENTENCES[word]
        _equal(what, is_(timing), rest)
    elif word in ("notice", "unnoticed"):
        told = [notice.text for notice in board.notices if not notice.struck]
        assert any(rest in said for said in told) == (word == "notice"), f"notices: {'; '.join(told)}"
    elif word == "clock":
        _equal("the clock", board.session.clock.elapsed_us, duration(rest))
    elif word == "versions":
        found = versions(timing)
        _equal("the versions of the result", f"{len(found.versions)} {'due' if found.due else 'current'}", rest)
    elif word.endswith(":"):
        row = board.rows[word[:-1]]
        for part in rest.split(","):
            expect_of(timing, row, part.strip())
    else:
        raise ValueError(f"{word} is not of the language; see README.md")


def expect_of(timing: Timing, row: Row, part: str) -> None:
    """Hold a car's row to one part of a sentence."""
    word, _, value = part.partition(" ")
    gaps = {"gap": row.gap, "interval": row.interval, "class-gap": row.class_gap, "class-interval": row.class_interval}
    counts = {"laps": row.laps, "stops": row.pit_stops, "grid": row.grid}
    times = {"last": row.last_lap_us, "best": row.best_lap_us, "total": row.result.total_us}
    if re.fullmatch(r"[PC]\d+", word):
        place = {"P": row.position, "C": row.class_position}[word[0]]
        _equal(f"the place of {row.car}", f"{word[0]}{place}", word)
    elif word in gaps:
        _equal(f"the {word} of {row.car}", gaps[word], gap(value))
    elif word in counts:
        _equal(f"the {word} of {row.car}", counts[word], int(value))
    elif word in times:
        _equal(f"the {word} of {row.car}", times[word], None if value == "none" else duration(value))
    elif word in ("gained", "lost"):
        gained = next(line.gained for line in result(timing).rows if line.car == row.car)
        _equal(f"the places {row.car} gained by decisions", gained, int(value) * (1 if word == "gained" else -1))
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


def _equal(what: str, is_: object, expected: object) -> None:
    assert is_ == expected, f"{what}: expected {expected}, is {is_}"


def _result(row: Row, wanted: str) -> str:
    if re.fullmatch(r"P\d+", wanted):
        return f"P{row.result.position}"
    return f"C{row.result.class_position}" if re.fullmatch(r"C\d+", wanted) else row.result.status
