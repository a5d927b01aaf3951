"""The stewards' decisions on the console: what a penalty would change, the rulebook's offences, the life of a decision."""

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
    assert steps == ["served", "converted", "suspended", "quashed"]
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
