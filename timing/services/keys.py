"""Signing keys: Ed25519, in PEM files that OpenSSL reads too. The private half never leaves its file but into the memory of who signs."""

import os
import re
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from timing.domain.errors import ConfigurationError, TimingError
from timing.projections.statement import KEY_ID_DIGITS, key_id

_LARGEST = 16 * 1024  # bytes of a key's file; ours have 119
_HEX = re.compile(r"[0-9a-f]+")
_PRIVATE_MARK = b"PRIVATE KEY-----"


class SigningKeyFile:
    """The private half of a key, read from a file that nobody but its owner may read.

    Raises:
        ConfigurationError: there is no such file, others may read it, or it is no Ed25519 key.

    """

    def __init__(self, path: Path) -> None:
        self._key = _private(path, _read(path, private=True))
        self.public = _hexadecimal(self._key.public_key())

    @property
    def id(self) -> str:
        """The short name of the public half."""
        return key_id(self.public)

    def sign(self, text: bytes) -> str:
        """Sign, in hexadecimal. The same text has the same signature."""
        return self._key.sign(text).hex()


def new_key(path: Path) -> SigningKeyFile:
    """Make a new key in a new file that only its owner may read.

    Raises:
        TimingError: the file is there already, or cannot be made.

    """
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise TimingError(f"{path} is there already, and a key is never written over; give another name") from None
    except OSError as error:
        raise TimingError(f"the key {path} cannot be made: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise TimingError(f"the key {path} cannot be written: {error.strerror}") from None
    return SigningKeyFile(path)


def public_of(said: str) -> str:
    """Give the public key, or the short name of one, that a person named: in hexadecimal, or as a PEM file of either half.

    Raises:
        ConfigurationError: it is none of these.

    """
    text = re.sub(r"[\s:-]", "", said).lower()
    if _HEX.fullmatch(text) and len(text) in (64, KEY_ID_DIGITS):
        return text
    path = Path(said)
    if not path.exists():
        raise ConfigurationError(
            f"{said[:100]} is no key: give its 64 hexadecimal digits, its {KEY_ID_DIGITS} digits for short, or a PEM file"
        )
    content = _read(path, private=False)
    if _PRIVATE_MARK in content:
        return SigningKeyFile(path).public
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{path} holds no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(f"{path} holds a key of another kind; results are signed with Ed25519")
    return _hexadecimal(key)


def public_pem(key: str) -> str:
    """Write a public key in PEM, for OpenSSL and other programs."""
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def is_key(key: str, said: str) -> bool:
    """Say whether a public key is the one that ``public_of`` gave."""
    return said in (key, key_id(key))


def holds(key: str, text: bytes, signature: str) -> bool:
    """Say whether a signature of a text was made with the private half of this public key."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):  # the latter: no point of the curve, or digits that are none
        return False
    return True


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ConfigurationError(f"the key {path} is not a file")
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"the key {path} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{path} is too large for a key")
    if (private or _PRIVATE_MARK in content) and mode & 0o077:
        raise ConfigurationError(f"others than its owner may read or write the key {path} (mode {mode & 0o777:o}); say: chmod 600 {path}")
    return content


def _private(path: Path, content: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        raise ConfigurationError(
            f"the key {path} is protected by a passphrase, and the service starts unattended; keep it without one"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{path} holds no private key in PEM; make one: timing key new {path}.new") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} holds a key of another kind; results are signed with Ed25519: timing key new {path}.new")
    return key


def _hexadecimal(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
