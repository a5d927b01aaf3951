"""A moment driven by screens: wherever it is put, it shows what a fold of the records up to there shows, and tells of nothing else."""

import json
import random
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from replay.serving.recording import Recording
from timing.domain import events as e
from timing.domain.units import SECOND
from timing.projections.frames import Framer
from timing.projections.marks import leaders
from timing.projections.timing import Timing
from timing.services.documents import DOCUMENTS
from timing.services.replayed import Known

if TYPE_CHECKING:
    from tests.replay.serving.conftest import FakeTime, Screen, Serve

    Join = Callable[..., AbstractAsyncContextManager[Screen]]


def anew(race: Recording, known: Known, records: int) -> Timing:
    timing = Timing(race.title.session)
    for record in race.way(known).records[:records]:
        race.ready(known, timing, record)
        timing.apply(record)
    return timing


def told_of(timing: Timing) -> dict[str, Any]:
    """Give what a screen knows that is shown a fold, but for anomalies, which are looked for now and then."""
    framer = Framer("fold")
    framer.advance(timing.board(), timing.seq)
    snapshot: dict[str, Any] = json.loads(framer.snapshot())
    return seen(snapshot)


def seen(state: dict[str, Any] | None) -> dict[str, Any]:
    assert state is not None
    told = {name: state[name] for name in ("session", "order", "rows", "seq")}
    return {**told, "messages": [m for m in state["messages"] if m["kind"] != "anomaly"]}


@pytest.mark.parametrize("known", ["then", "now"])
async def test_wherever_one_seeks_one_sees_a_fold_cut_there(serve: "Serve", screen: "Join", race: Recording, known: Known) -> None:
    chance, way = random.Random(5), race.way(known)
    async with serve(playing=False, known=known) as service, screen(service) as client:
        for _ in range(25):
            at = chance.randint(way.begin, way.end)
            told = await client.seek(at=at)
            assert (told["at"], told["known"], told["seq"]) == (at, known, way.place_at(at))
            assert seen(client.state) == told_of(anew(race, known, way.place_at(at)))
        epochs = [frame["epoch"] for frame in client.frames if frame["kind"] == "snapshot" and frame["rev"] == 1]
        assert len(epochs) == len(set(epochs)) == 26, "every seek is an epoch of its own"


async def test_every_kind_of_target_leads_where_it_says(serve: "Serve", screen: "Join", race: Recording) -> None:
    way, truth = race.then, race.truth
    start = truth.state().said.start
    assert start is not None
    flags = [n for n, r in enumerate(way.records, 1) if isinstance(r.event, e.TrackStatus) and r.event.status != "red"]
    async with serve(playing=False, place="begin") as service, screen(service) as client:
        assert (await client.seek(elapsed_us=60 * SECOND))["at"] == start + 60 * SECOND
        assert (await client.seek(by_us=-10 * SECOND))["at"] == start + 50 * SECOND
        assert (await client.seek(by_us=-(2**50)))["at"] == way.begin
        assert (await client.seek(at=2**52))["at"] == way.end
        assert (await client.seek(lap=0))["at"] == start
        assert (await client.seek(seq=20))["seq"] == 20
        assert (await client.seek(next="flag"))["seq"] == next(n for n in flags if n > 20)
        assert (await client.seek(next="flag"))["seq"] == [n for n in flags if n > 20][1]
        assert (await client.seek(previous="flag"))["seq"] == next(n for n in flags if n > 20)
        for lap in range(1, len(leaders(truth)) + 1):
            await client.seek(lap=lap)
            assert client.state is not None
            assert client.state["session"]["laps"] >= lap - 1  # as known then a lap may count for less than it came to
        fact = next(r for r in way.records[60:] if isinstance(r.event, e.Passing))
        assert isinstance(fact.event, e.Passing)
        name = f"{fact.event.decoder}/{fact.event.boot}/{fact.event.number}"
        assert (await client.seek(event=name))["seq"] == fact.seq
        for place, seq in (("end", len(way)), ("begin", way.place_at(way.begin))):
            assert (await client.seek(place=place))["seq"] == seq
        for nowhere in ({"lap": 10_000}, {"event": "no-such"}, {"previous": "flag"}, {}, {"lap": 1, "seq": 1}):
            await client.ask("seek", to=nowhere)
            refused = await client.until("replay_refused")
            assert refused["do"] == "seek"
            assert str(len(leaders(truth))) not in refused["error"], "how many laps there will be is not told"


async def test_steps_show_one_record_or_one_frame_on_or_back(serve: "Serve", screen: "Join", race: Recording) -> None:
    async with serve(place="start") as service, screen(service) as client:
        here = (await client.seek(lap=2))["seq"]
        await client.ask("step")
        told = await client.until("replay", lambda m: m["seq"] == here + 1)
        assert told["state"] == "paused"
        for _ in range(12):
            before, epoch = seen(client.state), client.state["epoch"] if client.state else ""
            await client.ask("step", by="frame")
            frame = await client.until("delta")
            assert (frame["epoch"], seen(client.state) == before) == (epoch, False)
            told = await client.until("replay", lambda m, seq=frame["seq"]: m["seq"] == seq)  # type: ignore[misc]  # of this round
            assert seen(client.state) == told_of(anew(race, "then", told["seq"]))
        shown = {name: value for name, value in seen(client.state).items() if name != "seq"}
        await client.ask("step", by="frame", count=-1)
        await client.until("snapshot")
        told = await client.until("replay")
        assert {name: value for name, value in seen(client.state).items() if name != "seq"} != shown
        assert seen(client.state) == told_of(anew(race, "then", told["seq"]))
        await client.ask("step", count=-5)
        back = await client.until("replay", lambda m, seq=told["seq"]: m["seq"] == seq - 5)  # type: ignore[misc]  # five before
        assert back["state"] == "paused"
        await client.ask("seek", to={"place": "end"})
        await client.until("replay", lambda m: m["seq"] == len(race.then))
        await client.ask("step")
        await client.ask()
        assert (await client.until("replay"))["seq"] == len(race.then)


