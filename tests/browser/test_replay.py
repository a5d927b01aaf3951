"""The replay bar in a browser, on `replay serve` over the log of a race with late passings, corrections, flags and decisions."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from audited import faults
from pictures import ASKED_FOR_PICTURES, IMAGES, with_palette
from running_service import Replaying
from simulated import logged
from websockets.asyncio.client import connect

from timing.projections.frames import receive

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
RACE = ["--seed", "3", "--cars", "16", "--minutes", "15", "--faults", "all", "--virtual", "1"]
TOLD = "parcferme.screen.replay.replay.told"
SETTLED = f"{TOLD} && {TOLD}.seq === parcferme.feed.state.seq && document.documentElement.dataset.replay === 'ready'"
DRAWN = "document.documentElement.dataset.rev === `${parcferme.feed.state.epoch}/${parcferme.feed.state.rev}`"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return logged(tmp_path_factory.mktemp("replay") / "race.db", RACE)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def replaying(log: Path) -> AsyncIterator[Replaying]:
    made = Replaying(log, "--paused")
    await made.start()
    yield made
    await made.end()


class Driver:
    """A page of a replay, and what it was told."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.page = viewer.page

    async def told(self) -> dict[str, Any]:
        """Give the replay's state, once the page shows it."""
        await self.viewer.becomes(f"globalThis.parcferme && {SETTLED} && {DRAWN}")
        told: dict[str, Any] = await self.page.evaluate(TOLD)
        return told

    async def seek(self, **to: Any) -> dict[str, Any]:
        """Seek, and give the state of the replay there."""
        await self.does(lambda: self.page.evaluate(f"parcferme.screen.replay.replay.seek({json.dumps(to)})"))
        return await self.told()

    async def does(self, act: Callable[[], Awaitable[Any]]) -> None:
        """Do what begins another epoch, and wait for it."""
        before = await self.page.evaluate("parcferme.feed.state?.epoch")
        await act()
        await self.viewer.becomes(f"parcferme.feed.state.epoch !== {before!r}")

    async def press(self, key: str, *, renews: bool = True) -> dict[str, Any]:
        if renews:
            await self.does(lambda: self.page.keyboard.press(key))
        else:
            await self.page.keyboard.press(key)
        return await self.told()

    async def rows(self) -> list[str]:
        rows: list[str] = await self.viewer.order()
        return rows


@pytest_asyncio.fixture(loop_scope="module")
async def drive(replaying: Replaying, view: View) -> Callable[..., Awaitable[Driver]]:
    """Open a page of the replay, ``await drive("?known=now")``."""

    async def opened(query: str = "", **screen: Any) -> Driver:
        driver = Driver(await view(f"{replaying.pages}s/mitjet-albi-1{query}", reduced_motion="reduce", **screen))
        await driver.told()
        return driver

    return opened


Drive = Callable[..., Awaitable[Driver]]


