"""Whatever bit of a signed log's file is flipped: `replay verify` finds it, or it lay where nothing is and what it says is the same."""

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from replay.verifying.held import held
from replay.verifying.verdict import Verdict
from replay.verifying.verify import verify
from timing.domain.errors import ConfigurationError, TimingError

BLOCKS = 6


def verified(path: Path) -> Verdict:
    with held(path, None) as opened:
        return verify(opened, "log")


def flip(log: Path, folder: Path, flips: Iterable[tuple[int, int]]) -> Counter[str]:
    """Flip these bits, each a byte's place and a number from 0 to 7, one at a time, and count what became of it."""
    content, sound, copy, count = log.read_bytes(), verified(log), folder / "copy.db", Counter[str]()
    assert sound.holds
    for place, bit in flips:
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        copy.write_bytes(changed)
        try:
            verdict = verified(copy)
        except TimingError:
            count["refused"] += 1
            continue
        assert verdict.status == 1 or verdict == sound, f"bit {bit} of byte {place}"
        count["found" if verdict.status else "where nothing is"] += 1
    print(f"bits flipped in a signed log: {count.total():,} tried: {dict(count)}; nothing else")
    return count


def test_a_flipped_bit_is_found_or_lay_where_nothing_is(signed: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    size = signed.stat().st_size
    count = flip(signed, tmp_path, ((chance.randrange(size), chance.randrange(8)) for _ in range(400)))
    assert count["found"] > 100 < count["where nothing is"]


def test_so_is_one_that_makes_another_kind_of_a_value(signed: Path, tmp_path: Path) -> None:
    """Before each record stand the kinds of its values: a flipped bit makes a fraction or nothing of an instant that was a whole number."""
    event = signed.read_bytes().index(b'{"type":"session_started"')
    count = flip(signed, tmp_path, ((event - back, bit) for back in range(1, 60) for bit in range(8)))
    assert count["found"] >= count.total() - 8, "what stands for the position, which is the row's number, is not read"


def test_a_log_whose_first_bytes_were_altered_is_no_misuse(signed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(b"XXXX" + signed.read_bytes()[4:])
    with pytest.raises(TimingError, match="timing log salvage") as caught, held(copy, None):
        pass
    assert not isinstance(caught.value, ConfigurationError)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_flipped_bit_of_every_byte(signed: Path, tmp_path: Path, block: int) -> None:
    chance = random.Random(block)
    flip(signed, tmp_path, ((place, chance.randrange(8)) for place in range(block, signed.stat().st_size, BLOCKS)))
