"""A signed log, once for all tests of it, and the key it was signed with."""

from contextlib import closing
from pathlib import Path

import pytest
from signed_log import race, written

from timing.log.session_file import export_line
from timing.log.sqlite_log import SqliteLog
from timing.services.keys import SigningKeyFile, new_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for what the tests of a module leave alone."""
    return tmp_path_factory.mktemp("signed")


@pytest.fixture(scope="module")
def key(folder: Path) -> SigningKeyFile:
    """Give the key of the timing office."""
    return new_key(folder / "key")


@pytest.fixture(scope="module")
def signed(folder: Path, key: SigningKeyFile) -> Path:
    """Give the log of the race of `signed_log`."""
    return written(folder / "signed.db", race(), key)


@pytest.fixture(scope="module")
def exported(signed: Path) -> bytes:
    """Give it as the session file that the log exports."""
    with closing(SqliteLog(signed, readonly=True)) as log:
        return b"".join(export_line(record) + b"\n" for record in log.read("sunday"))