async def test_it_plays_pauses_and_runs_at_the_speed_chosen(drive: Drive) -> None:
    driver = await drive()
    page = driver.page
    assert (await driver.told())["state"] == "paused"
    assert await page.inner_text("[data-at=link]") == "Replay"
    assert (await page.inner_text(".race-time"))[0] == "−" or (await driver.told())["started_at"] is None
    await page.select_option(".rate select", "100")
    await page.click(".replay .play")
    await driver.viewer.becomes(f"{TOLD}.state === 'playing' && {TOLD}.speed === 100 && {TOLD}.laps >= 1")
    assert await page.get_attribute(".replay .play", "aria-label") == "Pause"
    await page.keyboard.press("+")
    await driver.viewer.becomes(f"{TOLD}.speed === 200")
    await page.keyboard.press("Space")
    await driver.viewer.becomes(f"{TOLD}.state === 'paused'")
    told = await driver.told()
    minutes, seconds = divmod((told["at"] - told["started_at"]) // 1_000_000, 60)
    for clock in ("[data-at=elapsed]", ".race-time"):
        await driver.viewer.becomes(f"document.querySelector('{clock}').innerText === '{minutes:02}:{seconds:02}'")
    await page.select_option(".rate select", "max")
    await page.keyboard.press("k")
    await driver.viewer.becomes(f"{TOLD}.state === 'ended'")
    assert await page.get_attribute(".replay .play", "aria-label") == "Play from the start"
    await page.select_option(".rate select", "1")
    await page.click(".replay .play")
    await driver.viewer.becomes(f"{TOLD}.state === 'playing' && {TOLD}.laps === 0")


async def test_it_seeks_by_the_timeline_and_by_keyboard(drive: Drive) -> None:
    driver = await drive()
    first = await driver.seek(lap=5)
    box = await driver.page.locator(".scrub").bounding_box()
    await driver.does(lambda: driver.page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2))
    there = await driver.told()
    assert first["started_at"] < there["at"] < first["at"]
    await driver.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    await driver.page.mouse.down()
    await driver.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=12)
    await driver.page.mouse.up()
    await driver.viewer.becomes(f"{TOLD}.at === parcferme.screen.replay.at && {TOLD}.at > {there['at'] + 60_000_000}")
    here = await driver.told()
    for key, by in (("ArrowRight", 10), ("ArrowLeft", -10), ("Shift+ArrowRight", 60), ("Shift+ArrowLeft", -60)):
        then = await driver.press(key)
        assert then["at"] - here["at"] == by * 1_000_000, key
        here = then
    ends = [(await driver.press("l"))["at"] for _ in range(4)]
    assert sorted({here["at"], *ends}) == [here["at"], *ends], "a lap on each time, whatever was known of it then"
    assert (await driver.press("j"))["at"] == ends[2]
    await driver.page.focus(".scrub")
    assert (await driver.press("Home"))["laps"] == 0
    assert await driver.page.get_attribute(".scrub", "aria-valuetext") == f"{await driver.page.inner_text('.race-time')}, Not started"
    await driver.page.focus(".row .plate")
    await driver.page.keyboard.press("ArrowDown")
    assert (await driver.told())["laps"] == 0, "rows keep their keys"


async def test_it_jumps_to_flags_leaders_and_marks(drive: Drive, log: Path) -> None:
    driver = await drive()
    await driver.press("]")
    state = await driver.page.evaluate("parcferme.feed.state")
    flags = [m for m in state["messages"] if m["kind"] in ("track_status", "pit_lane")]
    assert len(flags) == 1, "the first flag is the last thing that happened"
    assert await driver.page.evaluate("document.querySelectorAll('.band').length") == (
        flags[0]["facts"].get("status") not in (None, "green")
    )
    await driver.page.select_option(".jump select", "leader")
    first = await driver.press("]")
    second = await driver.press("]")
    assert second["at"] > first["at"]
    assert (await driver.press("["))["at"] == first["at"]
    await driver.page.keyboard.press("[")
    await driver.viewer.becomes("document.querySelector('.replay-said').innerText.startsWith('There is none before')")
    await driver.seek(place="end")
    await driver.page.select_option(".jump select", "red")
    await driver.viewer.becomes("document.querySelectorAll('.band[data-flag=red]').length > 0")
    await driver.page.keyboard.press("m")
    await driver.does(lambda: driver.page.click(".moments button >> nth=0"))
    await driver.told()
    assert await driver.page.evaluate("parcferme.feed.state.session.track_status") == "red"
    button = driver.page.locator("#messages time button").last
    await driver.does(button.click)
    assert (await driver.told())["laps"] == 0, "a message leads to its moment"


async def test_it_steps_by_record_and_by_frame(drive: Drive) -> None:
    driver = await drive()
    first = await driver.seek(lap=3)
    await driver.page.click('.steps button[aria-label="A record on"]')
    await driver.viewer.becomes(f"{TOLD}.seq > {first['seq']}")
    there = await driver.told()
    back = await driver.press(",")
    assert back["seq"] < there["seq"]
    assert back["at"] <= there["at"]
    rev = await driver.page.evaluate("parcferme.feed.state.rev")
    await driver.page.keyboard.press(".")
    await driver.viewer.becomes(f"parcferme.feed.state.rev === {rev + 1}")
    assert (await driver.told())["seq"] > back["seq"]


