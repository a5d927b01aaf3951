"""Session files: one JSON event a line, in order of arrival; exported from a log, with ``seq``, ``recorded_at`` and ``hash`` too."""

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from timing.domain.errors import MalformedEvent
from timing.domain.events import AnyEvent
from timing.log.record import LARGEST_PAYLOAD, Record, decode_event

RESERVED = frozenset({"seq", "recorded_at", "hash"})
"""What an export adds to each event; nobody who sends an event may call a field so."""

_EXPORTED = re.compile(rb'\{"seq":(\d{1,16}),"recorded_at":(\d{1,16}),"hash":"([0-9a-f]{64})",')


class Line(Struct, frozen=True, gc=False):
    """A line of a session file: its number from 1, the event's own JSON text, and the event or what is wrong with it."""

    number: int
    raw: bytes
    event: AnyEvent | None
    fault: MalformedEvent | None = None
    exported: tuple[int, int, bytes] | None = None


def export_line(record: Record) -> bytes:
    """Write a record as a line of a session file (without its end)."""
    return b'{"seq":%d,"recorded_at":%d,"hash":"%s",%s' % (record.seq, record.recorded_at, record.hash.hex().encode(), record.raw[1:])


def read_lines(lines: Iterable[bytes]) -> Iterator[Line]:
    """Read a session file line by line. Empty lines are passed over; a line that is no event carries its fault instead."""
    for number, text in enumerate(lines, start=1):
        raw, exported = text.strip(), None
        if not raw:
            continue
        if match := _EXPORTED.match(raw):
            exported = (int(match[1]), int(match[2]), bytes.fromhex(match[3].decode()))
            raw = b"{" + raw[match.end() :]
        try:
            yield Line(number, raw, _decode(raw, exported is not None), None, exported)
        except MalformedEvent as fault:
            yield Line(number, raw, None, fault, exported)


def reserved_fields(raw: bytes) -> list[str]:
    """Name the fields of an event's JSON object that only an export may have."""
    if b"\\u" not in raw and not any(b'"%s"' % name.encode() in raw for name in RESERVED):
        return []  # the quick way out; a name written with escapes takes the long one
    try:
        return sorted(RESERVED & msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).keys())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedEvent("bad-field", f"a field beyond the protocol cannot be read: {error}") from None


def _decode(raw: bytes, exported: bool) -> AnyEvent:
    if exported:
        return decode_event(raw, largest=None)
    event = decode_event(raw, LARGEST_PAYLOAD)
    if names := reserved_fields(raw):
        raise MalformedEvent("reserved-field", f"only an export has {', '.join(names)}, and in its own form; give the field another name")
    return event
