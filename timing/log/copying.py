"""A session from one log into another: the same records, with their ``seq``, ``recorded_at`` and ``hash``, and so the same chain."""

from collections.abc import Callable
from itertools import islice

from msgspec import Struct

from timing.domain.errors import LogError
from timing.log.event_log import EventLog
from timing.log.record import verify_chain

CHUNK = 5_000  # records in one transaction; a copy that is cut short is taken up by making it again


class Copied(Struct, frozen=True):
    """What came of it: how many records the session has, how many of them were new to the target, and the last one's hash."""

    session: str
    seq: int
    new: int
    hash: str


def copy_session(source: EventLog, target: EventLog, session: str, progress: Callable[[int], None] | None = None) -> Copied:
    """Copy a session's records, those that are there now; ``progress`` is called with the ``seq`` reached.

    The source's whole chain is checked before anything is written. What the target has of the session already, from an earlier copy, stays.

    Raises:
        LogDamaged: a record of the source is not as it was written; nothing was written to the target.
        LogError: the source has no such session, the target has other records in their place, or cannot be written.

    """
    last = source.high_watermark(session)
    if not last:
        raise LogError(f"there is no session {session} to copy")
    verify_chain(source.read(session, to_seq=last))
    begin = min(target.high_watermark(session), last) + 1
    mine, theirs = ([record.hash for record in log.read(session, begin - 1, begin - 1)] for log in (source, target))
    if begin > 1 and mine != theirs:
        raise LogError(f"session {session}: record {begin - 1} is another one in the log copied to; copy it to a new log")
    new, records = 0, source.read(session, begin, last)
    while part := list(islice(records, CHUNK)):
        new += sum(answer.outcome == "new" for answer in target.restore(part))
        if progress:
            progress(part[-1].seq)
    return Copied(session, last, new, next(source.read(session, last, last)).hash.hex())