async def test_rows_that_differ_between_then_and_now_are_marked_and_say_in_what(drive: Drive) -> None:
    driver = await drive(width=1920, height=1080)
    page = driver.page
    marked = "[...document.querySelectorAll('.row[data-differs]')].map((row) => row.dataset.car)"
    for lap in range(2, 9):
        told = await driver.seek(lap=lap)
        await driver.viewer.becomes(f"parcferme.screen.replay.replay.difference?.at === {told['at']}")
        if await page.evaluate(f"{marked}.length"):
            break
    difference = await page.evaluate("parcferme.screen.replay.replay.difference")
    cars = await page.evaluate(marked)
    assert set(cars) <= set(difference["rows"])
    assert f"{len(cars)} car" in await page.inner_text(".count")
    visible = {car for car, fields in difference["rows"].items() if fields.keys() & {"position", "laps", "last_lap_us", "pit_stops"}}
    assert visible <= set(cars), "what differs in plain sight is marked"
    await page.hover(f'.row[data-car="{cars[0]}"]')
    await driver.viewer.becomes("!document.querySelector('.tip').hidden")
    assert "Then" in await page.inner_text(".tip")
    await page.mouse.move(5, 5)
    await driver.viewer.becomes("document.querySelector('.tip').hidden")
    await page.focus(f'.row[data-car="{cars[0]}"] .plate')
    assert await page.get_attribute(f'.row[data-car="{cars[0]}"] .plate', "aria-describedby") == "replay-tip"
    before = await driver.rows()
    await driver.press("t")
    assert (await driver.told())["known"] == "now"
    now = difference["order"][1]
    assert (before, await driver.rows()) == (difference["order"][0], now), "the other way of the same instant"
    await driver.viewer.becomes(f"parcferme.screen.replay.replay.difference?.at === {(await driver.told())['at']}")
    assert set(await page.evaluate(marked)) == set(cars)
    await page.keyboard.press("d")
    assert await page.locator(".differing tbody tr").count() >= len(cars)


async def test_a_link_leads_to_the_moment_and_a_reload_keeps_it(drive: Drive, replaying: Replaying) -> None:
    driver = await drive()
    await driver.seek(lap=4)
    await driver.press(",")
    await driver.press("<")
    here = await driver.told()
    rows = await driver.rows()
    await driver.page.click('.rest button[aria-label="Link to this moment"]')
    link = await driver.page.input_value("#replay-link")
    assert f"at={here['at']}" in link
    other = await drive(link.partition("mitjet-albi-1")[2])
    there = await other.told()
    assert {name: there[name] for name in ("at", "seq", "known", "state", "laps")} == {
        name: here[name] for name in ("at", "seq", "known", "state", "laps")
    }
    assert there["moment"] != here["moment"], "it goes on from there alone"
    assert await other.rows() == rows
    await other.viewer.becomes(f"location.search.includes('at={here['at']}')")
    await other.page.reload()
    again = await other.told()
    assert (again["at"], again["seq"]) == (here["at"], here["seq"])
    playing = await drive(f"?at={here['at']}&speed=5&play")
    await playing.viewer.becomes(f"{TOLD}.state === 'playing' && {TOLD}.speed === 5")
    assert (await playing.told())["at"] >= here["at"]


async def test_nothing_of_another_moment_is_shown_on_the_way(drive: Drive, replaying: Replaying, view: View) -> None:
    driver = await drive()
    here = await driver.seek(lap=6)
    viewer = await view(f"{replaying.pages}sessions")
    await viewer.page.add_init_script("""globalThis.shown = [];
      new MutationObserver(() => shown.push(document.querySelector(".laps dd")?.innerText)).observe(
        document, {subtree: true, attributes: true, attributeFilter: ["data-rev"]});""")
    await viewer.page.goto(f"{replaying.pages}s/mitjet-albi-1?at={here['at']}")
    await Driver(viewer).told()
    assert set(await viewer.page.evaluate("shown")) == {"6"}


