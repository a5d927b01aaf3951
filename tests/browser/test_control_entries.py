"""The timekeeper on the console: entries made and changed, drivers, transponders, the grid, the start, segments and the end."""

import json
import time
from typing import Any

import pytest
from tower import LOOPS, S, Tower, answered, on, race

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def of_type(tower: Tower, viewer: Any, *types: str) -> list[dict[str, Any]]:
    """Give the events of these types that were given at the console, without what the service fills in."""
    said = [each for each in await tower.log(viewer) if each["type"] in types and "acted_by" in each]
    return [{key: value for key, value in each.items() if key not in {"id", "at", "acted_by"}} for each in said]


async def test_a_car_that_nobody_entered_is_entered_by_keyboard_and_its_laps_are_there(empty_tower: Tower) -> None:
    tower = empty_tower
    await tower.publish([line for line in race(int(time.time() - 300) * S) if b"entry-9" not in line and b'"grid"' not in line])
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    press, kind = page.keyboard.press, page.keyboard.type
    await press("e")
    assert await page.evaluate("document.activeElement.id") == "entry-car"
    for text in ("9", "GT", "Écurie du Tarn", "Anna Roy", "roy", "Gold"):
        await kind(text)
        await press("Tab")
    assert await page.inner_text("#entry .send") == "Enter it: see what it changes"
    await press("Tab")
    await press("Enter")  # one more driver
    for text in ("Ben Fox", "", "Silver"):
        await kind(text)
        await press("Tab")
    await page.fill("#entry-transponders", "T9, T9b")
    await press("Enter")
    await page.wait_for_selector("#found tr:has-text('9'):has-text('P2')")
    assert not await of_type(tower, viewer, "entry_registered"), "nothing is sent before it is seen"
    await press("Enter")
    await answered(viewer, "Car 9 entered in GT")
    assert await of_type(tower, viewer, "entry_registered") == [
        {"type": "entry_registered", "car": "9", "class": "GT", "team": "Écurie du Tarn", "transponders": ["T9", "T9b"], "guest": False,
         "drivers": [{"id": "roy", "name": "Anna Roy", "category": "Gold"}, {"id": "Ben Fox", "name": "Ben Fox", "category": "Silver"}],
         "championships": []}
    ]  # fmt: skip
    assert [row["car"] for row in (await tower.document("result"))["rows"]] == ["7", "9", "3", "5"]


async def test_an_entry_is_changed_from_what_it_was_and_what_is_not_touched_stays(tower: Tower) -> None:
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    await page.click('.car-line[data-car="9"]')
    await page.keyboard.press("e")
    await viewer.becomes("document.querySelector('#entry-class').value === 'GT'")
    assert await page.input_value("#entry-transponders") == "T9"
    await page.fill("#entry-class", "TC")
    await page.fill('.driver [data-what="name"]', "Anna Roy")
    await page.click("#entry .send:has-text('Change it')")
    await page.wait_for_selector("#found tr:has-text('9'):has-text('GT → TC')")
    await page.click("#send")
    await answered(viewer, "Entry of car 9 changed (TC)")
    await page.wait_for_selector("#entry-wheel option[value='Anna Roy']", state="attached")
    await page.click("#entries button:has-text('At the wheel from now on')")
    await answered(viewer, "Car 9: Anna Roy at the wheel")
    await page.wait_for_selector("#journal button:has-text('Undo: Car 9: Anna Roy at the wheel')")
    await page.fill("#entry-transponder", "T99")
    await page.fill("#entry-from", "25:00:00")
    await page.keyboard.press("Enter")
    assert not await page.is_visible("#proposal"), "that is no time"
    await page.fill("#entry-from", "00:00:01")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#found .none")
    await page.click("#send")
    await answered(viewer, "Transponder T99 is on car 9")
    changed, driver, assigned = await of_type(tower, viewer, "entry_registered", "driver_changed", "transponder_assigned")
    assert (changed["class"], changed["transponders"]) == ("TC", ["T9"])
    assert driver == {"type": "driver_changed", "car": "9", "driver": "Anna Roy"}
    assert (assigned["transponder"], assigned["car"], "until" in assigned) == ("T99", "9", False)
    assert assigned["from"] % (60 * S) == S


async def test_what_another_enters_or_takes_back_is_in_the_form_too(tower: Tower) -> None:
    viewer, other = await tower.sign_in("timekeeper"), await tower.sign_in("timekeeper", name="Ben Fox")
    page = await on(viewer)
    await page.click('.car-line[data-car="9"]')
    await page.keyboard.press("e")
    await viewer.becomes("document.querySelector('#entry-class').value === 'GT'")
    await on(other)
    await other.page.click('.car-line[data-car="9"]')
    await other.page.keyboard.press("e")
    await other.becomes("document.querySelector('#entry-class').value === 'GT'")
    await other.page.fill("#entry-team", "Écurie du Tarn")
    await other.page.keyboard.press("Enter")
    await other.page.wait_for_selector("#found :is(table, .none)")
    await other.page.keyboard.press("Enter")
    await viewer.becomes("document.querySelector('#entry-team').value === 'Écurie du Tarn'")
    await page.fill("#entry-car", "5")
    await page.keyboard.press("Tab")
    await page.fill("#entry-team", "half written")
    await other.page.keyboard.press("Shift+U")
    await answered(other, "Undone: Car 9 entered in GT")
    await other.becomes("document.querySelector('#entry-team').value === ''")
    assert await page.input_value("#entry-team") == "half written", "it is about another car"


