"""SQLite's write-ahead log as it lies on the disk, read without SQLite: to tell a torn end from damage in the midst, and to save records.

SQLite takes a frame that does not check for the end, and what follows for never written. After a power cut that is right: each commit is
synced before the next begins, so only the last one can be torn. Where whole commits follow the frame that does not check, synced data
was damaged, and going on would silently lose them. The format: https://sqlite.org/fileformat2.html#walformat
"""

import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from timing.domain.errors import LogDamaged, LogError

HEADER, FRAME_HEADER = 32, 24
_MAGIC = {0x377F0682: "little", 0x377F0683: "big"}
_COMMITS_OF_A_TORN_END = 1  # its own commit frame may have reached the disk before the others

Sums = tuple[int, int]


class Frame(Struct, frozen=True, gc=False):
    """A page in the write-ahead log: its number in the file, where its content begins in the log, and whether a commit ends with it.

    ``committed``: it checks, and so does everything before it and the rest of its commit.
    """

    page: int
    offset: int
    ends_commit: bool
    committed: bool


class WriteAheadLog(Struct, frozen=True):
    """What there is in a write-ahead log. ``strays``: commits that end after the last frame that checks, written in the same go."""

    page_size: int
    frames: list[Frame]
    strays: int
    header_is_sound: bool


def wal_of(path: Path) -> Path:
    """Name the write-ahead log of a log's file."""
    return path.with_name(path.name + "-wal")


def check_wal(path: Path) -> None:
    """Check that nothing that was synced is lost from the write-ahead log of the log ``path``. Nobody may be writing it.

    Raises:
        LogDamaged: commits lie behind a damaged place, where SQLite would not see them.
        LogError: it cannot be read.

    """
    wal = wal_of(path)
    try:
        content = wal.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise LogError(f"{wal} cannot be read: {error.strerror}") from None
    found = read_wal(content)
    if found.strays > (_COMMITS_OF_A_TORN_END if found.header_is_sound else 0):
        place = "its head" if not found.header_is_sound else f"frame {sum(frame.committed for frame in found.frames) + 1}"
        raise LogDamaged(f"{wal.name} is damaged at {place}, and {found.strays} commits after that would be lost")


def read_wal(content: bytes | memoryview, page_size: int = 4096) -> WriteAheadLog:
    """Read a write-ahead log, sound or not. ``page_size`` is that of the log's file, for the case that the head does not say it."""
    words = [int.from_bytes(content[place : place + 4]) for place in range(0, HEADER, 4)] if len(content) >= HEADER else []
    order = _MAGIC.get(words[0]) if words else None
    sums = _sums(content[: HEADER - 8], (0, 0), order or "little") if words else (0, 0)
    sound = bool(words) and order is not None and (words[6], words[7]) == sums
    size = words[2] if sound else page_size
    raw = list(_frames(content, size))
    salts = (words[4], words[5]) if sound else raw[-1][3] if raw else None
    check = _Check(content, size, order or "little")
    valid = check.valid(raw, (words[4], words[5]), sums) if sound else 0
    frames = [Frame(page, offset, commit, number < valid) for number, (page, offset, commit, _, _) in enumerate(raw)]
    strays = sum(commit and own == salts for _, _, commit, own, _ in raw[valid:])
    return WriteAheadLog(size, frames, strays, sound or not words)


_Raw = tuple[int, int, bool, Sums, Sums]  # page, offset of its content, whether a commit ends, salts, checksums


def _frames(content: bytes | memoryview, size: int) -> Iterator[_Raw]:
    for start in range(HEADER, len(content) - FRAME_HEADER - size + 1, FRAME_HEADER + size):
        page, pages, *rest = (int.from_bytes(content[place : place + 4]) for place in range(start, start + FRAME_HEADER, 4))
        yield page, start + FRAME_HEADER, pages != 0, (rest[0], rest[1]), (rest[2], rest[3])


class _Check(Struct):
    """What the checksums of frames are taken of, and how."""

    content: bytes | memoryview
    size: int
    order: str

    def valid(self, raw: list[_Raw], salts: Sums, sums: Sums) -> int:
        """Count the frames up to the end of the last commit that checks whole. ``sums``: those of the head."""
        valid = 0
        for number, (page, offset, commit, own, told) in enumerate(raw, start=1):
            sums = _sums(self.content[offset - FRAME_HEADER : offset - FRAME_HEADER + 8], sums, self.order)
            sums = _sums(self.content[offset : offset + self.size], sums, self.order)
            if own != salts or told != sums or not page:
                break
            if commit:
                valid = number
        return valid


def _sums(part: bytes | memoryview, sums: Sums, order: str) -> Sums:
    one, two = sums
    words = array("I", bytes(part))
    if order != sys.byteorder:
        words.byteswap()
    pairs = iter(words)
    for word in pairs:
        one = (one + word + two) & 0xFFFFFFFF
        two = (two + next(pairs) + one) & 0xFFFFFFFF
    return one, two