async def test_after_random_seeks_the_page_shows_what_the_service_has(drive: Drive, replaying: Replaying) -> None:
    driver = await drive()
    told = await driver.seek(place="end")
    chance = random.Random(5)
    moment = await driver.page.evaluate("parcferme.screen.replay.moment")
    async with connect(f"{replaying.feed}/v1/sessions/mitjet-albi-1?moment={moment}", max_size=None) as screen:
        state: dict[str, Any] | None = None
        for turn in range(25):
            for _ in range(chance.choice((0, 0, 3))):  # several at once: the last counts
                at = chance.randrange(told["started_at"], told["at"])
                await driver.page.evaluate(f"parcferme.screen.replay.replay.seek({{at: {at}}})")
            if turn % 5 == 4:
                await driver.does(lambda: driver.page.keyboard.press("t"))
            at = chance.randrange(told["started_at"], told["at"])
            await driver.page.evaluate(f"parcferme.screen.replay.replay.seek({{at: {at}}})")
            await driver.viewer.becomes(f"{TOLD}.at === {at} && {SETTLED} && {DRAWN}")
            shown = await driver.page.evaluate("parcferme.feed.state")
            while state is None or (state["epoch"], state["rev"]) != (shown["epoch"], shown["rev"]):
                state, _ = receive(state, json.loads(await asyncio.wait_for(screen.recv(), 20)))
            assert shown == state
            order = state["order"] if await driver.page.evaluate("document.querySelector('#board').dataset.order") == "road" else None
            assert order is None or await driver.rows() == order
            await driver.viewer.becomes(f"{TOLD}.seq === {shown['seq']}")


async def test_a_car_is_told_as_of_the_moment(drive: Drive) -> None:
    driver = await drive()
    await driver.seek(lap=6)
    car = (await driver.rows())[0]
    await driver.page.click(f'.row[data-car="{car}"] .plate')
    laps = "[...document.querySelectorAll('#car .scroll tbody tr')].map((row) => Number(row.cells[0].innerText.split(' ')[0]))"
    await driver.viewer.becomes(f"{laps}.length > 0")
    assert max(await driver.page.evaluate(laps)) == 6
    await driver.seek(lap=2)
    held = f"parcferme.feed.state.rows[{car!r}].laps"
    await driver.viewer.becomes(f"{laps}.length > 0 && Math.max(...{laps}) === {held}")


async def test_charts_are_as_of_the_moment_and_the_ways_lead_to_it(drive: Drive) -> None:
    driver = await drive()
    here = await driver.seek(lap=6)
    await driver.viewer.becomes(f"document.querySelector('#ways a:nth-of-type(2)').search.includes('at={here['at']}')")
    await driver.page.click("#ways a >> nth=1")
    await driver.page.wait_for_url("**/charts?*")
    assert (await driver.told())["at"] == here["at"]
    latest = "Math.max(...[...parcfermeCharts.data.cars.values()].flatMap(({ends}) => ends)) + parcfermeCharts.data.start"
    await driver.viewer.becomes("parcfermeCharts.data.cars.size > 0 && Boolean(document.documentElement.dataset.charted)")
    assert await driver.page.evaluate(latest) <= here["at"]
    assert await faults(driver.page) == []
    there = await driver.seek(lap=3)
    await driver.viewer.becomes(f"{latest} <= {there['at']}")


async def test_a_moment_is_shared_by_its_name(drive: Drive) -> None:
    one, other = await drive("?moment=hall"), await drive("?moment=hall")
    there = await one.seek(lap=3)
    await other.viewer.becomes(f"{TOLD}.at === {there['at']}")
    assert (await other.told())["seq"] == there["seq"]
    await other.page.keyboard.press("k")
    await one.viewer.becomes(f"{TOLD}.state === 'playing'")


