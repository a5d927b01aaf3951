"""The page on the service as it is run: events published over MQTT, the process killed and started again, the pictures of the documents."""

import json
import os
import struct
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_service import Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST_IMAGE = 300_000
ASKED_FOR_PICTURES = bool(os.environ.get("PARCFERME_PICTURES"))

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
    viewer.may_lose_connection = True
    await service.publish(events[:third])
    await viewer.page.wait_for_url("**/s/demo-1")
    await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'running'")
    await said_by_service(viewer, service)
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
    "charts": (19.4, {"width": 1600, "height": 900, "path": "/charts?cars=7,12,3"}),
    "leaderboard-car": (19.4, {"width": 1920, "height": 1080, "color_scheme": "light", "path": "?car=42"}),
    "leaderboard-wall": (19.4, {"width": 1920, "height": 1080, "path": "?view=wall&kiosk"}),
    "leaderboard-phone": (19.4, {"width": 390, "height": 844, "device_scale_factor": 2}),
}


@pytest.mark.parametrize("name", PICTURES if ASKED_FOR_PICTURES else ["leaderboard"])
async def test_pictures(service: Service, events: list[str], view: View, tmp_path: Path, name: str) -> None:
    """The pictures of the documents: all are taken and kept there when PARCFERME_PICTURES is set."""
    minute, screen = PICTURES[name][0], dict(PICTURES[name][1])
    until = started_at(events) + int(minute * 60_000_000)
    await service.publish([line for line in events if json.loads(line)["at"] <= until])
    viewer = await view(f"{service.pages}s/demo-1{screen.pop('path', '')}", reduced_motion="reduce", **screen)
    await viewer.becomes("globalThis.parcferme?.feed.state?.session.status === 'running'")
    assert len((await said_by_service(viewer, service))["order"]) == 34
    if name == "charts":
        await viewer.becomes("parcfermeCharts.data.seq >= parcferme.screen.state.seq && Boolean(document.documentElement.dataset.charted)")
    if name == "leaderboard-car":
        await viewer.page.wait_for_selector(".car .lap-chart")
    await viewer.page.evaluate("document.fonts.ready.then(() => true)")
    picture = with_palette(await viewer.page.screenshot())
    assert 20_000 < len(picture) < LARGEST_IMAGE
    folder = IMAGES if ASKED_FOR_PICTURES else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_bytes(picture)


def with_palette(png: bytes) -> bytes:
    """Write a screenshot (8 bits, RGB) with its 256 most frequent colours: a third of the size, and the eye sees no difference."""
    parts = dict.fromkeys((b"IHDR", b"IDAT"), b"")
    at = 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind in parts:
            parts[kind] += png[at + 8 : at + 8 + length]
        at += length + 12
    width, height, depth, colour_type = struct.unpack_from(">IIBB", parts[b"IHDR"])
    assert (depth, colour_type) == (8, 2)
    pixels = unfiltered(zlib.decompress(parts[b"IDAT"]), width * 3, height)
    colours = [pixels[i : i + 3] for i in range(0, len(pixels), 3)]
    counts = Counter(colours)
    palette = [colour for colour, _ in counts.most_common(256)]
    index = {colour: place for place, colour in enumerate(palette)}
    for colour in counts.keys() - index.keys():
        r, g, b = colour
        index[colour] = min(
            range(len(palette)), key=lambda i: (palette[i][0] - r) ** 2 + (palette[i][1] - g) ** 2 + (palette[i][2] - b) ** 2
        )
    rows = bytes(map(index.__getitem__, colours))
    data = b"".join(b"\0" + rows[y * width : (y + 1) * width] for y in range(height))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(data, 9)),
        (b"IEND", b""),
    ]
    return png[:8] + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)


def unfiltered(data: bytes, stride: int, height: int) -> bytes:
    """Undo the line filters of a PNG of three bytes a pixel."""
    out = bytearray()
    above = bytearray(stride)
    for y in range(height):
        kind, line = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride) if kind else ():
            left, up, corner = (line[x - 3] if x > 2 else 0), above[x], (above[x - 3] if x > 2 else 0)
            if kind == 4:
                guess = left + up - corner
                nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            else:
                nearest = (left, up, (left + up) // 2)[kind - 1]
            line[x] = (line[x] + nearest) & 255
        out += line
        above = line
    return bytes(out)
