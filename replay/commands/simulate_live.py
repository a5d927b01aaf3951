"""``replay simulate --broker``: simulated sessions sent into a broker as they happen, for demos, load and training."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from replay.simulate import Simulation
from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.events import AnyEvent, Message, channel_of
from timing.domain.units import SECOND
from timing.log.session_file import Line
from timing.services.mqtt import Address
from timing.services.publisher import Pace, Progress, Speed, publish_lines
from timing.services.whole import written

WINDOW = 500  # events on their way, of each session
LEFT_TO_TRAINEES = ("control", "stewards", "corrections")
_BEFORE_START_US = 20 * SECOND  # what was said earlier than this before the start is sent at once
_TOLD_EVERY_S = 10.0  # where nobody looks at a bar


class State(Struct):
    """How far a run has come, kept in a file so that it can be taken up: the options that made it, its start, and events by session."""

    options: list[str]
    start: int
    acknowledged: dict[str, int]


def left_to_trainee(event: AnyEvent, channels: Sequence[str]) -> bool:
    """Say whether an event is the trainee's to send; messages are the radio, and told in any case."""
    return channel_of(event).partition("/")[0] in channels


def read_state(path: Path | None, options: list[str]) -> State | None:
    """Read how far an earlier run came; ``None`` where there was none.

    Raises:
        ConfigurationError: it was another run.

    """
    if path is None or not path.exists():
        return None
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"--state {path} cannot be read ({error}); take it away to begin anew") from None
    if state.options != options:
        raise ConfigurationError(f"--state {path} is of another run ({' '.join(state.options)}); give another file, or take it away")
    return state


class Live:
    """Sessions on their way into a broker, all at the same time."""

    def __init__(self, simulations: Sequence[Simulation], state: State, file: Path | None, left_out: Sequence[str]) -> None:
        self._simulations, self._left_out = simulations, left_out
        self._state, self._file = state, file
        self._before = dict(state.acknowledged)
        self.progress = {simulation.plan.session: Progress() for simulation in simulations}
        self.events = {s.plan.session: sum(1 for _ in self._sent(s)) for s in simulations}

    def _sent(self, simulation: Simulation) -> Iterator[AnyEvent]:
        return (event for event in simulation.events if not left_to_trainee(event, self._left_out))

    @property
    def total(self) -> int:
        """How many events there are to send."""
        return sum(self.events.values())

    @property
    def done(self) -> int:
        """How many are acknowledged, those of earlier runs included."""
        return sum(min(self._before.get(name, 0) + progress.acknowledged, self.events[name]) for name, progress in self.progress.items())

    def _lines(self, simulation: Simulation) -> Iterator[Line]:
        skipped = self._before.get(simulation.plan.session, 0)
        for number, event in enumerate(self._sent(simulation), start=1):
            if number > skipped:
                yield Line(number, msgspec.json.encode(event), event)

    async def send(self, address: Address, speed: Speed, rate: float | None, stop: asyncio.Event) -> None:
        """Send everything, or until ``stop``.

        Raises:
            BrokerError: the broker was never reached.

        """
        each = None if rate is None else rate / len(self._simulations)
        begin = min(simulation.plan.start for simulation in self._simulations) - _BEFORE_START_US
        async with self._kept(), asyncio.TaskGroup() as sessions:
            for simulation in self._simulations:
                name = simulation.plan.session
                pace = Steady(each) if each else Pace(speed, None, begin=begin)
                sending = publish_lines(
                    self._lines(simulation), address, session=name, pace=pace, window=WINDOW, progress=self.progress[name], stop=stop
                )
                sessions.create_task(sending, name=f"send {name}")

    @contextlib.asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        """Keep how far it is in the state file, every second and at the end."""

        async def keep() -> None:
            while True:
                await asyncio.sleep(1.0)
                self.keep()

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            self.keep()

    def keep(self) -> None:
        """Write the state file. What is on its way without an order of its own is sent again by the next run, which is harmless."""
        if self._file is None:
            return
        for name, progress in self.progress.items():
            known = self._before.get(name, 0) + progress.acknowledged
            self._state.acknowledged[name] = known if known >= self.events[name] else max(known - WINDOW, self._before.get(name, 0))
        with written(self._file, "choose another place for --state") as file:
            file.write(msgspec.json.encode(self._state) + b"\n")


class Steady(Pace):
    """So many events a second, whatever they are."""

    def __init__(self, rate: float) -> None:
        super().__init__("max", None)
        self._each, self._next = 1 / rate, -1.0

    def due(self, at: int, now: float) -> float:  # noqa: ARG002  # as Pace has it
        """See ``Pace.due``. What could not be sent in time is made up for, within a second."""
        self._next = now if self._next < 0 else max(self._next + self._each, now - 1.0)
        return self._next


