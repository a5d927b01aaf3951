"""``timing serve``: the service, until it is told to end."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timing.services.settings import Settings


@click.command()
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="A TOML file of settings (docs: operating).")
@click.option("--log", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="The event log; made if it is not there.")
@click.option("--broker", metavar="embedded|mqtt://HOST:PORT", help="The MQTT broker: our own, or one outside (mqtts:// for TLS).")
@click.option("--mqtt-port", metavar="N", type=int, help="The embedded broker's port. A free one is found if it is taken.")
@click.option("--feed-port", metavar="N", type=int, help="The WebSocket feed's port; 0: any free one.")
@click.option("--web-port", metavar="N", type=int, help="The pages' port; 0: any free one.")
def command(config: Path | None, **given: object) -> None:
    """Take events in over MQTT, keep them in the log, show them on screens.

    Every setting may also stand in the configuration file, or in the environment as TIMING_LOG, TIMING_BROKER and so on; the command
    line comes first, then the environment, then the file. One line with the addresses is printed when everything is ready. SIGTERM or
    Ctrl-C ends the service in order.
    """
    from timing.services.logs import configure_logging
    from timing.services.settings import load_settings

    settings = load_settings(config, **given)
    configure_logging(settings.log_level)
    run_until_told(serve(settings))


def run_until_told(work: Coroutine[None, None, None]) -> None:
    """Run a coroutine on the quickest event loop there is."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def told_to_end() -> asyncio.Event:
    """Give the event that SIGTERM or SIGINT sets; call it within the running loop."""
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve(settings: "Settings") -> None:
    """Run the service until SIGTERM or SIGINT."""
    from timing.services.app import Service

    stop = told_to_end()
    async with Service(settings) as service:
        click.echo(str(service.addresses))
        await service.run(stop)
