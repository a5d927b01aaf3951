"""A replay as screens have it: real sockets, real frames; time goes on when the test says so."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from replay.serving.targets import BEFORE_THE_START_US
from timing.domain.events import SessionStarted
from timing.domain.units import SECOND
from timing.log.record import Record
from timing.projections.timing import Timing

if TYPE_CHECKING:
    from tests.replay.serving.conftest import FakeTime, Screen, Serve

    Join = Callable[..., AbstractAsyncContextManager[Screen]]


def cut(records: list[Record], instant: int) -> Timing:
    """Fold what had come in by an instant."""
    timing = Timing(records[0].session)
    for record in records:
        if record.recorded_at <= instant:
            timing.apply(record)
    return timing


def shows(screen: "Screen", timing: Timing) -> bool:
    assert screen.state is not None
    board, rows = timing.board(), screen.state["rows"]
    shown = {car: (row["position"], row["laps"], row["status"], row["last_lap_us"]) for car, row in rows.items()}
    return screen.state["order"] == list(board.order) and shown == {
        car: (row.position, row.laps, row.status, row.last_lap_us) for car, row in board.rows.items()
    }


def start_of(records: list[Record]) -> int:
    return next(r.recorded_at for r in records if isinstance(r.event, SessionStarted))


async def test_a_replay_plays_at_the_pace_of_the_log(serve: "Serve", screen: "Join", time: "FakeTime", harsh: list[Record]) -> None:
    start = start_of(harsh)
    async with serve() as service, screen(service) as client:
        assert shows(client, cut(harsh, start - BEFORE_THE_START_US))
        await client.ask()
        told = await client.until("replay")
        assert (told["state"], told["speed"], told["known"], told["paced_by"]) == ("playing", 1.0, "then", "recorded_at")
        assert told["at"] == start - BEFORE_THE_START_US
        assert (told["end"], told["records"], told["started_at"]) == (None, None, None)
        for _ in range(3):
            time.advance(60)
            instant = told["at"] + 60 * SECOND
            await client.until("replay", lambda m, instant=instant: m["at"] == instant)  # type: ignore[misc]  # of this round
            await client.ask("pause")
            told = await client.until("replay", lambda m: m["state"] == "paused")
            assert told["at"] == instant
            assert shows(client, cut(harsh, instant))
            await client.ask("play")
            await client.until("replay", lambda m: m["state"] == "playing")
        await client.ask("pause")
        await client.until("replay", lambda m: m["state"] == "paused")
        frames = len(client.frames)
        time.advance(600)
        await client.ask()
        told = await client.until("replay")
        assert (told["at"], len(client.frames)) == (instant, frames)


@pytest.mark.parametrize("speed", [0.1, 10, 1000])
async def test_speed_is_how_many_times_quicker_than_life(
    serve: "Serve", screen: "Join", time: "FakeTime", harsh: list[Record], speed: float
) -> None:
    async with serve(playing=False) as service, screen(service) as client:
        await client.ask("play", speed=speed)
        before = await client.until("replay", lambda m: m["state"] == "playing")
        time.advance(0.25)
        await client.ask()
        told = await client.until("replay", lambda m: m["at"] > before["at"])
        assert told["at"] == before["at"] + int(0.25 * SECOND * speed)
        assert told["speed"] == speed


async def test_as_fast_as_it_goes_it_ends_as_the_race_did(serve: "Serve", screen: "Join", harsh: list[Record]) -> None:
    async with serve(speed="max", place="begin") as service, screen(service) as client:
        await client.ask()
        told = await client.until("replay", lambda m: m["state"] == "ended")
        assert told["seq"] == len(harsh)
        assert shows(client, cut(harsh, 2**62))
        await client.ask("play")
        assert "over" in (await client.until("replay_refused"))["error"]


async def test_screens_have_moments_of_their_own_or_share_one(serve: "Serve", screen: "Join", harsh: list[Record]) -> None:
    async with (
        serve(playing=False, known="now") as service,
        screen(service) as alone,
        screen(service, "?moment=briefing") as one,
        screen(service, "?moment=briefing") as other,
    ):
        await other.ask()
        assert (await other.until("replay"))["moment"] == "briefing"
        await one.seek(lap=3)
        await other.until("snapshot")
        assert one.state == other.state
        assert alone.state is not None
        assert one.state is not None
        assert alone.state["session"]["laps"] == 0
        assert one.state["session"]["laps"] == 3
        assert service.moments.count == 2


async def test_documents_are_as_of_the_moment_and_lists_tell_nothing(serve: "Serve", screen: "Join", harsh: list[Record]) -> None:
    async with serve(playing=False, known="now") as service, screen(service) as client, httpx.AsyncClient() as http:
        pages = f"http://127.0.0.1:{service.pages.port}/api"
        assert (await http.get(f"{pages}/feed")).json()["replay"] is True
        listed = (await http.get(f"{pages}/sessions")).json()["sessions"]
        assert [(s["session"], s["status"], s["seq"]) for s in listed] == [(harsh[0].session, "scheduled", 0)]
        told = await client.seek(lap=2)
        address = f"{pages}/sessions/{harsh[0].session}/result"
        result = (await http.get(address, params={"moment": told["moment"]})).json()
        assert result["status"] == "running"
        assert max(row["laps"] for row in result["rows"]) == 2
        refused = await http.get(address)
        assert (refused.status_code, "moment" in refused.json()["error"]) == (400, True)
        assert (await http.get(address, params={"moment": "nobody"})).status_code == 400


async def test_who_comes_back_with_its_epoch_finds_its_moment_again(serve: "Serve", screen: "Join") -> None:
    async with serve(playing=False) as service:
        async with screen(service) as client:
            await client.seek(lap=4)
            state: dict[str, Any] | None = client.state
        assert state is not None
        url = f"ws://127.0.0.1:{service.feed.port}/v1/sessions/{service.sessions()[0].session}"
        async with connect(f"{url}?epoch={state['epoch']}&rev={state['rev']}") as again:
            await again.send('{"kind":"resync"}')
            assert json.loads(await again.recv()) == state
        assert service.moments.count == 1


@pytest.mark.parametrize(("query", "status"), [("?moment=No/Such", 404), ("?known=maybe", 404)])
async def test_an_address_that_makes_no_sense_is_refused(serve: "Serve", query: str, status: int) -> None:
    async with serve() as service:
        url = f"ws://127.0.0.1:{service.feed.port}/v1/sessions/{service.sessions()[0].session}{query}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
        assert refused.value.response.status_code == status


async def test_what_is_not_understood_closes_the_line(serve: "Serve", screen: "Join") -> None:
    async with serve() as service, screen(service) as client:
        await client.connection.send('{"kind":"replay","do":"fly"}')
        with pytest.raises(ConnectionClosed):
            await client.until("never")
        assert client.connection.close_code == 1008
