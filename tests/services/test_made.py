"""What was made is kept and shared; what is made from something else is made anew; what nobody waits for is given up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from timing.services.made import Made


class Work:
    """Makes what it is told, when it is let; counts how often it began and was given up."""

    def __init__(self) -> None:
        self.begun = self.given_up = 0
        self.let = asyncio.Event()

    def of(self, content: bytes) -> Callable[[], Coroutine[Any, Any, bytes]]:
        async def make() -> bytes:
            self.begun += 1
            try:
                await self.let.wait()
            except asyncio.CancelledError:
                self.given_up += 1
                raise
            return content

        return make


@pytest.fixture
async def work() -> Work:
    return Work()


async def test_it_is_made_once_and_anew_only_when_its_origin_has_changed(work: Work) -> None:
    made = Made()
    work.let.set()
    assert await made.give("sheet", 1, work.of(b"one")) == b"one"
    assert await made.give("sheet", 1, work.of(b"no")) == b"one"
    assert await made.give("sheet", 2, work.of(b"two")) == b"two"
    assert await made.give("table", 2, work.of(b"three")) == b"three"
    assert await made.give("sheet", 2, work.of(b"no")) == b"two"
    assert work.begun == 3


async def test_it_is_made_once_for_all_who_ask_at_a_time(work: Work) -> None:
    made = Made()
    asking = [asyncio.create_task(made.give("sheet", 1, work.of(b"one"))) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()  # the one for whom it was begun goes away
    await asyncio.wait({asking[0]})
    work.let.set()
    assert await asyncio.gather(*asking[1:]) == [b"one"] * 4
    assert (work.begun, work.given_up) == (1, 0)


async def test_what_nobody_waits_for_any_more_is_given_up_and_may_be_asked_again(work: Work) -> None:
    made = Made()
    asking = [asyncio.create_task(made.give("sheet", 1, work.of(b"one"))) for _ in range(2)]
    await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    assert (work.begun, work.given_up) == (1, 1)
    work.let.set()
    assert await made.give("sheet", 1, work.of(b"again")) == b"again"


async def test_what_fails_is_told_to_all_and_not_kept(work: Work) -> None:
    made = Made()

    async def fails() -> bytes:
        await work.let.wait()
        raise ValueError("no paper")

    asking = [asyncio.create_task(made.give("sheet", 1, fails)) for _ in range(2)]
    await asyncio.sleep(0)
    work.let.set()
    assert [str(fault) for fault in await asyncio.gather(*asking, return_exceptions=True)] == ["no paper"] * 2
    assert await made.give("sheet", 1, work.of(b"one")) == b"one"


async def test_the_latest_used_are_kept_so_many_bytes_of_them(work: Work) -> None:
    made = Made(most=10)
    work.let.set()
    for name in ("a", "b"):
        await made.give(name, 1, work.of(bytes(4)))
    await made.give("a", 1, work.of(b"no"))
    await made.give("c", 1, work.of(bytes(4)))  # b is the one not used for longest
    assert work.begun == 3
    await made.give("a", 1, work.of(b"no"))
    assert work.begun == 3
    await made.give("b", 1, work.of(bytes(4)))
    assert work.begun == 4
    await made.give("large", 1, work.of(bytes(11)))
    await made.give("large", 1, work.of(bytes(11)))
    assert work.begun == 6
