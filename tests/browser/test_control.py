"""Race control's console in a browser, through the real broker, door, log and feed: what each role may do, and what becomes of it."""

import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from running_service import Service as Running

from timing.domain.roles import Rights, Role
from timing.log.session_file import read_lines
from timing.services.app import Service
from timing.services.mqtt import Address
from timing.services.publisher import publish_lines
from timing.services.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
CARS = ("7", "9", "3", "5")
LOOPS = [{"id": "SF", "line": "finish"}, {"id": "S1", "line": "sector", "sector": 1}, {"id": "S2", "line": "sector", "sector": 2}]
S = 1_000_000
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def race(start: int, *, laps: int = 3, swapped: bool = False) -> list[bytes]:
    """Tell a race of four cars a second apart, a minute a lap; ``swapped``: then the safety car, under which 9 goes past 7 in sector 2."""
    said: list[dict[str, Any]] = [
        {"type": "session_opened", "id": "open", "at": start - 60 * S, "session": "sunday", "name": "Sunday", "kind": "race",
         "rulebook": "mitjet", "distance": {"laps": 30}, "circuit": {"name": "Albi", "loops": LOOPS}},
        *({"type": "entry_registered", "id": f"entry-{car}", "at": start - 50 * S, "car": car, "class": "GT" if car in "79" else "TC",
           "transponders": [f"T{car}"]} for car in CARS),
        {"type": "grid_set", "id": "grid", "at": start - 40 * S, "cars": list(CARS)},
        {"type": "session_started", "id": "start", "at": start},
    ]  # fmt: skip

    def heard(loop: str, after: int, cars: tuple[str, ...] = CARS) -> None:
        for place, car in enumerate(cars):
            said.append({"type": "passing", "decoder": "line", "boot": 1, "number": len(said), "loop": loop, "transponder": f"T{car}",
                         "at": start + (after + place) * S})  # fmt: skip

    for lap in range(laps):
        for loop, after in (("S1", 20), ("S2", 40), ("SF", 60)):
            heard(loop, 60 * lap + after)
    if swapped:
        after = 60 * laps
        said.append({"type": "track_status", "id": "sc", "at": start + (after + 6) * S, "status": "safety_car"})
        heard("S1", after + 30)
        heard("S2", after + 60, ("9", "7", "3", "5"))
    return [json.dumps(each).encode() for each in said]


class Tower:
    """A service with a race in it, and people who sign in."""

    def __init__(self, service: Service, view: View) -> None:
        self.service, self.view = service, view
        self.pages = service.addresses.pages

    async def publish(self, lines: list[bytes]) -> None:
        progress = await publish_lines(read_lines(lines), Address(self.service.addresses.mqtt), speed="max")
        assert progress.whole, progress.told

    async def sign_in(self, *roles: Role, name: str = "Anna Roy", **context: Any) -> Any:
        """Open the console, be led to the sign-in, and come back."""
        token, _ = self.service.access.tokens.issue(name, Rights(roles=roles), 3600)
        viewer = await self.view(f"{self.pages}s/sunday/control", **context)
        page = viewer.page
        await page.click("#to-sign-in")
        await page.fill("#token", token)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/s/sunday/control")
        return viewer

    async def log(self, viewer: Any) -> list[dict[str, Any]]:
        """Give the events of the log, as the page's own person sees it."""
        records: list[dict[str, Any]] = await viewer.page.evaluate(
            "async () => (await (await fetch('/api/sessions/sunday/log?limit=1000')).json()).records"
        )
        return [each["event"] for each in records]

    async def document(self, path: str) -> Any:
        async with httpx.AsyncClient(base_url=self.pages) as client:
            return (await client.get(f"/api/sessions/sunday/{path}")).raise_for_status().json()


async def answered(viewer: Any, words: str, state: str = "accepted") -> None:
    """Wait until the newest answer on the screen is this one."""
    await viewer.page.wait_for_selector(f".answer.{state}:first-child:has-text({json.dumps(words)})")


