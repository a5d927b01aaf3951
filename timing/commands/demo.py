"""``timing demo``: the whole service on one machine, with simulated races sent into it over MQTT."""

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timing.services.app import Service
    from timing.services.settings import Settings

_PAUSE_S = 30  # between two races: time to read the result
_LONGEST_PAUSE_S = 0.5  # before the start nobody wants to wait


@click.command()
@click.option(
    "--speed", type=click.FloatRange(min=0.1, max=1000), default=10.0, show_default=True, help="How much faster than life the race runs."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which race; the next ones count on from it.")
@click.option(
    "--races", type=click.IntRange(min=0), default=0, help="End after so many races. [default: 0, one after the other until Ctrl-C]"
)
@click.option(
    "--log", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Keep the log here. [default: a temporary one]"
)
@click.option("--mqtt-port", metavar="N", type=click.IntRange(0, 65535), default=1883, show_default=True, help="The broker's port.")
@click.option("--feed-port", metavar="N", type=click.IntRange(0, 65535), default=8765, show_default=True, help="The feed's port.")
@click.option("--web-port", metavar="N", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The pages' port.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines look on.")
def command(*, speed: float, seed: int, races: int, log: Path | None, mqtt_port: int, feed_port: int, web_port: int, host: str) -> None:
    """Show everything on one machine: embedded broker, log, feed and screens, and a simulated race sent in over MQTT.

    34 Mitjets, two safety cars, stops, a spin, a late red flag. The address to open is printed; a port that is taken is replaced by a
    free one. Races follow each other until Ctrl-C.
    """
    from timing.commands.serve import run_until_told
    from timing.services.logs import configure_logging
    from timing.services.settings import Settings

    with tempfile.TemporaryDirectory(prefix="parcferme-demo-") as folder:
        settings = Settings(
            log=log or Path(folder) / "demo.db",
            broker="embedded",
            mqtt_port=mqtt_port,
            feed_port=_free(host, feed_port),
            web_port=_free(host, web_port),
            feed_host=host,
            web_host=host,
            log_level="warning",
        )
        configure_logging(settings.log_level)
        run_until_told(_demo(settings, Path(folder), speed=speed, seed=seed, races=races))


async def _demo(settings: "Settings", folder: Path, *, speed: float, seed: int, races: int) -> None:
    from timing.commands.serve import told_to_end
    from timing.services.app import Service
    from timing.services.hosts import is_loopback

    stop = told_to_end()
    async with Service(settings) as service:
        where = service.addresses
        click.echo(f"Parc Fermé demo: open {where.pages}  (feed {where.feed}, broker {where.mqtt}; Ctrl-C ends)")
        if is_loopback(settings.web_host):
            click.echo(f"To speak as race control: sign in at {where.pages}sign-in with this token (it is good for a day, on this log):")
            click.echo(await asyncio.to_thread(_token, service))
        else:
            click.echo("No token for race control is shown: others may listen here (`timing token new` makes one; docs: security)")
        racing = asyncio.create_task(_race_on(service, folder, stop, speed=speed, seed=seed, races=races), name="races")
        serving = asyncio.create_task(service.run(stop), name="service")
        done, _ = await asyncio.wait({racing, serving}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait({racing, serving})
        for task in (*done, racing, serving):
            task.result()


def _token(service: "Service") -> str:
    """Issue a token by which whoever runs the demo may say everything, for a day."""
    from timing.domain.roles import Rights

    token, _ = service.access.tokens.issue("Demo race control", Rights(roles=("administrator",)), 24 * 3600, once=False)
    return token


async def _race_on(service: "Service", folder: Path, stop: asyncio.Event, *, speed: float, seed: int, races: int) -> None:
    number = 0
    while not stop.is_set() and (not races or number < races):
        if number and await _stopped_within(stop, _PAUSE_S):
            return
        race = await _simulate(folder, seed + number, len(service.sessions()) + 1)
        await _send(race, service, stop, speed)
        number += 1


async def _simulate(folder: Path, seed: int, number: int) -> Path:
    """Have ``replay simulate`` write the race to be sent, beginning now.

    Raises:
        TimingError: with its own words.

    """
    from timing.domain.errors import TimingError
    from timing.services.clock import system_clock

    file = folder / "race.events.jsonl"
    arguments = ["simulate", "--seed", str(seed), "--start", str(system_clock()), "--session", f"demo-{number}", "--output", str(file)]
    program = "import sys; from replay.cli import main; sys.argv[0] = 'replay'; main()"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await child.communicate()
    if child.returncode:
        raise TimingError(f"no race could be simulated: {said.decode(errors='replace').strip()}")
    return file


async def _send(race: Path, service: "Service", stop: asyncio.Event, speed: float) -> None:
    from timing.log.session_file import read_lines
    from timing.services.mqtt import Address
    from timing.services.publisher import publish_lines

    with race.open("rb") as lines:
        progress = await publish_lines(read_lines(lines), Address(service.addresses.mqtt), speed=speed, max_gap=_LONGEST_PAUSE_S, stop=stop)
    if not progress.whole and not stop.is_set():
        click.echo(f"{progress.rejected} events were rejected: {'; '.join(progress.told[:3])}", err=True)


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()


def _free(host: str, port: int) -> int:
    """Give the port if it can be had, or 0, which is any free one."""
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return 0
    return port
