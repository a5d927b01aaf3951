"""Addresses on which something listens: whether others than this machine can reach it."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there. A name that is not ``localhost`` may be anything, so it is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
