"""The scenario tables (tests/scenarios/README.md): plays a ``.race`` file line by line under a rulebook, and checks what it expects."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from race_expectations import expect, suggestion
from race_words import distance, offset, options, penalty, rulebook, segment, time_of_day, with_segments

from timing.domain.events import (
    CHANNEL_OF,
    AnyEvent,
    CarRetired,
    CarWithdrawn,
    Circuit,
    Command,
    Decision,
    DecisionUpdated,
    DecoderClockCorrected,
    EntryRegistered,
    Event,
    EventRetimed,
    EventVoided,
    GridSet,
    Loop,
    OvertakeRuled,
    Passing,
    PassingAdded,
    PassingKey,
    PassingReassigned,
    PassingVoided,
    PitLane,
    RaceStopped,
    ResultPublished,
    SessionEnded,
    SessionOpened,
    SessionStarted,
    StampableCommand,
    TrackStatus,
    TransponderAssigned,
    WaveBy,
    event_type,
)
from timing.domain.units import HOUR, SECOND
from timing.log.record import Record
from timing.projections.board import Board
from timing.projections.decider import Decider, Refusal
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

LOOPS = {"line": "SF", "pit-line": "SFP", "s1": "S1", "s2": "S2", "pit-in": "PI", "pit-out": "PO"}
CIRCUIT = (
    Loop(id="SF", line="finish"),
    Loop(id="SFP", line="finish", pit=True),
    Loop(id="S1", line="sector", sector=1),
    Loop(id="S2", line="sector", sector=2),
    Loop(id="PI", line="pit_entry", pit=True),
    Loop(id="PO", line="pit_exit", pit=True),
)
STATUSES = ("green", "yellow", "slow_zone", "safety_car", "safety_car_ending", "vsc", "vsc_ending", "fcy", "code60", "red", "chequered")
SIMPLE: dict[str, type[Command | StampableCommand]] = {"start": SessionStarted, "end": SessionEnded, "stopped": RaceStopped}
KINDS: dict[str, type[Event]] = {event_type(kind.__name__): kind for kind in CHANNEL_OF}
HEADINGS = ("title", "source", "rulebook", "distance", "date", "kind", "circuit")
WHY = {"reason": "as the scenario has it", "by": "timekeeper"}
E = TypeVar("E", bound=Command | StampableCommand)


class Faulty(Exception):
    """A line that is not of the language, or an expectation that does not hold; the text names the file and the line."""


def rulebooks_of(path: Path) -> dict[str, str | dict[str, Any]]:
    """Give the rulebooks under which a table is to be played, by their labels; the first line of the kind comes first."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return dict(rulebook(line.removeprefix("rulebook ")) for line in lines if line.startswith("rulebook "))


