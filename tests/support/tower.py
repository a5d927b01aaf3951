"""A race told to a real service, and people who sign in to its console in a browser."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from timing.domain.roles import Rights, Role
from timing.log.session_file import read_lines
from timing.services.app import Service
from timing.services.mqtt import Address
from timing.services.publisher import publish_lines

View = Callable[..., Awaitable[Any]]
CARS = ("7", "9", "3", "5")
LOOPS = [{"id": "SF", "line": "finish"}, {"id": "S1", "line": "sector", "sector": 1}, {"id": "S2", "line": "sector", "sector": 2}]
S = 1_000_000


def race(start: int, *, laps: int = 3, swapped: bool = False) -> list[bytes]:
    """Tell a race of four cars a second apart, a minute a lap; ``swapped``: then the safety car, under which 9 goes past 7 in sector 2."""
    said: list[dict[str, Any]] = [
        {"type": "session_opened", "id": "open", "at": start - 60 * S, "session": "sunday", "name": "Sunday", "kind": "race",
         "rulebook": "mitjet", "distance": {"laps": 30}, "circuit": {"name": "Albi", "loops": LOOPS}},
        *({"type": "entry_registered", "id": f"entry-{car}", "at": start - 50 * S, "car": car, "class": "GT" if car in "79" else "TC",
           "transponders": [f"T{car}"]} for car in CARS),
        {"type": "grid_set", "id": "grid", "at": start - 40 * S, "cars": list(CARS)},
        {"type": "session_started", "id": "start", "at": start},
    ]  # fmt: skip

    def heard(loop: str, after: int, cars: tuple[str, ...] = CARS) -> None:
        for place, car in enumerate(cars):
            said.append({"type": "passing", "decoder": "line", "boot": 1, "number": len(said), "loop": loop, "transponder": f"T{car}",
                         "at": start + (after + place) * S})  # fmt: skip

    for lap in range(laps):
        for loop, after in (("S1", 20), ("S2", 40), ("SF", 60)):
            heard(loop, 60 * lap + after)
    if swapped:
        after = 60 * laps
        said.append({"type": "track_status", "id": "sc", "at": start + (after + 6) * S, "status": "safety_car"})
        heard("S1", after + 30)
        heard("S2", after + 60, ("9", "7", "3", "5"))
    return [json.dumps(each).encode() for each in said]


class Tower:
    """A service with a race in it, and people who sign in."""

    def __init__(self, service: Service, view: View) -> None:
        self.service, self.view = service, view
        self.pages = service.addresses.pages

    async def publish(self, lines: list[bytes]) -> None:
        progress = await publish_lines(read_lines(lines), Address(self.service.addresses.mqtt), speed="max")
        assert progress.whole, progress.told

    async def sign_in(self, *roles: Role, name: str = "Anna Roy", **context: Any) -> Any:
        """Open the console, be led to the sign-in, and come back."""
        token, _ = self.service.access.tokens.issue(name, Rights(roles=roles), 3600)
        viewer = await self.view(f"{self.pages}s/sunday/control", **context)
        page = viewer.page
        await page.click("#to-sign-in")
        await page.fill("#token", token)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/s/sunday/control")
        return viewer

    async def log(self, viewer: Any) -> list[dict[str, Any]]:
        """Give the events of the log, as the page's own person sees it."""
        records: list[dict[str, Any]] = await viewer.page.evaluate(
            "async () => (await (await fetch('/api/sessions/sunday/log?limit=1000')).json()).records"
        )
        return [each["event"] for each in records]

    async def document(self, path: str) -> Any:
        async with httpx.AsyncClient(base_url=self.pages) as client:
            return (await client.get(f"/api/sessions/sunday/{path}")).raise_for_status().json()


async def answered(viewer: Any, words: str, state: str = "accepted") -> None:
    """Wait until the newest answer on the screen is this one."""
    await viewer.page.wait_for_selector(f".answer.{state}:first-child:has-text({json.dumps(words, ensure_ascii=False)})")


async def on(viewer: Any) -> Any:
    await viewer.page.wait_for_selector('html[data-desk="on"]')
    await viewer.page.wait_for_selector("#journal .record")
    return viewer.page
