"""What race control asks of a running service: why a car is where it is, what is wrong in the evidence, what a correction would change."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from timing.projections.frames import receive


def _session(file: Path) -> str:
    with file.open("rb") as lines:
        session: str = json.loads(lines.readline())["session"]
        return session


async def test_places_are_explained_anomalies_shown_and_corrections_tried(
    make_service: Callable[..., Any], timing_command: Callable[..., Awaitable[str]], race_file: Path
) -> None:
    service = make_service()
    await service.start()
    await service.finished(await service.publish(race_file, "--speed", "max"))
    session = _session(race_file)
    before = await service.result(session)
    first, second = (row["car"] for row in before["rows"][:2])
    command = ["token", "new", "--log", str(service.log), "--role", "steward", "--name", "Anna Roy", "--reusable"]
    steward = {"authorization": f"Bearer {(await timing_command(*command)).strip()}"}
    async with httpx.AsyncClient(base_url=f"{service.pages}api/sessions/{session}/") as api:
        explained = (await api.get(f"cars/{second}/explain", params={"last": 5})).json()
        assert (explained["position"], explained["road"][0]["where"], len(explained["crossings"])) == (2, "ahead", 5)
        anomalies = (await api.get("anomalies")).json()["anomalies"]
        assert "unknown_transponder" in {anomaly["kind"] for anomaly in anomalies}, "strangers are heard in this race"
        penalty = {"type": "decision", "decision": "what-if", "car": first, "penalty": "time", "seconds": 600}
        assert (await api.post("preview", json={"events": [penalty]})).status_code == 401, "it costs work"
        preview = (await api.post("preview", json={"events": [penalty]}, headers=steward)).json()
        changes = {car["car"]: car["changes"] for car in preview["differences"]["cars"]}
        assert changes[second]["position"] == {"before": 2, "after": 1}
        assert (await api.get("cars/no-car/explain")).status_code == 404
        assert (await api.post("preview", content=b"?", headers=steward)).status_code == 400
    async with connect(f"{service.feed}/v1/sessions/{session}", compression=None, max_size=None) as screen:
        state: dict[str, Any] | None = None
        async with asyncio.timeout(10):  # they are searched for once a second
            while state is None or "anomaly" not in {message["kind"] for message in state["messages"]}:
                state, _ = receive(state, json.loads(await screen.recv()))
        await screen.send(json.dumps({"kind": "explain", "car": second}))
        answer = json.loads(await screen.recv())
        assert (answer["kind"], answer["explanation"]["position"]) == ("explanation", 2)
    assert (await service.result(session))["digest"] == before["digest"], "asking changes nothing"
    assert await service.stop() == 0
