"""When a session is over, its page says where the racing goes on."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from timing.services.sessions import SessionInfo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize(("status", "said"), [("running", False), ("final", True)])
async def test_a_page_that_is_over_leads_to_the_next_session(stage: Any, race: Any, view: View, *, status: str, said: bool) -> None:
    race.status = status
    stage.publish(race.board())
    viewer = await view(f"{stage.url}/sessions")
    await viewer.page.clock.install()
    await viewer.page.goto(f"{stage.url}/s/course-2")
    await viewer.becomes(f"globalThis.parcferme?.feed.state?.rev === {stage.framer.rev}")
    stage.later = [SessionInfo("course-3", "Course 3 <b>", "race", "running", 1, 1)]
    async with viewer.page.expect_response("**/api/sessions") if said else NothingAsked(viewer):
        await viewer.page.clock.fast_forward(15_001)
    if not said:
        assert not await viewer.page.is_visible("#elsewhere")
        return
    await viewer.becomes("!document.querySelector('#elsewhere').hidden")
    link = viewer.page.locator("#elsewhere")
    assert await link.inner_text() == "Another session is running: Course 3 <b>"
    assert await link.get_attribute("href") == f"{stage.url}/s/course-3"


async def test_who_is_lost_reads_in_their_language_where_the_racing_is(stage: Any, view: View) -> None:
    viewer = await view(f"{stage.url}/s/nothing", locale="fr-FR")
    await viewer.page.wait_for_selector('.list [data-status]:has-text("En cours")')
    assert await viewer.page.inner_text("h1") == "Rien ici"
    assert await viewer.page.inner_text(".sheet p") == "Il n’y a pas de séance nothing."
    assert await viewer.page.get_attribute("html", "lang") == "fr"
    viewer.complaints = [said for said in viewer.complaints if "404" not in said]


class NothingAsked:
    """While a session is under way, nobody asks for the list of sessions."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer

    async def __aenter__(self) -> None:
        self._viewer.requests.clear()

    async def __aexit__(self, *exc: object) -> None:
        await self._viewer.page.evaluate("1")
        assert [url for url in self._viewer.requests if url.endswith("/api/sessions")] == []
        self._viewer.requests.append(self._viewer.page.url)
