"""Turns: one at a time, half of the time, and not without end."""

import asyncio
from itertools import pairwise

import pytest

from timing.services.asked import Refused
from timing.services.turns import Turns


async def test_each_waits_until_the_one_before_has_been_over_for_as_long_as_it_took() -> None:
    turns, spans = Turns("documents", 10), list[tuple[float, float]]()
    clock = asyncio.get_running_loop().time

    async def make() -> None:
        async with turns.turn():
            began = clock()
            while clock() < began + 0.02:
                pass
            spans.append((began, clock()))

    await asyncio.gather(*(make() for _ in range(4)))
    assert len(spans) == 4
    for (began, ended), (later, _) in pairwise(spans):
        assert later - ended >= (ended - began) * 0.9  # clocks of the loop are read around it, and timers are coarse


async def test_who_finds_too_many_waiting_is_told_to_come_again_and_later_may() -> None:
    turns, held, free = Turns("documents", 1), asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with turns.turn():
            held.set()
            await free.wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    waiting = asyncio.create_task(hold())
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="other documents are being made") as refused:
        async with turns.turn():
            pass
    assert (refused.value.status, refused.value.code, refused.value.headers) == (503, "busy", {"retry-after": "1"})
    free.set()
    await asyncio.gather(holding, waiting)
    async with turns.turn():
        pass


async def test_a_fault_and_who_goes_away_hold_nobody_up() -> None:
    turns, held = Turns("documents", 1), asyncio.Event()

    async def hold() -> None:
        async with turns.turn():
            held.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    waiting = asyncio.create_task(hold())
    await asyncio.sleep(0)
    for task in (waiting, holding):
        task.cancel()
    await asyncio.gather(waiting, holding, return_exceptions=True)
    with pytest.raises(ZeroDivisionError):
        async with turns.turn():
            raise ZeroDivisionError
    async with asyncio.timeout(60), turns.turn():  # the one held before may have been long
        pass
