"""Who asks: forged origins, tokens that do not hold, too many requests; refused, and said in the log without the secret."""

import json
from typing import Any

import httpx
import jwt
import pytest
import structlog
from office import MakeOffice, Office, signed_in

from timing.domain.errors import ConfigurationError
from timing.domain.roles import Rights
from timing.services.access import Rates, origins_checked
from timing.services.tokens import Tokens


def flag(name: str = "f1", **changes: Any) -> dict[str, Any]:
    return {"type": "track_status", "id": name, "status": "red", **changes}


CONTROL = "/api/sessions/race-1/control"


ORIGINS = [
    "http://evil.example",
    "null",
    "http://127.0.0.1",
    "https://127.0.0.1:{port}",
    "http://localhost:{port}",
    "HTTP://127.0.0.1:{port}",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_page_from_elsewhere_cannot_speak_through_a_browser(office: Office, origin: str) -> None:
    async with signed_in(office, "administrator") as browser:
        forged = origin.format(port=office.server.port)
        answer = await browser.post(CONTROL, json=flag(), headers={"origin": forged})
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-origin")
        for path in ("/api/sign-out", "/api/sign-in"):
            assert (await browser.post(path, json={"token": "x"}, headers={"origin": forged})).status_code == 403
        assert (await browser.post(CONTROL, json=flag())).status_code == 200, "still signed in"
        preflight = await browser.options(CONTROL, headers={"origin": forged, "access-control-request-method": "POST"})
        assert "access-control-allow-origin" not in preflight.headers


async def test_a_form_cannot_speak_for_who_is_signed_in(office: Office) -> None:
    async with signed_in(office, "administrator") as browser:
        del browser.headers["x-parcferme"]
        answer = await browser.post(CONTROL, content=json.dumps(flag()), headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong-origin")


async def test_named_origins_are_the_only_ones(make_office: MakeOffice) -> None:
    office = await make_office(origins=("https://timing.example.org",))
    async with office.program("race-director") as client:
        assert (await client.post(CONTROL, json=flag("f1"), headers={"origin": "https://timing.example.org"})).status_code == 200
    async with signed_in(office, "race-director", origin="https://timing.example.org") as browser:
        assert (await browser.post(CONTROL, json=flag("f2"))).status_code == 200
        assert (await browser.post(CONTROL, json=flag("f3"), headers={"origin": office.url})).status_code == 403


async def test_a_token_for_a_person_is_not_for_a_program(office: Office) -> None:
    token, _ = office.tokens.issue("Anna", Rights(roles=("administrator",)), 3600)
    async with httpx.AsyncClient(base_url=office.url, headers={"authorization": f"Bearer {token}"}) as client:
        answer = await client.post(CONTROL, json=flag())
    assert (answer.status_code, answer.json()["code"]) == (401, "once-only")


def bad_tokens(office: Office) -> dict[str, str]:
    long_ago = Tokens(office.folder, lambda: 1_000_000_000_000_000)
    rights = Rights(roles=("administrator",))
    good, issued = office.tokens.issue("Anna", rights, 3600, once=False)
    claims = jwt.decode(good, options={"verify_signature": False})
    office.tokens.revoke(issued.id)
    return {
        "expired": long_ago.issue("Anna", rights, 60, once=False)[0],
        "revoked": good,
        "bad-token": jwt.encode({**claims, "jti": "other", "tok": "other"}, bytes(32), "HS256"),
    }


async def test_what_does_not_hold_is_refused_logged_and_not_repeated(office: Office) -> None:
    with structlog.testing.capture_logs() as said:
        for code, token in bad_tokens(office).items():
            async with httpx.AsyncClient(base_url=office.url) as client:
                answers = [
                    await client.post(CONTROL, json=flag(), headers={"authorization": f"Bearer {token}"}),
                    await client.post("/api/sign-in", json={"token": token}, headers={"x-parcferme": "1"}),
                ]
            assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, code)] * 2
            assert not any(token[-20:] in answer.text for answer in answers)
        async with httpx.AsyncClient(base_url=office.url) as client:
            assert (await client.post(CONTROL, json=flag())).json()["code"] == "not-signed-in"
            assert (await client.post(CONTROL, json=flag(), headers={"authorization": "Basic eDp5"})).json()["code"] == "bad-token"
            assert (await client.post(CONTROL, json=flag(), headers={"cookie": f"{office.access.cookie}=x"})).json()["code"] == "bad-token"
    refusals = [entry for entry in said if entry["event"] == "request refused"]
    assert [entry["code"] for entry in refusals] == [
        "expired", "expired", "revoked", "revoked", "bad-token", "bad-token", "not-signed-in", "bad-token", "bad-token",
    ]  # fmt: skip
    assert {entry["client"] for entry in refusals} == {"127.0.0.1"}
    assert "eyJ" not in json.dumps(said, default=str), "no token in the log"
    assert len(office.records()) == 1, "a stranger writes nothing into the event log"


async def test_who_sends_too_much_is_slowed_down_and_others_are_not(make_office: MakeOffice) -> None:
    office = await make_office(Rates(commands=20))
    async with office.program("race-director") as one, office.program("race-director") as other:
        answers = [await one.post(CONTROL, json=flag(f"f{number}")) for number in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json()["code"] == "too-often"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await other.post(CONTROL, json=flag("other"))).status_code == 200


def test_origins_are_written_as_browsers_write_them() -> None:
    assert origins_checked(["https://timing.example.org", "http://10.0.0.4:8080"]) == ("https://timing.example.org", "http://10.0.0.4:8080")


@pytest.mark.parametrize(
    "origin", ["*", "timing.example.org", "https://timing.example.org/", "https://*.example.org", "ws://x", "https://X.org"]
)
def test_what_is_no_origin_is_named(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="allowed_origins"):
        origins_checked(["https://timing.example.org", origin])
