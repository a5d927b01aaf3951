"""Race control's console in a browser, through the real broker, door, log and feed: who may do what, and what becomes of a command."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from running_service import Service as Running
from tower import S, Tower, View, answered, on, race

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_race_director_shows_the_safety_car_and_green_and_everybody_sees_it(tower: Tower) -> None:
    watching = await tower.view(f"{tower.pages}s/sunday")
    viewer = await tower.sign_in("race-director")
    page = await on(viewer)
    await page.click('.flag[data-status="safety_car"]')
    await answered(viewer, "Safety car")
    await watching.page.wait_for_selector('html[data-track="safety_car"]')
    await page.wait_for_selector('.flag[data-status="safety_car"][aria-pressed="true"]')
    await page.wait_for_selector(".record:first-child:has-text('Anna Roy, race director')")
    await page.keyboard.press("Shift+P")
    await answered(viewer, "Pit lane closed")
    await page.wait_for_selector("[data-at=pit-lane]:has-text('Pit lane closed')")
    await page.keyboard.press("Shift+G")
    await answered(viewer, "Green")
    await watching.page.wait_for_selector('html[data-track="green"]')
    await page.click('#flags [data-sector="2"]')
    await page.fill("#cause", "5")
    await page.click('.flag[data-status="yellow"]')
    await answered(viewer, "Yellow flag, sector 2")
    await page.wait_for_selector("#journal button:has-text('Undo: Yellow flag')")
    await page.keyboard.press("Shift+U")
    await answered(viewer, "Undone: Yellow flag, sector 2")
    await page.wait_for_selector(".record.struck:has-text('Yellow flag')")
    said = [each for each in await tower.log(viewer) if each.get("acted_by")]
    assert [(each["type"], each.get("status"), each.get("sectors"), each.get("cause")) for each in said] == [
        ("track_status", "safety_car", None, None),
        ("pit_lane", None, None, None),
        ("track_status", "green", None, None),
        ("track_status", "yellow", [2], "5"),
        ("event_voided", None, None, None),
    ]
    assert {each["acted_by"]["name"] for each in said} == {"Anna Roy"}
    assert await page.is_disabled("#decision .send")
    await page.keyboard.press("d")
    assert await page.inner_text("#decision .denied") == "For this one signs in as steward; you are race director."


async def test_a_viewer_is_told_what_is_missing_and_so_is_who_has_not_signed_in(tower: Tower) -> None:
    viewer = await tower.sign_in("viewer", name="Jo")
    await viewer.page.wait_for_selector("#gate:has-text('Jo is signed in as viewer')")
    assert not await viewer.page.is_visible("#console")
    stranger = await tower.view(f"{tower.pages}s/sunday/control", locale="fr-FR")
    await stranger.page.wait_for_selector("#gate:has-text('Il faut un rôle')")
    assert (await stranger.page.get_attribute("#to-sign-in", "href")).endswith("/sign-in?next=%2Fs%2Fsunday%2Fcontrol")
    await stranger.page.goto(f"{tower.pages}s/sunday")
    assert not await stranger.page.is_visible("#ways a[href$=control]"), "the way is not shown to who only watches"


async def test_what_is_refused_says_why(tower: Tower) -> None:
    viewer = await tower.sign_in("administrator")
    page = await on(viewer)
    await page.keyboard.press("m")
    await page.click(".usual button >> nth=0")
    await page.fill("#text-car", "99 ")
    await page.keyboard.press("Enter")
    await answered(viewer, "car 99 is not entered", "refused")
    assert await page.input_value("#text") == "Debris on the track", "what was refused stays, to be mended"
    await page.wait_for_selector(".record.refused:has-text('unknown-car')")
    await page.keyboard.press("Escape")
    await page.keyboard.press("d")
    await page.fill("#decision-car", "98")
    await page.select_option("#decision-penalty", "drive_through")
    await page.click("#decision button.send")
    await page.wait_for_selector("#found .refused:has-text('It would be refused: car 98 is not entered')")
    await page.keyboard.press("Escape")
    assert not await page.is_visible("#proposal")
    viewer.complaints = [each for each in viewer.complaints if "409" not in each]  # what a browser says of a refusal


async def test_a_refusal_is_in_the_viewers_language(tower: Tower) -> None:
    viewer = await tower.sign_in("race-director", locale="fr-FR")
    page = await on(viewer)
    await page.keyboard.press("m")
    await page.fill("#text", "Drapeau noir")
    await page.fill("#text-car", "99")
    await page.keyboard.press("Enter")
    await answered(viewer, "refusée : la voiture 99 n’est pas engagée ; engagez-la d’abord (unknown-car)", "refused")
    await page.wait_for_selector(".record.refused:has-text('la voiture 99 n’est pas engagée')")
    [refused] = [each for each in await tower.log(viewer) if each["type"] == "message_rejected"]
    assert refused["data"] == {"car": "99"}
    viewer.complaints = [each for each in viewer.complaints if "409" not in each]  # what a browser says of a refusal


async def test_an_overtake_that_nothing_explains_is_ruled_on(empty_tower: Tower) -> None:
    tower = empty_tower
    await tower.publish(race(int(time.time() - 400) * S, swapped=True))
    viewer = await tower.sign_in("race-director")
    page = await on(viewer)
    await page.wait_for_selector("#waiting [data-stands=open]:has-text('Car 9 overtook car 7 before S2')")
    await page.keyboard.press("o")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await answered(viewer, "Give back: Car 9 overtook car 7")
    await page.wait_for_selector("#waiting [data-stands=give_back]")
    await page.click("#waiting button:has-text('To the stewards')")
    await answered(viewer, "To the stewards: Car 9 overtook car 7")
    await viewer.becomes("document.querySelectorAll('.candidates li').length === 0")
    [overtake] = [each for each in (await tower.document("overtakes"))["overtakes"] if each["stands"] != "explained"]
    assert (overtake["car"], overtake["over"], overtake["stands"]) == ("9", "7", "referred")


async def test_one_that_is_accepted_waits_no_more(empty_tower: Tower) -> None:
    await empty_tower.publish(race(int(time.time() - 400) * S, swapped=True))
    viewer = await empty_tower.sign_in("race-director")
    page = await on(viewer)
    await page.click("#waiting [data-stands=open] button:has-text('Accept')")
    await answered(viewer, "Accept: Car 9 overtook car 7")
    await viewer.becomes("document.querySelectorAll('.candidates li').length === 0")
    [ruled] = [each for each in await empty_tower.log(viewer) if each["type"] == "overtake_ruled"]
    assert (ruled["ruling"], ruled["by"]) == ("accepted", "Anna Roy")


@pytest.mark.parametrize("rulebook", ["imsa", "mitjet"])
async def test_lapped_cars_are_waved_by_under_the_safety_car_all_or_by_name(empty_tower: Tower, rulebook: str) -> None:
    await empty_tower.publish([line.replace(b'"mitjet"', f'"{rulebook}"'.encode()) for line in race(int(time.time() - 300) * S)])
    viewer = await empty_tower.sign_in("race-director")
    page = await on(viewer)
    assert await page.is_disabled("#flags button:has-text('Wave by')"), "nobody is held back under green"
    await page.keyboard.press("Shift+S")
    await answered(viewer, "Safety car")
    await page.fill("#waved", "5, 3")
    await page.click("#flags button:has-text('Wave by'):enabled")
    await answered(viewer, "5, 3")
    assert await page.input_value("#waved") == ""
    assert await page.get_attribute("#waved", "placeholder") == ("all lapped" if rulebook == "imsa" else "which")
    await page.keyboard.press("Shift+B")
    if rulebook == "imsa":
        await answered(viewer, "Lapped cars")
    else:
        assert await page.evaluate("document.activeElement.id") == "waved", "under these rules one says which"
    said = [each for each in await empty_tower.log(viewer) if each["type"] == "wave_by"]
    assert [each.get("cars") for each in said] == [["5", "3"], None][: 2 if rulebook == "imsa" else 1]


async def test_without_an_answer_the_same_command_is_sent_again(tower: Tower) -> None:
    viewer = await tower.sign_in("race-director")
    page = await on(viewer)
    sent: list[dict[str, Any]] = []

    async def lose_the_first_answer(route: Any) -> None:
        sent.append(json.loads(route.request.post_data))
        if len(sent) > 1:
            await route.continue_()
        else:
            await route.fetch()
            await route.abort()

    await page.route("**/api/sessions/sunday/control", lose_the_first_answer)
    await page.click('.flag[data-status="code60"]')
    await answered(viewer, "no answer", "unanswered")
    for letter, words in (("Y", "Yellow"), ("S", "Safety car"), ("V", "Virtual"), ("W", "ending"), ("G", "Green")):
        await page.keyboard.press(f"Shift+{letter}")
        await page.wait_for_selector(f".answer.accepted:nth-child(2):has-text('{words}')")
    assert await page.locator(".answer.unanswered:first-child").count() == 1, "it stays in sight, whatever was said since"
    await page.click(".answer.unanswered button")
    await answered(viewer, "Code 60")
    assert sent[0] == sent[-1]
    assert len([each for each in await tower.log(viewer) if each.get("status") == "code60"]) == 1
    viewer.complaints = [each for each in viewer.complaints if "net::ERR_FAILED" not in each]


async def test_without_a_connection_commands_are_off_and_nobody_can_overlook_it(tmp_path: Path, view: View) -> None:
    running = Running(tmp_path)
    await running.start()
    try:
        await running.publish([line.decode() for line in race(int(time.time() - 300) * S)])
        token = await running.token("race-director")
        viewer = await view(f"{running.pages}sign-in?next=/s/demo-1/control")
        page = viewer.page
        await page.fill("#token", token)
        await page.keyboard.press("Enter")
        await on(viewer)
        await viewer.loses_connection()
        await running.end(kill=True)
        await page.wait_for_selector("#off:has-text('No connection: commands are off')", timeout=30_000)
        assert await page.is_disabled('.flag[data-status="red"]')
        await page.keyboard.press("Shift+R")
        assert not await page.query_selector(".answer")
        await running.start()
        await page.wait_for_selector('html[data-desk="on"]', timeout=30_000)
        await page.keyboard.press("Shift+R")
        await answered(viewer, "Red flag")
    finally:
        await running.end()
