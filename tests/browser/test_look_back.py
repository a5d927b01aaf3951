"""From the live screens to a replay of the same session and back, on `timing serve` and `replay serve` beside it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from running_service import Replaying, Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
WAY = "#ways a[data-counterpart]"
PLAYS = "parcferme.screen.replay?.replay.told?.state === 'playing' && parcferme.feed.state && document.documentElement.dataset.rev"


async def test_who_comes_late_looks_back_and_returns(
    service: Service, events: list[str], view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [json.loads(line)["at"] for line in events]
    begin = next(json.loads(line)["at"] for line in events if json.loads(line)["type"] == "session_started")
    five, ten = (sum(each <= begin + minutes * 60_000_000 for each in at) for minutes in (5, 10))
    await service.publish(events[:five])
    replaying = Replaying(service.folder / "race.db", "--live-url", service.pages, "--pace", "at")
    await replaying.start()
    try:
        await service.end()
        monkeypatch.setenv("TIMING_REPLAY_URL", f":{urlsplit(replaying.pages).port}")
        await service.start()
        viewer = await view(f"{service.pages}s/demo-1?class=Senior&lang=fr")
        page = viewer.page
        await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'running'")
        await viewer.becomes(f"document.querySelector('{WAY}')?.innerText === 'Revoir'")
        await service.publish(events[five:ten])
        await viewer.becomes(f"parcferme.feed.state.at > {begin + 9 * 60_000_000}")
        live = await page.evaluate("parcferme.feed.state.at")
        await page.click(WAY)
        await page.wait_for_url(f"{replaying.pages}s/demo-1?**")
        assert parse_qs(urlsplit(page.url).query)["class"] == ["Senior"]
        await viewer.becomes(f"globalThis.parcferme && {PLAYS}", 30)
        shown = await page.evaluate("parcferme.feed.state")
        assert live - 32_000_000 < shown["at"] <= await page.evaluate("parcferme.screen.replay.at")
        assert await page.locator("html").get_attribute("lang") == "fr"
        await page.keyboard.press("k")
        await page.focus(".scrub")
        await page.keyboard.press("Home")
        await viewer.becomes("parcferme.feed.state.session.laps === 0")
        assert not await page.locator(WAY).get_attribute("href") or "at=" not in str(await page.locator(WAY).get_attribute("href"))
        await page.click(WAY)
        await page.wait_for_url(f"{service.pages}s/demo-1?**")
        await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'running'")
        assert await page.locator("html").get_attribute("data-replay") is None

        await page.goto(f"{service.pages}s/demo-1/charts?chart=gaps")
        await page.locator(WAY).hover()
        address = urlsplit(str(await page.locator(WAY).get_attribute("href")))
        assert address.path == "/s/demo-1/charts"
        assert parse_qs(address.query)["chart"] == ["gaps"]
        await service.publish(events[ten:])
        await page.goto(f"{service.pages}s/demo-1")
        await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'final'")
        await page.locator(WAY).hover()
        assert "at=" not in str(await page.locator(WAY).get_attribute("href")), "of what is over, from its start"
    finally:
        await replaying.end()


async def test_without_a_replay_there_is_no_way_to_one(stage: Any, race: Any, view: View) -> None:
    race.step(60)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.page.locator(WAY).count() == 0
