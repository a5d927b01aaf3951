"""The stewards' decisions on the console: what a penalty would change, the rulebook's offences, the life of a decision."""

import json
import time

import pytest
from tower import S, Tower, answered, on, race

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_steward_decides_with_the_preview_and_shows_no_flags(tower: Tower) -> None:
    viewer = await tower.sign_in("steward")
    page = await on(viewer)
    assert await page.is_disabled('.flag[data-status="red"]')
    assert await page.inner_text("#flags .denied") == "For this one signs in as race director; you are steward."
    await page.keyboard.press("Shift+S")
    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("d")
    await page.click("#decision .group button:has-text('5') >> nth=0")
    await page.fill("#decision-reason", "Track limits")
    await page.fill("#decision-article", "33.1")
    await page.click("#decision button.send")
    await page.wait_for_selector("#found tr:has-text('7'):has-text('P1 → P4')")
    assert not [each for each in await tower.log(viewer) if each["type"] == "decision"], "nothing is sent before it is seen"
    await page.click("#send")
    await answered(viewer, "Car 7: 5 s: Track limits")
    await page.wait_for_selector('.car-line[data-car="7"] .badge:has-text("5 s")')
    [decision] = [each for each in await tower.log(viewer) if each["type"] == "decision"]
    assert {name: decision[name] for name in ("decision", "car", "penalty", "seconds", "reason", "article")} == {
        "decision": "D1", "car": "7", "penalty": "time", "seconds": 5, "reason": "Track limits", "article": "33.1"
    }  # fmt: skip
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["9", "3", "5", "7"]
    steps = await page.locator('[data-decision="D1"] button').all_inner_texts()
    assert steps == ["amend", "served", "converted", "suspended", "quashed"]
    await page.click('[data-decision="D1"] button:has-text("served")')
    await page.wait_for_selector("#found tr:has-text('P4 → P1')")
    await page.click("#send")
    await answered(viewer, "Decision D1, car 7: served")
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["7", "9", "3", "5"]
    assert [each["type"] for each in await tower.log(viewer) if each.get("acted_by")] == ["decision", "decision_updated"], "no flag"


async def test_an_offence_fills_in_the_penalty_and_all_of_it_can_be_changed(empty_tower: Tower) -> None:
    await empty_tower.publish([line.replace(b'"mitjet"', b'"fia-f1"') for line in race(int(time.time() - 400) * S)])
    viewer = await empty_tower.sign_in("steward", locale="fr-FR")
    page = await on(viewer)

    async def filled() -> list[str]:
        return [await page.input_value(f"#decision-{field}") for field in ("penalty", "amount", "reason", "article")]

    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("d")
    assert await page.inner_text("label[for=decision-offence]") == "Infraction"
    assert len((await empty_tower.document("controls"))["offences"]) == await page.locator("#decision-offence option").count() - 1
    await page.select_option("#decision-offence", label="Entering the closed pit lane · 34.15b")
    assert await filled() == ["stop_go", "10", "Entering the closed pit lane", "34.15b"]
    await page.select_option("#decision-offence", label="Speeding in the pit lane · 34.7c")
    assert await filled() == ["time", "5", "Speeding in the pit lane", "34.7c"]
    await page.fill("#decision-amount", "10")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found tr:has-text('7'):has-text('P1 → P4')")
    await page.keyboard.press("Enter")
    await page.wait_for_selector('.car-line[data-car="7"] .badge:has-text("10 s")')
    await viewer.becomes("document.querySelector('#decision-offence').value === ''")
    [said] = [each for each in await empty_tower.log(viewer) if each["type"] == "decision"]
    assert [said[name] for name in ("penalty", "seconds", "reason", "article")] == ["time", 10, "Speeding in the pit lane", "34.7c"]


async def test_without_offences_in_the_rulebook_a_penalty_is_chosen_itself(empty_tower: Tower) -> None:
    await empty_tower.publish([line.replace(b'"mitjet"', b'"imsa"') for line in race(int(time.time() - 400) * S)])
    page = await on(await empty_tower.sign_in("steward"))
    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("d")
    assert await page.evaluate("document.activeElement.id") == "decision-penalty"
    assert not await page.is_visible("#decision-offence")


