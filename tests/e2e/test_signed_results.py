"""Results signed by a running service, killed at bad moments, and verified by somebody who has only the log and the public key."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from signed_log import race

from timing.services.keys import SigningKeyFile, new_key

Make = Callable[..., Any]
Run = Callable[..., Awaitable[str]]


@pytest.fixture
def key(tmp_path: Path) -> SigningKeyFile:
    return new_key(tmp_path / "results.key")


@pytest.fixture
def config(tmp_path: Path, key: SigningKeyFile) -> Path:
    file = tmp_path / "timing.toml"
    file.write_text(f'signing_key = "{tmp_path / "results.key"}"\n')
    return file


def written(folder: Path, told: list[dict[str, Any]]) -> Path:
    file = folder / "sunday.events.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in told), encoding="utf-8")
    return file


async def replay(*arguments: str) -> tuple[int | None, str, str]:
    program = str(Path(sys.executable).with_name("replay"))
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def signed(service: Any, count: int) -> list[dict[str, Any]]:
    """Ask for the versions until so many are signed."""
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        while True:
            document = (await client.get(f"{service.pages}api/sessions/sunday/versions")).json()
            found = [version for version in document.get("versions", ()) if version["signature"]]
            if len(found) == count:
                return found
            await asyncio.sleep(0.02)


async def test_what_a_service_publishes_is_signed_and_a_stranger_can_check_it(
    make_service: Make, timing_command: Run, config: Path, key: SigningKeyFile, tmp_path: Path
) -> None:
    service = make_service("--config", str(config))
    await service.start()
    await service.finished(await service.publish(written(tmp_path, race()), "--speed", "max"))
    versions = await signed(service, 2)
    async with httpx.AsyncClient() as client:
        health = (await client.get(f"{service.pages}health")).json()
    assert health["parts"]["signing"] == {"ok": True, "key": key.id}
    status, out, err = await replay("verify", str(service.log), "--key", key.public)
    assert (status, err) == (0, ""), out
    assert await service.stop() == 0
    (tmp_path / "sheet.json").write_text(json.dumps(versions[-1]))
    export = tmp_path / "export.jsonl"
    await timing_command("log", "export", str(service.log), "-o", str(export))
    status, out, err = await replay("check", str(tmp_path / "sheet.json"), "--key", key.id, "--log", str(export))
    assert (status, err) == (0, ""), out
    secret = (tmp_path / "results.key").read_text().splitlines()[1]
    for file in service.log.parent.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file


async def test_no_publication_stays_unsigned_however_the_service_dies(
    make_service: Make, config: Path, key: SigningKeyFile, tmp_path: Path
) -> None:
    service = make_service("--config", str(config))
    await service.start()
    told = race()
    await service.finished(await service.publish(written(tmp_path, told[:8]), "--speed", "max"))
    for n in range(4):
        result = {"type": "result_published", "id": f"p{n}", "at": told[-1]["at"] + n, "stage": "provisional"}
        publishing = await service.publish(written(tmp_path, [told[0], result]), "--speed", "max")
        await service.finished(publishing)  # it is accepted, so it is safe; whether it is signed yet nobody knows
        await service.kill()
        await service.start()
    assert len(await signed(service, 4)) == 4
    assert await service.stop() == 0
    status, out, _ = await replay("verify", str(service.log), "--key", key.public)
    assert status == 0, out


async def test_a_service_does_not_start_with_a_key_that_others_may_read(config: Path, timing_command: Run, tmp_path: Path) -> None:
    (tmp_path / "results.key").chmod(0o644)
    ports = ("--mqtt-port", "0", "--feed-port", "0", "--web-port", "0")
    await timing_command("serve", "--config", str(config), "--log", str(tmp_path / "race.db"), *ports, status=2)
    assert not (tmp_path / "race.db").exists()
