"""The desk as it stands in the service, without a broker: its log, its tokens, on a port of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol, Self

import httpx
from starlette.applications import Starlette

from timing.domain.roles import Rights, Role
from timing.log.record import Record
from timing.log.sqlite_log import SqliteLog
from timing.services.access import Access, Rates
from timing.services.access_folder import AccessFolder
from timing.services.clock import system_clock
from timing.services.desk import Desk
from timing.services.door import Door
from timing.services.intake import Intake
from timing.services.journal import Journal
from timing.services.pages import PageServer
from timing.services.rulebooks import Rulebooks
from timing.services.sign_in import SignIn
from timing.services.tokens import Tokens
from timing.services.writer import LogWriter


class Office:
    """The desk, its log and its tokens, on a port of its own."""

    def __init__(self, folder: Path, rates: Rates | None = None, origins: tuple[str, ...] = ()) -> None:
        self.log = SqliteLog(folder / "log.db")
        self.writer = LogWriter(self.log, system_clock)
        self.door = Door(Rulebooks().resolve)
        self.folder = AccessFolder(folder / "access")
        self.tokens = Tokens(self.folder)
        self.access = Access(
            self.tokens, self.folder.secret, loop_time=asyncio.get_running_loop().time, origins=origins, rates=rates or Rates(sign_ins=6000)
        )
        self.desk = Desk(self.access, self.door, Intake(self.writer, self.door, system_clock), system_clock)
        routes = [*SignIn(self.access, system_clock).routes(), *self.desk.routes(), Journal(self.access, self.log).route()]
        self.server = PageServer(Starlette(routes=routes), "127.0.0.1", 0)

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self.url = f"http://127.0.0.1:{self.server.port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.server.__aexit__(*exc)
        await self.writer.close()
        self.log.close()

    def browser(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers={"origin": self.url, "x-parcferme": "1", **headers})

    def program(self, *roles: Role, name: str = "Desk", **narrowed: Any) -> httpx.AsyncClient:
        token, _ = self.tokens.issue(name, Rights(roles=roles, **narrowed), 3600, once=False)
        return httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {token}"})

    def records(self, session: str = "race-1") -> list[Record]:
        return list(self.log.read(session))


@contextlib.asynccontextmanager
async def signed_in(office: Office, *roles: Role, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    token, _ = office.tokens.issue("Anna Roy", Rights(roles=roles), 3600)
    async with office.browser(**headers) as browser:
        answer = await browser.post("/api/sign-in", json={"token": token})
        assert answer.status_code == 200, answer.text
        yield browser


class MakeOffice(Protocol):
    async def __call__(self, rates: Rates | None = None, origins: tuple[str, ...] = ()) -> Office: ...
