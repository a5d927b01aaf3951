"""The printed sheet of a published result, from the screens of a real service."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pypdf import PdfReader
from running_service import Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
SHEET = "#ways a[data-sheet]"


async def test_the_sheet_is_there_once_a_result_is_published(service: Service, events: list[str], view: View) -> None:
    published = next(n for n, line in enumerate(events) if json.loads(line)["type"] == "result_published")
    await service.publish(events[:published])
    viewer = await view(f"{service.pages}s/demo-1?lang=fr")
    page = viewer.page
    await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'finished'")
    await viewer.becomes("document.documentElement.dataset.rev")
    assert await page.locator(SHEET).is_hidden()
    await service.publish(events[published : published + 1])
    await page.locator(SHEET).wait_for(state="visible")
    assert await page.get_by_role("link", name="Feuille de résultats (PDF)").inner_text() == "PDF"
    async with page.expect_download() as downloading:
        await page.click(SHEET)
    download = await downloading.value
    assert download.suggested_filename == "demo-1-last.pdf"
    content = await asyncio.to_thread((await download.path()).read_bytes)
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(content)).pages)
    assert "PROVISIONAL" in text
    assert "Lap chart" in text
    assert "Lap analysis" not in text, "what takes long is not in it"


async def test_pages_that_print_nothing_have_no_way_to_it(stage: Any, race: Any, view: View) -> None:
    race.step(60)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.page.locator(SHEET).count() == 0