class Radio:
    """What a trainee hears: what marshals and the race director say, at the instants of the race."""

    def __init__(self, simulation: Simulation, channels: Sequence[str]) -> None:
        self._said = [event for event in simulation.events if left_to_trainee(event, channels)]
        self._told = 0

    def due(self, at: int) -> Iterator[str]:
        """Give what is to be told until the race's instant ``at``."""
        while self._told < len(self._said) and (self._said[self._told].at or 0) <= at:
            event = self._said[self._told]
            self._told += 1
            yield f"{datetime.fromtimestamp((event.at or 0) // SECOND, UTC):%H:%M:%S}  {heard(event)}"


def heard(event: AnyEvent) -> str:
    """Write what a command of the script sounds like to who has to enter it."""
    if isinstance(event, Message):
        return f"radio: {event.text}"
    kind = str(event.__struct_config__.tag)
    hidden = {"id", "at", "type", "acted_by", "by"}
    fields = {name: value for name, value in msgspec.to_builtins(event).items() if name not in hidden and value not in (None, [], ())}
    return f"to be entered: {kind.replace('_', ' ')}" + "".join(f"  {name} {_short(value)}" for name, value in fields.items())


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "/".join(str(part) for part in value.values())
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


async def show(live: Live, radios: Sequence[Radio]) -> None:
    """Show how far it is, and tell what the radio says, until cancelled."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    began, told, before = asyncio.get_running_loop().time(), 0.0, live.done
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    with Bar(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=live.total, state="")
        while True:
            elapsed = asyncio.get_running_loop().time() - began
            at = max(progress.at for progress in live.progress.values())
            for radio in radios:
                for text in radio.due(at):
                    click.echo(text)
            rate = (live.done - before) / max(elapsed, 0.1)
            clock = f"{datetime.fromtimestamp(at // SECOND, UTC):%H:%M:%S} UTC" if at else "before the start"
            bar.update(task, completed=live.done, state=f"acknowledged, {rate:,.0f}/s, race time {clock}")
            bar.refresh()
            if not console.is_terminal and elapsed - told >= _TOLD_EVERY_S:
                told = elapsed
                click.echo(f"{live.done:,} of {live.total:,} events acknowledged, {rate:,.0f}/s, race time {clock}", err=True)
            await asyncio.sleep(0.2)


def run(live: Live, radios: Sequence[Radio], address: Address, speed: Speed, rate: float | None) -> int:
    """Send, show and report; 1 where something was not taken, 130 where it was interrupted."""
    from timing.commands.serve import told_to_end
    from timing.services.logs import configure_logging

    configure_logging("warning")

    async def both() -> tuple[bool, float]:
        stop = told_to_end()
        loop = asyncio.get_running_loop()
        began, showing = loop.time(), asyncio.create_task(show(live, radios))
        try:
            await live.send(address, speed, rate, stop)
        finally:
            showing.cancel()
            await asyncio.wait({showing})
        for radio in radios:
            for text in radio.due(sys.maxsize if not stop.is_set() else 0):
                click.echo(text)
        return stop.is_set(), loop.time() - began

    before = live.done
    try:
        interrupted, seconds = asyncio.run(both())
    except BaseExceptionGroup as group:  # not except*: until Python 3.11.4 what is raised in one comes out in a group again
        told, others = group.split(TimingError)
        if others is not None or told is None:
            raise
        raise next(_leaves(told)) from None
    return _report(live, live.done - before, seconds, interrupted=interrupted)


def _leaves(group: BaseExceptionGroup[TimingError]) -> Iterator[TimingError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _report(live: Live, sent: int, seconds: float, *, interrupted: bool) -> int:
    each = live.progress.values()
    count: Callable[[str], int] = lambda name: sum(getattr(progress, name) for progress in each)  # noqa: E731  # three words
    sessions = f"{len(live.progress)} session{'s' if len(live.progress) != 1 else ''}"
    click.echo(
        f"{sessions}, {sent:,} events acknowledged in {seconds:.1f} s ({sent / max(seconds, 0.001):,.0f}/s), "
        f"{count('accepted'):,} commands accepted, {count('rejected'):,} rejected"
    )
    for progress in each:
        for text in progress.told:
            click.echo(text, err=True)
    if interrupted:
        click.echo(f"interrupted with {live.total - live.done:,} events left; --state FILE would take it up there", err=True)
        return 130
    if unanswered := count("unanswered"):
        click.echo(f"{unanswered} commands without an answer; is `timing serve` running with this broker?", err=True)
    return 0 if all(progress.whole for progress in each) else 1
