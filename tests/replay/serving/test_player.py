"""The clock of a replay: it goes as fast as it is told, and keeps its place when that changes."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from replay.serving.player import LoopTime, Player

if TYPE_CHECKING:
    from tests.replay.serving.conftest import FakeTime


def test_it_plays_pauses_and_goes_on_where_it_was(time: "FakeTime") -> None:
    player = Player(time, 1_000_000, 2.0)
    time.advance(5)
    assert player.at == 1_000_000, "it begins paused"
    player.play()
    time.advance(1.5)
    assert player.at == 4_000_000
    player.pause()
    time.advance(100)
    assert player.at == 4_000_000
    player.play()
    time.advance(0.5)
    assert player.at == 5_000_000


@pytest.mark.parametrize("speed", [0.1, 1, 1000])
def test_a_change_of_speed_changes_nothing_of_what_was(time: "FakeTime", speed: float) -> None:
    player = Player(time, 0, 10)
    player.play()
    time.advance(1)
    player.run_at(speed)
    assert player.at == 10_000_000
    time.advance(2)
    assert player.at == 10_000_000 + 2_000_000 * speed
    assert player.seconds_until(player.at + 3_000_000) == pytest.approx(3 / speed)
    assert player.seconds_until(0) == 0


def test_as_fast_as_it_goes_no_clock_moves_it(time: "FakeTime") -> None:
    player = Player(time, 7, "max")
    player.play()
    time.advance(10)
    assert player.at == 7
    player.put(9)
    assert (player.at, player.playing) == (9, True)


async def test_the_loop_s_time_waits_until_it_is_woken_or_it_is_late() -> None:
    time, woken = LoopTime(), asyncio.Event()
    began = time()
    await time.wait(woken, 0.02)
    assert time() - began >= 0.02
    waiting = asyncio.create_task(time.wait(woken, None))
    await asyncio.sleep(0)
    woken.set()
    await asyncio.wait_for(waiting, 5)
