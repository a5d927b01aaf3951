"""Records read from the pages of a log's file without SQLite, wherever they lie: what a damaged file still gives.

Nothing here is believed: each record is offered as it is found, and the chain of hashes says which are true. Table, indexes and the tree
of pages are not needed. The format: https://sqlite.org/fileformat2.html
"""

import mmap
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from timing.log.wal import WriteAheadLog, read_wal, wal_of

_LEAF = 13  # a page of a table that holds rows
_COLUMNS = 7
_ROWID, _TEXT, _INTEGERS, _BLOB = 0, 1, {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}, 12
_LONGEST_VARINT = 9
_MOST_OVERFLOW = 64 * 1024  # pages of one row

Page = Callable[[int], bytes | None]


class Row(Struct, frozen=True, gc=False):
    """A row as the file has it; whether it is true is for the chain of hashes to say."""

    position: int
    session: str
    seq: int
    recorded_at: int
    identity: str
    raw: bytes
    hash: bytes


class Place(Struct, frozen=True, gc=False):
    """Where a row was found: in the file or its write-ahead log, at which byte its page begins, and its cell in the page."""

    in_wal: bool
    page_at: int
    cell: int


class Carving:
    """The pages of a log's file and of its write-ahead log; use it as a context. ``size``: the bytes there are to look through."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            OSError: it cannot be read.

        """
        self._file = _content(path)
        self._wal = _content(wal_of(path)) if wal_of(path).exists() else b""
        head = int.from_bytes(self._file[16:18])
        self.page_size = 65_536 if head == 1 else head if head >= 512 and head & (head - 1) == 0 else 4_096
        self.wal: WriteAheadLog = read_wal(memoryview(self._wal), self.page_size)
        self.size = len(self._file) + len(self._wal)
        committed = {frame.page: frame.offset for frame in self.wal.frames if frame.committed}
        whatever = {frame.page: frame.offset for frame in self.wal.frames}
        self._views: tuple[Page, ...] = tuple(self._view(over) for over in (committed, whatever, {}))

    def _view(self, over: dict[int, int]) -> Page:
        """Give pages by number: those of the file, with those that the write-ahead log has in their place."""

        def page(number: int) -> bytes | None:
            offset = over.get(number)
            if offset is not None:
                return bytes(self._wal[offset : offset + self.page_size])
            found = bytes(self._file[(number - 1) * self.page_size : number * self.page_size]) if number > 0 else b""
            return found if len(found) == self.page_size else None

        return page

    def places(self, progress: Callable[[int], None] | None = None) -> Iterator[tuple[str, int, int, Place]]:
        """Find every row: its session, ``seq``, position and place, those that are surely committed first. ``progress`` hears bytes."""
        frames = sorted(self.wal.frames, key=lambda frame: not frame.committed)
        pages = [(False, start) for start in range(0, len(self._file), self.page_size)] + [(True, frame.offset) for frame in frames]
        for number, (in_wal, start) in enumerate(pages):
            yield from self._rows_of(in_wal, start)
            if progress and not number % 256:
                progress(number * self.page_size)

    def _rows_of(self, in_wal: bool, start: int) -> Iterator[tuple[str, int, int, Place]]:
        source = self._wal if in_wal else self._file
        page = bytes(source[start : start + self.page_size])
        page += bytes(self.page_size - len(page))  # the last page of a file that was cut
        head = 100 if not in_wal and start == 0 else 0
        if page[head] != _LEAF:
            return
        cells = min(int.from_bytes(page[head + 3 : head + 5]), (self.page_size - head - 8) // 2)
        for number in range(cells):
            pointer = head + 8 + 2 * number
            cell = int.from_bytes(page[pointer : pointer + 2])
            if row := _row(page, cell, self.page_size, None):
                yield row.session, row.seq, row.position, Place(in_wal, start, cell)

    def read(self, place: Place) -> Iterator[Row]:
        """Read a row whole, as often as there are ways: its long part may lie in pages that the file and the write-ahead log both have."""
        source = self._wal if place.in_wal else self._file
        page = bytes(source[place.page_at : place.page_at + self.page_size])
        page += bytes(self.page_size - len(page))
        for view in self._views:
            if row := _row(page, place.cell, self.page_size, view):
                yield row


def _content(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file cannot be mapped
            return b""


def _row(page: bytes, cell: int, size: int, view: Page | None) -> Row | None:
    """Read a row of the record table; ``None`` where there is none. Without a ``view`` of other pages its long part is left out."""
    try:
        length, at = _varint(page, cell)
        position, at = _varint(page, at)
        payload = _payload(page, at, length, size, view)
        return _columns(payload, position, whole=view is not None)
    except (IndexError, ValueError):
        return None


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        byte = page[at + count]
        if count == _LONGEST_VARINT - 1:
            return value << 8 | byte, at + count + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise AssertionError("a varint ends with its ninth byte")


def _payload(page: bytes, at: int, length: int, size: int, view: Page | None) -> bytes:
    if length <= size - 35:
        return page[at : at + length]
    least = (size - 12) * 32 // 255 - 23
    local = least + (length - least) % (size - 4)
    local = local if local <= size - 35 else least
    parts, missing = [page[at : at + local]], length - local
    following = int.from_bytes(page[at + local : at + local + 4])
    for _ in range(_MOST_OVERFLOW):
        if view is None or missing <= 0:
            break
        more = view(following)
        if more is None:
            raise ValueError("a page of the row is not there")
        parts.append(more[4 : 4 + missing])
        following, missing = int.from_bytes(more[:4]), missing - (size - 4)
    return b"".join(parts)


def _columns(payload: bytes, position: int, *, whole: bool) -> Row:
    """Take a row apart.

    Raises:
        ValueError, IndexError: it is none of the record table.

    """
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if len(kinds) != _COLUMNS or kinds[0] != _ROWID or at != end:
        raise ValueError("not a record")
    session, at = _bytes(payload, at, kinds[1], text=True)
    seq, at = _integer(payload, at, kinds[2])
    if not whole:
        return Row(position, session.decode(), seq, 0, "", b"", b"")
    recorded_at, at = _integer(payload, at, kinds[3])
    identity, at = _bytes(payload, at, kinds[4], text=True)
    raw, at = _bytes(payload, at, kinds[5], text=False)
    hashed, at = _bytes(payload, at, kinds[6], text=False)
    return Row(position, session.decode(), seq, recorded_at, identity.decode(), raw, hashed)


def _integer(payload: bytes, at: int, kind: int) -> tuple[int, int]:
    if kind not in _INTEGERS:
        raise ValueError("not an integer")
    if kind in {8, 9}:
        return kind - 8, at
    size = _INTEGERS[kind]
    return int.from_bytes(payload[at : at + size], signed=True), at + size


def _bytes(payload: bytes, at: int, kind: int, *, text: bool) -> tuple[bytes, int]:
    if kind < _BLOB or kind % 2 != text:
        raise ValueError("not a text" if text else "not bytes")
    size = (kind - _BLOB) // 2
    if at + size > len(payload):
        raise ValueError("cut off")
    return payload[at : at + size], at + size