async def test_it_goes_back_to_its_moment_when_the_service_was_started_again(log: Path, view: View) -> None:
    service = Replaying(log, "--paused")
    await service.start()
    try:
        driver = Driver(await view(f"{service.pages}s/mitjet-albi-1", reduced_motion="reduce"))
        await driver.told()
        here = await driver.seek(lap=5)
        await driver.viewer.loses_connection()
        await service.end()
        await driver.viewer.becomes("document.documentElement.dataset.link === 'offline'")
        await service.start()
        await driver.viewer.becomes("document.documentElement.dataset.link === 'live'", 30)
        await driver.viewer.becomes(f"{TOLD}.at === {here['at']} && {SETTLED} && {DRAWN}")
        assert {**await driver.told(), "moment": ""} == {**here, "moment": ""}
    finally:
        await service.end()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(390, 844), (1440, 900), (3840, 2160)])
async def test_nothing_against_wcag(drive: Drive, size: tuple[int, int], theme: str) -> None:
    driver = await drive(width=size[0], height=size[1], color_scheme=theme)
    await driver.seek(lap=7)
    if size[0] == 390:
        await driver.page.click(".replay .more")
    await driver.viewer.becomes("document.querySelector('.count span').innerText !== ''")
    assert await faults(driver.page) == []
    for key, name in (("?", "help"), ("m", "moments"), ("d", "differing")):
        await driver.page.keyboard.press(key)
        assert await driver.page.evaluate(f"document.querySelector('#replay-{name}').open"), key
        assert await faults(driver.page) == []
        await driver.page.keyboard.press("Escape")


