"""Long work for a visitor of the pages, in a process of its own: the race goes on meanwhile, and the memory goes with the process.

Limits and what happens at them: one piece of work at a time, four wait, beyond that 503; half of the time, so that after each the next
begins when as long has gone by as that one took; one that takes over 60 s is ended, 504; one whose visitor has gone is ended.
"""

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from timing.services.asked import Refused
from timing.services.turns import Turns

_log = structlog.get_logger(__name__)

WAITING = 4
WITHIN_S = 60.0
# What a child says by its exit status: it cannot be made of this session, or not on this machine.
STATUS = {2: (400, "cannot-be-made"), 4: (501, "not-installed")}


class Children:
    """Runs one child at a time: ``python -m module arguments``. What it prints is the answer; what it says on stderr, why there is none."""

    def __init__(self, module: str, within_s: float = WITHIN_S) -> None:
        self._module = module
        self._within_s = within_s
        self._turns = Turns("tables and sheets", WAITING, come_again_s=5)

    async def ask(self, arguments: Sequence[str]) -> bytes:
        """Give what the child printed.

        Raises:
            Refused: the child said why not, took too long, or too many are waiting.

        """
        async with self._turns.turn():
            return await self._run(arguments)

    async def _run(self, arguments: Sequence[str]) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._within_s):
                printed, said = await process.communicate()
        except TimeoutError:
            raise Refused(504, "too-long", f"it was not made within {self._within_s:g} s; make it on the command line") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0:
            return printed
        reason = said.decode("utf-8", "replace").strip()
        if process.returncode in STATUS:
            raise Refused(*STATUS[process.returncode], reason)
        _log.error("a document could not be made", arguments=list(arguments), status=process.returncode, stderr=reason[-2000:])
        raise Refused(500, "failed", "it could not be made; the service's log says why")


async def answered(making: Coroutine[Any, Any, bytes], request: Request, media_type: str, name: str) -> Response:
    """Answer a request with what is made for it, as a file called ``name``; end the work when the visitor has gone."""
    work = asyncio.create_task(making)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            return Response(status_code=499)
        headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'}
        return Response(work.result(), 200, headers, media_type)
    except Refused as refused:
        return refused.answer()
    finally:
        for task in (work, gone):
            task.cancel()
        await asyncio.wait({work, gone})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
