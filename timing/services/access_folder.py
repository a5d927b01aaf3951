"""The folder that says who may speak: the secret that signs tokens, and what was issued, used and revoked.

It lies beside the log (``LOG-access``) unless the setting ``access`` names another. ``secret`` signs; whoever can read it can make tokens,
so only its owner may. ``tokens.jsonl`` is only ever added to, one JSON object a line; it holds no token, only their names (``jti``).
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.roles import Rights

SECRET_BYTES = 32


class Issued(Struct, frozen=True, tag_field="what", tag="issued", omit_defaults=True):
    """A token was issued. Instants are seconds since 1970, as in the token. ``once``: it signs in a single time."""

    id: str
    name: str
    rights: Rights
    at: int
    until: int
    once: bool = True


class Used(Struct, frozen=True, tag_field="what", tag="used"):
    """A token that signs in once has done so."""

    id: str
    at: int


class Revoked(Struct, frozen=True, tag_field="what", tag="revoked"):
    """A token, or the sign-in of a browser, holds no more."""

    id: str
    at: int


Entry: TypeAlias = Issued | Used | Revoked

_entries: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


class AccessFolder:
    """The files. Several processes may use them at once: the service, and ``timing token`` beside it."""

    def __init__(self, path: Path) -> None:
        """Open the folder, making it and its secret where they are not there.

        Raises:
            ConfigurationError: it cannot be used, or others than its owner can read the secret.

        """
        self.path = path
        self._tokens = path / "tokens.jsonl"
        try:
            if not path.is_dir():
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                _give_to_owner_of(path.parent, path)
            self.secret = self._secret()
        except OSError as error:
            raise ConfigurationError(f"the access folder {path} cannot be used: {error.strerror}") from None

    def _secret(self) -> bytes:
        file = self.path / "secret"
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "wb") as new:
                new.write(secrets.token_bytes(SECRET_BYTES))
                os.fsync(new.fileno())
            _give_to_owner_of(self.path, file)
        if file.stat().st_mode & 0o007:
            raise ConfigurationError(
                f"everyone on this machine can read {file}; take that right away (chmod o= {file}) and delete the file"
            )
        secret = file.read_bytes()
        if len(secret) < SECRET_BYTES:
            raise ConfigurationError(f"{file} has {len(secret)} bytes, {SECRET_BYTES} are needed; delete it, a new one is made")
        return secret

    @property
    def state(self) -> tuple[int, int]:
        """What changes with every entry: cheap to ask."""
        try:
            found = self._tokens.stat()
        except OSError:
            return 0, 0
        return found.st_size, found.st_mtime_ns

    def entries(self) -> list[Entry]:
        """Read every entry; a line cut off by a crash at the very end is no entry.

        Raises:
            ConfigurationError: a line before the end cannot be read: what it revoked is not known.

        """
        try:
            lines = self._tokens.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigurationError(f"{self._tokens} cannot be read: {error.strerror}") from None
        return [entry for number, line in enumerate(lines, 1) if (entry := self._entry(line, number)) is not None]

    def _entry(self, line: bytes, number: int) -> Entry | None:
        try:
            return _entries.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if not line.endswith(b"\n"):
                return None
            raise ConfigurationError(f"line {number} of {self._tokens} cannot be read ({error}); mend it, or delete the folder") from None

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other processes from adding meanwhile: for who looks first and then adds."""
        with (self.path / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add(self, entry: Entry) -> None:
        """Add an entry; it is on the disk when this returns.

        Raises:
            TimingError: it could not be written.

        """
        try:
            new = not self._tokens.exists()
            descriptor = os.open(self._tokens, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.truncate(self._whole())
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if new:
                _give_to_owner_of(self.path, self._tokens)
        except OSError as error:
            raise TimingError(f"{self._tokens} cannot be written: {error.strerror}; nobody can be signed in or out") from None

    def _whole(self) -> int:
        """Give how many bytes are whole lines: what a crash cut off was never told to anyone."""
        return self._tokens.read_bytes().rfind(b"\n") + 1


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Let the service's own user keep what the superuser made for it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
