"""For everyone: WCAG 2.2 AA by axe-core on every size and theme, everything by keyboard, both languages whole."""

import json
import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from audited import faults

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
SIZES = {"phone": (390, 844), "desktop": (1920, 1080), "wall": (3840, 2160)}
TEXTS = files("timing") / "web" / "js" / "texts"
MARK = "¤"


async def test_the_audit_finds_what_is_wrong(stage: Any, race: Any, view: View) -> None:
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    await viewer.page.evaluate("document.querySelector('h1').style.setProperty('color', '#223')")
    assert [fault.partition(":")[0] for fault in await faults(viewer.page)] == ["color-contrast"]


async def full(stage: Any, race: Any) -> None:
    """Publish a race in which everything there is to show is shown."""
    race.step(700)
    first, second, third = race.cars[:3]
    race.penalise(first, "5 s: track limits")
    race.penalise(second, "under investigation", stage="investigated")
    race.penalise(third, "5 s", stage="served")
    race.states.update({race.cars[4]: "retired", race.cars[5]: "pit", race.cars[6]: "stopped", race.cars[7]: "disqualified"})
    race.note("message", "Blue flags", first)
    race.note("decision", "5 s", second)
    stage.publish(race.board())


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("track", ["green", "safety_car"])
async def test_nothing_against_wcag(stage: Any, race: Any, view: View, *, size: str, theme: str, track: str) -> None:
    width, height = SIZES[size]
    race.flag(track)
    await full(stage, race)
    viewer = await view(f"{stage.url}/s/course-2", width=width, height=height, color_scheme=theme, reduced_motion="reduce")
    await viewer.shows(stage)
    assert await faults(viewer.page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_against_wcag_in_settings_a_car_a_red_flag_and_on_the_wall(stage: Any, race: Any, view: View, theme: str) -> None:
    race.flag("red")
    race.status = "suspended"
    await full(stage, race)
    stage.documents = {f"cars/{race.cars[0]}": SHEET, f"cars/{race.cars[0]}/explain": EXPLANATION}
    address = f"{stage.url}/s/course-2"
    viewer = await view(f"{address}?car={race.cars[0]}", color_scheme=theme, reduced_motion="reduce")
    await viewer.shows(stage)
    await viewer.becomes("document.querySelector('.lap-chart') !== null")
    await viewer.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert await faults(viewer.page) == []
    await viewer.page.click("#settings-open")
    assert await faults(viewer.page) == []
    await viewer.page.goto(f"{address}?view=wall&kiosk")
    await viewer.shows(stage)
    assert await faults(viewer.page) == []
    await viewer.page.goto(f"{stage.url}/sessions")
    assert await faults(viewer.page) == []


async def test_everything_by_keyboard(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    stage.publish(race.board())
    viewer = await view(stage.url, reduced_motion="reduce")
    await viewer.shows(stage)
    page, press = viewer.page, viewer.page.keyboard.press
    order = await viewer.order()
    stage.documents = {f"cars/{order[1]}": SHEET, f"cars/{order[1]}/explain": EXPLANATION}
    focused = "document.activeElement.closest('.row')?.dataset.car ?? document.activeElement.id"
    await press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await press("Enter")
    await press("Tab")
    assert await page.evaluate(focused) == order[0], "past ways and tools, to the first row"
    for key, place in (("ArrowDown", 1), ("End", 33), ("PageUp", 23), ("Home", 0), ("ArrowUp", 0), ("ArrowDown", 1)):
        await press(key)
        assert await page.evaluate(focused) == order[place], key
    race.step(90)
    stage.publish(race.board())
    await viewer.shows(stage)
    assert await page.evaluate(focused) == order[1], "the focus goes where its row goes"
    await press("Enter")
    assert await page.evaluate("document.activeElement.id") == "car-title"
    assert (await page.inner_text("#car-title")).startswith(f"{order[1]} · ")
    await press("Escape")
    assert not await page.is_visible("#car")
    assert await page.evaluate(focused) == order[1], "and back to the row"
    await page.focus("#settings-open")
    await press("Enter")
    assert await page.evaluate("document.querySelector('#settings').open")
    await press("Escape")
    assert await page.evaluate("document.activeElement.id") == "settings-open"


@pytest.mark.parametrize("width", [320, 360, 390])
@pytest.mark.parametrize("over", [False, True], ids=["running", "over, with the result beside the road"])
async def test_on_a_small_phone_names_give_way_and_no_figure_is_cut(stage: Any, race: Any, view: View, width: int, *, over: bool) -> None:
    await full(stage, race)
    if over:
        race.status, race.track = "final", "chequered"
        stage.publish(race.board())
    viewer = await view(f"{stage.url}/s/course-2?order=road&lang=fr", width=width, height=640)
    await viewer.shows(stage)
    heads = await viewer.page.evaluate("[...document.querySelectorAll('.head .cell')].map((cell) => cell.className.split(' c-')[1])")
    assert ("result" in heads) == over
    assert {"position", "car", "driver", "gap", "last_lap_us"} <= set(heads)
    assert await viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = """[...document.querySelectorAll(".row .cell:not(.c-driver), .head .cell")].filter((cell) => {
      const inside = document.createRange();
      inside.selectNodeContents(cell);
      const [{left, right}, own] = [inside.getBoundingClientRect(), cell.getBoundingClientRect()];
      return cell.innerText && (right > innerWidth + .5 || left < own.left - .5 || right > own.right + .5);
    }).map((cell) => [cell.className, cell.innerText])"""
    assert await viewer.page.evaluate(cut) == []


async def test_what_can_be_touched_is_large_enough_on_a_phone(stage: Any, race: Any, view: View) -> None:
    await full(stage, race)
    viewer = await view(stage.url, width=390, height=844)
    await viewer.shows(stage)
    await viewer.page.click("#settings-open")
    small = await viewer.page.evaluate("""[...document.querySelectorAll("button, a, select, .option")].filter((each) => {
      const {width, height} = each.getBoundingClientRect();
      return width > 0 && (width < 24 || height < 24) && !each.matches(".skip");
    }).map((each) => each.outerHTML.slice(0, 90))""")
    assert small == []


async def test_printed_it_is_the_field_on_white_without_tools(stage: Any, race: Any, view: View) -> None:
    race.step(300)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    await viewer.page.emulate_media(media="print", color_scheme="dark")
    shown = await viewer.page.evaluate(
        "['.board', '.bar', '.messages', '.link', '.title'].map((name) => document.querySelector(name).checkVisibility())"
    )
    assert shown == [True, False, False, False, True]
    luminance = await viewer.page.evaluate("getComputedStyle(document.querySelector('.board')).color")
    assert max(int(part) for part in re.findall(r"\d+", luminance)[:3]) < 80, "ink, not ivory"


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
async def test_no_word_on_the_screen_is_outside_the_catalogue(stage: Any, race: Any, view: View, locale: str) -> None:
    """Every text of the catalogues is marked on its way to the page; what then has letters and no mark is data, or a fault."""
    await full(stage, race)
    car = race.cars[0]
    stage.documents = {f"cars/{car}": SHEET, f"cars/{car}/explain": EXPLANATION}
    viewer = await view(f"{stage.url}/sessions", locale=locale)

    async def marked(route: Any) -> None:
        name = route.request.url.rpartition("/")[2]
        part = await parts[name]()
        body = {language: {key: f"{MARK}{text}{MARK}" for key, text in texts.items()} for language, texts in part.items()}
        await route.fulfill(body=f"export default {json.dumps(body)};", content_type="text/javascript")

    read: dict[str, Any] = {}
    for file in TEXTS.iterdir():
        read[file.name] = await viewer.page.evaluate(f"import('/static/js/texts/{file.name}').then((part) => part.default)")

    def part_of(name: str) -> Callable[[], Awaitable[Any]]:
        async def give() -> Any:
            return read[name]

        return give

    parts = {name: part_of(name) for name in read}
    await viewer.page.route("**/static/js/texts/*.js", marked)
    await viewer.page.goto(f"{stage.url}/s/course-2?car={car}")
    await viewer.shows(stage)
    await viewer.becomes("document.querySelector('.lap-chart') !== null")
    await viewer.page.evaluate("document.querySelector('#settings').showModal()")
    said = await viewer.page.evaluate("""() => {
      const texts = new Set();
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const skipped = "script, noscript, .wordmark, .words, code, [lang], .plate, .panel, .sign, option, .row .name, .c-team, " +
        ".c-class span, .number, h1, [data-at=where]";
      for (let node = walk.nextNode(); node; node = walk.nextNode()) if (!node.parentElement.closest(skipped)) texts.add(node.data);
      for (const each of document.querySelectorAll("[title], [aria-label]")) {
        if (each.closest(".row .name, .c-class, .c-team, .brand")) continue;
        for (const name of ["title", "aria-label"]) if (each.hasAttribute(name)) texts.add(each.getAttribute(name));
      }
      return [...texts];
    }""")
    state = stage.state()
    data = {race.names[car], *state["session"]["classes"], *(row["team"] for row in state["rows"].values())}
    data |= {message["text"] for message in state["messages"]}
    data |= {"article 6"} | {driver["name"] for driver in SHEET["drivers"]}
    plain = [text for text in said if MARK not in text and re.search(r"[^\W\d_]{2,}", text)]
    for known in sorted(data, key=len, reverse=True):
        plain = [text.replace(known, "") for text in plain]
    assert [text for text in plain if re.search(r"[^\W\d_]{2,}", text)] == []


SHEET: dict[str, Any] = {
    "session": "course-2", "car": "7", "class": "Open", "team": "Ochre Racing",
    "drivers": [{"id": "a", "name": "Ines Brandt"}, {"id": "b", "name": "Wim Kessler"}],
    "laps": [
        {"lap": 1, "ended_at": 1_778_937_090_000_000, "time_us": 90_000_000, "sectors_us": [28_000_000, 36_000_000, 26_000_000],
         "driver": "a", "pit": False, "counted": True},
        {"lap": 2, "ended_at": 1_778_937_200_000_000, "time_us": 110_000_000, "sectors_us": [28_500_000, None, 45_000_000],
         "driver": "a", "pit": True, "counted": True},
    ],
    "stops": [{"lap": 2, "entered_at": 1_778_937_180_000_000, "exited_at": 1_778_937_210_000_000, "time_us": 30_000_000}],
    "stints": [{"driver": "a", "from_lap": 1, "laps": 2, "began_at": 1_778_937_000_000_000, "until": None}],
    "drive_times": [{"driver": "a", "laps": 2, "time_us": 200_000_000}],
    "suspects": [],
}  # fmt: skip

EXPLANATION: dict[str, Any] = {
    "session": "course-2", "car": "7", "class": "Open", "seq": 1, "at": 1, "on_the_road": 3, "shown": 3, "position": 4,
    "class_position": 1, "status": "classified", "laps": 2, "result_laps": 2, "total_us": 205_000_000, "best_lap_us": 90_000_000,
    "last_crossing_at": 1, "road": [], "end": [], "weighs": None, "earlier": 0, "crossings": [],
    "result": [{"car": "9", "where": "ahead", "by": "time", "laps": 0, "time_us": 1_200_000, "why": "1.200 s"},
               {"car": "11", "where": "behind", "by": "laps", "laps": 1, "time_us": None, "why": "a lap"}],
    "decisions": [], "corrections": [{"event": "c1", "at": 1, "key": "line/1/7", "text": "void"}],
    "rules": [{"key": "classification.min_percent", "value": "70", "source": "article 6"}], "words": ["Car 7: P4."],
}  # fmt: skip


async def test_the_sheets_above_have_the_fields_that_the_service_sends() -> None:
    from timing.projections.car import CarSheet
    from timing.projections.explanation import Explanation

    assert {field.encode_name for field in msgspec.structs.fields(CarSheet)} >= set(SHEET)
    assert {field.encode_name for field in msgspec.structs.fields(Explanation)} >= set(EXPLANATION)