async def test_all_of_it_is_within_reach_on_a_phone(drive: Drive) -> None:
    driver = await drive(width=390, height=844, has_touch=True, is_mobile=True)
    await driver.page.tap(".replay .more")
    outside = await driver.page.evaluate("""[...document.querySelectorAll(".replay :is(button, select, input)")].filter((each) => {
      const {left, right, width, height} = each.getBoundingClientRect();
      return width > 0 && (left < 0 || right > innerWidth || width < 24 || height < 24);
    }).map((each) => each.outerHTML)""")
    assert outside == []
    await driver.page.set_viewport_size({"width": 360, "height": 640})
    row = "[...document.querySelectorAll('.replay :is(.play, .rate select, .more)')].map((each) => each.getBoundingClientRect())"
    assert await driver.page.evaluate(f"new Set({row}.map(({{top, height}}) => Math.round(top + height / 2))).size") == 1, "one line"
    await driver.page.set_viewport_size({"width": 390, "height": 844})
    assert await driver.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = await driver.page.locator(".scrub").bounding_box()
    await driver.does(lambda: driver.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    assert (await driver.told())["started_at"] is not None


async def test_a_finger_drags_the_timeline_and_may_leave_it(drive: Drive) -> None:
    driver = await drive("?speed=20", width=390, height=844, has_touch=True, is_mobile=True)
    page, start = driver.page, await driver.seek(lap=2)
    finger = await page.context.new_cdp_session(page)
    box = await page.locator(".timeline .scale").bounding_box()
    value, shown = (
        "Number(document.querySelector('.scrub').value)",
        "[...document.querySelectorAll('.row')].map((row) => row.innerText).join()",
    )
    thumb = box["x"] + box["width"] * await page.evaluate(f"{value} / document.querySelector('.scrub').max")
    middle = box["y"] + box["height"] / 2

    async def touch(what: str, part: float | None = None, up: float = 0) -> None:
        at = [] if part is None else [{"x": thumb + (box["x"] + box["width"] - thumb) * part, "y": middle - up, "id": 1}]
        await finger.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": at})

    async def follows(part: float) -> None:
        at = (thumb - box["x"]) / box["width"]
        await driver.viewer.becomes(f"Math.abs({value} / document.querySelector('.scrub').max - {at + (1 - at) * part}) < 0.01")

    before = await page.evaluate(shown)
    await touch("touchStart", 0)
    for part in range(1, 7):
        await touch("touchMove", part / 20, 20 * part)  # up and away from the bar: it is still the bar's
    await follows(6 / 20)
    await driver.viewer.becomes(f"{TOLD}.at > {start['at'] + 60_000_000} && {shown} !== {before!r}")
    assert await page.locator(".bubble").is_visible(), "the time under the finger"
    under, at = await page.evaluate(f"[{value}, parcferme.screen.replay.at]")
    await page.keyboard.press("k")
    await driver.viewer.becomes(f"{TOLD}.state === 'playing' && parcferme.screen.replay.at > {at + 10_000_000}")
    assert await page.evaluate(value) == under, "what plays on does not pull the thumb from under the finger"
    await page.keyboard.press("k")
    await driver.viewer.becomes(f"{TOLD}.state === 'paused'")
    for part in range(7, 11):
        await touch("touchMove", part / 20, 140)
    await follows(10 / 20)
    aimed = await page.evaluate(value)
    await driver.does(lambda: touch("touchEnd"))
    await driver.viewer.becomes(f"{TOLD}.at === parcferme.screen.replay.at && Math.abs({value} - {aimed}) < 1")
    told = await driver.told()
    assert await page.evaluate("scrollY") == 0, "nothing else moved"
    assert not await page.locator(".bubble").is_visible()
    assert told["at"] > start["at"] + 2 * 60_000_000
    text = await page.get_attribute(".scrub", "aria-valuetext")
    assert text is not None
    assert text.startswith(f"{await page.inner_text('.race-time')}, Lap {told['laps']}")

    thumb = box["x"] + box["width"] * await page.evaluate(f"{value} / document.querySelector('.scrub').max")
    await touch("touchStart", 0)
    await touch("touchMove", 0.2)
    await follows(0.2)
    await touch("touchCancel")
    far = await page.evaluate(value)
    await driver.seek(lap=2)
    await driver.viewer.becomes(f"{value} < {far - 60}")  # what was cancelled holds it no longer
    assert not await page.locator(".bubble").is_visible()


async def test_a_kiosk_shows_the_moment_and_takes_no_keys(drive: Drive) -> None:
    driver = await drive("?kiosk")
    before = await driver.told()
    await driver.page.keyboard.press("l")
    await driver.page.keyboard.press("k")
    assert not await driver.page.is_visible(".replay .play")
    assert await driver.page.is_visible(".race-time")
    assert await driver.told() == before


async def test_what_is_live_has_no_bar(stage: Any, race: Any, view: View) -> None:
    race.step(100)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.page.locator(".replay").count() == 0
    assert not any("replay" in url and url.endswith(".js") and "texts" not in url for url in viewer.requests)


PICTURES: dict[str, dict[str, Any]] = {
    "replay": {"width": 1920, "height": 1080},
    "replay-phone": {"width": 390, "height": 844, "device_scale_factor": 2, "color_scheme": "light"},
}


@pytest.mark.parametrize("name", PICTURES if ASKED_FOR_PICTURES else ["replay"])
async def test_pictures(replaying: Replaying, drive: Drive, tmp_path: Path, name: str) -> None:
    """The pictures of the documents: all are taken and kept there when PARCFERME_PICTURES is set."""
    driver = await drive(**PICTURES[name])
    told = await driver.seek(lap=8)
    for minute in range(9, 16):
        told = await driver.seek(at=told["started_at"] + minute * 60_000_000)
        await driver.viewer.becomes("document.querySelector('.count span').innerText !== ''")
        if 0 < await driver.page.locator(".row[data-differs]").count() < 9:
            break
    if "phone" in name:
        await driver.page.click(".replay .more")
        await driver.page.mouse.move(5, 5)
    elif await driver.page.locator(".row[data-differs]").count():
        await driver.page.locator(".row[data-differs]").last.hover()
    await driver.page.evaluate("document.fonts.ready.then(() => true)")
    picture = with_palette(await driver.page.screenshot())
    assert 20_000 < len(picture) < 300_000
    folder = IMAGES if ASKED_FOR_PICTURES else tmp_path
    (folder / f"{name}.png").write_bytes(picture)
