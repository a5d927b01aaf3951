"""Which addresses only this machine reaches."""

import pytest

from timing.services.hosts import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.4", "10.0.0.1", "timing.example.org", "localhost.example.org"])  # noqa: S104  # named, not bound
def test_others_too(host: str) -> None:
    assert not is_loopback(host)
