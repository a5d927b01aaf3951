"""Watching for those who are signed in alone: pages, documents and feed, through real sockets; and the feed's door in the open."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from timing.domain.roles import Rights
from timing.services.app import Service
from timing.services.settings import Settings

Opening = Callable[..., dict[str, Any]]


@pytest.fixture
async def service(tmp_path: Path, opening: Opening, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    changes = {"viewing": "signed-in", **getattr(request, "param", {})}
    async with Service(Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0, **changes)) as service:
        for session in ("race-1", "race-2"):
            async with httpx.AsyncClient(base_url=service.addresses.pages, headers=bearer(service, "timekeeper")) as client:
                assert (await client.post(f"/api/sessions/{session}/session", json=opening(session))).status_code == 200
        yield service


def bearer(service: Service, role: Any = "viewer", *sessions: str) -> dict[str, str]:
    token, _ = service.access.tokens.issue("Program", Rights(roles=(role,), sessions=sessions or ("*",)), 3600, once=False)
    return {"authorization": f"Bearer {token}"}


async def cookie(service: Service) -> str:
    token, _ = service.access.tokens.issue("Anna", Rights(roles=("viewer",)), 3600)
    async with httpx.AsyncClient(base_url=service.addresses.pages) as client:
        answer = await client.post("/api/sign-in", json={"token": token}, headers={"x-parcferme": "1"})
    return str(answer.headers["set-cookie"]).partition(";")[0]


async def test_pages_lead_to_the_sign_in_and_programs_hear_why(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.addresses.pages) as client:
        for path in ("/", "/sessions", "/s/race-1"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
            assert "content-security-policy" in answer.headers
        for path in ("/api/sessions", "/api/feed", "/api/sessions/race-1/result", "/api/sessions/race-1/cars/7"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
        for path in ("/sign-in", "/static/js/sign-in.js", "/health", "/api/me"):
            assert (await client.get(path)).status_code == 200


async def test_who_is_signed_in_watches_their_sessions(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.addresses.pages, headers=bearer(service, "viewer", "race-1")) as client:
        assert [(await client.get(f"/{path}")).status_code for path in ("s/race-1", "sessions", "api/sessions/race-1/result")] == [200] * 3
        for path in ("/s/race-2", "/api/sessions/race-2/result"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
        shown = await client.get("/s/race-2", headers={"accept": "text/html,*/*;q=0.8", "accept-language": "fr"})
        assert (shown.status_code, shown.headers["content-language"]) == (403, "fr")
        assert "Connectez-vous avec un autre jeton" in shown.text
        assert 'href="/sign-in?next=/s/race-2"' in shown.text
        assert "race-1" not in shown.text, "other sessions are not shown to who may not see this one"


async def refused(url: str, **headers: str) -> int:
    with pytest.raises(InvalidStatus) as found:
        async with connect(url, additional_headers=headers):
            pass
    return found.value.response.status_code


async def test_the_feed_asks_for_the_same(service: Service) -> None:
    feed, own = f"{service.addresses.feed}/v1/sessions/race-1", service.addresses.pages.rstrip("/")
    assert await refused(feed) == 401
    assert await refused(feed, authorization="Bearer nonsense") == 401
    assert await refused(feed, **bearer(service, "viewer", "race-2")) == 403
    passed = await cookie(service)
    assert await refused(feed, cookie=passed, origin="http://evil.example") == 403
    assert await refused(feed, cookie=passed, origin="null") == 403
    for headers in (bearer(service), {"cookie": passed, "origin": own}):
        async with connect(feed, additional_headers=headers) as screen:
            assert json.loads(await screen.recv())["kind"] == "snapshot"
    async with httpx.AsyncClient() as client:
        listed = service.addresses.feed.replace("ws", "http", 1) + "/v1/sessions"
        assert (await client.get(listed)).status_code == 401
        assert (await client.get(listed, headers=bearer(service))).status_code == 200


async def test_a_screen_is_shown_out_when_its_sign_in_is_revoked(service: Service) -> None:
    token, issued = service.access.tokens.issue("Anna", Rights(roles=("viewer",)), 3600, once=False)
    async with connect(f"{service.addresses.feed}/v1/sessions/race-1", additional_headers={"authorization": f"Bearer {token}"}) as screen:
        await screen.recv()
        service.access.tokens.revoke(issued.id)
        await screen.wait_closed()
    assert (screen.close_code, screen.close_reason) == (1008, "your sign-in is over; sign in again")


@pytest.mark.parametrize("service", [{"viewing": "public", "max_screens_per_address": 2}], indirect=True)
async def test_in_public_anybody_watches_but_not_without_end(service: Service) -> None:
    feed = f"{service.addresses.feed}/v1/sessions/race-1"
    async with connect(feed, origin="http://elsewhere.example"), connect(feed):  # type: ignore[arg-type]
        assert await refused(feed) == 503
    async with connect(feed):
        pass


@pytest.mark.parametrize("service", [{"viewing": "public", "root_path": "/timing"}], indirect=True)
async def test_behind_a_proxy_with_a_path(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.addresses.pages) as client:
        forwarded = {"x-forwarded-proto": "https", "host": "club.example"}
        answer = await client.get("/", headers=forwarded)
        assert answer.headers["location"] in {"/timing/s/race-1", "/timing/s/race-2"}
        token, _ = service.access.tokens.issue("Anna", Rights(roles=("race-director",)), 3600)
        signed = await client.post(
            "/api/sign-in", json={"token": token}, headers={**forwarded, "x-parcferme": "1", "origin": "https://club.example"}
        )
        assert signed.status_code == 200
        assert "path=/timing;" in signed.headers["set-cookie"].lower() + ";"
        assert "secure" in signed.headers["set-cookie"].lower()


@pytest.mark.parametrize("service", [{"viewing": "public"}], indirect=True)
async def test_a_supposed_red_flag_is_for_those_who_speak(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.addresses.pages) as client:
        path = "/api/sessions/race-1/red-flag"
        assert (await client.get(path)).status_code == 200
        for headers, status in (({}, 401), (bearer(service), 403), (bearer(service, "race-director"), 200)):
            assert (await client.get(path, params={"at": "1747401000000000"}, headers=headers)).status_code == status


async def test_the_terminal_watches_with_a_token(service: Service) -> None:
    async def watch(**environment: str) -> tuple[int | None, str]:
        program = "import sys; from timing.cli import main; sys.argv[0] = 'timing'; main()"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, "watch", service.addresses.feed, "--once",
            env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode, said.decode()

    assert (await watch())[0] == 1
    status, said = await watch(TIMING_TOKEN=bearer(service)["authorization"].partition(" ")[2])
    assert (status, "Race" in said) == (0, True), said
