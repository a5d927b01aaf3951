"""The page on the service as it is run: events published over MQTT, the process killed and started again, the pictures of the documents."""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pictures import ASKED_FOR_PICTURES, IMAGES, with_palette
from running_service import Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LARGEST_IMAGE = 300_000

View = Callable[..., Awaitable[Any]]


def started_at(events: list[str]) -> int:
    at: int = next(event["at"] for event in map(json.loads, events) if event["type"] == "session_started")
    return at


async def said_by_service(viewer: Any, service: Service) -> dict[str, Any]:
    """Wait until the page shows the last record of the log, and give the page's state."""
    async with httpx.AsyncClient(base_url=service.pages) as client:
        seq = (await client.get("/api/sessions")).json()["sessions"][0]["seq"]
    await viewer.becomes(f"parcferme.feed.state?.seq >= {seq - 1}")
    await viewer.becomes("document.documentElement.dataset.rev === `${parcferme.feed.state.epoch}/${parcferme.feed.state.rev}`")
    state: dict[str, Any] = await viewer.page.evaluate("parcferme.feed.state")
    return state


async def test_what_is_published_is_what_the_page_shows_through_a_kill(service: Service, events: list[str], view: View) -> None:
    third = len(events) // 3
    viewer = await view(service.pages)
    await service.publish(events[:third])
    await viewer.page.wait_for_url("**/s/demo-1")
    await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'running'")
    await said_by_service(viewer, service)
    await viewer.loses_connection()
    await service.end(kill=True)
    await viewer.page.wait_for_selector('html[data-link="offline"]')
    await service.start()
    await viewer.page.wait_for_selector('html[data-link="live"]', timeout=30_000)
    await service.publish(events[third:])
    await viewer.becomes("parcferme.feed.state.session.status === 'final'", 30)
    state = await said_by_service(viewer, service)
    async with httpx.AsyncClient(base_url=service.pages) as client:
        result = (await client.get("/api/sessions/demo-1/result")).json()
    placed = [row["car"] for row in result["rows"] if row["position"] is not None]
    shown = await viewer.order()
    assert shown[: len(placed)] == placed
    assert sorted(shown) == sorted(row["car"] for row in result["rows"])
    if await viewer.page.is_visible("#orders"):
        await viewer.page.click("#orders button >> nth=0")
    assert await viewer.order() == state["order"]


PICTURES: dict[str, tuple[float, dict[str, Any]]] = {
    "leaderboard": (19.4, {"width": 1920, "height": 1080}),
    "leaderboard-safety-car": (8.2, {"width": 1920, "height": 1080, "color_scheme": "light"}),
    "charts": (19.4, {"width": 1600, "height": 900, "path": "/charts?cars=42,72,37"}),
    "leaderboard-car": (19.4, {"width": 1920, "height": 1080, "color_scheme": "light", "path": "?car=42"}),
    "leaderboard-wall": (19.4, {"width": 1920, "height": 1080, "path": "?view=wall&kiosk"}),
    "control": (8.2, {"width": 1680, "height": 1050, "path": "/control"}),
    "leaderboard-phone": (19.4, {"width": 390, "height": 844, "device_scale_factor": 2}),
}


@pytest.mark.parametrize("name", PICTURES if ASKED_FOR_PICTURES else ["leaderboard"])
async def test_pictures(service: Service, events: list[str], view: View, tmp_path: Path, name: str) -> None:
    """The pictures of the documents: all are taken and kept there when PARCFERME_PICTURES is set."""
    minute, screen = PICTURES[name][0], dict(PICTURES[name][1])
    until = started_at(events) + int(minute * 60_000_000)
    told = [line for line in events if json.loads(line)["at"] <= until]
    await service.publish(as_if_now(told, until) if name == "control" else told)
    viewer = await view(f"{service.pages}s/demo-1{screen.pop('path', '')}", reduced_motion="reduce", **screen)
    await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'running'")
    assert len((await said_by_service(viewer, service))["order"]) == 34
    if name == "charts":
        await viewer.becomes("parcfermeCharts.data.seq >= parcferme.screen.state.seq && Boolean(document.documentElement.dataset.charted)")
    if name == "control":
        await propose_a_penalty(viewer.page, await service.token("administrator"))
    if name == "leaderboard-car":
        await viewer.page.wait_for_selector(".car .lap-chart")
    await viewer.page.evaluate("document.fonts.ready.then(() => true)")
    picture = with_palette(await viewer.page.screenshot())
    assert 20_000 < len(picture) < LARGEST_IMAGE
    folder = IMAGES if ASKED_FOR_PICTURES else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_bytes(picture)


def as_if_now(told: list[str], until: int) -> list[str]:
    """Tell the same as of today, up to now: a console says of another day's race that it is one."""
    later = time.time_ns() // 1000 - until
    events = [json.loads(line) for line in told]
    return [json.dumps({key: at + later if key in {"at", "from", "until"} else at for key, at in event.items()}) for event in events]


async def propose_a_penalty(page: Any, token: str) -> None:
    """Sign in as race control, and look at what a penalty would change."""
    await page.click("#to-sign-in")
    await page.fill("#token", token)
    await page.keyboard.press("Enter")
    await page.click(".car-line >> nth=2")
    await page.keyboard.press("d")
    await page.select_option("#decision-offence", label="Overtaking under yellow")
    await page.fill("#decision-amount", "5")
    await page.click("#decision .send")
    await page.wait_for_selector("#found .table")
