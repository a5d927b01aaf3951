"""Addresses on which something listens: whether others than this machine can reach it; and how pages elsewhere are named."""

import ipaddress

PAGES = r"^(https?://[^\s/?#]+(/[^\s?#]*)?|:[1-9][0-9]{0,4})$"
"""The address of pages as browsers reach them, or `:PORT` of the host that is asked."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there. A name that is not ``localhost`` may be anything, so it is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
