"""The page's own modules, alone in a Chromium tab under the page's own policy."""

import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from timing.services.pages import PageServer
from timing.services.web import Health, SessionEntry, make_app


class NoSessions:
    def sessions(self) -> list[SessionEntry]:
        return []

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:  # noqa: ARG002  # the Protocol's names
        raise AssertionError(session)

    def health(self) -> Health:
        return Health(ok=True, parts={})


class Modules:
    """A tab in which the modules can be loaded: ``await modules("apply.js", "({apply}, given) => …", given)``."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def __call__(self, module: str, function: str, given: Any = None) -> Any:
        call = f"async (given) => ({function})(await import('/static/js/{module}'), given)"
        return await self.page.evaluate(call, given)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        browser = await playwright.chromium.launch(executable_path=os.environ["PARCFERME_CHROMIUM"], args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address() -> AsyncIterator[str]:
    async with PageServer(make_app(NoSessions(), feed_port=1), "127.0.0.1", 0) as pages:
        yield f"http://127.0.0.1:{pages.port}/sessions"


@pytest_asyncio.fixture(loop_scope="module")
async def modules(browser: Browser, address: str) -> AsyncIterator[Modules]:
    page = await browser.new_page()
    await page.goto(address)
    yield Modules(page)
    await page.close()
