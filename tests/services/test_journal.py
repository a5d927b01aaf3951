"""The log for those who may speak: what was said, by whom, and nothing for others."""

import base64
from typing import Any

import msgspec
import pytest
from office import Office

from timing.domain.roles import Role

LOG = "/api/sessions/race-1/log"


def message(number: int) -> dict[str, Any]:
    return {"type": "message", "id": f"m{number}", "text": f"number {number}"}


async def test_what_was_said_stands_there_in_order_with_who_said_it(office: Office) -> None:
    async with office.program("race-director", name="Anna Roy") as anna:
        for number in range(5):
            await anna.post("/api/sessions/race-1/control", json=message(number))
        await anna.post("/api/sessions/race-1/control", content=b"?")
        whole = (await anna.get(LOG)).json()
        later = (await anna.get(LOG, params={"after": 3, "limit": 2})).json()
    assert (whole["session"], whole["seq"]) == ("race-1", 7)
    assert [record["seq"] for record in whole["records"]] == [1, 2, 3, 4, 5, 6, 7]
    assert "rules" not in whole["records"][0]["event"]
    assert {record["event"]["acted_by"]["name"] for record in whole["records"]} == {"Anna Roy", "Tim"}
    assert [record["seq"] for record in later["records"]] == [6, 7], "the last ones, whatever was asked after"
    assert base64.b64decode(later["records"][-1]["event"]["payload"]) == b"?"


async def test_a_large_payload_is_left_out(office: Office) -> None:
    async with office.program("race-director") as anna:
        await anna.post("/api/sessions/race-1/control", content=b"?" * 10_000)
        [record] = (await anna.get(LOG, params={"after": 1})).json()["records"]
    assert record["event"]["code"] == "not-json"
    assert "payload" not in record["event"]


async def test_facts_are_passed_over(office: Office) -> None:
    passing = {"type": "passing", "at": 1, "decoder": "d", "boot": 1, "number": 1, "loop": "SF", "transponder": "T"}
    judged = office.door.judge("timing/v1/race-1/passings/d", msgspec.json.encode(passing), 1)
    assert judged is not None
    await office.writer.append([judged.draft])
    async with office.program("race-director") as anna:
        said = (await anna.get(LOG)).json()
    assert (said["seq"], [record["seq"] for record in said["records"]]) == (2, [1])


@pytest.mark.parametrize("role", ["viewer", None])
async def test_it_is_not_for_everyone(office: Office, role: Role | None) -> None:
    async with office.program("viewer") if role else office.browser() as client:
        answer = await client.get(LOG)
    assert (answer.status_code, answer.json()["code"]) == ((403, "not-allowed") if role else (401, "not-signed-in"))


@pytest.mark.parametrize(("query", "code"), [("after=x", "bad-field"), ("limit=-1", "bad-field")])
async def test_a_question_amiss_is_said_so(office: Office, query: str, code: str) -> None:
    async with office.program("race-director") as anna:
        assert (await anna.get(f"{LOG}?{query}")).json()["code"] == code
        assert (await anna.get("/api/sessions/nothing/log")).status_code == 404
