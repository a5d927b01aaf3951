"""Who may speak at the MQTT door: users with hashed passwords, and the topics that each may publish on, from the same table as at the desk.

They are kept in the access folder (``mqtt-users.json``). The embedded broker is given them; for Mosquitto, or a NATS server of one's own,
they are written as that broker's own files. Passwords are kept as two hashes, because the brokers know different ones: bcrypt for NATS,
PBKDF2 (SHA-512) for Mosquitto.
"""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

import bcrypt
import msgspec
from msgspec import Struct

from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.roles import EVERY_SESSION, Rights

SERVICE = "parcferme"
"""The name of the service itself at a broker."""

USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
DEVICE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
SESSION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
PASSWORD_BYTES = 24
_SHORTEST = 12
_ROUNDS = 10  # of bcrypt: 50 ms a connection
_ITERATIONS = 50_000  # of PBKDF2: 25 ms

_TOPICS = "timing/v1"


class BrokerUser(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user at the broker: people with ``rights``, devices' adapters, or both. ``sessions`` are whole names, or ``*`` for all."""

    name: str
    bcrypt: str
    pbkdf2: str
    rights: Rights | None = None
    decoders: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sessions: tuple[str, ...] = (EVERY_SESSION,)

    def may_publish(self) -> list[str]:
        """Give the topics, as MQTT filters, on which the user may publish."""
        if self.name == SERVICE:
            return [f"{_TOPICS}/+/{answer}/#" for answer in ("accepted", "rejected")]
        channels = [*(f"passings/{name}" for name in self.decoders), *(f"laps/{name}" for name in self.sources)]
        return [
            f"{_TOPICS}/{_level(session)}/{channel}"
            for session in self.sessions
            for channel in (*channels, *(self.rights.speaking_on(_any_of(session)) if self.rights else ()))
        ]

    def may_read(self) -> list[str]:
        """Give the topics, as MQTT filters, which the user may read: the answers in its sessions; the service reads everything."""
        if self.name == SERVICE:
            return [f"{_TOPICS}/+/#"]
        return [f"{_TOPICS}/{_level(session)}/{answer}/#" for session in self.sessions for answer in ("accepted", "rejected")]


def new_password() -> str:
    """Make a password that nobody guesses."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def make_user(
    name: str,
    password: str,
    *,
    rights: Rights | None = None,
    decoders: Sequence[str] = (),
    sources: Sequence[str] = (),
    sessions: Sequence[str] = (EVERY_SESSION,),
    rounds: int = _ROUNDS,
) -> BrokerUser:
    """Make a user with a password, which is not kept. ``rounds`` of bcrypt may be few where the password is one of ``new_password``.

    Raises:
        ConfigurationError: a name cannot be used, or the user could say nothing.

    """
    if not USER.fullmatch(name):
        raise ConfigurationError(f"{name!r} can be no user: letters, digits and _ . @ - make a name")
    if bad := next((each for each in (*decoders, *sources) if not DEVICE.fullmatch(each)), None):
        raise ConfigurationError(f"{bad!r} can be no device at a broker: letters, digits and _ . - make its name")
    if bad := next((each for each in sessions if each != EVERY_SESSION and not SESSION.fullmatch(each)), None):
        raise ConfigurationError(f"{bad!r}: a broker's access list knows whole sessions, or * for all, and no parts of names")
    if len(password) < _SHORTEST:
        raise ConfigurationError(f"the password has {len(password)} characters, {_SHORTEST} are the least")
    if len(password.encode()) > 72:
        raise ConfigurationError("the password has more than 72 bytes, of which brokers do not look at the rest")
    user = BrokerUser(
        name=name,
        bcrypt=bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode(),
        pbkdf2=_mosquitto_hash(password),
        rights=rights,
        decoders=tuple(decoders),
        sources=tuple(sources),
        sessions=tuple(sessions),
    )
    if not user.may_publish():
        raise ConfigurationError(f"{name} could say nothing: name a role that speaks, a decoder or a source")
    return user


class BrokerUsers:
    """The users in their file, which is written whole and put in its place."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "mqtt-users.json"

    @property
    def state(self) -> tuple[int, int]:
        """What changes when the file does: cheap to ask."""
        try:
            found = self._file.stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def read(self) -> list[BrokerUser]:
        """Give the users by name.

        Raises:
            ConfigurationError: the file cannot be read.

        """
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[BrokerUser])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self._file} cannot be read: {error}") from None

    def write(self, users: Iterable[BrokerUser]) -> None:
        """Keep these users and no others. Call it while the access folder is held exclusively.

        Raises:
            TimingError: it could not be written.

        """
        text = msgspec.json.format(msgspec.json.encode(sorted(users, key=lambda user: user.name))) + b"\n"
        write_private(self._file, text)


def write_private(file: Path, text: bytes) -> None:
    """Write a file that its owner alone can read, whole or not at all.

    Raises:
        TimingError: it could not be written.

    """
    unfinished = file.with_name(f"{file.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        if os.geteuid() == 0:
            owner = file.parent.stat()
            os.chown(unfinished, owner.st_uid, owner.st_gid)
        unfinished.replace(file)
    except OSError as error:
        raise TimingError(f"{file} cannot be written: {error.strerror}") from None


def _mosquitto_hash(password: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _level(session: str) -> str:
    return "+" if session == EVERY_SESSION else session


def _any_of(session: str) -> str:
    return "any" if session == EVERY_SESSION else session
