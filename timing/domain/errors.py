"""The tree of operating errors. Programmer errors are assertions and are not caught."""

from collections.abc import Mapping


class TimingError(Exception):
    """Something outside the program is wrong; the text says what, and how to mend it. The command line prints it and exits 1."""


class MalformedEvent(TimingError):
    """Bytes that are not an event of the contract. Ingest records them as ``message_rejected`` and answers with ``code``.

    ``data``: what the reason names, for words in other languages.
    """

    def __init__(self, code: str, reason: str, data: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.data = dict(data or {})


class RulebookError(TimingError):
    """A rulebook that is unknown or breaks its own form. Ingest refuses the session; the command line prints it."""


class LogError(TimingError):
    """The log cannot be used as it is. The service ends with it: what cannot be stored must not be acknowledged."""


class LogDamaged(LogError):
    """A record does not follow from the one before, or cannot be read. Nobody repairs it silently; ``seq`` says where.

    ``expected`` and ``found``: what should be there and what is, where that can be said in a few words or digits.
    """

    def __init__(
        self, reason: str, *, session: str | None = None, seq: int | None = None, expected: str | None = None, found: str | None = None
    ) -> None:
        super().__init__(reason)
        self.session = session
        self.seq = seq
        self.expected = expected
        self.found = found


class LogInUse(LogError):
    """Another process is writing this log. The command line prints it; nothing is written."""


class BrokerError(TimingError):
    """The MQTT broker cannot be started or reached. Ingest tries again with back-off; the command line prints it."""


class ConfigurationError(TimingError):
    """A setting that cannot be used. The command line prints it and exits 2."""


class GridUnmakeable(TimingError):
    """A grid cannot be made as it was asked for."""
