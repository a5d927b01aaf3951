"""The end of a log, as lines for people, while another process may be writing it."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from timing.domain.units import SECOND
from timing.log.record import Record
from timing.log.session_file import export_line
from timing.log.sqlite_log import FETCH, SqliteLog

SHORTEST_WAIT, LONGEST_WAIT = 0.05, 1.0  # seconds between two looks at the log; the longer the less comes
WIDEST = 160  # characters of what a record says
LONG_WINDED = {"type", "at", "acted_by", "circuit", "rules", "payload"}  # fields that are shown elsewhere, or not at all


def tailed(
    log: SqliteLog, session: str | None, lines: int, *, follow: bool, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Sequence[Record]]:
    """Give the last ``lines`` records of a session, or of the whole log, and with ``follow`` for ever what comes after them."""
    steps = _of_all(log, lines) if session is None else _of_session(log, session, lines)
    wait = SHORTEST_WAIT
    for records in steps:
        if records:
            yield records
            wait = SHORTEST_WAIT
        elif not follow:
            return
        else:
            sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


def _of_all(log: SqliteLog, lines: int) -> Iterator[Sequence[Record]]:
    position = max(log.last_position() - lines, 0)
    while True:
        found = log.since(position, FETCH)
        position = found[-1][0] if found else position
        yield [record for _, record in found]


def _of_session(log: SqliteLog, session: str, lines: int) -> Iterator[Sequence[Record]]:
    seq = max(log.high_watermark(session) - lines, 0)
    while True:
        records = list(log.read(session, seq + 1, seq + FETCH))
        seq = records[-1].seq if records else seq
        yield records


def json_line(record: Record) -> str:
    """Write a record as a line of a session file."""
    return export_line(record).decode()


def readable_line(record: Record) -> str:
    """Write a record for people: ``albi-2026  41  13:10:02.345  track_status  Anna Roy (race-director) …``. Times are UTC."""
    fields = msgspec.to_builtins(record.event)
    said = " ".join(f"{name}={_value(value)}" for name, value in fields.items() if name not in LONG_WINDED)
    if who := fields.get("acted_by"):
        said = f"{who['name']} ({who['role']}) {said}"
    shown = said if len(said) <= WIDEST else said[: WIDEST - 1] + "…"
    line = f"{record.session}  {record.seq:>6}  {_clock(record.recorded_at)}  {fields['type']:<20}  at={_clock(record.event.at)} {shown}"
    return "".join(c if c.isprintable() else "�" for c in line)  # what senders wrote must not command a terminal


def _value(value: object) -> str:
    return value if isinstance(value, str) and value and " " not in value else msgspec.json.encode(value).decode()


def _clock(instant: int) -> str:
    moment = datetime.fromtimestamp(instant // SECOND, UTC)
    return f"{moment:%H:%M:%S}.{instant % SECOND // 1_000:03d}"
