"""``replay simulate``: a seeded race as a session file."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from replay.commands.simulate_live import LEFT_TO_TRAINEES, Live, Radio, State, read_state, run
from replay.simulate import DEMO_SEED, FAULTS, FORMATS, MISHAPS, Faults, Format, Mishap, Plan, Simulation, plan_for, simulate
from replay.simulation.menu import SCENARIOS, menu, mishaps_of, read_fault
from replay.weekend import WEEKENDS, simulate_weekend
from timing.commands.publish import SpeedType
from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.units import HOUR, SECOND, format_duration
from timing.services.clock import system_clock
from timing.services.mqtt import Address
from timing.services.whole import written

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ELSEWHERE = "choose another place"
_AT_ONCE = 1 << 18
_SOON_US = 30 * SECOND
_OF_ONE_SESSION = ("kind", "scenario", "minutes", "laps", "plus_laps", "finish", "virtual", "sessions")


def _list(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        weekends = {name: weekend.what for name, weekend in WEEKENDS.items()}
        menu({str(name): what for name, what in FORMATS.items()}, weekends, click.echo)
        context.exit()


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=DEMO_SEED, show_default=True, help="The race: the same seed is the same race.")
@click.option("--list", "listed", is_flag=True, is_eager=True, expose_value=False, callback=_list,
              help="Say which formats, weekends, faults and scenarios there are.")  # fmt: skip
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), default="mitjet", show_default=True, help="What kind of session.")
@click.option("--weekend", type=click.Choice(list(WEEKENDS)),
              help="Several sessions of one field, grids from the results before them; see --list.")  # fmt: skip
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), help="Something to happen in it, for training; see --list.")
@click.option("--cars", type=int, help="How many cars. [mitjet 34, sprint 24, endurance 60, karting 28, qualifying 20, practice 24]")
@click.option("--minutes", type=click.IntRange(1, 10_000), help="A race by time. [mitjet 20, endurance 360]")
@click.option("--plus-laps", type=click.IntRange(0, 100), help="Laps after the time is over. [mitjet 1, endurance 0]")
@click.option("--laps", type=click.IntRange(1, 10_000), help="A race by laps; with --minutes, whichever is over first. [sprint 15]")
@click.option("--finish", type=click.Choice(["flag", "red"]), default="flag", show_default=True,
              help="Whether the race ends with the chequered flag, or is stopped by red and not resumed.")  # fmt: skip
@click.option("--virtual", type=click.IntRange(0, 9), default=0, help="How often the virtual safety car or a full course yellow is called.")
@click.option("--fault", multiple=True, metavar="NAME[=RATE]",
              help="Something that goes wrong, and how often; may be repeated. See --list. Decoders do nothing else then.")  # fmt: skip
@click.option("--faults", show_default="mild, or none where --fault or --scenario says what",
              help="Sets of what goes wrong, joined by commas; the race is the same. How badly decoders behave: none, mild, harsh (twice, "
                   "late passings; outages, repetitions, reboots). "
                   f"What has to be mended, and is: {', '.join(MISHAPS)}. Or all.")  # fmt: skip
@click.option("--start", metavar="INSTANT", help="The start signal: 2026-05-16T13:10:00Z, or microseconds since 1970. [that Saturday]")
@click.option("--session", metavar="NAME", help="The session's name in topics. [mitjet-albi-1]")
@click.option("--rulebook", metavar="NAME", help="The rulebook that the session names. [mitjet]")
@click.option("-o", "--output", type=click.Path(allow_dash=True, path_type=Path), default="-",
              help="The session file; of a weekend, the folder for its files. [standard output]")  # fmt: skip
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="The true result, as JSON, by the simulation's own count.")
@click.option("--broker", metavar="URL", help="Send it live into this broker, mqtt://HOST:PORT, instead of writing a file.")
@click.option("--speed", type=SpeedType(), metavar="N|max", default="1", show_default=True,
              help="With --broker: so many times life, from shortly before the start on.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0.01, max=1e6), metavar="N", help="With --broker: N events a second in all, instead.")
@click.option("--sessions", type=click.IntRange(1, 500), default=1, show_default=True,
              help="With --broker: so many at the same time, NAME-1, NAME-2 …, each of a seed of its own.")  # fmt: skip
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path),
              help="With --broker: keep in this file how far it is, and go on from there.")  # fmt: skip
@click.option("--training", is_flag=False, flag_value=",".join(LEFT_TO_TRAINEES), metavar="[CHANNELS]",
              help="Leave commands to a trainee, and print what is to be entered, when. [control,stewards,corrections]")  # fmt: skip
@click.option("--debrief", type=click.Path(dir_okay=False, path_type=Path), help="What was left to the trainee, as session file lines.")
def command(*, output: Path, truth: Path | None, **options: Any) -> int:
    """Simulate a believable session: to a file, or live into a broker.

    Without options it is the demo race: 34 Mitjet 2L at Albi over 20 minutes and a lap, with two safety cars, stops, a spin, a late red
    flag and a short sprint to the chequered flag. --list says what else there is. The same options make the same events, to the byte;
    live, the start signal is half a minute from now unless --start says otherwise.
    """
    live = {name: options.pop(name) for name in ("broker", "speed", "rate", "sessions", "state", "weekend")}
    channels, debrief = _channels(options.pop("training")), options.pop("debrief")
    if live["broker"] is not None:
        simulations = _sent_live(options, live)
    elif sent := next((name for name in ("rate", "state") if live[name] is not None), "sessions" if live["sessions"] > 1 else None):
        raise ConfigurationError(f"--{sent} is for --broker; name the broker, or leave it out")
    else:
        _check_output(output, live["weekend"])
        simulations = _made(options, live)
    if truth is not None:
        _write_truths(simulations, truth)
    if debrief is not None:
        with written(debrief, _ELSEWHERE) as file:
            file.writelines(line for simulation in simulations for line in simulation.lines(channels))
    if live["broker"] is None and live["weekend"] is None:
        _write(simulations[0], output, channels)
        return 0
    if live["broker"] is None:
        for simulation in simulations:
            _write(simulation, output / f"{simulation.plan.session}.events.jsonl", channels)
            click.echo(f"{simulation.plan.name}: {output / simulation.plan.session}.events.jsonl")
        return 0
    return _send(simulations, options, live, channels)


def _simulated(plan: Plan) -> Simulation:
    with _progress(plan) as progress:
        return simulate(plan, progress)


def _made(options: dict[str, Any], live: dict[str, Any]) -> list[Simulation]:
    """Simulate what the options ask for: a session, or those of a weekend."""
    if live["weekend"] is None:
        return [_simulated(plan_of(**options))]
    context = click.get_current_context()
    for name in _OF_ONE_SESSION:
        if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}" if name != "kind" else "--format"
            raise ConfigurationError(f"{option} is for one session, and a --weekend has several; leave one of the two out")
    weekend = WEEKENDS[live["weekend"]]
    plan = plan_of(**{**options, "kind": weekend.format, "session": None})
    return list(simulate_weekend(weekend, plan, _session(options["session"]), _simulated))


def _check_output(output: Path, weekend: str | None) -> None:
    if weekend is None:
        if output.is_dir():
            raise ConfigurationError(f"{output} is a folder, and a session is one file; name it with -o")
    elif str(output) == "-":
        raise ConfigurationError("a weekend is several files; name a folder for them with -o")
    else:
        try:
            output.mkdir(exist_ok=True)
        except OSError as error:
            raise TimingError(f"{output} cannot be made a folder: {os.strerror(error.errno or 0)}; choose another place") from None


def _sent_live(options: dict[str, Any], live: dict[str, Any]) -> list[Simulation]:
    """Simulate the sessions to be sent, beginning soon, or when the run began that is taken up."""
    state = read_state(live["state"], _told(options, live))
    if state is not None:
        options["start"] = str(state.start)
    elif options["start"] is None:
        options["start"] = str(system_clock() + _SOON_US)
    many = live["sessions"]
    if many == 1:
        return _made(options, live)
    first = plan_of(**options)
    names = {"session": f"{first.session[:60]}-{{}}"}
    each = [{**options, "seed": options["seed"] + n, "session": names["session"].format(n + 1)} for n in range(many)]
    return [_simulated(plan_of(**one)) for one in each]


def _told(options: dict[str, Any], live: dict[str, Any]) -> list[str]:
    """Give the options that make a run what it is, as text to compare."""
    made = {**options, "sessions": live["sessions"], "weekend": live["weekend"]}
    return [f"{name}={value}" for name, value in sorted(made.items()) if name != "start" and value not in (None, ())]


def _send(simulations: list[Simulation], options: dict[str, Any], live: dict[str, Any], channels: tuple[str, ...]) -> int:
    start = simulations[0].plan.start
    state = read_state(live["state"], _told(options, live)) or State(_told(options, live), start, {})
    sending = Live(simulations, state, live["state"], channels)
    radios = [Radio(simulation, channels) for simulation in simulations] if channels else []
    return run(sending, radios, Address(live["broker"]), live["speed"], live["rate"])


def _channels(text: str | None) -> tuple[str, ...]:
    channels = tuple(text.split(",")) if text else ()
    if strangers := sorted(set(channels) - {*LEFT_TO_TRAINEES, "session"}):
        raise ConfigurationError(f"--training {strangers[0]} cannot be left to anybody; choose among {','.join(LEFT_TO_TRAINEES)},session")
    return channels


def _write_truths(simulations: list[Simulation], path: Path) -> None:
    truths = [simulation.truth for simulation in simulations]
    with written(path, _ELSEWHERE) as file:
        file.write(msgspec.json.format(msgspec.json.encode(truths[0] if len(truths) == 1 else truths), indent=1) + b"\n")


def plan_of(
    *,
    seed: int, kind: Format, cars: int | None, minutes: int | None, plus_laps: int | None, laps: int | None, finish: str, virtual: int,
    faults: str | None, start: str | None, session: str | None, rulebook: str | None,
    fault: tuple[str, ...] = (), scenario: str | None = None,
) -> Plan:  # fmt: skip
    """Give the plan that the options ask for; they alone make it, so a command line is a race."""
    rates = dict(read_fault(text) for text in fault)
    badly, mishaps = _faults(faults or ("none" if fault or scenario else "mild"))
    plan = plan_for(
        kind, seed=seed, cars=cars, minutes=minutes, plus_laps=plus_laps, laps=laps, faults=badly,
        mishaps=mishaps_of({*mishaps, *rates}), rates={name: rate for name, rate in rates.items() if rate is not None},
        virtual=tuple((turn + 0.5) / virtual for turn in range(virtual)), session=_session(session), rulebook=rulebook,
        start=None if start is None else _instant(start), **({"stopped": True, "red": 0.72} if finish == "red" else {}),
    )  # fmt: skip
    if scenario is None:
        return plan
    if plan.kind != "race":
        raise ConfigurationError(f"--scenario {scenario} happens in a race; --format {kind} is none")
    changes = dict(SCENARIOS[scenario].changes)
    changes["mishaps"] = mishaps_of({*plan.mishaps, *changes.get("mishaps", ())})
    if faults is not None:
        changes.pop("faults", None)
    return msgspec.structs.replace(plan, **changes)


def _faults(text: str) -> tuple[Faults, tuple[Mishap, ...]]:
    """Read how badly the decoders behave and what has to be mended; the order in which they are named is no matter."""
    words = set(text.split(","))
    if "all" in words:
        words = words - {"all"} | set(MISHAPS) | ({"harsh"} if not words & set(FAULTS) else set())
    if strangers := words - set(FAULTS) - set(MISHAPS):
        raise ConfigurationError(f"--faults {min(strangers)} is none; choose among {', '.join((*FAULTS, *MISHAPS))}, all")
    badly = [word for word in FAULTS if word in words]
    if len(badly) > 1:
        raise ConfigurationError(f"decoders behave one way: choose one of {', '.join(badly)} in --faults")
    return badly[0] if badly else "mild", tuple(word for word in MISHAPS if word in words)


def _instant(text: str) -> int:
    if text.isascii() and text.isdigit():
        at = int(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ConfigurationError(f"--start {text} is no instant; write it as 2026-05-16T13:10:00Z") from None
        if moment.tzinfo is None:
            raise ConfigurationError(f"--start {text} does not say of which zone; add Z for UTC, or +02:00")
        past = moment - _EPOCH
        at = (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
    if not HOUR <= at <= 2**52:
        raise ConfigurationError(f"--start {text} is out of range; give an instant of this century, in microseconds if it is a number")
    return at


def _session(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise ConfigurationError(f"--session {name} cannot be a topic's part; use small letters, digits and hyphens, 64 at most")
    return name


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[int], None] | None]:
    """Show how far the race is, where it takes long enough and somebody looks."""
    if plan.expected_us < 2 * HOUR or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # only where somebody looks
    from rich.progress import BarColumn, Progress, TextColumn  # the same

    with Progress(
        TextColumn("simulating"), BarColumn(), TextColumn("{task.fields[clock]}"), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=plan.expected_us, clock="")
        yield lambda elapsed: bar.update(task, completed=elapsed, clock=format_duration(elapsed, 0))


def _write(simulation: Simulation, output: Path, left_out: tuple[str, ...]) -> None:
    if str(output) == "-":
        _stream(simulation, sys.stdout.buffer, left_out)
    else:
        with written(output, _ELSEWHERE) as file:
            _stream(simulation, file, left_out)


def _stream(simulation: Simulation, file: IO[bytes], left_out: tuple[str, ...]) -> None:
    gathered = bytearray()
    for line in simulation.lines(without=left_out):
        gathered += line
        if len(gathered) >= _AT_ONCE:
            file.write(gathered)
            gathered.clear()
    file.write(gathered)
    file.flush()
