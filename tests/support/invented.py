"""Sessions invented from chances: believable ones, with the mishaps of a timing tower, and unbelievable ones."""

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from timing.domain import events as e
from timing.domain.rulebook import Classification, Finish, Laps, Qualifying, RedFlag, Rulebook, Segment, Start, rules_of
from timing.domain.units import MINUTE, SECOND

BASE = 1_747_400_000 * SECOND
START = BASE + MINUTE
LAP = 60 * SECOND
LOOPS = (
    e.Loop(id="SF", line="finish"),
    e.Loop(id="SFP", line="finish", pit=True),
    e.Loop(id="S1", line="sector", sector=1),
    e.Loop(id="S2", line="sector", sector=2),
    e.Loop(id="PI", line="pit_entry"),
    e.Loop(id="PO", line="pit_exit"),
    e.Loop(id="V", line="speed"),
)
STATUSES: tuple[e.Status, ...] = ("green", "safety_car", "safety_car_ending", "yellow", "red", "fcy", "chequered")
STAGES: tuple[e.DecisionStage, ...] = ("issued", "served", "quashed", "investigated")

Events = list[e.AnyEvent]


def _qualifying(chance: Random) -> Qualifying:
    return Qualifying(
        tie=chance.choice(("first_set", "second_best_lap")),
        percent=chance.choice((0, 107)),
        percent_of=chance.choice(("overall", "class")),
        red=chance.choice(("laps_void", "laps_count")),
        extended_by_red=chance.random() < 0.5,
        pit_laps=chance.choice(("left_out", "count")),
        causing_red=chance.choice(("nothing", "best_lap_deleted", "best_two_deleted", "session_over")),
        segments=tuple(
            Segment(name=name, minutes=2, advance=chance.choice((None, 1, 3)), per_class=chance.random() < 0.5)
            for name in ("Q1", "Q2", "Q3")
        )[: chance.choice((0, 2, 3))],
    )


