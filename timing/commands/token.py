"""``timing token``: who may speak, from when until when: issue tokens, list them, revoke them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from timing.domain.errors import TimingError

if TYPE_CHECKING:
    from timing.services.access_folder import AccessFolder, Issued

_UNITS = {"m": 60, "h": 3600, "d": 24 * 3600}
_ROLES = ("viewer", "timekeeper", "race-director", "steward", "administrator")  # a test holds them equal to those of the domain

CONFIG = click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="The service's TOML file of settings.")
LOG = click.option(
    "--log", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="The service's event log, beside which the folder lies."
)


class _Lifetime(click.ParamType[int]):
    """``30m``, ``12h``, ``3d``, as seconds."""

    name = "lifetime"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"(\d{1,6})([mhd])", str(value))
        seconds = int(match[1]) * _UNITS[match[2]] if match else 0
        if not 60 <= seconds <= 31 * _UNITS["d"]:
            self.fail(f"{value!r} is no time from 1m to 31d; write 30m, 12h or 3d", param, ctx)
        return seconds


@click.group()
def command() -> None:
    """Say who may send commands from a browser or a program, and until when.

    A token is signed with the secret in the service's access folder (LOG-access, or the setting access); these commands and the service
    have to use the same one, so give them the same --config or --log.
    """


@command.command(short_help="Issue a token, and print it.")
@click.option("--role", "roles", type=click.Choice(_ROLES), multiple=True, required=True, help="What they are. May be repeated.")
@click.option("--name", required=True, help="Who it is for, as the log will say who acted.")
@click.option("--session", "sessions", multiple=True, default=("*",), show_default=True, help="The sessions; * is any text. Repeatable.")
@click.option("--channel", "channels", metavar="CHANNEL", multiple=True, help="Only these channels of those the role allows. Repeatable.")
@click.option("--for", "seconds", type=_Lifetime(), metavar="12h", default="12h", show_default=True, help="How long; 31d at most.")
@click.option("--reusable", is_flag=True, help="For a program, or several browsers: signs in more than once.")
@CONFIG
@LOG
def new(  # click's way
    roles: tuple[str, ...],
    name: str,
    sessions: tuple[str, ...],
    channels: tuple[str, ...],
    seconds: int,
    *,
    reusable: bool,
    config: Path | None,
    log: Path | None,
) -> None:
    """Issue a token and print it on standard output; what it is good for goes to standard error.

    It is a secret: hand it over so that nobody else reads it. Unless it is --reusable it signs in one browser, once; that stays signed in
    until the token's time is over. A program sends a reusable one as "Authorization: Bearer TOKEN".

    \b
    timing token new --role race-director --name "Anna Roy" --session 'albi-2026-*'
    timing token new --role steward --name "Stewards' room" --for 3d
    """  # noqa: D301  # click's mark for lines that stay as they are is the character itself
    from timing.domain.roles import COMMAND_CHANNELS, SESSION_PATTERN, Rights
    from timing.services.tokens import Tokens

    for pattern in sessions:
        if not SESSION_PATTERN.fullmatch(pattern):
            raise click.BadParameter(f"{pattern!r} can be no session: a-z, 0-9, - and * for any text", param_hint="--session")
    for channel in channels:
        if channel not in COMMAND_CHANNELS:
            raise click.BadParameter(f"there is no channel {channel!r}; they are {', '.join(COMMAND_CHANNELS)}", param_hint="--channel")
    if not 1 <= len(name.strip()) <= 200:
        raise click.BadParameter("a name has 1 to 200 characters", param_hint="--name")
    rights = Rights(roles=roles, sessions=sessions, channels=channels or None)  # type: ignore[arg-type]  # click checked them
    token, issued = Tokens(_folder(config, log)).issue(name.strip(), rights, seconds, once=not reusable)
    click.echo(token)
    spoken = ", ".join(_spoken(issued)) or "nothing: it may only watch"
    click.echo(f"{_line(issued, 'new')}; may send: {spoken}", err=True)


@command.command("list", short_help="List the tokens that were issued.")
@click.option("--all", "whole", is_flag=True, help="Those that are over or revoked, too.")
@CONFIG
@LOG
def list_(*, whole: bool, config: Path | None, log: Path | None) -> None:
    """List the tokens that hold, the oldest first: id, until when, for whom and what. The tokens themselves are kept nowhere."""
    from timing.services.access_folder import Issued, Revoked, Used

    entries = _folder(config, log).entries()
    revoked = {entry.id for entry in entries if isinstance(entry, Revoked)}
    used = {entry.id for entry in entries if isinstance(entry, Used)}
    now = datetime.now(UTC).timestamp()
    for issued in (entry for entry in entries if isinstance(entry, Issued)):
        over = issued.until <= now
        state = "revoked" if issued.id in revoked else "over" if over else "signed in" if issued.id in used else "holds"
        if whole or state in {"signed in", "holds"}:
            click.echo(_line(issued, state))


@command.command(short_help="Make tokens void, and whoever signed in with them.")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@CONFIG
@LOG
def revoke(*, ids: tuple[str, ...], config: Path | None, log: Path | None) -> None:
    """Make tokens void from now on, and sign out whoever signed in with them. The running service knows at once.

    ID is the id that `timing token list` shows, and that the log names beside who acted.
    """
    from timing.services.access_folder import Issued
    from timing.services.tokens import Tokens

    folder = _folder(config, log)
    known = {entry.id for entry in folder.entries() if isinstance(entry, Issued)}
    if strangers := [name for name in ids if name not in known]:
        raise TimingError(f"no token {strangers[0]!r} was issued from {folder.path}; `timing token list --all` shows them")
    tokens = Tokens(folder)
    for name in ids:
        tokens.revoke(name)
        click.echo(f"{name} is revoked")


def _folder(config: Path | None, log: Path | None) -> "AccessFolder":
    from timing.services.access_folder import AccessFolder
    from timing.services.settings import load_settings

    return AccessFolder(load_settings(config, log=log).access_folder)


def _line(issued: "Issued", state: str) -> str:
    until = datetime.fromtimestamp(issued.until, UTC)
    what = ", ".join(issued.rights.roles)
    uses = "" if issued.once else ", reusable"
    where = " ".join(issued.rights.sessions)
    return f"{issued.id}  {state:<9}  until {until:%Y-%m-%d %H:%M} UTC  {issued.name} ({what}{uses}) in {where}"


def _spoken(issued: "Issued") -> tuple[str, ...]:
    from timing.domain.roles import COMMAND_CHANNELS

    rights, session = issued.rights, issued.rights.sessions[0].replace("*", "")
    return tuple(channel for channel in COMMAND_CHANNELS if rights.role_on(session, channel))
