"""Commands over HTTP, through real sockets: who may, what is answered and what then stands in the log."""

import asyncio
import json
from typing import Any

import pytest
import structlog
from office import Office

from timing.domain.events import MessageRejected
from timing.domain.roles import COMMAND_CHANNELS, ROLES, SPEAKS_ON, Role
from timing.log.sqlite_log import SqliteLog


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
        with structlog.testing.capture_logs() as said:
            answer = await client.post(CONTROL, content=b" " * (64 * 1024 + 1))
        assert [(one["event"], one["code"], one["name"]) for one in said] == [("request refused", "too-large", "Desk")]
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert (await client.post(CONTROL, content=json.dumps(flag()).encode() + b" " * 60_000)).status_code == 200
    assert len(office.records()) == 2


async def test_facts_come_over_mqtt_alone(office: Office) -> None:
    async with office.program("administrator") as client:
        for channel in ("passings", "laps", "passings/line-1", "message", "accepted/control"):
            assert (await client.post(f"/api/sessions/race-1/{channel}", json={})).status_code == 404
    assert len(office.records()) == 1


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
