"""Who may say what: the roles, the channels each may speak on, and the rights that a person was given.

One table for every door: the command endpoint asks it, and the brokers' access lists are written from it.
"""

import re
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from timing.domain.events import CHANNELS, Fact

Role: TypeAlias = Literal["viewer", "timekeeper", "race-director", "steward", "administrator"]

ROLES: tuple[Role, ...] = get_args(Role)

DEVICE_CHANNELS = tuple(channel for channel, kinds in CHANNELS.items() if issubclass(kinds[0], Fact))
"""Where devices speak, each on a level of its own (``passings/line-1``)."""

COMMAND_CHANNELS = tuple(channel for channel in CHANNELS if channel not in DEVICE_CHANNELS)

SPEAKS_ON: dict[Role, tuple[str, ...]] = {
    "viewer": (),
    "timekeeper": ("session", "entries", "corrections"),
    "race-director": ("control",),
    "steward": ("stewards",),
    "administrator": COMMAND_CHANNELS,
}
"""The channels on which a role may send commands. Facts come from devices, which are no roles."""

EVERY_SESSION = "*"
SESSION_PATTERN = re.compile(r"[a-z0-9*][a-z0-9*-]{0,63}")


class Rights(Struct, frozen=True, kw_only=True):
    """What somebody may do: ``roles``, in the ``sessions`` that match a pattern (``*`` is any run of characters).

    ``channels`` narrows what the roles allow; ``None`` leaves them whole.
    """

    roles: tuple[Role, ...]
    sessions: tuple[str, ...] = (EVERY_SESSION,)
    channels: tuple[str, ...] | None = None

    def see(self, session: str) -> bool:
        """Whether a session may be watched, where watching is a right."""
        return any(_matches(pattern, session) for pattern in self.sessions)

    def speaking_on(self, session: str) -> tuple[str, ...]:
        """Name the channels of a session on which commands may be sent, in the order of the protocol."""
        return tuple(channel for channel in COMMAND_CHANNELS if self.role_on(session, channel))

    def role_on(self, session: str, channel: str) -> Role | None:
        """Give the role by which one may speak on a channel, or ``None``."""
        if not self.see(session) or (self.channels is not None and channel not in self.channels):
            return None
        return next((role for role in self.roles if channel in SPEAKS_ON[role]), None)


def speakers_on(channel: str) -> tuple[Role, ...]:
    """Name the roles that may speak on a channel."""
    return tuple(role for role in ROLES if channel in SPEAKS_ON[role])


def _matches(pattern: str, session: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), session) is not None
