"""Signing in as a person does: in a browser, on the page, with what `timing token new` printed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from timing.domain.roles import Rights
from timing.services.app import Service
from timing.services.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with Service(Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0)) as service:
        yield service


SEND = """async ([session, event]) => {
  const channel = event.type === "session_opened" ? "session" : "control";
  const answer = await fetch(`/api/sessions/${session}/${channel}`, {
    method: "POST", headers: { "x-parcferme": "1" }, body: JSON.stringify(event) });
  return [answer.status, await answer.json()];
}"""
OPENING = {
    "type": "session_opened", "id": "open", "at": 1_747_400_000_000_000, "session": "sunday", "name": "Sunday", "kind": "race",
    "rulebook": "mitjet", "distance": {"laps": 3}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish"}]},
}  # fmt: skip


async def test_from_a_token_to_a_flag_and_out_again(service: Service, browser: Browser) -> None:
    page, pages = await (await browser.new_context(locale="en-GB")).new_page(), service.addresses.pages
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    token, _ = service.access.tokens.issue("Anna Roy", Rights(roles=("timekeeper", "race-director")), 3600)
    await page.goto(f"{pages}sign-in?next=//evil.example/")
    await page.fill("#token", "nonsense")
    await page.click("button[type=submit]")
    await page.wait_for_selector("#said:has-text('This is no token')")
    assert await page.input_value("#token") == "", "nothing of it stays on the screen"
    await page.fill("#token", token)
    await page.click("button[type=submit]")
    await page.wait_for_url(lambda url: url.startswith(pages) and "sign-in" not in url)
    assert await page.evaluate(SEND, ["sunday", OPENING]) == [200, {"id": "open", "seq": 1}]
    assert await page.evaluate(SEND, ["sunday", {"type": "track_status", "id": "red", "status": "red"}]) == [200, {"id": "red", "seq": 2}]
    assert await page.evaluate("document.cookie") == "", "no script can read it"
    assert token not in await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage}) + location.href")
    log = await page.evaluate("async () => (await fetch('/api/sessions/sunday/log?after=1')).json()")
    assert [(each["seq"], each["event"]["status"], each["event"]["acted_by"]["name"]) for each in log["records"]] == [
        (2, "red", "Anna Roy")
    ]
    await page.goto(f"{pages}sign-in")
    await page.wait_for_selector("#who:has-text('Anna Roy, timekeeper, race director')")
    await page.click("#out")
    await page.wait_for_selector("#form:not([hidden])")
    status, said = await page.evaluate(SEND, ["sunday", {"type": "track_status", "id": "green", "status": "green"}])
    assert (status, said["code"]) == (401, "not-signed-in")
    await page.fill("#token", token)
    await page.click("button[type=submit]")
    await page.wait_for_selector("#said:has-text('has signed somebody in already')")
    assert faults == []
    await page.context.close()


async def test_the_page_speaks_french(service: Service, browser: Browser) -> None:
    page = await (await browser.new_context(locale="fr-FR")).new_page()
    await page.goto(f"{service.addresses.pages}sign-in")
    await page.wait_for_selector("h1:has-text('Connexion')")
    await page.fill("#token", "rien")
    await page.click("button[type=submit]")
    await page.wait_for_selector("#said:has-text('pas un jeton')")
    await page.context.close()


async def test_a_screen_whose_sign_in_is_over_leads_to_the_sign_in_and_back(tmp_path: Path, browser: Browser) -> None:
    settings = Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0, viewing="signed-in")
    async with Service(settings) as service:
        page, pages = await (await browser.new_context(locale="en-GB")).new_page(), service.addresses.pages
        rights = Rights(roles=("timekeeper",))
        (first, issued), (second, _) = (service.access.tokens.issue("Anna Roy", rights, 3600) for _ in range(2))
        await page.clock.install()
        await page.goto(f"{pages}sign-in")
        await page.fill("#token", first)
        await page.click("button[type=submit]")
        await page.wait_for_url(lambda url: "sign-in" not in url)
        assert (await page.evaluate(SEND, ["sunday", OPENING]))[0] == 200
        await page.goto(f"{pages}s/sunday?class=GT")
        await page.wait_for_selector('html[data-link="live"]')
        service.access.tokens.revoke(issued.id)
        await page.wait_for_selector('html[data-link="offline"]')
        await page.clock.fast_forward(16_000)  # it looks every 15 s
        await page.wait_for_url("**/sign-in?next=*")
        await page.fill("#token", second)
        await page.click("button[type=submit]")
        await page.wait_for_url("**/s/sunday?class=GT")
        await page.wait_for_selector('html[data-link="live"]')
        await page.context.close()
