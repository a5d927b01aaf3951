"""From a session file over MQTT to the screens: the same order as the classification of the file, whatever happens on the way."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

Make = Callable[..., Any]
Run = Callable[..., Awaitable[str]]


def _session(file: Path) -> str:
    with file.open("rb") as lines:
        session: str = json.loads(lines.readline())["session"]
        return session


def _events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_what_is_published_is_what_the_screens_show(make_service: Make, timing_command: Run, broker: Any, race_file: Path) -> None:
    service = make_service("--broker", broker.url)
    await service.start()
    await service.finished(await service.publish(race_file, "--speed", "max"))
    expected = json.loads(await timing_command("classify", "--json", str(race_file)))
    session = _session(race_file)
    assert await service.result(session) == expected
    snapshot = await service.snapshot(session)
    placed = [row["car"] for row in expected["rows"]]
    assert sorted(snapshot["order"]) == sorted(placed)
    shown = sorted(snapshot["rows"].values(), key=lambda row: row["result"]["position"] or len(placed) + row["position"])
    assert [row["car"] for row in shown if row["result"]["position"]] == [row["car"] for row in expected["rows"] if row["position"]]
    assert await service.stop() == 0
    assert json.loads(await timing_command("classify", "--json", str(service.log)))["digest"] == expected["digest"]
    await timing_command("log", "verify", str(service.log))


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_acknowledged_is_lost_when_the_service_is_killed(
    make_service: Make, timing_command: Run, race_file: Path, seed: int
) -> None:
    """kill -9 at random moments while publishing; started again, it has everything, once, and the same digest as without the kills."""
    dice = random.Random(seed)
    service = make_service()
    await service.start()
    publishing = await service.publish(race_file, "--speed", "800", "--answers", "30")
    for _ in range(3):
        await asyncio.wait({asyncio.ensure_future(publishing.wait())}, timeout=dice.uniform(0.1, 0.6))
        await service.kill()
        await service.start()
    await service.finished(publishing)
    session = _session(race_file)
    expected = json.loads(await timing_command("classify", "--json", str(race_file)))
    result = await service.result(session)
    assert (result["digest"], result["rows"]) == (expected["digest"], expected["rows"])
    assert await service.stop() == 0
    exported = [json.loads(line) for line in (await timing_command("log", "export", str(service.log), "--session", session)).splitlines()]
    identities = [(e["decoder"], e["boot"], e["number"]) if e["type"] == "passing" else e["id"] for e in exported]
    sent = _events(race_file)
    assert len(identities) == len(set(identities))
    assert set(identities) == {(e["decoder"], e["boot"], e["number"]) if e["type"] == "passing" else e["id"] for e in sent}


async def test_malformed_messages_are_answered_kept_and_survived(make_service: Make, timing_command: Run, race_file: Path) -> None:
    service = make_service()
    await service.start()
    await service.finished(await service.publish(race_file, "--speed", "max"))
    session = _session(race_file)
    before = await service.result(session)
    host, _, port = service.mqtt.removeprefix("mqtt://").partition(":")
    junk = {
        f"{session}/control": [b"", b"\xff\xfe", b"[", b'{"type":"track_status","status":"purple","id":"x","at":1}', b"{" * 60_000],
        f"{session}/passings/line-1": [b'{"type":"passing","at":1.5}', b'{"type":"message","id":"m","text":"not a passing"}'],
        f"{session}/stewards": [b'{"type":"decision","id":"d","decision":"D1","car":"999","penalty":"time","seconds":5}'],
        "nobody-opened-this/control": [b'{"type":"message","id":"m","text":"hello"}'],
    }
    async with aiomqtt.Client(host, int(port)) as client:
        await client.subscribe("timing/v1/+/rejected/#", qos=1)
        for topic, payloads in junk.items():
            for payload in payloads:
                await client.publish(f"timing/v1/{topic}", payload, qos=1)
        codes = set()
        async with asyncio.timeout(20):
            for _ in range(sum(map(len, junk.values()))):
                codes.add(json.loads((await anext(client.messages)).payload)["code"])
    assert {"not-json", "bad-field", "wrong-channel", "unknown-car", "unknown-session"} <= codes
    after = await service.result(session)
    assert (after["digest"], after["rows"]) == (before["digest"], before["rows"])
    assert await service.stop() == 0
    kept = (await timing_command("log", "export", str(service.log), "--session", session)).splitlines()
    assert sum('"type":"message_rejected"' in line for line in kept) == sum(
        len(p) for topic, p in junk.items() if topic.startswith(session)
    )
