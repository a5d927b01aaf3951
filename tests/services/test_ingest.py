"""Ingest against real brokers: what is acknowledged is in the log, what is not comes again, and nothing stops it but the log."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from timing.domain.errors import LogError
from timing.domain.events import MessageRejected, Passing
from timing.services.ingest import BackOff

FLAG = {"type": "track_status", "id": "red-1", "status": "red"}
Eventually = Callable[..., Awaitable[None]]


def stored(life: Any, session: str = "race-1") -> int:
    return int(life.log.high_watermark(session))


async def test_events_become_records_and_commands_are_answered(
    broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    life = start(broker.url)
    await life.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        sender.send("passings/line-1", passings(1))
        sender.send("control", FLAG)
        sender.send("control", FLAG)
        sender.send("laps/tower", {"type": "lap", "at": 5, "source": "tower", "boot": 1, "number": 1, "car": "7", "lap": 1})
        await eventually(lambda: len(sender.answers) == 3 and stored(life) == 4)
        assert sender.answers == [
            ("race-1/accepted/session", {"id": "open-race-1", "seq": 1}),
            ("race-1/accepted/control", {"id": "red-1", "seq": 3}),
            ("race-1/accepted/control", {"id": "red-1", "seq": 3}),
        ]
    assert [type(r.event).__name__ for r in life.records()] == ["SessionOpened", "Passing", "TrackStatus", "Lap"]
    counters = life.ingest.counters
    assert (counters.facts, counters.accepted, counters.rejected, counters.duplicates) == (2, 2, 0, 1)


async def test_order_holds_among_all_channels(
    patient_broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    life = start(patient_broker.url)
    await life.ingest.wait_connected()
    async with sender_of(patient_broker.url) as sender:
        sender.open_session()
        sent = ["open-race-1"]
        for n in range(600):
            sender.send(f"passings/line-{n % 3}", passings(n, f"line-{n % 3}"))
            sender.send("entries", {"type": "entry_registered", "id": f"e{n}", "at": 1, "car": f"{n}", "class": "Open"})
            sender.send("corrections", {"type": "event_voided", "id": f"c{n}", "event": f"e{n}", "reason": "test", "by": "me"})
            sent += [str(n), f"e{n}", f"c{n}"]
        await eventually(lambda: stored(life) == len(sent))
    assert [getattr(r.event, "id", None) or str(getattr(r.event, "number", "")) for r in life.records()] == sent


async def test_nothing_is_acknowledged_before_it_is_in_the_log(
    broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    first = start(broker.url, batch=10)
    await first.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        await eventually(lambda: stored(first) == 1 and len(sender.answers) == 1)
        first.gate.open.clear()
        begun = first.gate.calls
        for n in range(95):
            sender.send("passings/line-1", passings(n))
        await eventually(lambda: first.gate.calls == begun + 4 and sender.delivered == 96, what="four batches under way, and no more")
        assert first.gate.held <= 40
        await first.end()  # what is under way is not stored: the gate never opened
    assert first.ingest.counters.received == 1
    second = start(broker.url, settle=broker.settle)
    await eventually(lambda: stored(second) == 96, what="everything that was not acknowledged, delivered again")
    numbers = [r.event.number for r in second.records() if isinstance(r.event, Passing)]
    assert numbers == list(range(95)), "each once, and in order"
    await eventually(lambda: second.ingest.counters.received >= 95)
    await second.end()
    third = start(broker.url, settle=broker.settle)
    await third.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.send("passings/line-1", passings(1_000))
        await eventually(lambda: stored(third) == 97)
    assert third.ingest.counters.facts == 1
    assert third.ingest.counters.received == 1, "what was acknowledged does not come again"


async def test_after_a_loss_the_old_comes_before_the_new(broker: Any, start: Any, sender_of: Any, eventually: Eventually) -> None:
    """NATS sends new messages first; a command that rests on one before it would be refused."""
    first = start(broker.url)
    await first.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        await eventually(lambda: stored(first) == 1)
        first.gate.open.clear()
        for n in range(300):
            sender.send("entries", {"type": "entry_registered", "id": f"e{n}", "at": 1, "car": f"{n}", "class": "Open"})
        await eventually(lambda: sender.delivered == 301 and first.gate.held > 0)
        await first.end()
        for n in range(300):
            sender.send("entries", {"type": "car_retired", "id": f"r{n}", "at": 2, "car": f"{n}"})
        await eventually(lambda: sender.delivered == 601)
        second = start(broker.url, settle=broker.settle)
        await eventually(lambda: stored(second) == 601)
    assert second.ingest.counters.rejected == 0


async def test_a_log_that_fails_ends_ingest_and_acknowledges_nothing(
    broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    first = start(broker.url)
    await first.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        await eventually(lambda: stored(first) == 1)
        first.gate.broken = True
        sender.send("passings/line-1", passings(1))
        with pytest.raises(LogError, match="disk is full"):
            async with asyncio.timeout(10):
                await first.task
        assert not first.ingest.connected
        await first.end()
        second = start(broker.url, settle=broker.settle)
        await eventually(lambda: stored(second) == 2)


async def test_wrong_input_of_every_kind_is_answered_and_kept_and_the_service_goes_on(
    broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    life = start(broker.url)
    await life.ingest.wait_connected()
    too_large = msgspec.json.encode(passings(2, note="x" * 100_000))
    wrong: list[tuple[str, str, bytes, str]] = [
        ("race-1", "control", b"", "not-json"),
        ("race-1", "control", b"\xff\x00\xfe", "not-json"),
        ("race-1", "passings/line-1", b'{"type":"passing"', "not-json"),
        ("race-1", "passings/line-1", b'{"type":"passing"}', "bad-field"),
        ("race-1", "passings/line-1", b'{"type":"unheard"}', "unknown-type"),
        ("race-1", "passings/line-2", msgspec.json.encode(passings(1)), "wrong-device"),
        ("race-1", "stewards", msgspec.json.encode(FLAG), "wrong-channel"),
        ("race-1", "weather", msgspec.json.encode(FLAG), "wrong-channel"),
        ("race-1", "passings/line-1", too_large, "too-large"),
        ("race-1", "entries", msgspec.json.encode({"type": "car_retired", "id": "r", "at": 1, "car": "9"}), "unknown-car"),
        ("race-7", "control", msgspec.json.encode(FLAG), "unknown-session"),
        ("RACE", "control", msgspec.json.encode(FLAG), "unknown-session"),
    ]
    async with sender_of(broker.url) as sender:
        sender.open_session()
        for session, channel, payload, _ in wrong:
            sender.send(channel, payload, session)
        sender.send("passings/line-1", passings(1))
        await eventually(lambda: stored(life) == 12 and stored(life, "_") == 2 and len(sender.answers) == 14, what="all answers")
    rejected = [r.event for name in ("race-1", "_") for r in life.records(name) if isinstance(r.event, MessageRejected)]
    kept = [(f"{session}/{channel}" if code == "unknown-session" else channel, payload, code) for session, channel, payload, code in wrong]
    assert [(e.channel, e.payload, e.code) for e in rejected] == kept
    said = [(topic, answer["code"]) for topic, answer in sender.answers if "rejected" in topic]
    expected = [(f"{session}/rejected/{channel}", code) for session, channel, _, code in wrong[:10]]
    expected += [("_/rejected/control", "unknown-session"), ("race-7/rejected/control", "unknown-session")]
    assert said == [*expected, ("_/rejected/control", "unknown-session")]
    assert isinstance(life.records()[-1].event, Passing), "the service goes on"


async def test_a_conflict_is_kept_and_answered(broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually) -> None:
    life = start(broker.url)
    await life.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        sender.send("passings/line-1", passings(1))
        sender.send("passings/line-1", passings(1))
        sender.send("passings/line-1", passings(1, transponder="T2"))
        sender.send("control", FLAG)
        sender.send("control", {**FLAG, "status": "green"})
        await eventually(lambda: stored(life) == 5 and len(sender.answers) == 4)
    rejected = [r.event for r in life.records() if isinstance(r.event, MessageRejected)]
    assert [e.code for e in rejected] == ["identity-conflict", "identity-conflict"]
    assert msgspec.json.decode(rejected[0].payload)["transponder"] == "T2"
    topics = [topic for topic, _ in sender.answers]
    assert topics.count("race-1/rejected/passings/line-1") == 1
    assert sender.answers[-1][1]["id"] == "red-1"
    assert sender.answers[-1][1]["code"] == "identity-conflict"


async def test_it_comes_back_when_the_broker_is_killed(
    broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    life = start(broker.url, settle=broker.settle)
    await life.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        for n in range(50):
            sender.send("passings/line-1", passings(n))
        await eventually(lambda: stored(life) == 51)
    await broker.kill()
    await eventually(lambda: life.ingest.counters.connections == 2 and life.ingest.connected)
    async with sender_of(broker.url) as sender:
        for n in range(40, 100):
            sender.send("passings/line-1", passings(n))
        await eventually(lambda: stored(life) == 101)
    assert [r.event.number for r in life.records() if isinstance(r.event, Passing)] == list(range(100))


async def test_a_full_house_stops_reading_and_loses_nothing(
    broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually
) -> None:
    life = start(broker.url, batch=8, ahead=2, waiting=16)
    await life.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        await eventually(lambda: stored(life) == 1)
        life.gate.open.clear()
        begun = life.gate.calls
        for n in range(2_000):
            sender.send("passings/line-1", passings(n))
        await eventually(lambda: sender.delivered == 2_001, what="the broker's taking all, whatever the service does")
        await eventually(lambda: life.gate.calls == begun + 2)
        assert life.gate.held <= 16
        assert life.ingest.counters.received == 1
        life.gate.open.set()
        await eventually(lambda: stored(life) == 2_001)
    heard = [r.event.number for r in life.records() if isinstance(r.event, Passing)]
    assert sorted(heard) == list(range(2_000))  # what waited longer than the broker's ack_wait comes again, behind what is new


@pytest.mark.timeout(240)  # seconds here, more on a busy machine
async def test_a_burst_arrives_whole(broker: Any, start: Any, sender_of: Any, passings: Any, eventually: Eventually) -> None:
    life = start(broker.url)
    await life.ingest.wait_connected()
    async with sender_of(broker.url) as sender:
        sender.open_session()
        for n in range(20_000):
            sender.send("passings/line-1", passings(n))
            if n % 500 == 0:
                await eventually(lambda n=n: sender.delivered > n - 2_000, within=60)  # the window of a sender, not a pace
        await eventually(lambda: stored(life) == 20_001, within=120)
    assert {r.event.number for r in life.records() if isinstance(r.event, Passing)} == set(range(20_000))
    assert life.ingest.counters.batches < 10_000, "gathered"


async def test_it_waits_for_a_broker_that_is_not_there_yet(start: Any, eventually: Eventually, unused_port: int) -> None:
    life = start(f"mqtt://127.0.0.1:{unused_port}")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await life.ingest.wait_connected()
    assert not life.task.done()


def test_the_back_off_grows_to_its_limit_and_begins_anew() -> None:
    back_off = BackOff(1.0, 10.0)
    pauses = [back_off.pause() for _ in range(8)]
    assert all(0.5 * most <= pause <= most for pause, most in zip(pauses, [1, 2, 4, 8, 10, 10, 10, 10], strict=True))
    back_off.reset()
    assert back_off.pause() <= 1.0
