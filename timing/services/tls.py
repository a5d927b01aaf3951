"""TLS from files: certificates to show, and authorities to trust."""

import ssl
from pathlib import Path

from timing.domain.errors import ConfigurationError


def serving(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Make what a server needs. ``key`` may stand in the certificate's file.

    Raises:
        ConfigurationError: the files cannot be read, or do not belong together.

    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    return context


def asking(authority: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Make what a client needs. ``authority`` signs servers' certificates, in place of those the system trusts; the others show who we are.

    Raises:
        ConfigurationError: a file cannot be read.

    """
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{authority} holds no certificates that can be read: {_why(error)}") from None
    if certificate is not None:
        _load(context, certificate, key)
    return context


def pinned(certificate: Path) -> ssl.SSLContext:
    """Make what a client needs to speak with a server of its own, whatever the name under which it stands: this certificate and no other.

    Raises:
        ConfigurationError: the file cannot be read.

    """
    context = asking(certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigurationError(f"the certificate {certificate} and its key {key or 'in it'} cannot be used: {_why(error)}") from None


def _no_password() -> str:
    raise ValueError("the key is encrypted; keep it as it is where the service alone can read it")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