async def on(viewer: Any) -> Any:
    await viewer.page.wait_for_selector('html[data-desk="on"]')
    await viewer.page.wait_for_selector("#journal .record")
    return viewer.page


@pytest_asyncio.fixture(loop_scope="module")
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with Service(Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0)) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def empty_tower(service: Service, view: View) -> Tower:
    return Tower(service, view)


@pytest_asyncio.fixture(loop_scope="module")
async def tower(empty_tower: Tower) -> Tower:
    await empty_tower.publish(race(int(time.time() - 300) * S))
    return empty_tower


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


async def test_a_viewer_is_told_what_is_missing_and_so_is_who_has_not_signed_in(tower: Tower) -> None:
    viewer = await tower.sign_in("viewer", name="Jo")
    await viewer.page.wait_for_selector("#gate:has-text('Jo is signed in as viewer')")
    assert not await viewer.page.is_visible("#console")
    stranger = await tower.view(f"{tower.pages}s/sunday/control", locale="fr-FR")
    await stranger.page.wait_for_selector("#gate:has-text('Il faut un rôle')")
    assert (await stranger.page.get_attribute("#to-sign-in", "href")).endswith("/sign-in?next=%2Fs%2Fsunday%2Fcontrol")
    await stranger.page.goto(f"{tower.pages}s/sunday")
    assert not await stranger.page.is_visible("#ways a[href$=control]"), "the way is not shown to who only watches"


async def test_a_crossing_voided_given_away_and_added_each_with_what_it_changes(tower: Tower) -> None:
    viewer = await tower.sign_in("timekeeper")
    page = await on(viewer)
    await page.keyboard.press("c")
    await page.fill("#mending-car", "9")
    await page.keyboard.press("Enter")
    line = "#corrections tr:has-text('SF') >> nth=0"
    await page.click(f"{line} >> button:has-text('Void')")
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
    await page.click(".answer.unanswered button")
    await answered(viewer, "Code 60")
    assert sent[0] == sent[1]
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

    async def faults() -> list[str]:
        await page.evaluate(f"{AXE}; 0")
        found = await page.evaluate("(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        return [f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}" for each in found["violations"]]

    await page.click('.car-line[data-car="7"]')
    for status in ("green", "safety_car", "red"):
        await page.click(f'.flag[data-status="{status}"]')
        await page.wait_for_selector(f'.flag[data-status="{status}"][aria-pressed="true"]')
        assert await faults() == [], status
    await page.fill("#find", "99")
    await page.keyboard.press("Enter")
    for name in ("message", "decision", "corrections", "redflag", "results"):
        await page.click(f'[data-work="{name}"]')
        if name == "corrections":
            await page.click("#corrections form button >> nth=0")
            await page.wait_for_selector("#corrections td")
            await page.click("#corrections td button >> nth=0")
            await page.wait_for_selector("#found :is(table, .none)")
        assert await faults() == [], name
    small = await page.evaluate("""[...document.querySelectorAll("button, a, select, input")].filter((each) => {
      const {width, height} = each.getBoundingClientRect();
      return width > 0 && (width < 20 || height < 20);
    }).map((each) => each.outerHTML.slice(0, 90))""")
    assert small == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    await page.click("#tools button")
    assert await faults() == []


async def test_no_words_are_missing_in_french(tower: Tower) -> None:
    viewer = await tower.sign_in("administrator", locale="fr-FR")
    page = await on(viewer)
    for name in ("message", "decision", "corrections", "redflag", "results"):
        await page.click(f'[data-work="{name}"]')
    keys = await page.evaluate("import('/static/js/texts.js').then(({CATALOGUES}) => Object.keys(CATALOGUES.fr))")
    shown = await page.inner_text("body")
    assert [key for key in keys if "." in key and re.search(rf"(?<!\S){re.escape(key)}(?!\S)", shown)] == []
    assert "undefined" not in shown
    assert "Drapeau rouge" in shown
