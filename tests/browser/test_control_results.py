"""Corrections, the red flag's result and publishing on the console, each with what it would change before it is sent."""

from typing import Any

import pytest
from tower import S, Tower, answered, on

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


LINE = "#corrections tr:has-text('SF') >> nth=0"


async def at_the_crossings_of_9(tower: Tower) -> tuple[Any, Any]:
    """Be a timekeeper who looks at the crossings of car 9 to correct them."""
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    await page.keyboard.press("c")
    await page.fill("#mending-car", "9")
    await page.keyboard.press("Enter")
    return viewer, page


async def test_a_crossing_voided_given_away_and_added_each_with_what_it_changes(tower: Tower) -> None:
    viewer, page = await at_the_crossings_of_9(tower)
    await page.click(f"{LINE} >> button:has-text('Void')")
    await page.wait_for_selector("#found tr:has-text('9'):has-text('P2 → P4')")
    await page.click("#send")
    assert await page.is_visible("#proposal"), "not without a reason"
    await page.fill("#why", "pushed over the line")
    await page.keyboard.press("Enter")
    await answered(viewer, "Void the crossing of car 9 at SF")
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["7", "3", "5", "9"]
    [voided] = [each for each in await tower.log(viewer) if each["type"] == "passing_voided"]
    assert (voided["by"], voided["reason"]) == ("Anna Roy", "pushed over the line")
    await page.wait_for_selector("#corrections .taken button")
    await page.wait_for_selector("#journal button:has-text('Undo: ')")
    await page.keyboard.press("Shift+U")
    await answered(viewer, "Undone: Passing line/1/")
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["7", "9", "3", "5"], "by a new event, back as it was"
    await page.click(".record:has-text('Start') button:has-text('Move')")
    written = await page.input_value("#when")
    await page.fill("#when", f"{written[:-6]}500000")
    await page.keyboard.press("Tab")
    await page.wait_for_selector("#found tr:has-text('7'):has-text('→')")
    await page.fill("#why", "half a second later, on video")
    await page.click("#send")
    await answered(viewer, "Move to another instant: Start")
    totals = {row["car"]: row["total_us"] for row in (await tower.document("result"))["rows"]}
    assert totals["7"] == 180 * S - 500_000


async def test_the_red_flags_result_is_declared_after_the_readings_and_published(tower: Tower) -> None:
    viewer = await tower.sign_in("race-director", "timekeeper")
    page = await on(viewer)
    await page.keyboard.press("r")
    await page.wait_for_selector(".readings:not(:empty)")
    assert await page.is_disabled("#redflag .danger"), "nothing is suspended"
    await page.keyboard.press("Shift+R")
    await answered(viewer, "Red flag")
    await page.wait_for_selector('.reading[data-own="true"] .own')
    sheet = await tower.document("red-flag")
    shown = await page.locator(".reading [data-policy]").evaluate_all("(all) => all.map((each) => each.dataset.policy)")
    assert sorted(shown) == sorted(reading["policy"] for reading in sheet["readings"]), "every reading"
    said = await page.locator(".reading [data-policy] > span").all_inner_texts()
    assert sorted(said) == sorted(shown), "the page says it as the service does"
    own = next(reading for reading in sheet["readings"] if reading["own"])
    assert await page.locator(".reading.own .places b").all_inner_texts() == [line["car"] for line in own["result"]]
    await page.click("#redflag .danger:enabled")
    await page.wait_for_selector("#found :is(table, .none)")
    await page.click("#send")
    assert await page.is_visible("#proposal"), "only by who has seen them"
    await page.check("#sure")
    await page.click("#send")
    await answered(viewer, "Race stopped")
    await page.wait_for_selector("html[data-track='red'] [data-at=state]:has-text('Finished')")
    await page.keyboard.press("p")
    for stage, sure in (("provisional", False), ("final", True)):
        await page.click(f'#results [data-stage="{stage}"]:enabled')
        if sure:
            await page.check("#sure")
        await page.wait_for_selector("#found .none, #found p")
        await page.click("#send")
        await answered(viewer, f"{stage.capitalize()} result published")
        await page.wait_for_selector(f'.versions [data-stage="{stage}"]')
    versions = (await tower.document("versions"))["versions"]
    assert [(each["stage"], each["faults"], each["current"]) for each in versions] == [("provisional", [], True), ("final", [], True)]
    assert await page.is_disabled('#results button[data-stage="provisional"]')
    assert [row["laps"] for row in (await tower.document("result"))["rows"]] == [own["result"][0]["laps"]] * 4


