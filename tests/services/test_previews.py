"""Previews over HTTP: the answer is the preview, the limits hold, and the session goes on meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
import structlog
from office import Office
from starlette.applications import Starlette

from timing.domain import events as e
from timing.domain.roles import Role
from timing.log.record import Record
from timing.projections.preview import preview_of
from timing.projections.timing import Timing
from timing.services.documents import document
from timing.services.explanations import PER_SECOND, Explanations
from timing.services.previews import LARGEST_BODY, MOST_EVENTS, Previews
from timing.services.rulebooks import Rulebooks

S = 1_000_000
START = 1_747_400_000 * S
PENALTY = {"type": "decision", "decision": "D1", "car": "7", "penalty": "time", "seconds": 5}


def race() -> Timing:
    circuit = e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"),))
    told: list[e.AnyEvent] = [
        e.SessionOpened(
            id="open", at=START, session="sunday", name="S", kind="race", rulebook="t", distance=e.Distance(laps=2), circuit=circuit
        ),
        *(e.EntryRegistered(id=f"e{car}", at=START, car=car, class_="GT", transponders=(f"T{car}",)) for car in ("7", "9")),
        e.SessionStarted(id="start", at=START),
    ]
    for number, (car, at) in enumerate([("7", 60), ("9", 61), ("7", 120), ("9", 122)], start=1):
        told.append(e.Passing(decoder="d", boot=1, number=number, loop="SF", transponder=f"T{car}", at=START + at * S))
    timing = Timing("sunday")
    for seq, event in enumerate(told, start=1):
        timing.apply(Record("sunday", seq, 1, event, b"", b""))
    return timing


@pytest.fixture
def timing() -> Timing:
    return race()


def asking(office: Office, timing: Timing, role: Role = "steward") -> httpx.AsyncClient:
    """Give a program of somebody who asks for previews of a session."""
    previews = Previews({"sunday": timing}.get, Rulebooks().resolve, office.access)
    transport = httpx.ASGITransport(Starlette(routes=[previews.route()]))
    return httpx.AsyncClient(transport=transport, base_url="http://timing.local", headers=office.program(role).headers)


@pytest.fixture
async def client(office: Office, timing: Timing) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(office, timing) as client:
        yield client


async def ask(client: httpx.AsyncClient, asked: Any, session: str = "sunday") -> httpx.Response:
    content = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return await client.post(f"/api/sessions/{session}/preview", content=content)


async def test_the_answer_says_who_wins_then_and_nothing_has_changed(client: httpx.AsyncClient, timing: Timing) -> None:
    before = timing.digest()
    answer = await ask(client, {"events": [PENALTY]})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert said["words"][0] == "car 9: result P2 -> P1, in class P2 -> P1"
    assert {c["car"]: c["changes"]["position"] for c in said["differences"]["cars"]} == {
        "7": {"before": 1, "after": 2},
        "9": {"before": 2, "after": 1},
    }
    assert timing.digest() == before


async def test_a_record_that_comes_in_meanwhile_is_no_matter(client: httpx.AsyncClient, timing: Timing) -> None:
    asked = asyncio.create_task(ask(client, {"events": [PENALTY], "without": ["passing/d/1/4"]}))
    await asyncio.sleep(0)
    more = e.Passing(decoder="d", boot=1, number=5, loop="SF", transponder="T9", at=START + 119 * S)
    timing.apply(Record("sunday", 99, 1, more, b"", b""))
    timing.board()
    assert (await asked).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (b"{", 400, "ask with"),
        (b"\xff", 400, "ask with"),
        ({"event": []}, 400, "ask with"),
        ({}, 400, "nothing to try"),
        ({"events": [{"type": "decision"}]}, 400, "bad-field"),
        ({"events": [PENALTY] * (MOST_EVENTS + 1)}, 400, "at most"),
        (b" " * (LARGEST_BODY + 1), 413, "larger than 64 KiB"),
    ],
)
async def test_what_cannot_be_answered_says_why(client: httpx.AsyncClient, asked: Any, status: int, said: str) -> None:
    answer = await ask(client, asked)
    assert answer.status_code == status
    assert said in answer.json()["error"]


async def test_by_another_rulebook_with_the_whole_result(client: httpx.AsyncClient) -> None:
    said = (await ask(client, {"rulebook": {"base": "fia-f1", "classification": {"min_percent": 100}}, "result": True})).json()
    assert said["result"]["rulebook"]["id"] != "none"
    assert [row["car"] for row in said["result"]["rows"]] == ["7", "9"]
    assert "result" not in (await ask(client, {"rulebook": "imsa"})).json()
    unknown = await ask(client, {"rulebook": "../../etc/passwd"})
    assert unknown.status_code == 400
    assert "there is no rulebook" in unknown.json()["error"]


async def test_previews_take_no_more_than_half_of_the_time(office: Office, timing: Timing, monkeypatch: pytest.MonkeyPatch) -> None:
    took_s = 0.05
    spans: list[tuple[float, float]] = []
    clock = asyncio.get_running_loop().time

    def slow(*given: Any, **more: Any) -> Any:
        began = clock()
        while clock() < began + took_s:
            pass
        spans.append((began, clock()))
        return preview_of(*given, **more)

    monkeypatch.setattr("timing.services.previews.preview_of", slow)
    async with asking(office, timing) as client:
        await asyncio.gather(*(ask(client, {"events": [PENALTY]}) for _ in range(3)))
    assert len(spans) == 3
    assert all(later[0] - earlier[1] >= earlier[1] - earlier[0] for earlier, later in pairwise(spans))


async def test_who_may_send_no_command_and_who_asks_too_much_is_refused_and_logged(office: Office, timing: Timing) -> None:
    with structlog.testing.capture_logs() as said:
        async with asking(office, timing, "viewer") as viewer:
            assert (await ask(viewer, {"events": [PENALTY]})).status_code == 403
        async with asking(office, timing) as steward:
            assert (await ask(steward, b" " * (LARGEST_BODY + 1))).status_code == 413
    assert [(one["event"], one["code"], one["name"]) for one in said] == [
        ("request refused", "not-allowed", "Desk"),
        ("request refused", "too-large", "Desk"),
    ]


async def test_an_unknown_session_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await ask(client, {"events": [PENALTY]}, "monday")).status_code == 404


async def test_a_crowd_is_turned_away_and_who_waited_is_answered(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(ask(client, {"events": [PENALTY]}) for _ in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 5
    assert all(answer.headers.get("retry-after") for answer in answers if answer.status_code == 503)
    assert (await ask(client, {"events": [PENALTY]})).status_code == 200


# --- explanations over the feed ---------------------------------------------------------------------------------------------------


def explained(frame: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(frame)
    assert said["kind"] == "explanation"
    return said


def test_an_explanation_is_that_of_the_moment_and_is_made_once(timing: Timing) -> None:
    now = [0.0]
    explanations = Explanations({"sunday": timing}.get, lambda: now[0])
    said = explained(explanations.answer("sunday", "9"))
    assert (said["session"], said["car"], said["explanation"]["position"], said["explanation"]["seq"]) == ("sunday", "9", 2, 8)
    for _ in range(PER_SECOND * 3):
        assert explained(explanations.answer("sunday", "9")) == said
    decision = e.Decision(id="d", at=START + 130 * S, decision="D1", car="7", penalty="time", seconds=5)
    timing.apply(Record("sunday", 9, 1, decision, b"", b""))
    assert explained(explanations.answer("sunday", "9"))["explanation"]["position"] == 1


def test_more_than_so_many_a_second_are_not_made(timing: Timing) -> None:
    now = [0.0]
    explanations = Explanations({"sunday": timing}.get, lambda: now[0])
    for seq in range(10, 10 + PER_SECOND):
        timing.seq = seq
        assert "explanation" in explained(explanations.answer("sunday", "9"))
    timing.seq = 99
    assert "ask again in a second" in explained(explanations.answer("sunday", "9"))["error"]
    now[0] = 1.0
    assert "explanation" in explained(explanations.answer("sunday", "9"))


def test_who_is_not_there_is_not_explained(timing: Timing) -> None:
    explanations = Explanations({"sunday": timing}.get, lambda: 0.0)
    assert "no car 88" in explained(explanations.answer("sunday", "88"))["error"]
    assert "no session monday" in explained(explanations.answer("monday", "7"))["error"]


def test_a_session_that_cannot_be_explained_costs_nobody_the_connection() -> None:
    class Broken(Timing):
        def state(self) -> Any:
            raise ZeroDivisionError

    explanations = Explanations({"sunday": Broken("sunday")}.get, lambda: 0.0)
    assert "cannot be explained" in explained(explanations.answer("sunday", "7"))["error"]


# --- documents --------------------------------------------------------------------------------------------------------------------


def test_anomalies_and_explanations_are_documents(timing: Timing) -> None:
    assert json.loads(document(timing, "anomalies", {}) or b"") == {"session": "sunday", "seq": 8, "count": 0, "anomalies": []}
    said = json.loads(document(timing, "cars/9/explain", {"last": "1"}) or b"")
    assert (said["position"], len(said["crossings"]), said["earlier"]) == (2, 1, 1)
    assert document(timing, "cars/88/explain", {}) is None
    assert document(timing, "anomalies/1", {}) is None
    with pytest.raises(Exception, match="number of crossings"):
        document(timing, "cars/9/explain", {"last": "-1"})
