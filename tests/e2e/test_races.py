"""Real races sent through the broker into the service: the screens show the order that `timing classify` gives for the file."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from race_files import WANTING, name_of, race_files

pytestmark = pytest.mark.races

SOME = ("wec-2024-fuji-6h", "f1-2011-07-canadian", "f1-2003-03-brazilian", "imsa-2023-lime-rock-park")


@pytest.fixture
def races() -> list[Path]:
    if not (found := race_files()):
        pytest.skip(WANTING)
    return found


async def compare(service: Any, race: Path, timing_command: Callable[..., Awaitable[str]]) -> str | None:
    await service.finished(await service.publish(race, "--speed", "max", "--answers", "30"), 300)
    expected = json.loads(await timing_command("classify", "--json", str(race)))
    session = expected["session"]
    if await service.result(session) != expected:
        return f"{race.name}: another result"
    rows = (await service.snapshot(session))["rows"]
    shown = sorted((row["result"]["position"], car) for car, row in rows.items() if row["result"]["position"])
    expected_order = [(row["position"], row["car"]) for row in expected["rows"] if row["position"]]
    return None if shown == expected_order else f"{race.name}: another order"


@pytest.mark.timeout(300)
async def test_some_races_through_the_service(make_service: Any, timing_command: Callable[..., Awaitable[str]], races: list[Path]) -> None:
    service = make_service()
    await service.start()
    chosen = [race for race in races if name_of(race) in SOME]
    assert chosen
    faults = [await compare(service, race, timing_command) for race in chosen]
    assert not [fault for fault in faults if fault]


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_every_race_through_one_service(make_service: Any, timing_command: Callable[..., Awaitable[str]], races: list[Path]) -> None:
    service = make_service()
    await service.start()
    faults = [await compare(service, race, timing_command) for race in races]
    assert not [fault for fault in faults if fault]
    assert await service.stop() == 0
    await timing_command("log", "verify", str(service.log))