class Play:
    """A scenario as it is played under one of its rulebooks. ``records`` are those of a log; ``timing`` is up to date after each line.

    ``look``: is called with it wherever the table expects something of it, once for each state.
    """

    def __init__(self, path: Path, label: str | None = None) -> None:
        self.path = path
        self.rulebooks = rulebooks_of(path)
        self.label = label or next(iter(self.rulebooks), "")
        self.head: dict[str, str] = {}
        self.cars: dict[str, EntryRegistered] = {}
        self.grid: tuple[str | None, ...] = ()
        self.segments: list[dict[str, Any]] = []
        self.passings: dict[str, Passing] = {}
        self.said: dict[str, str] = {}
        self.boots: Counter[str] = Counter()
        self.records: list[Record] = []
        self.expected = 0
        self.timing = Timing("scenario")
        self.look: Callable[[Timing], object] | None = None
        self._looked = 0
        self._decider = Decider("scenario", Rulebooks().resolve)
        self._counts: Counter[str] = Counter()
        self._refusal: str | None = None
        self._day = 0

    def run(self) -> "Play":
        """Play every line; the first that cannot be read or does not hold raises ``Faulty``."""
        for number, line in enumerate(self.path.read_text().splitlines(), start=1):
            text = line.split("#")[0].strip()
            try:
                if text:
                    self._line(text)
            except (ValueError, KeyError, AssertionError, AttributeError, msgspec.MsgspecError) as error:
                under = f" [{self.label}]" if len(self.rulebooks) > 1 else ""
                raise Faulty(f"{self.path.name}:{number}: {text}{under}\n    {error}") from None
        if not self.head.keys() >= {"title", "source"} or not self.expected:
            raise Faulty(f"{self.path.name}: a scenario has a title, a source and at least one expectation")
        return self

    def _line(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if match := re.fullmatch(r"expect(?:\[([^\]]+)\])? (.+)", text):
            self.expected += 1
            if self._concerned(match[1]):
                expect(self.timing, match[2])
            if self.look and self._looked < len(self.records):
                self.look(self.timing)
                self._looked = len(self.records)
        elif word[0].isdigit():
            if not self.records:
                self._open(time_of_day(word))
            self._event(self._day + time_of_day(word), rest.split())
        elif self.records:
            raise ValueError("this belongs before the first event")
        else:
            self._header(word, rest)

    def _concerned(self, named: str | None) -> bool:
        """Say whether ``expect`` or ``expect[LABEL,…]`` is for the rulebook under which this is played."""
        labels = [label.strip() for label in named.split(",")] if named else []
        if strangers := set(labels) - set(self.rulebooks):
            raise ValueError(f"no rulebook {min(strangers)}; the table has {', '.join(self.rulebooks)}")
        return not labels or self.label in labels

    # --- before the start ---------------------------------------------------------------------------------------------------------

    def _header(self, word: str, rest: str) -> None:
        if word in ("car", "cars"):
            numbers, said = options(rest.split(), "class", "transponder", "championships")
            guest = "guest" in numbers
            for car in numbers:
                if car != "guest":
                    self.cars[car] = _entry(car, said, guest=guest)
        elif word == "grid":
            self.grid = tuple(None if car == "-" else car for car in rest.split())
        elif word == "segment":
            self.segments.append(segment(rest))
        elif word in HEADINGS:
            self.head[word] = f"{self.head[word]} {rest}" if word in ("title", "source") and word in self.head else rest
        else:
            raise ValueError(f"{word} is not of the language; see README.md")

    def _open(self, first: int) -> None:
        day = datetime.fromisoformat(self.head.get("date", "2026-05-16")).replace(tzinfo=UTC)
        self._day = int(day.timestamp()) * SECOND
        at = self._day + first - HOUR
        self._command(
            SessionOpened, at, session="scenario", name=self.head.get("title", "?"), kind=self.head.get("kind", "race"),
            rulebook=with_segments(self.rulebooks[self.label], self.segments), distance=distance(self.head["distance"]),
            circuit=Circuit(name=self.head.get("circuit", "Scenario"), loops=CIRCUIT),
        )  # fmt: skip
        for entry in self.cars.values():
            self._command(EntryRegistered, at, **{f: getattr(entry, f) for f in entry.__struct_fields__ if f not in ("id", "at")})
        if self.cars:
            self._command(GridSet, at, cars=self.grid or tuple(self.cars))

    # --- events -------------------------------------------------------------------------------------------------------------------

    def _event(self, at: int, words: list[str]) -> None:
        if words[0] == "refused":
            self._refusal, words = words[1], words[2:]
        what, *rest = words
        if what in LOOPS:
            self._passing(at, LOOPS[what], rest)
        elif what in STATUSES:
            rest, said = options(rest, "as")
            sectors = tuple(int(word) for word in rest if word not in ("sector", "sectors"))
            self._command(TrackStatus, at, label=said.get("as"), status=what, sectors=sectors)
        elif what in SIMPLE:
            self._command(SIMPLE[what], at, label=options(rest, "as")[1].get("as"))
        elif what in KINDS and all("=" in word for word in rest):
            self._any(KINDS[what], at, rest)
        else:
            self._person(at, what, rest)
        if self._refusal is not None:
            raise ValueError(f"this was taken, and not refused as {self._refusal}")

    def _passing(self, at: int, loop: str, rest: list[str]) -> None:
        (whose,), said = options(rest, "as", "by")
        transponder = whose[1:] if whose.startswith("@") else self.cars[whose].transponders[0]
        decoder = said.get("by", f"decoder-{loop.lower()}")
        boot = 1 + self.boots[decoder]
        self._counts[f"{decoder} {boot}"] += 1
        passing = Passing(at=at, decoder=decoder, boot=boot, number=self._counts[f"{decoder} {boot}"], loop=loop, transponder=transponder)
        self.passings[said.get("as", "the last")] = passing
        self._record(passing)

    def _any(self, kind: type[Event], at: int, words: list[str]) -> None:
        """Have any command of the contract said: ``driver_changed car=7 driver=b``."""
        fields = {
            key: json.loads(written) if written[:1] in ("[", "{") else written
            for key, _, written in (word.partition("=") for word in words)
        }
        name = event_type(kind.__name__)
        self._counts[name] += 1
        given = {**(WHY if name in ("event_voided", "event_retimed") else {}), **fields}
        told = {field.encode_name: given[field.encode_name] for field in msgspec.structs.fields(kind) if field.encode_name in given}
        if strangers := given.keys() - told.keys() - WHY.keys():
            raise ValueError(f"{name} has no field {min(strangers)}")
        self._decided(msgspec.convert({"id": f"{name}-{self._counts[name]}", "at": at, **told, "type": name}, kind, strict=False))  # type: ignore[arg-type]  # of the contract

    def _person(self, at: int, what: str, rest: list[str]) -> None:
        match what, *rest:
            case ("retired" | "withdrawn", car):
                self._command(CarRetired if what == "retired" else CarWithdrawn, at, car=car)
            case ("enter", *words):
                (car, *guest), said = options(words, "class", "transponder", "championships")
                entry = _entry(car, said, guest=bool(guest))
                self._command(EntryRegistered, at, **{f: getattr(entry, f) for f in entry.__struct_fields__ if f not in ("id", "at")})
            case ("penalty", name, car, *how):
                words, said = options(how, "stage")
                self._command(Decision, at, decision=name, car=car, **penalty(words), **said)
            case ("wave-by", *cars):
                self._command(WaveBy, at, cars=tuple(car for car in cars if car != "all"))
            case ("rule", what, ruling, *names):
                car, _, over = what.partition(">")
                found = [c.id for c in self.timing.board().session.candidates if c.car == car and (c.over or "pits") == over]
                if not found:
                    raise ValueError(f"no candidate {what} waits for race control")
                self._command(
                    OvertakeRuled, at, label=options(names, "as")[1].get("as"), overtake=found[-1], ruling=ruling, by="race director"
                )
            case ("decision", name, stage):
                self._command(DecisionUpdated, at, decision=name, stage=stage)
            case ("pit-lane", "open" | "closed" as lane):
                self._command(PitLane, at, open=lane == "open")
            case ("published", stage):
                self._command(ResultPublished, at, stage=stage)
            case _:
                self._correction(at, what, rest)

    def _correction(self, at: int, what: str, rest: list[str]) -> None:
        plain, said = options(rest, "to", "from", "until", "as")
        named = said.get("as")
        limits: dict[str, Any] = {
            {"from": "from_"}.get(name, name): self._day + time_of_day(said[name]) for name in ("from", "until") if name in said
        }
        match what, *plain:
            case ("assign", transponder):
                self._command(TransponderAssigned, at, label=named, transponder=transponder, car=said["to"], **limits)
            case ("reassign", label):
                self._command(PassingReassigned, at, label=named, passing=_key(self.passings[label]), car=said["to"], **WHY)
            case ("void", *label):
                self._command(PassingVoided, at, label=named, passing=_key(self.passings[" ".join(label)]), **WHY)
            case ("by-hand", loop, car):
                self._command(PassingAdded, at, label=named, loop=LOOPS[loop], car=car, **WHY)
            case ("resent", *label):
                self._record(self.passings[" ".join(label)])
            case ("clock", decoder, by):
                self._command(DecoderClockCorrected, at, label=named, decoder=decoder, offset_us=offset(by), **limits, **WHY)
            case ("mend", kind):
                self._decided(suggestion(self.timing, kind))
            case ("restarts", decoder):
                self.boots[decoder] += 1
            case ("retime", *label):
                self._command(EventRetimed, at, label=named, event=self.said[" ".join(label)], **WHY)
            case ("undo", *label):
                self._command(EventVoided, at, label=named, event=self.said[" ".join(label)], **WHY)
            case _:
                raise ValueError(f"{what} is not of the language; see README.md")

    def _command(self, kind: type[E], at: int, /, *, label: str | None = None, **fields: Any) -> None:
        self._counts[kind.__name__] += 1
        command = kind(id=f"{kind.__name__}-{self._counts[kind.__name__]}", at=at, **fields)
        self.said[label or fields.get("decision") or "the last"] = command.id
        self._decided(command)  # type: ignore[arg-type]  # an event of the contract

    def _decided(self, command: AnyEvent) -> None:
        decided = self._decider.decide(command, command.at)
        if isinstance(decided, Refusal):
            assert decided.code == self._refusal, f"refused as {decided.code}: {decided.reason}"
            self._refusal = None
            return
        self._decider.evolve(decided)
        if isinstance(decided, EntryRegistered):
            self.cars[decided.car] = decided
        self._record(decided)

    def _record(self, event: AnyEvent) -> None:
        record = Record("scenario", len(self.records) + 1, 0, event, b"", b"")
        self.records.append(record)
        self.timing.apply(record)

    def shuffled(self, seed: int) -> Timing:
        """Give the timing of the same records in another order of arrival."""
        records = list(self.records)
        random.Random(seed).shuffle(records)
        timing = Timing("scenario")
        for record in records:
            timing.apply(record)
        return timing


def _entry(car: str, said: dict[str, str], *, guest: bool) -> EntryRegistered:
    championships = tuple(said["championships"].split(",")) if "championships" in said else ()
    return EntryRegistered(
        id=f"entry-{car}", at=1, car=car, class_=said.get("class", "Open"), transponders=(said.get("transponder", f"T{car}"),), guest=guest,
        championships=championships,
    )  # fmt: skip


def _key(passing: Passing) -> PassingKey:
    return PassingKey(decoder=passing.decoder, boot=passing.boot, number=passing.number)


def played(path: Path, label: str | None = None) -> Play:
    """Play a scenario file to its end."""
    return Play(path, label).run()


def whatever_was_published(board: Board) -> Board:
    """Leave out whether the result is another than the one published: that depends on when it was, as nothing else on the board does."""
    return msgspec.structs.replace(board, session=msgspec.structs.replace(board.session, result_due=False))


def player(folder: Path) -> Callable[[str], Play]:
    """Give what plays a scenario given as text, under its first rulebook."""

    def run(text: str) -> Play:
        path = folder / "text.race"
        path.write_text(text)
        return played(path)

    return run
