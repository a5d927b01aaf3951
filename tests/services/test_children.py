"""Work in a process of its own: its answer, its limits, and its end. The children are real ones, of modules that Python brings."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from timing.services.asked import Refused
from timing.services.children import WAITING, Children, answered

SLEEP = ["-n", "1", "-r", "1", "import time; time.sleep(60)"]


def says_its_number(file: Path) -> list[str]:
    """Give the arguments of a child that writes down its process and then sleeps."""
    return ["-n", "1", "-r", "1", f"import os, time, pathlib; pathlib.Path({str(file)!r}).write_text(str(os.getpid())); time.sleep(60)"]


def written(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def number_in(file: Path) -> int:
    """Wait for what the child writes."""
    async with asyncio.timeout(30):
        while not written(file):  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.01)
    return int(written(file))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_answer_is_what_it_printed() -> None:
    printed = await Children("calendar").ask(["2024", "6"])
    assert printed.startswith(b"     June 2024")


@pytest.mark.parametrize(("child", "status"), [("import os; os._exit(2)", 400), ("import os; os._exit(4)", 501), ("1 / 0", 500)])
async def test_the_exit_status_says_why_there_is_none(child: str, status: int) -> None:
    with pytest.raises(Refused) as caught:
        await Children("timeit").ask(["-n", "1", "-r", "1", child])
    assert caught.value.status == status
    assert "Traceback" not in str(caught.value)


async def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "number"
    with pytest.raises(Refused, match="not made within 3 s") as caught:
        await Children("timeit", within_s=3).ask(says_its_number(file))
    assert caught.value.status == 504
    assert not is_running(await number_in(file))


async def test_one_at_a_time_and_a_few_wait(tmp_path: Path) -> None:
    children = Children("timeit")
    first = asyncio.create_task(children.ask(says_its_number(tmp_path / "first")))
    await number_in(tmp_path / "first")
    others = [asyncio.create_task(children.ask(says_its_number(tmp_path / f"other-{n}"))) for n in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as caught:
        await children.ask(SLEEP)
    assert caught.value.status == 503
    assert not any(written(tmp_path / f"other-{n}") for n in range(WAITING))
    first.cancel()
    process = await number_in(tmp_path / "other-0")
    for task in others:
        task.cancel()
    await asyncio.wait({first, *others})
    assert not is_running(process)


async def test_the_next_begins_when_as_long_has_gone_by_as_the_last_took() -> None:
    children, clock = Children("timeit"), asyncio.get_running_loop().time
    began = clock()
    await children.ask(["-n", "1", "-r", "1", "import time; time.sleep(0.3)"])
    took = clock() - began
    await children.ask(["-n", "1", "-r", "1", "pass"])
    assert clock() - began >= 2 * took


async def test_a_visitor_who_goes_ends_the_work(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)
    file = tmp_path / "number"
    answer = asyncio.create_task(answered(Children("timeit").ask(says_its_number(file)), request, "text/plain", "x.txt"))
    process = await number_in(file)
    assert is_running(process)
    gone.set()
    await answer
    assert not is_running(process)
