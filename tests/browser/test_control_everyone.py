"""The console for everyone: by keyboard alone, against WCAG at all sizes, in French."""

import re

import pytest
from audited import faults
from tower import Tower, answered, on

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_everything_by_keyboard_and_letters_that_can_be_switched_off(tower: Tower) -> None:
    viewer = await tower.sign_in("administrator")
    page = await on(viewer)
    press = page.keyboard.press
    await press("?")
    letters = await page.locator("#help kbd").all_inner_texts()
    assert len(letters) == len(set(letters)) > 20
    await press("Escape")
    await press("f")
    await page.keyboard.type("3")
    await press("Enter")
    await page.wait_for_selector('.car-line[data-car="3"][aria-pressed="true"]')
    await press("Escape")
    await press("d")
    assert await page.evaluate("document.activeElement.id") == "decision-offence"
    await page.keyboard.type("Track")
    assert (await page.input_value("#decision-penalty"), await page.input_value("#decision-reason")) == ("warning", "Track limits")
    await press("Home")
    assert await page.input_value("#decision-reason") == "", "in own words"
    await press("Tab")
    await page.keyboard.type("Time")
    await press("Tab")
    await page.keyboard.type("10S")
    assert not await page.query_selector(".answer"), "what is typed into a field is text"
    await page.fill("#decision-amount", "10")
    await press("Enter")
    await page.wait_for_selector("#found tr:has-text('3'):has-text('P3 → P4')")
    assert await page.evaluate("document.activeElement.id") == "send"
    await press("Enter")
    await answered(viewer, "Car 3: 10 s")
    await press("m")
    await page.keyboard.type("Safety first")
    await press("Enter")
    await answered(viewer, "Message: Safety first")
    await press("Escape")
    await press("Shift+V")
    await answered(viewer, "Virtual safety car")
    await page.click("#settings-open")
    await page.uncheck("#letters")
    await press("Escape")
    await page.evaluate("document.activeElement.blur()")
    await press("Shift+R")
    await press("?")
    assert await page.is_visible("#help") is False
    assert [each["status"] for each in await tower.log(viewer) if each["type"] == "track_status"] == ["vsc"]


WORKS = ("message", "decision", "photo", "redflag", "entries", "session", "corrections", "results")
DESK, TABLET, PHONE = (1680, 1050), (820, 1180), (390, 844)
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("theme", "size"),
    [
        pytest.param("dark", DESK, id="dark desk"),
        pytest.param("light", PHONE, id="light phone"),
        pytest.param("light", DESK, id="light desk", marks=LONG),
        pytest.param("dark", PHONE, id="dark phone", marks=LONG),
        pytest.param("dark", TABLET, id="dark tablet", marks=LONG),
        pytest.param("light", TABLET, id="light tablet", marks=LONG),
    ],
)
async def test_nothing_against_wcag(tower: Tower, theme: str, size: tuple[int, int]) -> None:
    viewer = await tower.sign_in("administrator", color_scheme=theme, reduced_motion="reduce", width=size[0], height=size[1])
    page = await on(viewer)

    await page.click('.car-line[data-car="7"]')
    for status in ("green", "safety_car", "red"):
        await page.click(f'.flag[data-status="{status}"]')
        await page.wait_for_selector(f'.flag[data-status="{status}"][aria-pressed="true"]')
        assert await faults(page) == [], status
    await page.fill("#find", "99")
    await page.keyboard.press("Enter")
    for name in WORKS:
        await page.click(f'[data-work="{name}"]')
        if name == "corrections":
            await page.click("#corrections form button >> nth=0")
            await page.wait_for_selector("#corrections td")
            await page.click("#corrections td button >> nth=0")
            await page.wait_for_selector("#found :is(table, .none)")
        assert await faults(page) == [], name
    small = await page.evaluate("""[...document.querySelectorAll("button, a, select, input")].filter((each) => {
      const {width, height} = each.getBoundingClientRect();
      return width > 0 && (width < 20 || height < 20);
    }).map((each) => each.outerHTML.slice(0, 90))""")
    assert small == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    await page.click("#tools button")
    assert await faults(page) == []


async def test_no_words_are_missing_in_french(tower: Tower) -> None:
    viewer = await tower.sign_in("administrator", locale="fr-FR")
    page = await on(viewer)
    for name in WORKS:
        await page.click(f'[data-work="{name}"]')
    keys = await page.evaluate("import('/static/js/texts.js').then(({CATALOGUES}) => Object.keys(CATALOGUES.fr))")
    shown = await page.inner_text("body")
    assert [key for key in keys if "." in key and re.search(rf"(?<!\S){re.escape(key)}(?!\S)", shown)] == []
    assert "undefined" not in shown
    assert "Drapeau rouge" in shown