async def test_the_two_ways_differ_where_they_say(serve: "Serve", screen: "Join", race: Recording, time: "FakeTime") -> None:
    differed = 0
    mended = [r.recorded_at - 1 for r in race.then.records if isinstance(r.event, e.Correction)]
    async with serve(playing=False) as service, screen(service) as client:
        for at in mended[:12]:
            await client.seek(at=at)
            time.advance(1)
            await client.ask("compare")
            answer = await client.until("replay_difference")
            then = seen(client.state)
            await client.ask("know", known="now")
            await client.until("snapshot")
            assert (await client.until("replay"))["at"] == at
            now = seen(client.state)
            assert answer["order"] == [then["order"], now["order"]]
            for car in then["rows"].keys() | now["rows"].keys():
                one, other = then["rows"].get(car, {}), now["rows"].get(car, {})
                expected = {n: [one.get(n), other.get(n)] for n in one | other if one.get(n) != other.get(n)}
                assert answer["rows"].get(car, {}) == expected
            differed += bool(answer["rows"])
            await client.ask("know")
            await client.until("replay", lambda m: m["known"] == "then")
    assert differed > 2, "what is mended was wrong before, and somebody saw it"


async def test_comparisons_are_made_so_often_and_no_more(serve: "Serve", screen: "Join") -> None:
    async with serve(playing=False) as service, screen(service) as client:
        await client.seek(lap=1)
        for _ in range(10):
            await client.ask("compare")
            await client.until("replay_difference")
        await client.ask("compare")
        assert "again" in (await client.until("replay_refused"))["error"]


LATER = re.compile(r"\d{16}")


@pytest.mark.parametrize("known", ["then", "now"])
async def test_nothing_past_the_cursor_leaves_the_server(serve: "Serve", screen: "Join", race: Recording, known: Known) -> None:
    """Every document of every car, every explanation, frame and mark is searched for instants and identities that are still to come."""
    way, chance = race.way(known), random.Random(11)
    cars = list(race.truth.state().said.entries)
    async with serve(playing=False, known=known) as service, screen(service) as client, httpx.AsyncClient() as http:
        root = f"http://127.0.0.1:{service.pages.port}/api/sessions"
        for _ in range(8):
            at = chance.randint(way.instants[len(way) // 5], way.instants[len(way) * 4 // 5])
            moment = (await client.seek(at=at))["moment"]
            client.told.clear()
            await client.ask()
            await client.until("replay")
            car = chance.choice(cars)
            await client.connection.send(json.dumps({"kind": "explain", "car": car}))
            await client.until("explanation")
            texts = [json.dumps(client.state), *map(json.dumps, client.told)]
            paths = [*(name for name in DOCUMENTS if name != "cars"), *(f"cars/{c}" for c in cars), *(f"cars/{c}/explain" for c in cars)]
            fresh = anew(race, known, way.place_at(at))
            for path in paths:
                name, *rest = path.split("/")
                answer = await http.get(f"{root}/{way.records[0].session}/{path}", params={"moment": moment})
                expected = DOCUMENTS[name](fresh, tuple(rest), {})
                assert answer.status_code == (404 if expected is None else 200), path
                if expected is not None:
                    assert answer.content == expected, f"{path} is of another moment"
                    texts.append(answer.text)
            listed = [(await http.get(root)).text, (await http.get(f"http://127.0.0.1:{service.feed.port}/v1/sessions")).text]
            to_come = {r.event.id for r in way.records[way.place_at(at) :] if not isinstance(r.event, e.Passing | e.Lap)}
            limit = max(at, *(r.event.at for r in way.records[: way.place_at(at)]))  # a decoder's own clock may be ahead of it
            for text in (*texts, *listed):
                for found in map(int, LATER.findall(text)):
                    assert found <= limit, text[max(0, text.index(str(found)) - 300) :][:400]
                assert not [i for i in to_come if f'"{i}"' in text], "an event that is still to come"


async def test_with_spoilers_the_whole_session_is_marked(serve: "Serve", screen: "Join", race: Recording) -> None:
    async with serve(playing=False, spoilers=True) as service, screen(service) as client:
        await client.ask()
        told, marked = await client.until("replay"), await client.until("replay_marks")
        assert (told["end"], told["records"]) == (race.then.end, len(race.then))
        assert len(marked["marks"]) == len(race.marks) > 3


async def test_marks_come_as_they_are_revealed(serve: "Serve", screen: "Join", race: Recording) -> None:
    async with serve(playing=False) as service, screen(service) as client:
        counts = []
        for lap in (1, 3, 5):
            await client.seek(lap=lap)
            counts.append(len((await client.until("replay_marks"))["marks"]))
        assert counts == sorted(set(counts))
        await client.seek(lap=1)
        assert len((await client.until("replay_marks"))["marks"]) == counts[0]