async def test_a_crossing_is_given_to_another_car_one_is_added_and_a_decoder_set_right(tower: Tower) -> None:
    viewer, page = await at_the_crossings_of_9(tower)
    await page.click(f"{LINE} >> button:has-text('Give to')")
    assert await page.evaluate("document.activeElement.getAttribute('aria-label')"), "the field for the other car"
    await page.keyboard.type("3")
    await page.click(f"{LINE} >> button:has-text('Give to')")
    await page.wait_for_selector("#found tr:has-text('9'):has-text('P2 → P4')")
    await page.fill("#why", "transponders were swapped")
    await page.keyboard.press("Enter")
    await answered(viewer, "Give the crossing of car 9 at SF")
    assert (await tower.document("result"))["rows"][-1]["car"] == "9"
    written = await page.input_value("#mending-at")
    await page.fill("#mending-at", f"{written[:-9]}{int(written[-9:-7]):02d},9")
    await page.select_option("#mending-loop", "SF")
    await page.click("#corrections button:has-text('Add it')")
    await page.wait_for_selector("#found table")
    await page.fill("#why", "seen from the tower")
    await page.keyboard.press("Enter")
    await answered(viewer, "Crossing of car 9 at SF")
    await page.wait_for_selector("#clock-decoders option[value='line']", state="attached")
    await page.fill("#clock-decoder", "line")
    await page.fill("#clock-offset", "-0,25")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found :is(table, .none)")
    await page.fill("#why", "against the GPS clock")
    await page.keyboard.press("Enter")
    await answered(viewer, "Clock of decoder line corrected by -0.250")
    said = [each for each in await tower.log(viewer) if each["type"] in ("passing_reassigned", "passing_added", "decoder_clock_corrected")]
    given, added, clock = said
    assert (given["car"], given["passing"]["decoder"], given["reason"]) == ("3", "line", "transponders were swapped")
    assert (added["car"], added["loop"], added["at"] % S) == ("9", "SF", 900_000)
    assert (clock["decoder"], clock["offset_us"], clock["by"]) == ("line", -250_000, "Anna Roy")


async def test_an_amended_result_follows_what_was_decided_after_a_provisional_one(tower: Tower) -> None:
    viewer = await tower.sign_in("administrator")
    page = await on(viewer)
    await page.keyboard.press("Shift+Q")
    await answered(viewer, "Chequered flag")
    await page.keyboard.press("p")
    await page.click('#results [data-stage="provisional"]:enabled')
    assert await page.is_disabled('#results [data-stage="amended"]'), "nothing to amend"
    await page.wait_for_selector("#found :is(p, table)")
    await page.click("#send")
    await answered(viewer, "Provisional result published")
    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("d")
    await page.select_option("#decision-penalty", "disqualified")
    await page.click("#decision button.send")
    await page.wait_for_selector("#found table")
    await page.click("#send")
    await answered(viewer, "Car 7: Disqualified")
    await page.wait_for_selector("#waiting .due:has-text('Amended result due')")
    await page.keyboard.press("p")
    await page.wait_for_selector(".versions .table tr:has-text('7')")
    await page.click('#results [data-stage="amended"]:enabled')
    await page.wait_for_selector("#found :is(p, table)")
    await page.click("#send")
    await answered(viewer, "Amended result published")
    await page.wait_for_selector("#waiting .due", state="hidden")
    stages = [(each["stage"], each["current"]) for each in (await tower.document("versions"))["versions"]]
    assert stages == [("provisional", False), ("amended", True)]
