"""Signing keys: made once, read by their owner alone, checked by anyone."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat

from timing.domain.errors import ConfigurationError, TimingError
from timing.services.keys import SigningKeyFile, holds, is_key, new_key, public_of, public_pem

# RFC 8032, 7.1, test 2
PRIVATE = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNED_72 = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_it_signs_as_the_standard_says(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(PRIVATE))
    file = written(tmp_path / "key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signing = SigningKeyFile(file)
    assert (signing.public, signing.sign(b"\x72")) == (PUBLIC, SIGNED_72)
    assert holds(PUBLIC, b"\x72", SIGNED_72)
    assert not holds(PUBLIC, b"\x73", SIGNED_72)
    assert not holds(PUBLIC, b"\x72", SIGNED_72[:-2] + "01")
    assert not holds("ff" * 32, b"\x72", SIGNED_72), "no point of the curve"
    assert not holds(PUBLIC, b"\x72", SIGNED_72[:-2])


def test_a_new_key_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        key = new_key(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKeyFile(path).public == key.public
    content = path.read_bytes()
    with pytest.raises(TimingError, match="never written over"):
        new_key(path)
    assert path.read_bytes() == content
    with pytest.raises(TimingError, match="cannot be made"):
        new_key(tmp_path / "nowhere" / "key")
    assert new_key(tmp_path / "other").public != key.public


def test_openssl_reads_both_halves(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    ran = subprocess.run(["openssl", "pkey", "-in", str(tmp_path / "key"), "-pubout"], capture_output=True, text=True, check=True)
    assert ran.stdout == public_pem(key.public)


def test_a_key_is_named_in_every_way_people_have_it(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    (tmp_path / "key.pub").write_text(public_pem(key.public))
    grouped = " ".join(key.id[i : i + 4] for i in range(0, len(key.id), 4))
    for said in (key.public, key.public.upper(), str(tmp_path / "key"), str(tmp_path / "key.pub"), key.id, grouped):
        assert is_key(key.public, public_of(said)), said
    assert not is_key(PUBLIC, public_of(key.id))


def pem(make: Callable[[], X25519PrivateKey]) -> bytes:
    return make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (b"", 0o600, "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "no private key"),
        (pem(X25519PrivateKey.generate), 0o600, "another kind"),
        (
            Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
            0o600,
            "passphrase",
        ),
        (pem(X25519PrivateKey.generate), 0o640, "chmod 600"),
        (pem(X25519PrivateKey.generate), 0o604, "chmod 600"),
        (b"#" * 20_000, 0o600, "too large"),
    ],
)
def test_a_file_that_will_not_do_says_why(tmp_path: Path, content: bytes, mode: int, says: str) -> None:
    file = written(tmp_path / "key", content, mode)
    with pytest.raises(ConfigurationError, match=says) as raised:
        SigningKeyFile(file)
    assert "secret" not in str(raised.value)


def test_a_private_key_that_others_may_read_is_refused_wherever_it_is_named(tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        public_of(str(tmp_path / "key"))


def test_what_is_no_key_is_said(tmp_path: Path) -> None:
    other = X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for said, says in (
        ("abc", "is no key"),
        (str(written(tmp_path / "text", b"hello")), "no public key"),
        (str(written(tmp_path / "other", other)), "another kind"),
        (str(tmp_path), "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            public_of(said)
