"""What may be asked of a simulated race by name: faults with their rates, and scenarios to train race control on."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from replay.simulation.plan import MISHAPS, Mishap
from timing.domain.errors import ConfigurationError


class Fault(Struct, frozen=True):
    """A fault on the menu. ``rate``: what it is when none is given, in ``unit``, ``least`` to ``most``; ``None``: it takes none."""

    what: str
    rate: float | None = None
    unit: str = ""
    least: float = 0.0
    most: float = 1.0


FAULTS_BY_NAME: dict[str, Fault] = {
    # what decoders do; nobody has to mend it
    "twice": Fault("the same crossing is read again within 300 ms, weak and with few hits", 0.03, "of the passings"),
    "late": Fault("passings come up to 90 s late", 0.02, "of the passings"),
    "strangers": Fault("transponders that no entry names", 0.01, "of the passings"),
    "resent": Fault("passings are sent again as they were", 0.01, "of the passings"),
    "outage": Fault("a decoder's line is down, and then everything comes at once", 90, "seconds", 1, 3_600),
    "reboot": Fault("decoders start anew, with the next boot and numbers from 1", 0.5, "of the decoders"),
    # what has to be mended, and is
    "lost": Fault("passings never come in; at the line a second decoder heard them", 0.03, "of the passings", 0.0, 0.5),
    "restarts": Fault("each decoder is switched on anew, with numbers from 0", 3, "times at most", 1, 20),
    "drift": Fault("clocks run fast between two restarts, in three steps", 6, "seconds a step at most", 0.02, 60),
    "shuffled": Fault("every passing arrives late, each by another delay", 180, "seconds at most", 1, 3_600),
    "swaps": Fault("two cars bear each other's transponders for a stretch of the race"),
    "ghosts": Fault("the line hears cars that are not there", 4, "times at most", 1, 50),
    "unheard": Fault("crossings that no decoder heard", 4, "times at most", 1, 50),
    "wrong-numbers": Fault("crossings under another car's transponder", 3, "times at most", 1, 50),
    "slips": Fault("start, red and chequered flag wrong by a while; a flag, a decision and a stop that never were", 40, "s", 2, 300),
}  # fmt: skip


class Scenario(Struct, frozen=True):
    """A race to train on: what happens, what race control has to do, and what it changes in a plan."""

    what: str
    task: str
    changes: dict[str, Any]


SCENARIOS: dict[str, Scenario] = {
    "safety-car": Scenario(
        "a car stops on the track, the safety car comes out and in again",
        "show the local yellow, then the safety car, its ending, and green when the leader is at the line",
        {"safety_cars": (0.35,), "red": None, "virtual": (), "retirements": 1},
    ),
    "virtual": Scenario(
        "gravel on the track: the virtual safety car, later a full course yellow",
        "show each at the signal, the ending, and green",
        {"safety_cars": (), "red": None, "virtual": (0.25, 0.6)},
    ),
    "red-resumed": Scenario(
        "the race is suspended in its midst, and resumed behind the safety car",
        "show red and close the pit lane; read the restart order; resume, open the pit lane, show green",
        {"safety_cars": (), "red": 0.5, "virtual": ()},
    ),
    "red-on-the-last-lap": Scenario(
        "a crash as the leader begins the last lap; the race is not resumed",
        "show red; read every count-back before you declare the race stopped, and publish the result it gives",
        {"safety_cars": (), "red": None, "virtual": (), "stopped": True, "red_on_last_lap": True},
    ),
    "protest": Scenario(
        "a protest against the winner after the flag, heard and upheld",
        "note it, publish the provisional result, investigate, disqualify, publish the amended result, then the final one",
        {"safety_cars": (), "red": None, "protest": True},
    ),
    "penalties": Scenario(
        "drive-throughs and time penalties, not all of them served",
        "note, investigate and issue; see who serves; turn into time what is not served",
        {"safety_cars": (), "red": None, "drive_throughs": 3, "time_penalties": 4},
    ),
    "transponder-swap": Scenario(
        "two cars bear each other's transponders for part of the race",
        "find out by what the crews say, and assign the transponders from and until the right instants",
        {"mishaps": ("swaps",), "safety_cars": (), "red": None},
    ),
    "dead-decoder": Scenario(
        "decoders fail, start anew, and send what they kept at once; some crossings nobody heard",
        "add by hand what the camera saw; change nothing that comes in late by itself",
        {"faults": "harsh", "mishaps": ("unheard", "restarts"), "safety_cars": (), "red": None},
    ),
    "wrong-flags": Scenario(
        "flags are declared at the wrong instant, and one by mistake",
        "set right their instants by the tower's log, and void what never was",
        {"mishaps": ("slips",)},
    ),
}


def read_fault(text: str) -> tuple[str, float | None]:
    """Read ``NAME`` or ``NAME=RATE``.

    Raises:
        ConfigurationError: there is no such fault, or it takes no such rate.

    """
    name, equals, number = text.partition("=")
    fault = FAULTS_BY_NAME.get(name)
    if fault is None:
        raise ConfigurationError(f"--fault {name} is not on the menu; --list shows it: {', '.join(FAULTS_BY_NAME)}")
    if not equals:
        return name, fault.rate
    if fault.rate is None:
        raise ConfigurationError(f"--fault {name} takes no rate; leave ={number} out")
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not fault.least <= rate <= fault.most:
        raise ConfigurationError(f"--fault {text}: the rate is {fault.least:g} to {fault.most:g} {fault.unit}")
    return name, rate


def mishaps_of(names: set[str]) -> tuple[Mishap, ...]:
    """Give those of the faults that have to be mended, in their own order."""
    return tuple(mishap for mishap in MISHAPS if mishap in names)


def menu(formats: dict[str, str], weekends: dict[str, str], echo: Callable[[str], None]) -> None:
    """Print everything that can be asked for by name."""
    for title, each in (("Formats (--format)", formats), ("\nWeekends (--weekend)", weekends)):
        echo(title)
        for name, what in each.items():
            echo(f"  {name:<20} {what}")
    echo("\nFaults (--fault NAME[=RATE], as often as you like)")
    for name, fault in FAULTS_BY_NAME.items():
        echo(
            f"  {name + (f'={fault.rate:g}' if fault.rate is not None else ''):<20} {fault.what}{f' ({fault.unit})' if fault.unit else ''}"
        )
    echo("\nScenarios (--scenario)")
    for name, scenario in SCENARIOS.items():
        echo(f"  {name:<20} {scenario.what}")
        echo(f"  {'':<20}   with --training: {scenario.task}")
