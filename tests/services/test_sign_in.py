"""Signing in and out over HTTP: a token for a cookie, once, and the cookie kept from scripts and other sites."""

from typing import Any

import pytest
import structlog
from office import MakeOffice, Office, signed_in

from timing.domain.roles import Rights
from timing.services.access import Rates


def flag(name: str = "f1", **changes: Any) -> dict[str, Any]:
    return {"type": "track_status", "id": name, "status": "red", **changes}


CONTROL = "/api/sessions/race-1/control"


async def test_a_browser_signs_in_speaks_and_signs_out(office: Office) -> None:
    async with signed_in(office, "race-director", "steward") as browser:
        me = (await browser.get("/api/me", params={"session": "race-1"})).json()
        assert (me["signed_in"], me["name"], me["roles"], me["channels"]) == (
            True, "Anna Roy", ["race-director", "steward"], ["control", "stewards"],
        )  # fmt: skip
        assert (await browser.post(CONTROL, json=flag())).json() == {"id": "f1", "seq": 2}
        [cookie] = browser.cookies.jar
        assert (await browser.post("/api/sign-out")).json() == {"signed_in": False}
        assert not list(browser.cookies.jar), "the browser is told to forget it"
        copied = {"cookie": f"{cookie.name}={cookie.value}"}
        answer = await browser.post(CONTROL, json=flag("f2"), headers=copied)
        assert (answer.status_code, answer.json()["code"]) == (401, "revoked"), "and a copy of it is worth nothing"
        assert (await browser.get("/api/me", headers=copied)).json()["code"] == "revoked"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(office: Office) -> None:
    token, _ = office.tokens.issue("Anna", Rights(roles=("steward",)), 3600)
    async with office.browser() as browser:
        set_cookie = (await browser.post("/api/sign-in", json={"token": token})).headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in set_cookie.split(";")}
    age = int(set_cookie.partition("max-age=")[2].partition(";")[0])
    assert 3590 <= age <= 3600
    assert "secure" not in set_cookie
    assert office.access.cookie in set_cookie
    token, _ = office.tokens.issue("Anna", Rights(roles=("steward",)), 3600)
    https = {"x-forwarded-proto": "https", "origin": office.url.replace("http:", "https:")}
    async with office.browser() as browser:
        answer = await browser.post("/api/sign-in", json={"token": token}, headers=https)
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_a_used_token_is_refused_and_logged(office: Office) -> None:
    token, _ = office.tokens.issue("Anna", Rights(roles=("steward",)), 3600)
    async with office.browser() as one, office.browser() as other:
        assert (await one.post("/api/sign-in", json={"token": f" {token}\n"})).status_code == 200, "as it is pasted"
        with structlog.testing.capture_logs() as said:
            answer = await other.post("/api/sign-in", json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (401, "used-token")
    assert [entry["code"] for entry in said] == ["used-token"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token":7}', b'{"other":"x"}', b'{"token":"x","more":1}', b"\xff", b"x" * 10_000])
async def test_a_sign_in_that_is_none(office: Office, body: bytes) -> None:
    async with office.browser() as browser:
        answer = await browser.post("/api/sign-in", content=body)
    assert (answer.status_code, answer.json()["code"]) == ((413, "too-large") if len(body) > 8192 else (400, "bad-field"))


async def test_who_tries_tokens_is_slowed_down(make_office: MakeOffice) -> None:
    office = await make_office(Rates(sign_ins=4))
    async with office.browser() as browser:
        codes = [(await browser.post("/api/sign-in", json={"token": "x"})) for _ in range(3)]
    assert [answer.status_code for answer in codes] == [401, 401, 429]
    assert 1 <= int(codes[-1].headers["retry-after"]) <= 15
