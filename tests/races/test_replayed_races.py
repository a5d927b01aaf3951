"""Real races replayed: played to the end they give the classification that scoring gives, and any moment is a fold cut there."""

import asyncio
import json
import random
import zlib
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from replay.serving.moment import Moment
from replay.serving.moments import Opening
from replay.serving.player import LoopTime
from replay.serving.service import ReplayService, Where
from replay.serving.shelf import Shelf
from timing.projections.result import result_json
from timing.projections.timing import Timing
from timing.services.replayed import Control, Known, Target
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

pytestmark = pytest.mark.races

LIMIT_S = 60
WAYS: tuple[Known, ...] = ("then", "now")


def placed(timing: Timing) -> list[tuple[Any, ...]]:
    rows = json.loads(result_json(timing))["rows"]
    return [(r["position"], r["car"], r["class_position"], r["laps"], r["total_us"], r["status"]) for r in rows]


async def test_a_race_replays_to_the_same_end_and_any_moment_is_a_fold_cut_there(race: Path, eventually: Any) -> None:
    scored, _ = score_file(race, Rulebooks())
    shelf, chance = Shelf(race), random.Random(zlib.crc32(race.name.encode()))
    recording = await shelf.recording(shelf.titles[0].session)
    assert recording is not None
    for known in WAYS:
        way = recording.way(known)
        moment = Moment(recording, "m", LoopTime(), known=known, speed="max")
        moment.begin("begin", playing=True)
        running = asyncio.create_task(moment.run())
        try:
            async with asyncio.timeout(LIMIT_S):
                await eventually(lambda m=moment: not m.player.playing, LIMIT_S)
                assert placed(moment.shown.timing) == placed(scored)
                for _ in range(2):
                    at = chance.randint(way.begin, way.end)
                    epoch = moment.shown.epoch
                    moment.control(None, Control(do="seek", to=Target(at=at)))
                    await eventually(lambda m=moment, e=epoch: m.shown.epoch != e)
                    fresh = Timing(way.records[0].session)
                    for record in way.records[: way.place_at(at)]:
                        recording.ready(known, fresh, record)
                        fresh.apply(record)
                    assert moment.shown.timing.digest() == fresh.digest()
                    assert moment.shown.timing.board() == fresh.board()
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_the_longest_race_is_played_and_sought_over_a_socket(longest_race: Path) -> None:
    scored, _ = score_file(longest_race, Rulebooks())
    async with ReplayService(Shelf(longest_race), Opening(playing=False), Where(feed_port=0, web_port=0)) as service:
        url = f"ws://127.0.0.1:{service.feed.port}/v1/sessions/{service.sessions()[0].session}"
        async with asyncio.timeout(LIMIT_S), connect(url, max_size=None) as screen:

            async def until(kind: str, where: Any = None) -> dict[str, Any]:
                while True:
                    message: dict[str, Any] = json.loads(await screen.recv())
                    if message["kind"] == kind and (where is None or where(message)):
                        return message

            first = await until("snapshot")
            assert first["session"]["status"] == "scheduled"
            for lap in (250, 20, 140):
                await screen.send(json.dumps({"kind": "replay", "do": "seek", "to": {"lap": lap}}))
                assert (await until("snapshot"))["session"]["laps"] == lap
            await screen.send('{"kind":"replay","do":"play","speed":"max"}')
            await until("replay", lambda m: m["state"] == "ended")
            await screen.send('{"kind":"resync"}')
            assert (await until("snapshot"))["order"] == list(scored.board().order)
