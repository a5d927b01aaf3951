"""The language of the scenario tables (see README.md): reads a ``.race`` file, plays it line by line, and checks what it expects."""

import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from timing.domain.events import (
    AnyEvent,
    CarRetired,
    CarWithdrawn,
    Circuit,
    Command,
    Decision,
    DecisionUpdated,
    Distance,
    EntryRegistered,
    GridSet,
    Loop,
    Passing,
    PassingAdded,
    PassingKey,
    PassingReassigned,
    PassingVoided,
    RaceStopped,
    SessionEnded,
    SessionOpened,
    SessionStarted,
    StampableCommand,
    TrackStatus,
    TransponderAssigned,
)
from timing.domain.units import HOUR, MINUTE, SECOND
from timing.log.record import Record
from timing.projections.board import Gap, Row
from timing.projections.decider import Decider, Refusal
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

LOOPS = {"line": "SF", "pit-line": "SFP", "s1": "S1", "s2": "S2", "pit-in": "PI", "pit-out": "PO"}
CIRCUIT = Circuit(
    name="Scenario",
    loops=(
        Loop(id="SF", line="finish"),
        Loop(id="SFP", line="finish", pit=True),
        Loop(id="S1", line="sector", sector=1),
        Loop(id="S2", line="sector", sector=2),
        Loop(id="PI", line="pit_entry", pit=True),
        Loop(id="PO", line="pit_exit", pit=True),
    ),
)
STATUSES = ("green", "yellow", "slow_zone", "safety_car", "safety_car_ending", "vsc", "vsc_ending", "fcy", "code60", "red", "chequered")
STAGES = ("noted", "investigated", "issued", "served", "converted", "suspended", "quashed")
E = TypeVar("E", bound=Command | StampableCommand)


class Faulty(Exception):
    """A line that is not of the language, or an expectation that does not hold; the text names the file and the line."""


def duration(text: str) -> int:
    """Read 12.5, 1:30.123 or 1:02:03 in microseconds."""
    match = re.fullmatch(r"\+?(?:(?:(\d+):)?(\d{1,2}):)?(\d+)(?:\.(\d{1,6}))?", text)
    if not match:
        raise ValueError(f"{text} is no time; write 12:01:30.123, 1:30.123 or 0.5")
    hours, minutes, seconds, fraction = match.groups(default="0")
    return int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND + int(fraction.ljust(6, "0"))


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


