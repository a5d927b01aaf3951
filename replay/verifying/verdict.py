"""What verifying comes to: what was found of each session, each published result and each signature, and everything that differs."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

What = Literal["file", "record", "fold", "head", "result", "signature", "key"]


class Difference(Struct, frozen=True):
    """Something that is not as it should be. ``seq``: the record where it shows; ``expected`` and ``found``: if they can be told briefly.

    ``what``: the ``file`` as a whole, a ``record``, what its event comes to (``fold``), a hash noted elsewhere (``head``), a published
    ``result``, a ``signature``; or that nobody of the keys given signed what holds otherwise (``key``).
    """

    what: What
    reason: str
    session: str | None = None
    seq: int | None = None
    expected: str | None = None
    found: str | None = None


def exit_status(holds: bool, differences: Iterable[Difference]) -> int:
    """Give 0 if all holds, 3 if all holds but for who signed it, 1 if something differs."""
    if holds:
        return 0
    return 3 if all(one.what == "key" for one in differences) else 1


class CheckedResult(Struct, frozen=True):
    """A published result: ``holds`` where the log makes of it what it was published, and signed, as. ``key_id``: who signed it.

    ``note``: what is worth knowing, and no fault. ``voided``: it was taken back later.
    """

    number: int
    document: str
    stage: str
    seq: int
    digest: str
    holds: bool
    signed: bool
    key_id: str | None = None
    voided: bool = False
    note: str | None = None


class CheckedSession(Struct, frozen=True):
    """A session: how many records hold, one after the other, and the ``hash`` of the last of them, which stands for all."""

    session: str
    records: int
    hash: str
    digest: str | None
    results: tuple[CheckedResult, ...] = ()
    keys: tuple[str, ...] = ()


class Verdict(Struct, frozen=True):
    """All of it. ``holds``: nothing differs. ``differences``: in the order of the records; the first of a session is where it parts."""

    source: str
    holds: bool
    sessions: tuple[CheckedSession, ...]
    differences: tuple[Difference, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 all holds, 1 something differs, 3 all holds but was not signed by a key that was given."""
        return exit_status(self.holds, self.differences)
