"""Whatever happens to the bytes of a log: it is refused in words, or it is a prefix of what was written; never something else.

``pytest -rP`` shows how many states were tried and what became of them; docs/reliability.md has the figures.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from damage import COMMITS, Tried, Truth, flipped, slices, write

from timing.log.wal import FRAME_HEADER, HEADER, WriteAheadLog, read_wal, wal_of

IN_WAL = 12  # commits in the file; the others stand in the write-ahead log alone
BLOCKS = 6
PAGE, SECTOR = 4096, 512


class Closed:
    """A log as a service leaves it that ended in order."""

    def __init__(self, folder: Path) -> None:
        self.truth: Truth = write(folder / "log.db")
        self.main = (folder / "log.db").read_bytes()


class Killed:
    """A log as kill -9 leaves it, the second half of it in the write-ahead log."""

    def __init__(self, folder: Path) -> None:
        self.truth: Truth = write(folder / "log.db", wal_from=IN_WAL)
        self.main = (folder / "log.db").read_bytes()
        self.wal = wal_of(folder / "log.db").read_bytes()
        self.frames: WriteAheadLog = read_wal(self.wal)

    def commits_before(self, size: int) -> int:
        """Count the commits that are whole in the first ``size`` bytes of the write-ahead log, and those in the file."""
        return IN_WAL + sum(frame.ends_commit and frame.offset + PAGE <= size for frame in self.frames.frames)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Closed:
    return Closed(tmp_path_factory.mktemp("closed"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(tmp_path_factory.mktemp("killed"))


@pytest.fixture
def dice() -> random.Random:
    return random.Random(4)


def test_the_logs_that_are_hurt_here_are_whole_before(closed: Closed, killed: Killed, tmp_path: Path) -> None:
    assert Tried(tmp_path, closed.truth).open(closed.main, b"", "as it was", at_least=COMMITS) == "whole"
    assert Tried(tmp_path, killed.truth).open(killed.main, killed.wal, "as it was", at_least=COMMITS) == "whole"
    assert killed.commits_before(len(killed.wal)) == COMMITS
    assert (killed.frames.strays, killed.frames.header_is_sound) == (0, True)
    assert len(closed.main) // PAGE > 20


def flip_file(closed: Closed, folder: Path, places: Iterator[int], dice: random.Random) -> None:
    tried = Tried(folder, closed.truth)
    for place in places:
        bit = dice.randrange(8)
        tried.open(flipped(closed.main, place, bit), b"", f"bit {bit} of byte {place}")
    print(tried.told("bits flipped in the file"))
    assert tried.count["refused"] > tried.count["whole"] > 0, "what is not refused lies where nothing is"
    assert not tried.count["a prefix"]


def test_a_bit_flipped_in_every_page_and_the_head(closed: Closed, tmp_path: Path, dice: random.Random) -> None:
    pages = (start + dice.randrange(PAGE) for start in range(0, len(closed.main), PAGE) for _ in range(12))
    flip_file(closed, tmp_path, iter([*range(0, 100, 3), *pages]), dice)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_bit_flipped_in_every_byte(closed: Closed, tmp_path: Path, dice: random.Random, block: int) -> None:
    flip_file(closed, tmp_path, iter(slices(len(closed.main), BLOCKS, block)), dice)


def flip_wal(killed: Killed, folder: Path, places: Iterator[int], dice: random.Random) -> None:
    tried = Tried(folder, killed.truth)
    for place in places:
        bit = dice.randrange(8)
        # Of the last commit nobody can tell damage from a power cut, nor where the end of the one before it cannot be read.
        tried.open(killed.main, flipped(killed.wal, place, bit), f"bit {bit} of byte {place}", at_least=COMMITS - 2)
    print(tried.told("bits flipped in the write-ahead log"))
    assert tried.count["refused"] > tried.count["a prefix"] > 0
    assert not tried.count["whole"], "every byte of it is checked"


def test_a_bit_flipped_in_the_write_ahead_log(killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    heads = [frame.offset - FRAME_HEADER + dice.randrange(FRAME_HEADER) for frame in killed.frames.frames for _ in range(2)]
    flip_wal(killed, tmp_path, iter([*range(HEADER), *heads, *(dice.randrange(len(killed.wal)) for _ in range(150))]), dice)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_bit_flipped_in_every_few_bytes_of_the_write_ahead_log(killed: Killed, tmp_path: Path, dice: random.Random, block: int) -> None:
    flip_wal(killed, tmp_path, iter(slices(len(killed.wal), 5 * BLOCKS, block)), dice)


def cut_wal(killed: Killed, folder: Path, sizes: Iterator[int]) -> None:
    tried = Tried(folder, killed.truth)
    for size in sizes:
        whole = killed.commits_before(size)
        tried.open(killed.main, killed.wal[:size], f"cut at {size}", at_least=whole)
        assert len(list(tried.truth)) == 2
    print(tried.told("write-ahead log cut off"))
    assert not tried.count["refused"], "what is cut off at the end is what a power cut does"


def test_the_write_ahead_log_is_cut_off(killed: Killed, tmp_path: Path) -> None:
    ends = [frame.offset + PAGE + more for frame in killed.frames.frames if frame.ends_commit for more in (-1, 0, 1)]
    cut_wal(killed, tmp_path, iter([*ends, *range(0, len(killed.wal), 1_999)]))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_write_ahead_log_is_cut_off_at_every_byte_of_its_last_pages(killed: Killed, tmp_path: Path) -> None:
    cut_wal(killed, tmp_path, iter(range(len(killed.wal) - 4 * (PAGE + FRAME_HEADER), len(killed.wal))))


def cut_file(closed: Closed, killed: Killed, folder: Path, step: int) -> None:
    tried = Tried(folder, closed.truth)
    for size in range(len(closed.main) - 2 * PAGE, len(closed.main), step):
        tried.open(closed.main[:size], b"", f"cut at {size}")
    print(tried.told("file cut off"))
    assert tried.count["refused"] == tried.count.total()
    tried = Tried(folder, killed.truth)
    for size in range(len(killed.main) - 2 * PAGE, len(killed.main), step):
        tried.open(killed.main[:size], killed.wal, f"cut at {size}")
    print(tried.told("file cut off beside its write-ahead log"))


def test_the_file_is_cut_off_in_its_last_pages(closed: Closed, killed: Killed, tmp_path: Path) -> None:
    cut_file(closed, killed, tmp_path, 89)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_file_is_cut_off_at_every_byte_of_its_last_pages(closed: Closed, killed: Killed, tmp_path: Path) -> None:
    cut_file(closed, killed, tmp_path, 1)


def power_cuts(killed: Killed, folder: Path, each: int, dice: random.Random) -> None:
    """Before a commit is synced, any of its sectors may have reached the disk, and in any order; those of the commits before all have."""
    tried = Tried(folder, killed.truth)
    synced = HEADER
    for frame in killed.frames.frames:
        if not frame.ends_commit:
            continue
        end = frame.offset + PAGE
        for number in range(each):
            torn = bytearray(killed.wal[:synced] + bytes(end - synced))
            for start in range(synced, end, SECTOR):
                if dice.random() < (0.0, 0.1, 0.5, 0.9)[number % 4]:
                    torn[start : start + SECTOR] = killed.wal[start : min(start + SECTOR, end)]
            what = f"power cut {number} in the commit of frame at {frame.offset}"
            tried.open(killed.main, bytes(torn), what, at_least=killed.commits_before(synced))
        synced = end
    print(tried.told("power cut within a commit"))
    assert not tried.count["refused"], "a power cut is no damage"


def test_a_power_cut_within_a_commit(killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    power_cuts(killed, tmp_path, 12, dice)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_power_cuts_within_a_commit(killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    power_cuts(killed, tmp_path, 400, dice)


def checkpoint_cuts(closed: Closed, killed: Killed, folder: Path, tries: int, dice: random.Random) -> None:
    """While the write-ahead log is taken into the file, any page may be there already, be old yet, or be torn."""
    tried = Tried(folder, killed.truth)
    new = {frame.page: killed.wal[frame.offset : frame.offset + PAGE] for frame in killed.frames.frames}
    for number in range(tries):
        main = bytearray(killed.main)
        main.extend(bytes(max(new) * PAGE - len(main)))
        for page, content in new.items():
            if dice.random() < (0.2, 0.5, 0.8)[number % 3]:
                size = PAGE if dice.random() < 0.7 else dice.randrange(1, 8) * SECTOR
                main[(page - 1) * PAGE : (page - 1) * PAGE + size] = content[:size]
        tried.open(bytes(main), killed.wal, f"checkpoint {number}", at_least=COMMITS)
    print(tried.told("power cut within a checkpoint"))
    assert tried.count["whole"] == tries


def test_a_power_cut_within_a_checkpoint(closed: Closed, killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    checkpoint_cuts(closed, killed, tmp_path, 60, dice)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_power_cuts_within_a_checkpoint(closed: Closed, killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    checkpoint_cuts(closed, killed, tmp_path, 5_000, dice)


def salvages(closed: Closed, killed: Killed, folder: Path, tries: int, dice: random.Random) -> None:
    """Whatever is done to the files, what is saved is what was written; and what lies before the damage is saved."""
    tried, saved, most = Tried(folder, closed.truth), 0, sum(map(len, closed.truth.values()))
    for number in range(tries):
        main, wal = bytearray(killed.main), bytearray(killed.wal)
        for _ in range(1 + number % 3):
            hurt = main if dice.random() < 0.4 else wal
            start, kind = dice.randrange(len(hurt)), dice.randrange(4)
            if kind == 0:
                hurt[start] ^= 1 << dice.randrange(8)
            elif kind == 1:
                hurt[start : start + PAGE] = bytes(min(PAGE, len(hurt) - start))
            elif kind == 2:
                hurt[start : start + SECTOR] = dice.randbytes(min(SECTOR, len(hurt) - start))
            elif number % 5 == 0:
                del hurt[start:]
        saved += (count := tried.salvage(bytes(main), bytes(wal), f"salvage {number}"))
        assert count <= most
    print(f"salvage of hurt logs: {tries:,} tried: {saved / tries / most:.0%} of the records saved in the mean; all of them as written")
    assert saved > tries * most // 3


def test_what_is_saved_is_what_was_written(closed: Closed, killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    salvages(closed, killed, tmp_path, 120, dice)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_is_saved_is_what_was_written_thousands_of_times(closed: Closed, killed: Killed, tmp_path: Path, dice: random.Random) -> None:
    salvages(closed, killed, tmp_path, 5_000, dice)


def test_a_destroyed_head_costs_no_record(closed: Closed, killed: Killed, tmp_path: Path) -> None:
    tried = Tried(tmp_path, closed.truth)
    most = sum(map(len, closed.truth.values()))
    assert tried.salvage(closed.main, b"", "as it was") == most
    assert tried.salvage(bytes(PAGE) + closed.main[PAGE:], b"", "no first page") == most
    assert tried.salvage(killed.main, bytes(HEADER) + killed.wal[HEADER:], "no head of the write-ahead log") == most
    assert tried.salvage(b"", b"", "nothing at all") == 0