class Play:
    """A scenario as it is played. ``records`` are those of a log; the timing is up to date after each line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: dict[str, str] = {}
        self.cars: dict[str, EntryRegistered] = {}
        self.grid: tuple[str | None, ...] = ()
        self.passings: dict[str, Passing] = {}
        self.records: list[Record] = []
        self.expected = 0
        self.timing = Timing("scenario")
        self._decider = Decider("scenario", Rulebooks().resolve)
        self._counts: Counter[str] = Counter()
        self._day = 0

    def run(self) -> "Play":
        """Play every line; the first that cannot be read or does not hold raises ``Faulty``."""
        for number, line in enumerate(self.path.read_text().splitlines(), start=1):
            text = line.split("#")[0].strip()
            try:
                if text:
                    self._line(text)
            except (ValueError, KeyError, AssertionError, AttributeError) as error:
                raise Faulty(f"{self.path.name}:{number}: {text}\n    {error}") from None
        if not self.head.keys() >= {"title", "source"} or not self.expected:
            raise Faulty(f"{self.path.name}: a scenario has a title, a source and at least one expectation")
        return self

    def _line(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "expect":
            self.expected += 1
            self._expect(rest)
        elif word[0].isdigit():
            if not self.records:
                self._open(time_of_day(word))
            self._event(self._day + time_of_day(word), rest.split())
        elif self.records:
            raise ValueError("this belongs before the first event")
        else:
            self._header(word, rest)

    # --- before the start ---------------------------------------------------------------------------------------------------------

    def _header(self, word: str, rest: str) -> None:
        if word in ("car", "cars"):
            numbers, options = _options(rest.split(), "class", "transponder")
            for car in numbers:
                transponder = options.get("transponder", f"T{car}")
                self.cars[car] = EntryRegistered(
                    id=f"entry-{car}", at=1, car=car, class_=options.get("class", "Open"), transponders=(transponder,)
                )
        elif word == "grid":
            self.grid = tuple(None if car == "-" else car for car in rest.split())
        elif word in ("title", "source", "rulebook", "distance", "date"):
            self.head[word] = f"{self.head[word]} {rest}" if word in ("title", "source") and word in self.head else rest
        else:
            raise ValueError(f"{word} is not of the language; see README.md")

    def _open(self, first: int) -> None:
        day = datetime.fromisoformat(self.head.get("date", "2026-05-16")).replace(tzinfo=UTC)
        self._day = int(day.timestamp()) * SECOND
        at = self._day + first - HOUR
        self._command(
            SessionOpened, at, session="scenario", name=self.head.get("title", "?"), kind="race", rulebook=_rulebook(self.head["rulebook"]),
            distance=_distance(self.head["distance"]), circuit=CIRCUIT,
        )  # fmt: skip
        for entry in self.cars.values():
            self._command(EntryRegistered, at, car=entry.car, class_=entry.class_, transponders=entry.transponders)
        self._command(GridSet, at, cars=self.grid or tuple(self.cars))

    # --- events -------------------------------------------------------------------------------------------------------------------

    def _event(self, at: int, words: list[str]) -> None:
        what, *rest = words
        simple: dict[str, type[Command | StampableCommand]] = {"start": SessionStarted, "end": SessionEnded, "stopped": RaceStopped}
        if what in LOOPS:
            self._passing(at, LOOPS[what], rest)
        elif what in STATUSES:
            self._command(TrackStatus, at, status=what)
        elif what in simple:
            self._command(simple[what], at)
        elif what in ("retired", "withdrawn"):
            self._command(CarRetired if what == "retired" else CarWithdrawn, at, car=rest[0])
        elif what == "enter":
            (car,), options = _options(rest, "class", "transponder")
            self._command(
                EntryRegistered, at, car=car, class_=options.get("class", "Open"), transponders=(options.get("transponder", f"T{car}"),)
            )
        elif what == "penalty":
            self._penalty(at, *rest)
        elif what == "decision":
            self._command(DecisionUpdated, at, decision=rest[0], stage=rest[1])
        else:
            self._correction(at, what, rest)

    def _passing(self, at: int, loop: str, rest: list[str]) -> None:
        (whose,), options = _options(rest, "as")
        transponder = whose[1:] if whose.startswith("@") else self.cars[whose].transponders[0]
        decoder = f"decoder-{loop.lower()}"
        self._counts[decoder] += 1
        passing = Passing(at=at, decoder=decoder, boot=1, number=self._counts[decoder], loop=loop, transponder=transponder)
        self.passings[options.get("as", "the last")] = passing
        self._record(passing)

    def _penalty(self, at: int, name: str, car: str, *how: str) -> None:
        match how:
            case (seconds, "s"):
                self._command(Decision, at, decision=name, car=car, penalty="time", seconds=float(seconds))
            case (laps, "lap" | "laps"):
                self._command(Decision, at, decision=name, car=car, penalty="laps", laps=int(laps))
            case ("disqualified",):
                self._command(Decision, at, decision=name, car=car, penalty="disqualified")
            case _:
                raise ValueError("a penalty is `5 s`, `1 lap` or `disqualified`")

    def _correction(self, at: int, what: str, rest: list[str]) -> None:
        why = {"reason": "as the scenario has it", "by": "timekeeper"}
        if what == "assign":
            (transponder,), options = _options(rest, "to", "from", "until")
            limits = {
                f"{name}_" * (name == "from") or name: self._day + time_of_day(options[name])
                for name in ("from", "until")
                if name in options
            }
            self._command(TransponderAssigned, at, transponder=transponder, car=options["to"], **limits)
        elif what == "reassign":
            (label,), options = _options(rest, "to")
            self._command(PassingReassigned, at, passing=_key(self.passings[label]), car=options["to"], **why)
        elif what == "void":
            self._command(PassingVoided, at, passing=_key(self.passings[" ".join(rest)]), **why)
        elif what == "by-hand":
            self._command(PassingAdded, at, loop=LOOPS[rest[0]], car=rest[1], **why)
        elif what == "resent":
            self._record(self.passings[" ".join(rest)])
        else:
            raise ValueError(f"{what} is not of the language; see README.md")

    def _command(self, kind: type[E], at: int, /, **fields: Any) -> None:
        self._counts[kind.__name__] += 1
        decided = self._decider.decide(kind(id=f"{kind.__name__}-{self._counts[kind.__name__]}", at=at, **fields), at)  # type: ignore[arg-type]  # an event
        assert not isinstance(decided, Refusal), f"refused: {decided.reason}"
        self._decider.evolve(decided)
        if isinstance(decided, EntryRegistered):
            self.cars[decided.car] = decided
        self._record(decided)

    def _record(self, event: AnyEvent) -> None:
        record = Record("scenario", len(self.records) + 1, 0, event, b"", b"")
        self.records.append(record)
        self.timing.apply(record)

    # --- expectations -------------------------------------------------------------------------------------------------------------

    def _expect(self, text: str) -> None:
        board = self.timing.board()
        word, _, rest = text.partition(" ")
        if word == "order":
            _equal("the running order", " ".join(board.order), rest)
        elif word == "result":
            _equal("the result", " ".join(p.car for p in self.timing.classification() if p.position is not None), rest)
        elif word == "session":
            _equal("the session", board.session.status, rest)
        elif word == "leader":
            _equal("the leader's laps", f"laps {board.session.laps}", rest)
        elif word == "unplaced":
            _equal("passings of nobody", str(len(self.timing.evidence.unplaced)), rest)
        elif word.endswith(":"):
            row = board.rows[word[:-1]]
            for part in rest.split(","):
                self._expect_of(row, part.strip())
        else:
            raise ValueError(f"{word} is not of the language; see README.md")

    def _expect_of(self, row: Row, part: str) -> None:
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
            _equal(f"the {word} of {row.car}", times[word], duration(value))
        elif word == "result":
            _equal(f"the result of {row.car}", _result(row, value), value)
        elif word in ("running", "pit", "stopped", "retired", "finished", "disqualified", "not_started"):
            _equal(f"the status of {row.car}", row.status, word)
        else:
            raise ValueError(f"{word} is not of the language; see README.md")

    def shuffled(self, seed: int) -> Timing:
        """Give the timing of the same records in another order of arrival."""
        records = list(self.records)
        random.Random(seed).shuffle(records)
        timing = Timing("scenario")
        for record in records:
            timing.apply(record)
        return timing


def _equal(what: str, is_: object, expected: object) -> None:
    assert is_ == expected, f"{what}: expected {expected}, is {is_}"


def _result(row: Row, wanted: str) -> str:
    if re.fullmatch(r"P\d+", wanted):
        return f"P{row.result.position}"
    return f"C{row.result.class_position}" if re.fullmatch(r"C\d+", wanted) else row.result.status


def _options(words: list[str], *names: str) -> tuple[list[str], dict[str, str]]:
    """Part words from ``name value`` pairs."""
    plain: list[str] = []
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in names:
            options[word] = next(rest, "")
        else:
            plain.append(word)
    return plain, options


def _distance(text: str) -> Distance:
    numbers = {unit.rstrip("s"): int(number) for number, unit in re.findall(r"(\d+) (laps?|minutes?)", text)}
    if "minute" in numbers and "+" in text:
        return Distance(minutes=numbers["minute"], plus_laps=numbers["lap"])
    return Distance(laps=numbers.get("lap"), minutes=numbers.get("minute"))


def _rulebook(text: str) -> str | dict[str, Any]:
    base, *changes = text.split()
    if not changes:
        return base
    said: dict[str, Any] = {"base": base}
    for change in changes:
        where, _, value = change.partition("=")
        chapter, _, key = where.partition(".")
        said.setdefault(chapter, {})[key] = int(value) if value.isdigit() else value
    return said


def _key(passing: Passing) -> PassingKey:
    return PassingKey(decoder=passing.decoder, boot=passing.boot, number=passing.number)


@pytest.fixture
def play() -> Callable[[Path], Play]:
    """Play a scenario file to its end."""
    return lambda path: Play(path).run()


@pytest.fixture
def play_text(tmp_path: Path) -> Callable[[str], Play]:
    """Play a scenario given as text."""

    def run(text: str) -> Play:
        path = tmp_path / "text.race"
        path.write_text(text)
        return Play(path).run()

    return run
