"""The ``timing`` command: names its subcommands, loads the one that is asked for, and prints what went wrong on one line."""

import sys
from importlib import import_module

import click

from timing import __version__
from timing.domain.errors import ConfigurationError, TimingError


class LazyGroup(click.Group):
    """A group whose commands are imported only when they run; their short helps are written here, so that ``--help`` loads none."""

    def __init__(self, *, package: str, lazy: dict[str, str], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # click's own keyword arguments, passed through
        self._package = package
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Name the commands in the order in which a newcomer meets them."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import and give a command."""
        if cmd_name not in self._lazy:
            return None
        command = import_module(f"{self._package}.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """List the commands with their short helps."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lazy.items()))


@click.command(
    cls=LazyGroup,
    package="timing.commands",
    lazy={
        "demo": "Everything on one machine, with a simulated race: the quickest way to see it.",
        "serve": "The service: MQTT in, the event log, the feed and the screens.",
        "token": "Say who may send commands: issue tokens, list and revoke them.",
        "broker": "Say who may speak at the MQTT broker: users, topics, brokers' own files.",
        "publish": "Send a session file over MQTT, as decoders and race control would.",
        "classify": "The classification of a session file or of a log.",
        "results": "The versions of a session's result, as they were published.",
        "rulebook": "List, check, show and compare rulebooks.",
        "grid": "A starting grid from best laps or a result: inverted, with places lost, with holes.",
        "explain": "What a car's place rests on, in words.",
        "anomalies": "What in a session's evidence cannot be as it was said.",
        "preview": "What a correction, a decision or another event would change.",
        "red-flag": "What a red flag comes to under each reading of the count-back, before it is declared.",
        "document": "The sheet of a session's result as PDF: classification, lap chart, laps, decisions.",
        "archive": "Sessions as tables for analysts, in CSV or Parquet.",
        "watch": "The live leaderboard in a terminal.",
        "log": "Verify, back up, salvage, export, import, copy or follow a log.",
        "key": "Make and show the key with which results are signed.",
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="timing")
def root() -> None:
    """Parc Fermé: live race timing that race control can trust and spectators enjoy."""


def run(command: click.Command, name: str) -> None:
    """Run a command line; errors are one line on stderr and an exit status: 2 for misuse, 1 for failure."""
    try:
        result = command.main(prog_name=name, standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except (click.UsageError, click.BadParameter) as error:
        where = error.ctx.command_path if error.ctx else name
        message = " ".join(error.format_message().split()).rstrip(".")
        click.echo(f"{name}: {message}; see '{where} --help'", err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"{name}: {error.format_message()}", err=True)
        sys.exit(1)
    except click.Abort:
        click.echo(f"{name}: interrupted", err=True)
        sys.exit(130)
    except TimingError as error:
        click.echo(f"{name}: {' '.join(str(error).split())}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def main() -> None:
    """Run ``timing``."""
    run(root, "timing")
