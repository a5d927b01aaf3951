"""Moments come with screens and go some time after them; there are so many and no more; a broken session breaks nothing else."""

import asyncio
import contextlib
import gc
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from replay.serving.moment import Moment
from replay.serving.moments import Moments, Opening
from replay.serving.player import LoopTime
from replay.serving.recording import Recording, Title
from replay.serving.shelf import LOOKED_AT_S, STATES, Shelf
from timing.domain.errors import ConfigurationError, TimingError
from timing.log.record import Record, draft
from timing.log.session_file import export_line
from timing.log.sqlite_log import SqliteLog
from timing.projections.timing import Timing
from timing.services.replayed import Control, Known, Target
from timing.services.sessions import NoSeat, Seat

if TYPE_CHECKING:
    from tests.replay.serving.conftest import FakeTime, Screen, Serve

    Join = Callable[..., AbstractAsyncContextManager[Screen]]


@contextlib.asynccontextmanager
async def running(moment: Moment) -> AsyncIterator[None]:
    task = asyncio.create_task(moment.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_moment_that_nobody_watches_ends_and_a_watched_one_stays(log: Path, eventually: Any) -> None:
    async with Moments(Shelf(log), Opening(playing=False), kept_s=0.2) as moments:
        session = moments.sessions()[0].session
        left, stays = [await moments.usher(session, f"moment={name}") for name in ("left", "stays")]
        screen = object()
        stays.hub.join(screen)
        left.hub.join(screen)
        assert moments.count == 2
        left.hub.leave(screen)
        await eventually(lambda: moments.moment(session, "left") is None)
        assert moments.moment(session, "stays") is not None
        with pytest.raises(TimingError, match="no moment 'left'"):
            moments.document(session, "result", {"moment": "left"})
        assert moments.document(session, "result", {"moment": "stays"})


async def test_no_garbage_is_looked_for_before_a_moment_is_sent(log: Path) -> None:
    async def send(due: asyncio.Event, seat: Seat) -> bool:
        while True:
            await due.wait()
            due.clear()
            if any(message.startswith(b'{"kind":"snapshot"') for _, message in seat.hub.outgoing()):
                return gc.isenabled()

    async with Moments(Shelf(log), Opening(playing=False)) as moments:
        seat = await moments.usher(moments.sessions()[0].session, "moment=m")
        assert seat.control is not None
        due = asyncio.Event()
        seat.hub.join("screen")
        seat.hub.wake = due.set
        seat.control("screen", Control(do="seek", to=Target(seq=100)))
        async with asyncio.timeout(20):
            assert not await send(due, seat)
        await asyncio.sleep(0)
        assert gc.isenabled()


async def test_there_are_so_many_moments_and_no_more(log: Path) -> None:
    async with Moments(Shelf(log), Opening(), most=2) as moments:
        session = moments.sessions()[0].session
        seats = [await moments.usher(session, query) for query in ("moment=a", "", "moment=a")]
        assert seats[0] is seats[2]
        with pytest.raises(NoSeat) as refused:
            await moments.usher(session, "")
        assert refused.value.status == 503


async def test_a_screen_beyond_the_limit_hears_why(serve: "Serve", screen: "Join") -> None:
    async with serve() as service:
        service.moments._most = 1
        session = service.sessions()[0].session
        async with screen(service):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{service.feed.port}/v1/sessions/{session}")
        response = refused.value.response
        assert response.status_code == 503
        assert "share one" in json.loads(response.body or b"")["error"]


def test_a_source_that_is_none_says_so(tmp_path: Path, log: Path) -> None:
    with pytest.raises(TimingError, match="cannot be read"):
        Shelf(tmp_path / "nothing")
    SqliteLog(tmp_path / "empty.db").close()
    with pytest.raises(TimingError, match="no session yet"):
        Shelf(tmp_path / "empty.db")
    with pytest.raises(ConfigurationError, match="--session"):
        Shelf(log, session="another")


async def test_a_log_of_several_sessions_shows_them_all_or_the_one_that_is_chosen(tmp_path: Path, harsh: list[Record]) -> None:
    kept = SqliteLog(tmp_path / "two.db")
    for name in ("one", "two"):
        kept.append([draft(name, record.event) for record in harsh], harsh[0].recorded_at)
    kept.close()
    shelf = Shelf(tmp_path / "two.db")
    assert [title.session for title in shelf.titles] == ["one", "two"]
    one = await shelf.recording("one")
    assert one is await shelf.recording("one"), "it is read once"
    assert await shelf.recording("three") is None
    assert [title.session for title in Shelf(tmp_path / "two.db", session="two").titles] == ["two"]


@pytest.mark.parametrize("seq", [1, 500, 10**9])
async def test_as_of_a_record_there_is_nothing_after_it(log: Path, harsh: list[Record], tmp_path: Path, seq: int) -> None:
    file = tmp_path / "race.events.jsonl"
    file.write_bytes(b"".join(record.raw + b"\n" for record in harsh))
    for source in (log, file):
        shelf = Shelf(source, as_of=seq)
        recording = await shelf.recording(harsh[0].session)
        assert recording is not None
        known = Timing(harsh[0].session)
        for record in harsh[:seq]:
            known.apply(record)
        for way in (recording.then, recording.now):
            assert max(record.seq for record in way.records) == min(seq, len(harsh))
        assert recording.truth.digest() == known.digest()


async def test_as_of_a_record_a_log_that_grows_stays_as_it_was(tmp_path: Path, harsh: list[Record]) -> None:
    now, kept = 0.0, SqliteLog(tmp_path / "live.db")
    try:
        kept.append([draft("one", record.event) for record in harsh[:40]], harsh[0].recorded_at)
        shelf = Shelf(tmp_path / "live.db", as_of=30, clock=lambda: now)
        before = await shelf.recording("one")
        kept.append([draft("one", record.event) for record in harsh[40:60]], harsh[0].recorded_at)
        now += 2 * LOOKED_AT_S
        assert before is not None
        assert await shelf.recording("one") is before
        assert before.last == 30
        kept.append([draft("two", record.event) for record in harsh[:5]], harsh[0].recorded_at)
    finally:
        kept.close()
    with pytest.raises(ConfigurationError, match="--as-of is a record of one session"):
        Shelf(tmp_path / "live.db", as_of=30)


async def test_recordings_that_nobody_watches_are_let_go_but_for_the_last_few(tmp_path: Path, harsh: list[Record]) -> None:
    kept = SqliteLog(tmp_path / "many.db")
    for number in range(7):
        kept.append([draft(f"s{number}", record.event) for record in harsh[:30]], harsh[0].recorded_at)
    kept.close()
    shelf = Shelf(tmp_path / "many.db")
    first = await shelf.recording("s0")
    assert first is not None
    for number in range(1, 7):
        await shelf.recording(f"s{number}")
    assert len(shelf.forget({first})) == 5
    assert await shelf.recording("s0") is first


async def test_a_log_that_grows_is_shown_as_it_is_to_whoever_comes_later(tmp_path: Path, harsh: list[Record]) -> None:
    now = 0.0
    kept = SqliteLog(tmp_path / "live.db")

    def written(name: str, first: int, last: int) -> None:
        kept.append([draft(name, record.event) for record in harsh[first:last]], harsh[0].recorded_at)

    written("live", 0, 20)
    shelf = Shelf(tmp_path / "live.db", clock=lambda: now)
    early = await shelf.recording("live")
    assert early is not None
    written("live", 20, 30)
    assert await shelf.recording("live") is early, "it was looked at just now"
    now += LOOKED_AT_S
    later = await shelf.recording("live")
    assert later is not None
    assert (early.last, later.last, len(later.then)) == (20, 30, 30)
    assert await shelf.recording("live") is later
    now += LOOKED_AT_S
    assert await shelf.recording("live") is later, "nothing was written"
    written("next", 0, 10)
    assert [title.session for title in shelf.titles] == ["live"]
    now += LOOKED_AT_S
    assert (found := await shelf.recording("next")) is not None
    assert found.last == 10
    assert [title.session for title in shelf.titles] == ["live", "next"]

    watched = [early, later]
    for end in range(31, 31 + STATES):
        written("live", end - 1, end)
        now += LOOKED_AT_S
        latest = await shelf.recording("live")
        assert latest is not None
        watched.append(latest)
    assert len(set(watched)) == STATES, "so many states at a time, and no more"
    assert shelf.forget(watched[:1]) == {early, watched[-1], found}, "what is watched, and the latest"
    now += LOOKED_AT_S
    latest = await shelf.recording("live")
    assert latest is not None
    assert latest.last == 30 + STATES
    kept.close()
    (tmp_path / "live.db").rename(tmp_path / "away.db")
    now += LOOKED_AT_S
    assert await shelf.recording("live") is latest, "what was known of a log that is away for now"
    chosen = Shelf(tmp_path / "away.db", session="next", clock=lambda: now)
    now += LOOKED_AT_S
    await chosen.look_again()
    assert [title.session for title in chosen.titles] == ["next"]


async def test_a_replay_as_of_a_record_stays_so_while_its_log_grows(tmp_path: Path, harsh: list[Record]) -> None:
    now = 0.0
    with closing(SqliteLog(tmp_path / "live.db")) as kept:
        kept.append([draft("live", record.event) for record in harsh[:20]], harsh[0].recorded_at)
        shelf = Shelf(tmp_path / "live.db", as_of=10, clock=lambda: now)
        first = await shelf.recording("live")
        assert first is not None
        kept.append([draft("live", record.event) for record in harsh[20:30]], harsh[0].recorded_at)
        kept.append([draft("next", record.event) for record in harsh[:10]], harsh[0].recorded_at)
        now += LOOKED_AT_S
        assert await shelf.recording("live") is first
        assert (first.last, len(first.then)) == (10, 10)
        assert [title.session for title in shelf.titles] == ["live"]


async def test_who_loads_a_replay_of_a_running_race_anew_sees_what_came_since(
    tmp_path: Path, serve: "Serve", screen: "Join", harsh: list[Record]
) -> None:
    now, half = 0.0, len(harsh) // 2
    with closing(SqliteLog(tmp_path / "live.db")) as kept:
        for record in harsh[:half]:
            kept.append([draft(record.session, record.event)], record.recorded_at)
        async with (
            serve(tmp_path / "live.db", shelf={"clock": lambda: now}, place="end", playing=False) as service,
            screen(service, "?moment=one") as before,
        ):
            assert before.state is not None
            assert before.state["seq"] == half
            for record in harsh[half:]:
                kept.append([draft(record.session, record.event)], record.recorded_at)
            now += LOOKED_AT_S
            async with screen(service, "?moment=two") as after, screen(service, "?moment=one") as beside:
                assert after.state is not None
                assert after.state["session"]["status"] == "final"
                assert beside.state is not None
                assert beside.state["seq"] == half, "a moment goes on with what there was"


async def test_an_exported_session_file_is_replayed_by_its_recorded_instants(tmp_path: Path, harsh: list[Record]) -> None:
    file = tmp_path / "race.events.jsonl"
    file.write_bytes(b"\n".join(export_line(record) for record in harsh) + b"\n")
    recording = await Shelf(file).recording(harsh[0].session)
    assert recording is not None
    assert recording.then.paced_by == "recorded_at"
    assert [record.event for record in recording.then.records] == [record.event for record in harsh]


async def test_a_session_that_cannot_be_folded_stands_still_and_answers(
    harsh: list[Record], time: "FakeTime", eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(Title(harsh[0].session, "Race", "race", 0), harsh)
    bad, apply = harsh[len(harsh) // 2].event, Timing.apply

    def breaks(timing: Timing, record: Record) -> None:
        if record.event is bad:
            raise ValueError("no such luck")
        apply(timing, record)

    moment = Moment(recording, "m", time, speed="max")
    moment.begin("begin", playing=True)
    monkeypatch.setattr(Timing, "apply", breaks)
    async with running(moment):
        await eventually(lambda: moment.shown.fault is not None and not moment.player.playing)
        assert moment.place == len(harsh) // 2
        moment.control(None, Control(do="step"))
        await eventually(lambda: not moment._steps)
        assert moment.place == len(harsh) // 2
        monkeypatch.undo()
        moment.control(None, Control(do="seek", to=Target(place="end")))
        await eventually(lambda: moment.place == len(harsh))
        assert moment.shown.fault is None


asks = st.one_of(
    st.builds(lambda share: ("at", share), st.floats(0, 1)),
    st.builds(lambda n: ("step", n), st.integers(-3, 3).filter(bool)),
    st.just(("know", 0)),
    st.builds(lambda seconds: ("play", seconds), st.floats(0.1, 90)),
    st.builds(lambda lap: ("lap", lap), st.integers(0, 6)),
)


@settings(max_examples=15)
@given(told=st.lists(asks, min_size=1, max_size=8), chance=st.integers(0, 2**16))
def test_whatever_is_asked_what_is_shown_is_a_fold_cut_at_the_cursor(race: Recording, told: list[tuple[str, Any]], chance: int) -> None:
    asyncio.run(drive(race, told, random.Random(chance)))


async def drive(race: Recording, told: list[tuple[str, Any]], chance: random.Random) -> None:
    class Stepped(LoopTime):
        now = 0.0

        def __call__(self) -> float:
            return self.now

        async def wait(self, woken: asyncio.Event, _: float | None, /) -> None:
            await super().wait(woken, None)

    time = Stepped()
    known: Known = chance.choice(("then", "now"))
    moment = Moment(race, "m", time, known=known)
    moment.begin("start", playing=False)
    async with running(moment), asyncio.timeout(30):
        for what, value in told:
            way = race.way(moment.known)
            match what:
                case "at":
                    moment.control(None, Control(do="seek", to=Target(at=way.begin + int(value * (way.end - way.begin)))))
                case "lap":
                    moment.control(None, Control(do="seek", to=Target(lap=value)))
                case "step":
                    moment.control(None, Control(do="step", count=value, by=chance.choice(("record", "frame"))))
                case "know":
                    moment.control(None, Control(do="know"))
                case "play":
                    moment.control(None, Control(do="play", speed=chance.choice((0.5, 1.0, 100.0))))
                    await settled(moment)
                    time.now += value
                    moment.control(None, Control())
            await settled(moment)
            fresh = Timing(race.title.session)
            for record in race.way(moment.known).records[: moment.place]:
                race.ready(moment.known, fresh, record)
                fresh.apply(record)
            assert moment.shown.timing.digest() == fresh.digest()
            assert not moment.player.playing or moment.place == race.way(moment.known).place_at(moment.player.at)


async def settled(moment: Moment) -> None:
    """Wait until all that was asked is done and nothing is due."""
    while moment._woken.is_set() or moment._goal or moment._steps or (moment.player.playing and moment._play() == 0):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0)