class Invention:
    """Invents a session from chances. Each kind of mishap has a function; all go to the same list of events."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.events: Events = []
        self.cars = [str(n) for n in range(1, chance.randint(2, 6))]
        self.laps = chance.randint(1, 6)
        self.last = START + (self.laps + 2) * LAP
        self.numbers = {"line": 0, "back": 0}
        self.ids = 0

    def id(self) -> str:
        self.ids += 1
        return f"c{self.ids}"

    def instant(self) -> int:
        """An instant, often of a coarse grid, so that instants meet."""
        return self.chance.randint(BASE // SECOND, self.last // SECOND) * SECOND + self.chance.choice((0, 0, 1, 250_000))

    def session(self) -> Events:
        self._opening()
        for car in self.cars:
            self._drive(car)
        mishaps: tuple[Callable[[], None], ...] = (
            self._status, self._void, self._add, self._reassign, self._clock, self._decision, self._update, self._undo, self._retime,
            self._assign, self._ghost, self._person, self._lap_fact, self._close, self._segment, self._segment,
        )  # fmt: skip
        for _ in range(self.chance.randint(0, 14)):
            self.chance.choice(mishaps)()
        return self.events

    def _opening(self) -> None:
        chance = self.chance
        rules = Rulebook(
            id="drawn",
            title="Drawn",
            source="chance",
            laps=Laps(min_lap_us=chance.choice((0, 20 * SECOND)), horizon_us=chance.choice((48 * 60 * MINUTE, 5 * MINUTE))),
            finish=Finish(
                early_flag=chance.choice(("leader_last_crossing_before", "leader_next_crossing")),
                late_flag=chance.choice(("should_have_finished", "at_flag")),
                grace_us=chance.choice((None, 90 * SECOND)),
                time_limit_us=chance.choice((None, None, 2 * MINUTE)),
                time_limit_at=chance.choice(("lap_under_way", "lap_after")),
                time_limit_total_us=chance.choice((None, 3 * MINUTE)),
                dead_heat=chance.choice(("shared", "running_order")),
                photo_us=chance.choice((0, 300_000)),
            ),
            classification=Classification(
                min_percent=chance.choice((0, 75, 100)),
                base=chance.choice(("overall_winner", "class_winner")),
                must_cross_flag=chance.random() < 0.3,
            ),
            red_flag=RedFlag(
                completed_minus=chance.choice((0, 1, 2)),
                others=chance.choice(
                    (
                        "first_crossing_after_leader",
                        "first_crossing_after_leader_before_signal",
                        "last_crossing_before_leader",
                        "same_lap_number",
                        "composite",
                    )
                ),
                clock=chance.choice(("runs", "stops")),
                restart_order=chance.choice(("last_common_loop", "end_of_lap", "end_of_lap_before", "split_scoring")),
                result=chance.choice(("completed_minus", "completed_minus", "last_lap_completed_by_all", "frozen_at_signal")),
                scope=chance.choice(("overall", "class")),
                min_laps=chance.choice((0, 2)),
                stands_at_percent=chance.choice((None, 50)),
                not_returned_within_us=chance.choice((None, 60 * SECOND)),
                lap_across=chance.choice(("counts", "counts_without_time")),
            ),
            start=Start(
                lap1_from=chance.choice(("signal", "signal", "line_of_leader", "own_crossing")),
                ignore_crossings_us=chance.choice((0, 0, 55 * SECOND)),
            ),
            qualifying=_qualifying(chance),
        )
        distance = chance.choice(
            (
                e.Distance(laps=self.laps),
                e.Distance(minutes=self.laps),
                e.Distance(minutes=self.laps, plus_laps=1),
                e.Distance(laps=self.laps, minutes=3),
                e.Distance(),
            )
        )
        kind: e.SessionKind = chance.choice(("race", "race", "race", "qualifying", "practice"))
        circuit = e.Circuit(name="Ring", loops=LOOPS)
        self.events.append(
            e.SessionOpened(
                id=self.id(),
                at=BASE,
                session="s",
                name="S",
                kind=kind,
                rulebook="drawn",
                distance=distance,
                circuit=circuit,
                rules=rules_of(rules),
            )
        )
        for car in self.cars:
            drivers = (e.Driver(id="a", name="A"), e.Driver(id="b", name="B"))
            class_ = chance.choice(("GT", "TC"))
            self.events.append(e.EntryRegistered(id=self.id(), at=BASE, car=car, class_=class_, drivers=drivers, transponders=(f"T{car}",)))
        grid: list[str | None] = [*self.cars, None]
        chance.shuffle(grid)
        self.events.append(e.GridSet(id=self.id(), at=BASE + 1, cars=tuple(grid)))
        if chance.random() < 0.95:
            self.events.append(e.SessionStarted(id=self.id(), at=START))

    def _drive(self, car: str) -> None:
        chance = self.chance
        at = START if chance.random() < 0.9 else START - LAP
        for _ in range(chance.randint(0, self.laps + 2)):
            lap = 50 * SECOND + chance.randint(0, 30) * SECOND
            pit = chance.random() < 0.15
            self._heard(car, "S1", at + lap // 3)
            self._heard(car, "S2", at + 2 * lap // 3)
            if pit:
                self._heard(car, "PI", at + lap - SECOND)
            self._heard(car, "SFP" if pit else "SF", at + lap)
            if pit:
                self._heard(car, "PO", at + lap + 5 * SECOND)
            at += lap

    def _heard(self, car: str, loop: str, at: int) -> None:
        chance = self.chance.random()
        if chance < 0.05:
            return  # missed
        self._passing(f"T{car}", loop, at)
        if chance > 0.95:
            self._passing(f"T{car}", loop, at + 300_000)

    def _passing(self, transponder: str, loop: str, at: int) -> None:
        decoder = "line" if loop.startswith("SF") else "back"
        self.numbers[decoder] += 1
        boot = 1 + (at > START + 3 * LAP)
        self.events.append(e.Passing(decoder=decoder, boot=boot, number=self.numbers[decoder], loop=loop, transponder=transponder, at=at))

    def _key(self) -> e.PassingKey:
        decoder = self.chance.choice(("line", "back"))
        return e.PassingKey(decoder=decoder, boot=self.chance.choice((1, 1, 2)), number=self.chance.randint(1, self.numbers[decoder] + 1))

    def _car(self) -> str:
        return self.chance.choice(self.cars)

    def _correction(self) -> dict[str, Any]:
        return {"id": self.id(), "at": self.instant(), "by": "TK", "reason": "drawn"}

    def _status(self) -> None:
        status = self.chance.choice(STATUSES)
        at = self.instant()
        cause = self._car() if status == "red" and self.chance.random() < 0.5 else None
        self.events.append(e.TrackStatus(id=self.id(), at=at, status=status, cause=cause))
        if status == "red" and self.chance.random() < 0.5:
            self.events.append(e.RaceStopped(id=self.id(), at=at + MINUTE))

    def _segment(self) -> None:
        chance = self.chance
        segment, class_ = chance.choice(("Q1", "Q2", "Q3")), chance.choice((None, None, "GT", "TC"))
        if chance.random() < 0.3:
            self.events.append(e.SegmentEnded(id=self.id(), at=self.instant(), segment=segment, class_=class_))
            return
        cars = tuple(chance.sample(self.cars, chance.randint(0, len(self.cars)))) if chance.random() < 0.3 else None
        self.events.append(e.SegmentStarted(id=self.id(), at=self.instant(), segment=segment, class_=class_, cars=cars))

    def _void(self) -> None:
        self.events.append(e.PassingVoided(passing=self._key(), **self._correction()))

    def _add(self) -> None:
        loop = self.chance.choice(("SF", "SFP", "S1", "nowhere"))
        self.events.append(e.PassingAdded(car=self._car(), loop=loop, **self._correction()))

    def _reassign(self) -> None:
        self.events.append(e.PassingReassigned(passing=self._key(), car=self._car(), **self._correction()))

    def _clock(self) -> None:
        chance = self.chance
        self.events.append(
            e.DecoderClockCorrected(
                decoder=chance.choice(("line", "back")),
                boot=chance.choice((None, 1, 2)),
                from_=chance.choice((None, self.instant())),
                until=chance.choice((None, self.instant())),
                offset_us=chance.choice((-MINUTE, -SECOND, 1, 10 * SECOND)),
                **self._correction(),
            )
        )

    def _decision(self) -> None:
        chance = self.chance
        penalty: e.Penalty = chance.choice(("time", "laps", "disqualified", "lap_time_deleted", "drive_through", "warning"))
        self.events.append(
            e.Decision(
                id=self.id(), at=self.instant(), decision=f"D{self.ids}", car=self._car(), penalty=penalty,
                seconds=chance.choice((5.0, 30.0)) if penalty == "time" else None, laps=1 if penalty == "laps" else None,
                lap=chance.randint(1, 3) if penalty == "lap_time_deleted" else None, stage=chance.choice(STAGES),
            )
        )  # fmt: skip

    def _update(self) -> None:
        decision = f"D{self.chance.randint(1, self.ids)}"
        self.events.append(e.DecisionUpdated(id=self.id(), at=self.instant(), decision=decision, stage=self.chance.choice(STAGES)))

    def _undo(self) -> None:
        self.events.append(e.EventVoided(event=f"c{self.chance.randint(2, self.ids + 2)}", **self._correction()))

    def _retime(self) -> None:
        self.events.append(e.EventRetimed(event=f"c{self.chance.randint(2, self.ids + 2)}", **self._correction()))

    def _assign(self) -> None:
        since, until = sorted((self.instant(), self.instant()))
        self.events.append(
            e.TransponderAssigned(
                id=self.id(), at=self.instant(), transponder=f"T{self._car()}", car=self._car(),
                from_=self.chance.choice((None, since)), until=self.chance.choice((None, until + 1)),
            )
        )  # fmt: skip

    def _ghost(self) -> None:
        far = self.chance.choice((0, 0, 100 * 60 * MINUTE))
        self._passing(self.chance.choice(("T1", "marshal")), self.chance.choice(("SF", "SF", "nowhere")), self.instant() + far)

    def _person(self) -> None:
        chance = self.chance
        said: tuple[Callable[[], e.AnyEvent], ...] = (
            lambda: e.CarRetired(id=self.id(), at=self.instant(), car=self._car()),
            lambda: e.CarWithdrawn(id=self.id(), at=self.instant(), car=self._car()),
            lambda: e.DriverChanged(id=self.id(), at=self.instant(), car=self._car(), driver="b"),
            lambda: e.Message(id=self.id(), at=self.instant(), text="Track limits"),
            lambda: e.PitLane(id=self.id(), at=self.instant(), open=False),
            lambda: e.MessageRejected(id=self.id(), at=self.instant(), channel="control", code="not-json", reason="", payload=b"?"),
        )
        self.events.append(chance.choice(said)())

    def _lap_fact(self) -> None:
        self.numbers["back"] += 1
        self.events.append(
            e.Lap(
                source="back", boot=1, number=self.numbers["back"], car=self._car(), lap=1, at=self.instant(),
                lap_time_us=self.chance.choice((None, 55 * SECOND)), pit=self.chance.random() < 0.5,
            )
        )  # fmt: skip

    def _close(self) -> None:
        self.events.append(e.SessionEnded(id=self.id(), at=START + self.chance.randint(1, self.laps + 2) * LAP))


CHANCES = st.randoms(use_true_random=False)
SESSIONS = CHANCES.map(lambda chance: Invention(chance).session())
