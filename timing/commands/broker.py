"""``timing broker``: who may speak at the MQTT door: make users, list them, take them away, write brokers' own files."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timing.commands.token import CONFIG, LOG
from timing.domain.errors import TimingError

if TYPE_CHECKING:
    from timing.services.access_folder import AccessFolder
    from timing.services.broker_users import BrokerUser

_SPEAKING = ("timekeeper", "race-director", "steward", "administrator")


@click.group()
def command() -> None:
    """Say who may speak at the MQTT broker, and on which topics.

    The embedded broker takes these users over within seconds; while there are some, nobody else may connect. For a broker of your own write
    its files with `timing broker config`. Users are kept, without their passwords, in the service's access folder: give these commands the
    service's --config or --log.
    """


@command.command(short_help="Make a user, and print the password.")
@click.argument("name")
@click.option("--decoder", "decoders", metavar="NAME", multiple=True, help="May publish this decoder's passings. Repeatable.")
@click.option("--source", "sources", metavar="NAME", multiple=True, help="May publish this system's laps. Repeatable.")
@click.option("--role", "roles", type=click.Choice(_SPEAKING), multiple=True, help="May publish what the role may say. Repeatable.")
@click.option("--session", "sessions", metavar="S", multiple=True, default=("*",), help="In this session; left out: in all. Repeatable.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
@CONFIG
@LOG
def add(  # click's way
    name: str,
    decoders: tuple[str, ...],
    sources: tuple[str, ...],
    roles: tuple[str, ...],
    sessions: tuple[str, ...],
    *,
    password_stdin: bool,
    config: Path | None,
    log: Path | None,
) -> None:
    """Make the user NAME, or make it anew, and print its password on standard output. The password itself is kept nowhere.

    \b
    timing broker add gate-1 --decoder line-1 --decoder pit-in
    timing broker add race-control --role race-director
    timing broker add parcferme
    """  # noqa: D301  # click's mark for lines that stay as they are is the character itself
    from timing.domain.roles import Rights
    from timing.services.broker_users import make_user, new_password

    password = sys.stdin.readline().rstrip("\n") if password_stdin else new_password()
    rights = Rights(roles=roles) if roles else None  # type: ignore[arg-type]  # click checked them
    user = make_user(name, password, rights=rights, decoders=decoders, sources=sources, sessions=sessions)
    known = _change(_folder(config, log), lambda users: [*(each for each in users if each.name != name), user])
    if not password_stdin:
        click.echo(password)
    click.echo(f"{_line(user)}{' (made anew)' if any(each.name == name for each in known) else ''}", err=True)


@command.command("list", short_help="List the users and where they may publish.")
@CONFIG
@LOG
def list_(*, config: Path | None, log: Path | None) -> None:
    """List the users and the topics on which they may publish."""
    from timing.services.broker_users import BrokerUsers

    for user in BrokerUsers(_folder(config, log).path).read():
        click.echo(_line(user))


@command.command(short_help="Take users away.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@CONFIG
@LOG
def remove(*, names: tuple[str, ...], config: Path | None, log: Path | None) -> None:
    """Take users away. The embedded broker ends their connections within seconds; for a broker of your own write its files anew."""

    def without(users: list["BrokerUser"]) -> list["BrokerUser"]:
        if strangers := set(names) - {user.name for user in users}:
            raise TimingError(f"there is no user {min(strangers)!r}; `timing broker list` shows them")
        return [user for user in users if user.name not in names]

    _change(_folder(config, log), without)
    click.echo(f"taken away: {', '.join(names)}")


@command.command("config", short_help="Write the users as a broker's own files.")
@click.argument("kind", type=click.Choice(["mosquitto", "nats"]))
@click.option("-o", "--output", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path), help="Where to. [default: KIND]")
@CONFIG
@LOG
def config_(*, kind: str, output: Path | None, config: Path | None, log: Path | None) -> None:
    """Write, for Mosquitto, the password file, the access list and a configuration that names them; for NATS, the authorization to include.

    The service is a user too: make it first with `timing broker add parcferme`, and give the service that name and password in
    TIMING_BROKER_USER and TIMING_BROKER_PASSWORD. Files that are there are replaced; tell the broker to read them again (SIGHUP).
    """
    from timing.services.broker_rights import MOSQUITTO_CONF, mosquitto_passwords, mosquitto_rights, nats_authorization
    from timing.services.broker_users import SERVICE, BrokerUsers, write_private

    users = BrokerUsers(_folder(config, log).path).read()
    if not any(user.name == SERVICE for user in users):
        raise TimingError(f"the service itself is no user yet; make it with `timing broker add {SERVICE}`")
    folder = output or Path(kind)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if kind == "nats":
        files = {"authorization.conf": nats_authorization(users)}
    else:
        files = {
            "passwords": mosquitto_passwords(users),
            "rights": mosquitto_rights(users),
            "users.conf": MOSQUITTO_CONF.format(folder=folder.resolve()),
        }
    for name, text in files.items():
        write_private(folder / name, text.encode())
        click.echo(str(folder / name))


def _folder(config: Path | None, log: Path | None) -> "AccessFolder":
    from timing.services.access_folder import AccessFolder
    from timing.services.settings import load_settings

    return AccessFolder(load_settings(config, log=log).access_folder)


def _change(folder: "AccessFolder", change: Callable[[list["BrokerUser"]], Iterable["BrokerUser"]]) -> list["BrokerUser"]:
    """Change the users, nobody else changing them meanwhile; give them as they were."""
    from timing.services.broker_users import BrokerUsers

    kept = BrokerUsers(folder.path)
    with folder.exclusively():
        users = kept.read()
        kept.write(change(users))
    return users


def _line(user: "BrokerUser") -> str:
    return f"{user.name}  publishes on {', '.join(user.may_publish())}"