async def test_a_transponder_that_nobody_has_is_given_to_its_car_from_what_waits(empty_tower: Tower) -> None:
    tower = empty_tower
    await tower.publish([line.replace(b'["T9"]', b'["T8"]').replace(b'["T3"]', b'["T2"]') for line in race(int(time.time() - 300) * S)])
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    assert await page.is_visible("#session"), "what a timekeeper has first is open"
    await page.wait_for_selector("#waiting [data-anomaly='anomaly/unknown_transponder/T9']")
    await page.click("#waiting [data-anomaly='anomaly/unknown_transponder/T9'] button:has-text('Say whose it is')")
    assert await page.input_value("#entry-transponder") == "T9"
    assert await page.evaluate("document.activeElement.id") == "entry-car"
    await page.keyboard.type("9")
    await page.click("#assign button")
    await page.wait_for_selector("#found tr:has-text('9'):has-text('→ P2')")
    await page.click("#send")
    await answered(viewer, "Transponder T9 is on car 9")
    await page.wait_for_selector("#waiting [data-anomaly='anomaly/unknown_transponder/T9']", state="detached")
    assert [row["car"] for row in (await tower.document("result"))["rows"]][:2] == ["7", "9"]


async def test_a_car_retires_and_another_is_withdrawn_each_with_what_it_changes(tower: Tower) -> None:
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    await page.click('.car-line[data-car="7"]')
    await page.keyboard.press("e")
    await page.fill("#entry-reason", "gearbox")
    await page.click('#entries [data-type="car_retired"]:enabled')
    await page.wait_for_selector("#found :is(tr:has-text('7'), p)")
    await page.click("#send")
    await answered(viewer, "Car 7 has retired")
    await page.wait_for_selector('.car-line[data-car="7"] .state:not(:empty)')
    await page.click('.car-line[data-car="5"]')
    await page.click('#entries [data-type="car_withdrawn"]:enabled')
    await page.click("#send")
    await answered(viewer, "Car 5 is withdrawn")
    assert await of_type(tower, viewer, "car_retired", "car_withdrawn") == [
        {"type": "car_retired", "car": "7", "reason": "gearbox"}, {"type": "car_withdrawn", "car": "5"},
    ]  # fmt: skip


async def test_a_session_from_its_grid_to_its_end(empty_tower: Tower) -> None:
    """It was opened the day before: what is said now holds from now, by the service's clock, however wrong that of the desk is."""
    tower = empty_tower
    await tower.publish([line for line in race(int(time.time() - 86_400) * S, laps=0) if b'"grid"' not in line and b'"start"' not in line])
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    await page.clock.install(time=time.time() - 3_600)
    await page.reload()
    await on(viewer)
    assert await page.is_hidden("#exercise"), "a session that waits for its start is no exercise"
    await page.keyboard.press("s")
    assert await page.evaluate("document.activeElement.id") == "start"
    await page.fill("#grid-order", "9 7 – 3")
    await page.click("#session form button")
    await page.wait_for_selector("#found :is(table, .none)")
    await page.click("#send")
    await answered(viewer, "Grid set")
    await viewer.becomes("document.querySelector('#grid-order').value === '9 7 - 3'")
    before = time.time_ns() // 1000
    await page.keyboard.press("s")
    await page.keyboard.press("Enter")
    await answered(viewer, "Start")
    await page.wait_for_selector("#session .stands:has-text('Running. Started at')")
    assert await page.is_disabled("#start")
    [started] = [each for each in await tower.log(viewer) if each["type"] == "session_started"]
    assert before - 60 * S < started["at"] < time.time_ns() // 1000 + 60 * S, "not an hour ago"
    await page.click("#end:enabled")
    await page.click("#send")
    assert await page.is_visible("#proposal"), "not without the tick"
    await page.check("#sure")
    await page.click("#send")
    await answered(viewer, "Session closed")
    assert await of_type(tower, viewer, "grid_set", "session_started", "session_ended") == [
        {"type": "grid_set", "cars": ["9", "7", None, "3"]}, {"type": "session_started"}, {"type": "session_ended"},
    ]  # fmt: skip


async def test_segments_of_qualifying_begin_and_close(empty_tower: Tower) -> None:
    tower, at = empty_tower, int(time.time() - 60) * S
    opening = {"type": "session_opened", "id": "open", "at": at, "session": "sunday", "name": "Sunday", "kind": "qualifying",
               "rulebook": "fia-f1-2025", "distance": {"minutes": 60}, "circuit": {"name": "Albi", "loops": LOOPS}}  # fmt: skip
    entries = [{"type": "entry_registered", "id": f"e{car}", "at": at, "car": car, "class": "F1"} for car in "79"]
    await tower.publish([json.dumps(each).encode() for each in (opening, *entries)])
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    await page.keyboard.press("s")
    assert await page.locator("#segment option").all_inner_texts() == ["Q1", "Q2", "Q3"]
    await page.click("#start:enabled")
    await answered(viewer, "Start")
    await page.click('#session [data-type="segment_started"]')
    await answered(viewer, "Q1 started")
    await page.wait_for_selector("[data-at=segment]:has-text('Q1')")
    await page.select_option("#segment", "Q2")
    await page.click('#session [data-type="segment_ended"]')
    await page.wait_for_selector("#found .refused:has-text('It would be refused: Q2 has not started')")
    await page.keyboard.press("Escape")
    await page.select_option("#segment", "Q1")
    await page.click('#session [data-type="segment_ended"]')
    await page.wait_for_selector("#found :is(table, .none)")
    await page.click("#send")
    await answered(viewer, "Q1 closed")
    assert await of_type(tower, viewer, "segment_started", "segment_ended") == [
        {"type": "segment_started", "segment": "Q1"}, {"type": "segment_ended", "segment": "Q1"},
    ]  # fmt: skip
