"""The page's state is the server's snapshot at every frame of thousands, and its rows are that state's, whatever it slept through."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
FRAMES = 2_500

# A digest of the whole state that Python and the page take alike: SHA-256 of its JSON with the keys in order.
DIGEST = """(() => {
  const canonical = (value) => {
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
  };
  const digest = async (state) => {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(state)));
    return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  globalThis.seen = [];
  const take = parcferme.feed.onState;
  parcferme.feed.onState = (state) => {
    seen.push(digest(state).then((value) => [state.rev, value]));
    take(state);
  };
})()"""


def digest(state: Any) -> str:
    """Digest a state as the page does."""
    return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()


async def test_at_every_frame_of_thousands_the_state_is_the_servers(stage: Any, race: Any, view: View) -> None:
    race = type(race)(seed=9, size=12)
    race.step(5)
    stage.publish(race.board())
    viewer = await view(f"{stage.url}/s/course-2", reduced_motion="reduce")
    await viewer.shows(stage)
    await viewer.page.evaluate(DIGEST)
    flags = ["yellow", "green", "safety_car", "safety_car_ending", "fcy", "green", "red", "green"]
    expected: dict[int, str] = {}
    while len(expected) < FRAMES:
        race.step(2)
        if len(expected) % 150 == 149:
            race.flag(flags[len(expected) // 150 % len(flags)])
        if len(expected) % 97 == 96:
            race.penalise(race.cars[len(expected) % 12], "5 s: track limits")
        before = stage.framer.rev
        stage.publish(race.board())
        if stage.framer.rev != before:
            expected[stage.framer.rev] = digest(stage.state())
        if len(expected) % 100 == 0:
            await viewer.shows(stage)
            assert await viewer.order() == list(stage.state()["order"])
        await asyncio.sleep(0)
    await viewer.shows(stage)
    seen = await viewer.page.evaluate("Promise.all(seen)")
    assert len(seen) > FRAMES * 0.9, "all but those that a snapshot stood for"
    assert [(rev, value) for rev, value in seen if expected.get(rev) != value] == []
    assert await viewer.texts("laps") == [str(stage.state()["rows"][car]["laps"]) for car in stage.state()["order"]]


async def test_a_tab_that_slept_shows_the_race_as_it_is_when_it_wakes(stage: Any, race: Any, view: View) -> None:
    race.step(60)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    cdp = await viewer.page.context.new_cdp_session(viewer.page)
    await cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
    for _ in range(300):
        race.step(5)
        stage.publish(race.board())
        await asyncio.sleep(0)
    await cdp.send("Page.setWebLifecycleState", {"state": "active"})
    await viewer.shows(stage)
    assert await viewer.page.evaluate("parcferme.feed.state") == stage.state()
    assert await viewer.order() == list(stage.state()["order"])
    lasts = [text.split("\n")[-1] for text in await viewer.texts("laps")]
    assert lasts == [str(stage.state()["rows"][car]["laps"]) for car in stage.state()["order"]]
