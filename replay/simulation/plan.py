"""What race to simulate: a plan says all of it, so that a plan and its seed are the race."""

from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from timing.domain.errors import ConfigurationError
from timing.domain.events import Circuit, Distance, Loop
from timing.domain.units import MINUTE, SECOND

START = 1_778_937_000_000_000  # 2026-05-16 13:10 UTC: a Saturday, after lunch

Faults = Literal["none", "mild", "harsh"]
Format = Literal["mitjet", "sprint", "endurance", "karting", "qualifying", "practice"]
Mishap = Literal["lost", "restarts", "drift", "shuffled", "swaps", "ghosts", "unheard", "wrong-numbers", "slips"]

FAULTS: tuple[Faults, ...] = get_args(Faults)
MISHAPS: tuple[Mishap, ...] = get_args(Mishap)
FORMATS: dict[Format, str] = {
    "mitjet": "34 Mitjet 2L at Albi, 20 minutes and a lap, rolling start, two safety cars, a late red flag, resumed",
    "sprint": "24 cars in two classes over 15 laps, standing start, one safety car",
    "endurance": "60 cars in three classes over six hours, stops for fuel and drivers, repairs, four safety cars",
    "karting": "28 karts in two classes over 14 laps of a kart circuit, rolling start",
    "qualifying": "20 cars in Q1, Q2 and Q3: the slowest five go out each time, track limits cost laps",
    "practice": "24 cars in two classes, 30 minutes, in and out of the pit lane as they like",
}
DEMO_SEED = 19  # the lead changes four times, 0.4 s at the flag, and a penalty changes the podium
LARGEST_FIELD = 90
_LAPS_FOR_RED = 8


class ClassPlan(Struct, frozen=True):
    """A class: its share of the field, and how much slower its cars and drivers are than the fastest, in thousandths of a lap."""

    name: str
    share: int
    slower: int


Segment = tuple[str, int, int | None]
"""Of qualifying: its name, its minutes, and how many cars go on to the next; ``None``: it is the last."""


class Track(Struct, frozen=True):
    """A circuit as the cars meet it. ``shares``: each stretch between loops, in thousandths of the lap; ``ease``: of overtaking there.

    The stretches run from the line to S1, the speed trap, S2 and the line again. The pit lane leaves the last one and comes back in the
    first; ``pit_lane_us`` is the time from its entry to the line and from the line to its exit, without a stop.
    """

    name: str
    length_m: int
    lap_us: int
    shares: tuple[int, int, int, int] = (290, 210, 220, 280)
    ease: tuple[float, float, float, float] = (0.75, 0.45, 0.30, 0.50)
    pit_lane_us: tuple[int, int] = (13 * SECOND, 11 * SECOND)

    def circuit(self) -> Circuit:
        """Give the circuit with its loops, as ``session_opened`` has it."""
        return Circuit(
            name=self.name,
            length_m=self.length_m,
            loops=(
                Loop(id="SF", line="finish"),
                Loop(id="SFP", line="finish", pit=True),
                Loop(id="S1", line="sector", sector=1),
                Loop(id="S2", line="sector", sector=2),
                Loop(id="ST", line="speed"),
                Loop(id="PI", line="pit_entry", pit=True),
                Loop(id="PO", line="pit_exit", pit=True),
            ),
        )


ALBI = Track("Circuit d'Albi", 3_565, 88 * SECOND)
PLAIN = Track("Circuit des Deux Rivières", 4_180, 98 * SECOND)
KART_TRACK = Track("Karting du Lac", 1_220, 54 * SECOND, pit_lane_us=(9 * SECOND, 8 * SECOND))

MITJET = (ClassPlan("Junior", 24, 4), ClassPlan("Senior", 30, 2), ClassPlan("Gentleman", 28, 26), ClassPlan("Open", 18, 10))
TWO_CUPS = (ClassPlan("Cup", 60, 0), ClassPlan("Trophy", 40, 22))
KARTS = (ClassPlan("Senior", 60, 0), ClassPlan("Junior", 40, 30))
FORMULA = (ClassPlan("F1", 100, 0),)
ENDURANCE = (ClassPlan("Prototype", 30, 0), ClassPlan("GT", 45, 70), ClassPlan("Touring", 25, 120))

Q1_TO_Q3: tuple[Segment, ...] = (("Q1", 18, 15), ("Q2", 15, 10), ("Q3", 12, None))  # as the FIA's rulebook has them

SIX_HOURS = {"base": "club-sprint", "title": "Six hours", "laps": {"min_lap_s": 20}, "classification": {"min_percent": 70}}


