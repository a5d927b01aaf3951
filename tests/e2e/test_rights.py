"""Rights as race control lives with them: a service behind Mosquitto with users, adapters and people each with theirs, and who did what."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest

Make = Callable[..., Any]
Run = Callable[..., Awaitable[str]]

OPENING = {
    "type": "session_opened", "id": "open", "at": 1_747_400_000_000_000, "session": "sunday", "name": "Sunday", "kind": "race",
    "rulebook": "mitjet", "distance": {"laps": 3}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish"}]},
}  # fmt: skip
ENTRY = {"type": "entry_registered", "id": "e7", "at": 1_747_400_000_000_000, "car": "7", "class": "GT", "transponders": ["T7"]}
PASSING = {"type": "passing", "at": 1_747_400_060_000_000, "decoder": "line-1", "boot": 1, "number": 1, "loop": "SF", "transponder": "T7"}


async def new_user(run: Run, log: Path, name: str, *granted: str) -> str:
    return (await run("broker", "add", name, *granted, "--log", str(log))).strip()


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
async def club(
    request: pytest.FixtureRequest, make_service: Make, timing_command: Run, mosquitto: Make, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A service with users at its broker: gives it, and the adapter's password."""
    service = make_service()
    own = await new_user(timing_command, service.log, "parcferme")
    adapter = await new_user(timing_command, service.log, "gate", "--decoder", "line-1")
    if request.param == "embedded":
        await service.start()
        yield service, adapter
        return
    folder = service.log.parent / "rights"
    await timing_command("broker", "config", "mosquitto", "-o", str(folder), "--log", str(service.log))
    lines = (folder / "users.conf").read_text().splitlines()
    async with mosquitto(**dict(line.split(" ", 1) for line in lines if not line.startswith("#"))) as broker:
        monkeypatch.setenv("TIMING_BROKER_USER", "parcferme")
        monkeypatch.setenv("TIMING_BROKER_PASSWORD", own)
        monkeypatch.setenv("TIMING_BROKER", broker.url)
        await service.start()
        service.mqtt = broker.url
        yield service, adapter
        await service.stop()


async def test_each_says_their_own_and_the_log_says_who(club: Any, timing_command: Run) -> None:
    service, password = club
    log = str(service.log)

    async def program(*roles: str) -> httpx.AsyncClient:
        named = [argument for role in roles for argument in ("--role", role)]
        token = (await timing_command("token", "new", *named, "--name", f"Program {roles[0]}", "--reusable", "--log", log)).strip()
        return httpx.AsyncClient(base_url=f"{service.pages}api/sessions/sunday/", headers={"authorization": f"Bearer {token}"})

    async with await program("timekeeper") as office, await program("race-director") as control:
        assert (await office.post("session", json=OPENING)).json() == {"id": "open", "seq": 1}
        assert (await office.post("entries", json=ENTRY)).json() == {"id": "e7", "seq": 2}
        assert (await office.post("control", json={"type": "track_status", "id": "f", "status": "red"})).status_code == 403
        host, _, port = service.mqtt.removeprefix("mqtt://").partition(":")
        async with aiomqtt.Client(host, int(port), username="gate", password=password) as gate:
            forged = json.dumps({"type": "track_status", "id": "forged", "status": "red"})
            await gate.publish("timing/v1/sunday/control", forged, qos=1)
            await gate.publish("timing/v1/sunday/passings/line-2", json.dumps({**PASSING, "decoder": "line-2"}), qos=1)
            await gate.publish("timing/v1/sunday/passings/line-1", json.dumps(PASSING), qos=1)
            async with asyncio.timeout(15):
                while (await control.get("log", params={"after": 3})).json()["seq"] < 4:
                    pass
        assert (await control.post("control", json={"type": "track_status", "id": "f2", "status": "red"})).json() == {"id": "f2", "seq": 5}
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client(host, int(port)):
            pass
    assert await service.stop() == 0
    lines = [json.loads(line) for line in (await timing_command("log", "export", log, "--session", "sunday")).splitlines()]
    assert [(line["type"], line.get("acted_by", {}).get("role")) for line in lines] == [
        ("session_opened", "timekeeper"),
        ("entry_registered", "timekeeper"),
        ("message_rejected", "timekeeper"),
        ("passing", None),
        ("track_status", "race-director"),
    ]
    tail = await timing_command("log", "tail", log)
    assert "Program race-director (race-director)" in tail
    await timing_command("log", "verify", log)
