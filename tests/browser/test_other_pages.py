"""The pages beside the screens: the list of sessions, the sign-in, and what is said where there is nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from audited import faults
from running_service import Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
SCREENS = [(390, 844, "dark"), (390, 844, "light"), (1920, 1080, "light"), (3840, 2160, "dark")]


async def test_nothing_against_wcag(service: Service, events: list[str], view: View) -> None:
    viewer = await view(f"{service.pages}sessions", width=390, height=844)
    assert await faults(viewer.page) == [], "before any session"
    await service.publish(events[:1])
    for width, height, theme in SCREENS:
        await viewer.page.set_viewport_size({"width": width, "height": height})
        await viewer.page.emulate_media(color_scheme=theme)
        for path in ("sessions", "sign-in", "nothing-here", "s/nothing-here"):
            await viewer.page.goto(f"{service.pages}{path}")
            assert await faults(viewer.page) == [], f"{path}, {width} px, {theme}"
            assert await viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width} px"
    viewer.complaints = [said for said in viewer.complaints if "404" not in said]
