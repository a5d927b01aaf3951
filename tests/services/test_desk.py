"""Commands over HTTP, through real sockets: who may, who may not, what is answered and what then stands in the log."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol, Self

import httpx
import jwt
import pytest
import structlog
from starlette.applications import Starlette

from timing.domain.events import MessageRejected
from timing.domain.roles import COMMAND_CHANNELS, ROLES, SPEAKS_ON, Rights, Role
from timing.log.record import Record
from timing.log.sqlite_log import SqliteLog
from timing.services.access import Access, Rates
from timing.services.access_folder import AccessFolder
from timing.services.clock import system_clock
from timing.services.desk import Desk
from timing.services.door import Door
from timing.services.intake import Intake
from timing.services.pages import PageServer
from timing.services.rulebooks import Rulebooks
from timing.services.sign_in import SignIn
from timing.services.tokens import Tokens
from timing.services.writer import LogWriter

Opening = Callable[..., dict[str, Any]]


class Office:
    """The desk, its log and its tokens, on a port of its own."""

    def __init__(self, folder: Path, rates: Rates | None = None, origins: tuple[str, ...] = ()) -> None:
        self.log = SqliteLog(folder / "log.db")
        self.writer = LogWriter(self.log, system_clock)
        self.door = Door(Rulebooks().resolve)
        self.folder = AccessFolder(folder / "access")
        self.tokens = Tokens(self.folder)
        self.access = Access(
            self.tokens, self.folder.secret, loop_time=asyncio.get_running_loop().time, origins=origins, rates=rates or Rates(sign_ins=6000)
        )
        self.desk = Desk(self.access, self.door, Intake(self.writer, self.door, system_clock), system_clock)
        routes = [*SignIn(self.access, system_clock).routes(), *self.desk.routes()]
        self.server = PageServer(Starlette(routes=routes), "127.0.0.1", 0)

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self.url = f"http://127.0.0.1:{self.server.port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.server.__aexit__(*exc)
        await self.writer.close()
        self.log.close()

    def browser(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers={"origin": self.url, "x-parcferme": "1", **headers})

    def program(self, *roles: Role, name: str = "Desk", **narrowed: Any) -> httpx.AsyncClient:
        token, _ = self.tokens.issue(name, Rights(roles=roles, **narrowed), 3600, once=False)
        return httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {token}"})

    def records(self, session: str = "race-1") -> list[Record]:
        return list(self.log.read(session))


class Make(Protocol):
    async def __call__(self, rates: Rates | None = None, origins: tuple[str, ...] = ()) -> Office: ...


@pytest.fixture
async def make(tmp_path: Path, opening: Opening) -> AsyncIterator[Make]:
    offices: list[Office] = []

    async def begin(rates: Rates | None = None, origins: tuple[str, ...] = ()) -> Office:
        office = await Office(tmp_path, rates, origins).__aenter__()
        offices.append(office)
        async with office.program("timekeeper", name="Tim") as timekeeper:
            answer = await timekeeper.post("/api/sessions/race-1/session", json=opening())
            assert answer.json() == {"id": "open-race-1", "seq": 1}
        return office

    yield begin
    for office in offices:
        await office.__aexit__()


@pytest.fixture
async def office(make: Make) -> Office:
    return await make()


def flag(name: str = "f1", **changes: Any) -> dict[str, Any]:
    return {"type": "track_status", "id": name, "status": "red", **changes}


CONTROL = "/api/sessions/race-1/control"
CORRECTIONS = "/api/sessions/race-1/corrections"


async def test_a_command_is_answered_when_it_is_durable_and_says_who_gave_it(office: Office) -> None:
    async with office.program("race-director", name="Anna Roy") as anna:
        answer = await anna.post(CONTROL, json=flag())
    assert (answer.status_code, answer.json()) == (200, {"id": "f1", "seq": 2})
    with SqliteLogBeside(office) as log:
        stored = json.loads(next(log.read("race-1", 2)).raw)
    assert {k: v for k, v in stored["acted_by"].items() if k != "token"} == {"name": "Anna Roy", "role": "race-director"}
    assert (stored["status"], stored["stamped"]) == ("red", True)


class SqliteLogBeside:
    """The log as another process reads it: what is there is on the disk."""

    def __init__(self, office: Office) -> None:
        self._log = SqliteLog(office.folder.path.parent / "log.db", readonly=True)

    def __enter__(self) -> SqliteLog:
        return self._log

    def __exit__(self, *exc: object) -> None:
        self._log.close()


async def test_the_same_command_again_is_the_same_record_whoever_sends_it(office: Office) -> None:
    async with office.program("race-director", name="Anna") as anna, office.program("administrator", name="Ben") as ben:
        said = [(await who.post(CONTROL, json=flag())).json() for who in (anna, anna, ben)]
        other = await ben.post(CONTROL, json=flag(status="green"))
    assert said == [{"id": "f1", "seq": 2}] * 3
    assert (other.status_code, other.json()["code"], other.json()["id"]) == (409, "identity-conflict", "f1")
    assert [type(record.event).__name__ for record in office.records()] == ["SessionOpened", "TrackStatus", "MessageRejected"]


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_on_every_channel(office: Office, role: Role) -> None:
    """What is sent fits no event: who may speak hears that, who may not hears that first."""
    async with office.program(role) as client:
        for channel in COMMAND_CHANNELS:
            answer = await client.post(f"/api/sessions/race-1/{channel}", content=b'{"id":"x"}')
            expected = (400, "unknown-type") if channel in SPEAKS_ON[role] else (403, "not-allowed")
            assert (answer.status_code, answer.json()["code"], answer.json()["id"]) == (*expected, "x")
    kept = [record.event for record in office.records()][1:]
    assert len(kept) == len(COMMAND_CHANNELS)
    assert all(isinstance(event, MessageRejected) and event.payload == b'{"id":"x"}' and event.acted_by for event in kept)


async def test_rights_end_where_the_session_does(office: Office) -> None:
    async with office.program("race-director", sessions=("albi-*",)) as client:
        answer = await client.post(CONTROL, json=flag())
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    async with office.program("administrator", channels=("entries",)) as client:
        answer = await client.post(CONTROL, json=flag())
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


async def test_who_may_speak_may_take_back_what_was_said_there_and_nothing_else(office: Office) -> None:
    def voiding(name: str, event: str) -> dict[str, Any]:
        return {"type": "event_voided", "id": name, "event": event, "reason": "a slip", "by": "Anna"}

    async with office.program("race-director") as anna:
        await anna.post(CONTROL, json=flag())
        assert (await anna.post(CORRECTIONS, json=voiding("v1", "open-race-1"))).status_code == 403
        assert (await anna.post(CORRECTIONS, json=voiding("v2", "nothing"))).status_code == 403
        assert (await anna.post(CORRECTIONS, json=voiding("v3", "f1"))).json() == {"id": "v3", "seq": 5}
        added = {"type": "passing_added", "id": "p", "car": "7", "loop": "SF", "reason": "r", "by": "Anna", "at": 1}
        assert (await anna.post(CORRECTIONS, json=added)).status_code == 403


REFUSED = [
    (b"", 400, "not-json"),
    (b"\xff", 400, "not-json"),
    (b"[" * 60_000, 400, "bad-field"),
    (b'{"type":"track_status","id":"x","status":"purple"}', 400, "bad-field"),
    (b'{"type":"decision","id":"x","decision":"D","car":"7","penalty":"time","seconds":5}', 400, "wrong-channel"),
    (b'{"type":"track_status","id":"x","status":"red","seq":7}', 400, "reserved-field"),
    (b'{"type":"track_status","id":"x","status":"red","acted_by":{"name":"Ben","role":"x","token":"x"}}', 400, "reserved-field"),
    (b'{"type":"race_stopped","id":"x"}', 409, "not-suspended"),
    (b'{"type":"message","id":"x","text":"hello","car":"99"}', 409, "unknown-car"),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
async def test_a_command_that_cannot_be_taken_is_answered_with_its_reason_and_kept(
    office: Office, body: bytes, status: int, code: str
) -> None:
    async with office.program("race-director") as client:
        answer = await client.post(CONTROL, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    kept = office.records()[-1].event
    assert isinstance(kept, MessageRejected)
    assert (kept.code, kept.payload) == (code, body)


async def test_an_unknown_session_is_said_so(office: Office) -> None:
    async with office.program("race-director") as client:
        answers = [await client.post(f"/api/sessions/{name}/control", json=flag()) for name in ("race-2", "No-Session", "_", "%2e%2e")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "unknown-session")] * 4


async def test_what_is_too_large_is_not_even_read(office: Office) -> None:
    async with office.program("race-director") as client:
        answer = await client.post(CONTROL, content=b" " * (64 * 1024 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert (await client.post(CONTROL, content=json.dumps(flag()).encode() + b" " * 60_000)).status_code == 200
    assert len(office.records()) == 2


async def test_facts_come_over_mqtt_alone(office: Office) -> None:
    async with office.program("administrator") as client:
        for channel in ("passings", "laps", "passings/line-1", "message", "accepted/control"):
            assert (await client.post(f"/api/sessions/race-1/{channel}", json={})).status_code == 404
    assert len(office.records()) == 1


@contextlib.asynccontextmanager
async def signed_in(office: Office, *roles: Role, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    token, _ = office.tokens.issue("Anna Roy", Rights(roles=roles), 3600)
    async with office.browser(**headers) as browser:
        answer = await browser.post("/api/sign-in", json={"token": token})
        assert answer.status_code == 200, answer.text
        yield browser


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


async def test_named_origins_are_the_only_ones(make: Make) -> None:
    office = await make(origins=("https://timing.example.org",))
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


async def test_who_tries_tokens_is_slowed_down(make: Make) -> None:
    office = await make(Rates(sign_ins=4))
    async with office.browser() as browser:
        codes = [(await browser.post("/api/sign-in", json={"token": "x"})) for _ in range(3)]
    assert [answer.status_code for answer in codes] == [401, 401, 429]
    assert 1 <= int(codes[-1].headers["retry-after"]) <= 15


async def test_who_sends_too_much_is_slowed_down_and_others_are_not(make: Make) -> None:
    office = await make(Rates(commands=20))
    async with office.program("race-director") as one, office.program("race-director") as other:
        answers = [await one.post(CONTROL, json=flag(f"f{number}")) for number in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json()["code"] == "too-often"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await other.post(CONTROL, json=flag("other"))).status_code == 200


async def test_commands_at_once_stand_in_the_log_in_the_order_in_which_they_were_judged(office: Office) -> None:
    entry = {"type": "entry_registered", "id": "e7", "car": "7", "class": "GT", "at": 1}
    async with office.program("administrator") as client:
        posts = [client.post("/api/sessions/race-1/entries", json=entry)] + [
            client.post(CONTROL, json={"type": "message", "id": f"m{number}", "text": "hello", "car": "7"}) for number in range(20)
        ]
        answers = await asyncio.gather(*posts)
    taken = {answer.json()["id"]: answer.json()["seq"] for answer in answers if answer.status_code == 200}
    assert "e7" in taken
    assert all(seq > taken["e7"] for name, seq in taken.items() if name != "e7"), "none stands before the entry it rests on"


async def test_without_a_log_nothing_is_promised(office: Office) -> None:
    await office.writer.close()
    async with office.program("race-director") as client:
        answer = await client.post(CONTROL, json=flag())
    assert (answer.status_code, answer.json()["code"]) == (503, "not-stored")
