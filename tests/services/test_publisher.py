"""Sending a session file: in order, at a pace, whatever the broker does in between."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
import pytest

from timing.domain.errors import BrokerError, ConfigurationError
from timing.domain.events import Passing
from timing.log.session_file import Line, export_line, read_lines
from timing.services.ingest import BackOff
from timing.services.mqtt import Address
from timing.services.publisher import Pace, Progress, publish_lines

Eventually = Callable[..., Awaitable[None]]
SECOND = 1_000_000


def lines_of(events: Iterable[dict[str, Any] | bytes]) -> list[Line]:
    return list(read_lines(event if isinstance(event, bytes) else msgspec.json.encode(event) for event in events))


@pytest.fixture
def race(passings: Any, opening: Any) -> Callable[[int], list[Line]]:
    """A session file of some passings and a command after every tenth."""

    def make(count: int) -> list[Line]:
        events: list[dict[str, Any]] = [opening()]
        for n in range(count):
            events.append(passings(n))
            if n % 10 == 9:
                events.append({"type": "message", "id": f"m{n}", "at": events[-1]["at"], "text": "Next ten"})
        return lines_of(events)

    return make


def names(life: Any) -> list[str]:
    return [str(getattr(r.event, "number", "") if isinstance(r.event, Passing) else r.event.id) for r in life.records()]


def sent_names(lines: list[Line]) -> list[str]:
    return [str(line.event.number if isinstance(line.event, Passing) else getattr(line.event, "id", "")) for line in lines]


async def test_a_file_arrives_whole_and_in_order(broker: Any, start: Any, race: Any) -> None:
    life = start(broker.url)
    await life.ingest.wait_connected()
    lines = race(1_000)
    progress = await publish_lines(lines, Address(broker.url), speed="max", window=50)
    assert (progress.sent, progress.acknowledged, progress.accepted) == (1_101, 1_101, 101)
    assert progress.whole
    assert not progress.told
    assert names(life) == sent_names(lines)


async def test_no_more_than_the_window_is_on_its_way(broker: Any, start: Any, race: Any) -> None:
    progress = Progress()
    most = 0

    def watched() -> Iterable[Line]:
        nonlocal most
        for line in race(500):
            most = max(most, progress.sent - progress.acknowledged)
            yield line

    await publish_lines(watched(), Address(broker.url), speed="max", window=20, answers_within=0, progress=progress)
    assert 1 < most <= 20
    assert progress.acknowledged == 551


async def test_an_exported_file_is_sent_as_it_first_came(embedded: Any, start: Any, race: Any, tmp_path: Any) -> None:
    life = start(embedded.url)
    await life.ingest.wait_connected()
    await publish_lines(race(20), Address(embedded.url), speed="max")
    exported = list(read_lines(export_line(record) for record in life.records()))
    again = await publish_lines(exported, Address(embedded.url), speed="max")
    assert (again.acknowledged, again.accepted, again.rejected) == (23, 3, 0)
    assert len(life.records()) == 23, "the same events, so nothing new"
    copy = await publish_lines(exported, Address(embedded.url), speed="max", session="race-2")
    assert copy.whole
    assert [r.event for r in life.records("race-2")][1:] == [r.event for r in life.records()][1:]


async def test_who_acted_then_is_not_who_sends_now(embedded: Any, start: Any, opening: Any) -> None:
    life = start(embedded.url)
    await life.ingest.wait_connected()
    said = {"type": "message", "id": "m", "at": 5, "text": "hello", "acted_by": {"name": "Anna", "role": "race-director", "token": "t"}}
    progress = await publish_lines(lines_of([opening(), said]), Address(embedded.url), speed="max")
    assert progress.whole
    assert life.records()[-1].event.acted_by is None


async def test_it_goes_on_where_it_was_when_the_broker_goes_and_comes(broker: Any, start: Any, race: Any, eventually: Eventually) -> None:
    life = start(broker.url, settle=broker.settle)
    await life.ingest.wait_connected()
    lines, progress = race(2_000), Progress()
    half_a_millisecond_each = 0.002
    sending = asyncio.create_task(
        publish_lines(lines, Address(broker.url), speed=half_a_millisecond_each, window=50, progress=progress, back_off=BackOff(0.05, 0.3))
    )
    await eventually(lambda: progress.acknowledged > 300)
    await broker.restart()
    assert progress.sent < len(lines), "it went in the middle"
    async with asyncio.timeout(30):
        await sending
    assert progress.whole
    assert progress.sent == len(lines)
    await eventually(lambda: len(life.records()) == len(lines))
    assert sorted(names(life)) == sorted(sent_names(lines)), "each once"


async def test_rejections_are_told_with_their_line(embedded: Any, start: Any, passings: Any, opening: Any) -> None:
    life = start(embedded.url)
    await life.ingest.wait_connected()
    retired = {"type": "car_retired", "id": "r1", "at": 1, "car": "99"}
    lines = lines_of([opening(), passings(1), b"not an event", retired, {"type": "message_rejected"}, passings(2)])
    progress = await publish_lines(lines, Address(embedded.url), speed="max")
    assert (progress.acknowledged, progress.accepted, progress.rejected, progress.faults) == (4, 1, 1, 2)
    assert not progress.whole
    assert [text.partition(":")[0] for text in progress.told] == ["line 3 is not sent", "line 5 is not sent", "line 4"]
    assert "car 99 is not entered" in progress.told[2]


async def test_commands_nobody_answers_are_counted(embedded: Any, race: Any) -> None:
    progress = await publish_lines(race(20), Address(embedded.url), speed="max", answers_within=0.3)
    assert (progress.acknowledged, progress.unanswered) == (23, 3)
    assert progress.again == 6, "sent twice more"
    assert not progress.whole


async def test_commands_are_sent_again_until_somebody_answers(embedded: Any, start: Any, race: Any, eventually: Eventually) -> None:
    progress = Progress()
    sending = asyncio.create_task(publish_lines(race(20), Address(embedded.url), speed="max", answers_within=6, progress=progress))
    await eventually(lambda: progress.acknowledged == 23)
    life = start(embedded.url)  # when it was sent first nobody listened, and the broker kept nothing
    async with asyncio.timeout(10):
        await sending
    assert (progress.accepted, progress.unanswered) == (3, 0)
    assert names(life) == ["open-race-1", "m9", "m19"]


async def test_a_broker_that_was_never_there_is_said_in_time(race: Any, unused_port: int) -> None:
    with pytest.raises(BrokerError, match="cannot be reached"):
        await publish_lines(race(5), Address(f"mqtt://127.0.0.1:{unused_port}"), reach_within=0.2, back_off=BackOff(0.05, 0.1))


async def test_a_file_that_does_not_begin_with_its_session_wants_its_name(passings: Any) -> None:
    with pytest.raises(ConfigurationError, match="--session"):
        await publish_lines(lines_of([passings(1)]), Address("mqtt://127.0.0.1:1"))


async def test_told_to_stop_it_sends_nothing_more(embedded: Any, race: Any, eventually: Eventually) -> None:
    stop, progress = asyncio.Event(), Progress()
    lines = race(1_000)
    sending = asyncio.create_task(publish_lines(lines, Address(embedded.url), speed=1 / SECOND, max_gap=0.01, progress=progress, stop=stop))
    await eventually(lambda: progress.acknowledged >= 5)
    stop.set()
    async with asyncio.timeout(5):
        await sending
    assert 5 <= progress.acknowledged == progress.sent < len(lines)


def test_the_pace_is_that_of_the_events() -> None:
    pace = Pace(2.0, None)
    assert [pace.due(at * SECOND, 100.0) for at in (50, 52, 51, 56)] == [100.0, 101.0, 101.0, 103.0]


def test_long_pauses_are_cut() -> None:
    pace = Pace(10.0, 5.0)
    assert [pace.due(at * SECOND, 0.0) for at in (1, 3_601, 3_611)] == [0.0, 5.0, 6.0]


def test_as_fast_as_it_goes_is_at_once() -> None:
    pace = Pace("max", None)
    assert [pace.due(at * SECOND, 7.0) for at in (1, 3_601)] == [7.0, 7.0]


async def test_paced_events_are_sent_when_they_are_due(embedded: Any, passings: Any, opening: Any) -> None:
    loop = asyncio.get_running_loop()
    events = [opening(), *(passings(n, at=opening()["at"] + n * SECOND) for n in range(1, 7))]
    instants: list[float] = []

    def noted() -> Iterable[Line]:
        for line in lines_of(events):
            instants.append(loop.time())
            yield line

    began = loop.time()
    await publish_lines(noted(), Address(embedded.url), speed=10.0, answers_within=0)
    assert loop.time() - began >= 0.59
    # The next is asked for when the one before was sent: each no earlier than a tenth of a second after the one before was due.
    assert all(asked - began >= 0.1 * sent - 0.01 for sent, asked in enumerate(instants[1:]))