async def test_a_penalty_amended_at_the_hearing_takes_the_place_of_the_one_before(tower: Tower) -> None:
    viewer = await tower.sign_in("steward")
    page = await on(viewer)
    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("d")
    await page.select_option("#decision-penalty", "time")
    await page.fill("#decision-amount", "10")
    await page.fill("#decision-reason", "Causing a collision")
    await page.fill("#decision-article", "33.4")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found .table")
    await page.keyboard.press("Enter")
    await answered(viewer, "Car 7: 10 s: Causing a collision")
    await page.click('[data-decision="D1"] button:has-text("amend")')
    await page.wait_for_selector(".instead:has-text('In the place of decision D1')")
    assert await page.evaluate("document.activeElement.id") == "decision-amount"
    filled = [await page.input_value(f"#decision-{field}") for field in ("car", "penalty", "amount", "reason", "article", "stage", "name")]
    assert filled == ["7", "time", "10", "Causing a collision", "33.4", "issued", "D2"]
    await page.fill("#decision-amount", "2.5")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found tr:has-text('7'):has-text('P4 → P3')")
    assert len([each for each in await tower.log(viewer) if each["type"] == "decision"]) == 1, "nothing is sent before it is seen"
    await page.keyboard.press("Enter")
    await answered(viewer, "Decision D1, car 7: quashed")
    said = [each for each in await tower.log(viewer) if each["type"] in ("decision", "decision_updated")]
    assert [(each["decision"], each.get("seconds"), each.get("stage", "issued"), each["reason"]) for each in said] == [
        ("D1", 10, "issued", "Causing a collision"),
        ("D2", 2.5, "issued", "Causing a collision"),
        ("D1", None, "quashed", "decision D2 takes its place"),
    ]
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["9", "3", "7", "5"]
    assert await page.is_hidden(".instead")
    await page.click('[data-decision="D2"] button:has-text("amend")')
    await page.click(".instead button")
    assert (await page.input_value("#decision-reason"), await page.is_hidden(".instead")) == ("", True)


async def test_a_decision_is_converted_to_seconds_that_the_stewards_name(tower: Tower) -> None:
    viewer = await tower.sign_in("steward")
    page = await on(viewer)
    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("d")
    await page.select_option("#decision-penalty", "drive_through")
    await page.click("#decision button.send")
    await page.wait_for_selector("#found :is(table, .none)")
    await page.click("#send")
    await answered(viewer, "Car 7: Drive-through")
    await page.click('[data-decision="D1"] button:has-text("converted")')
    await page.wait_for_selector("#found table")
    assert await page.evaluate("document.activeElement.id") == "seconds"
    await page.fill("#seconds", "1,5")
    await page.keyboard.press("Tab")
    await page.wait_for_selector("#found tr:has-text('7'):has-text('P2')")
    await page.click("#send")
    await answered(viewer, "Decision D1, car 7: converted")
    [converted] = [each for each in await tower.log(viewer) if each["type"] == "decision_updated"]
    assert (converted["stage"], converted["seconds"]) == ("converted", 1.5)
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["9", "7", "3", "5"]


def close_race() -> list[bytes]:
    """Tell a race in which 7 and 9 come to the flag level to the microsecond."""
    start = int(time.time() - 400) * S
    last = [
        {"type": "passing", "decoder": "line", "boot": 1, "number": 900 + n, "loop": "SF", "transponder": f"T{car}", "at": start + at * S}
        for n, (car, at) in enumerate((("7", 240), ("9", 240), ("3", 242), ("5", 243)))
    ]
    return [*(line.replace(b'"laps": 30', b'"laps": 4') for line in race(start)), *(json.dumps(each).encode() for each in last)]


async def test_the_photo_finish_waits_for_the_stewards_who_rule_in_one_touch_and_a_look(empty_tower: Tower) -> None:
    await empty_tower.publish(close_race())
    viewer = await empty_tower.sign_in("steward")
    page = await on(viewer)
    await page.wait_for_selector("#waiting .photos:has-text('Photo finish: 7, 9')")
    await page.keyboard.press("o")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.innerText") == "7 before 9"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found tr:has-text('9'):has-text('P2 → P1')")
    await page.keyboard.press("Enter")
    await answered(viewer, "Finish order ruled: 9 < 7")
    await page.wait_for_selector("#waiting .photos:empty", state="attached")
    await page.fill("#photo-order", "7, 9")
    await page.check("#photo-level")
    await page.fill("#photo-reason", "No difference on the photo")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found table")
    await page.keyboard.press("Enter")
    await answered(viewer, "Finish order ruled: 7 = 9 level")
    said = [each for each in await empty_tower.log(viewer) if each["type"] == "finish_order_ruled"]
    assert [(each["cars"], each.get("dead_heat", False), each.get("reason"), each["by"]) for each in said] == [
        (["9", "7"], False, None, "Anna Roy"),
        (["7", "9"], True, "No difference on the photo", "Anna Roy"),
    ]
    assert [(row["car"], row["position"]) for row in (await empty_tower.document("result"))["rows"]][:3] == [("7", 1), ("9", 1), ("3", 3)]