class Plan(Struct, frozen=True, kw_only=True):
    """A race to simulate. Fractions are of its expected length; ``red`` is ``None`` where no red flag falls.

    ``stints``: a stop for fuel and another driver about every so many microseconds; ``None``: only cars with two drivers stop, once.
    ``stopped``: the suspended race is not resumed. ``min_percent``: of the winner's laps, for being classified.
    ``faults``: what decoders do that needs no mending; ``mishaps``: what has to be mended, and is.
    ``virtual``: when the virtual safety car or a full course yellow is called, in turn.
    ``kind``: a race, or a session of best laps, of which the fields about a race mean nothing.
    ``rates``: of faults that are to happen more or less often than they do by themselves.
    ``red_on_last_lap``: the red flag falls as the leader is on its last lap. ``protest``: against the winner, upheld after the flag.
    ``grace_us``: who has not come round so long after the leader's flag keeps its last crossing.
    ``segments``: of qualifying that has some. ``field_seed``: makes the field, where that is another session's too. ``grid``: all cars from
    pole, where pace does not make it.
    """

    seed: int = DEMO_SEED
    cars: int = 34
    session: str = "mitjet-albi-1"
    name: str = "Mitjet 2L – Albi – Course 1"
    rulebook: str | dict[str, Any] = "mitjet"
    start: int = START
    minutes: int | None = 20
    laps: int | None = None
    plus_laps: int = 1
    track: Track = ALBI
    classes: tuple[ClassPlan, ...] = MITJET
    safety_cars: tuple[float, ...] = (0.08, 0.37)
    red: float | None = 0.60
    stopped: bool = False
    retirements: int = 1
    spins: int = 2
    two_drivers: int = 5
    stints: int | None = None
    repairs: int = 1
    drive_throughs: int = 1
    time_penalties: int = 2
    disqualifications: int = 0
    non_starters: int = 0
    rolling: bool = True
    min_percent: int = 75
    grace_us: int = 3 * MINUTE
    faults: Faults = "mild"
    mishaps: tuple[Mishap, ...] = ()
    virtual: tuple[float, ...] = ()
    kind: Literal["race", "qualifying", "practice"] = "race"
    rates: dict[str, float] = {}
    red_on_last_lap: bool = False
    protest: bool = False
    segments: tuple[Segment, ...] = ()
    field_seed: int | None = None
    grid: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse plans that are no race.

        Raises:
            ConfigurationError: saying what to change.

        """
        if self.minutes is None and self.laps is None:
            raise ConfigurationError("a race is as long as its --minutes or its --laps: give one of them")
        if not 2 <= self.cars <= LARGEST_FIELD:
            raise ConfigurationError(f"a field has 2 to {LARGEST_FIELD} cars, not {self.cars}; choose --cars in between")
        if self.non_starters > self.cars - 2:
            raise ConfigurationError(f"{self.non_starters} cars that do not start leave no race among {self.cars}")
        if self.stopped and self.red is None and not self.red_on_last_lap:
            raise ConfigurationError("a race that ends by the red flag needs one in its plan")
        if self.stopped and self.expected_us < _LAPS_FOR_RED * self.track.lap_us:
            raise ConfigurationError(f"the race is too short to be stopped by red; give it {_LAPS_FOR_RED} laps, or --minutes to match")

    @property
    def expected_us(self) -> int:
        """About how long the race takes; the fractions of the plan are of this."""
        by_laps = self.laps * self.track.lap_us if self.laps is not None else None
        by_time = self.minutes * MINUTE if self.minutes is not None else None
        return min(length for length in (by_laps, by_time) if length is not None)

    @property
    def distance(self) -> Distance:
        """The distance as ``session_opened`` has it."""
        return Distance(laps=self.laps, minutes=self.minutes, plus_laps=0 if self.minutes is None else self.plus_laps)


_PRESETS: dict[Format, Plan] = {
    "mitjet": Plan(),
    "sprint": Plan(
        cars=24, session="sprint-cup-1", name="Sprint Cup – Course 1", rulebook="club-sprint", grace_us=5 * MINUTE,
        minutes=None, laps=15, track=PLAIN, classes=TWO_CUPS,
        safety_cars=(0.45,), red=None, two_drivers=0, repairs=0, rolling=False,
    ),
    "endurance": Plan(
        cars=60, session="endurance-6h", name="6 Heures des Deux Rivières", rulebook=SIX_HOURS, min_percent=70, grace_us=5 * MINUTE,
        minutes=360, plus_laps=0, track=PLAIN, classes=ENDURANCE,
        safety_cars=(0.12, 0.34, 0.58, 0.81), red=None, retirements=6, spins=12, two_drivers=60, stints=52 * MINUTE, repairs=6,
        drive_throughs=4, time_penalties=5,
    ),
    "karting": Plan(
        cars=28, session="karting-final", name="Karting – Finale", rulebook="karting", grace_us=2 * MINUTE,
        minutes=None, laps=14, track=KART_TRACK, classes=KARTS,
        safety_cars=(), red=None, two_drivers=0, repairs=0, drive_throughs=0,
    ),
    "qualifying": Plan(
        kind="qualifying", cars=20, session="qualifying", name="Qualifying", rulebook="fia-f1-2025", minutes=18, plus_laps=0, track=PLAIN,
        classes=FORMULA, safety_cars=(), red=None, two_drivers=0, segments=Q1_TO_Q3,
    ),
    "practice": Plan(
        kind="practice", cars=24, session="practice-1", name="Essais libres 1", rulebook="club-sprint", minutes=30, plus_laps=0,
        track=PLAIN, classes=TWO_CUPS, safety_cars=(), red=None, two_drivers=0,
    ),
}  # fmt: skip


def plan_for(kind: Format, **changes: object) -> Plan:
    """Give a format's plan with the changes that are not ``None``. A race given by laps is not by minutes too, unless both are given.

    Raises:
        ConfigurationError: if that is no race.

    """
    given = {name: value for name, value in changes.items() if value is not None}
    if ("laps" in given) != ("minutes" in given):
        given.setdefault("laps", None)
        given.setdefault("minutes", None)
    plan = msgspec.structs.replace(_PRESETS[kind], **given)
    if "plus_laps" in given and plan.minutes is None:
        raise ConfigurationError("--plus-laps follow after --minutes, and this race is given by laps alone; give --minutes too")
    return plan
