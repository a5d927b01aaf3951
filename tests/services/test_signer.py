"""Results are signed when they are safe; a crash in between is made good; old results and unsigned operation stay as they are."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from timing.domain import events as e
from timing.log.record import draft
from timing.log.sqlite_log import SqliteLog
from timing.projections.statement import result_hash, signed_bytes
from timing.projections.versions import Version, versions
from timing.services.keys import SigningKeyFile, holds, new_key
from timing.services.projector import Projector
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_log
from timing.services.signer import Signer
from timing.services.writer import LogWriter

DOCUMENT = Path(__file__).parents[2] / "docs" / "verify.md"
NOW = 1_747_401_000_000_000


def opening(session: str) -> e.SessionOpened:
    circuit = e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"),))
    rules, distance = Rulebooks().resolve("fia-f1"), e.Distance(laps=2)
    return e.SessionOpened(
        id="open", at=NOW, session=session, name="S", kind="race", rulebook="fia-f1", distance=distance, circuit=circuit, rules=rules
    )


def published(n: int, stage: str = "amended") -> e.ResultPublished:
    return e.ResultPublished(id=f"p{n}", at=NOW + n, stage=stage)  # type: ignore[arg-type]  # one of the three


class Life:
    """One life of a service that signs, without a broker: what is appended is safe, shown and signed."""

    def __init__(self, log: SqliteLog, key: SigningKeyFile | None) -> None:
        self.log = log
        self.writer = LogWriter(log, lambda: NOW)
        stored = {session: log.high_watermark(session) for session in log.sessions()}
        self.projector = Projector(self.writer, stored)
        self.signer = None if key is None else Signer(key, self.writer, self.projector, stored, lambda: NOW + 500)

    async def say(self, session: str, *events: e.AnyEvent) -> None:
        await self.writer.append([draft(session, event) for event in events])

    async def signed(self) -> None:
        assert self.signer is not None
        async with asyncio.timeout(10):
            await self.signer.wait_for({s: self.log.high_watermark(s) for s in self.log.sessions()})


Live = Callable[[SigningKeyFile | None], AbstractAsyncContextManager[Life]]


@pytest.fixture
def live(tmp_path: Path) -> Live:
    @asynccontextmanager
    async def living(key: SigningKeyFile | None) -> AsyncIterator[Life]:
        log = SqliteLog(tmp_path / "race.db")
        life = Life(log, key)
        tasks = [asyncio.create_task(life.projector.run()), *([asyncio.create_task(life.signer.run())] if life.signer else [])]
        try:
            async with asyncio.timeout(10):
                await life.projector.wait_ready()
            yield life
        finally:
            await life.writer.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            log.close()

    return living


def stored(path: Path, session: str = "sunday") -> tuple[list[str], tuple[Version, ...]]:
    log = SqliteLog(path / "race.db", readonly=True)
    try:
        kinds = [type(record.event).__name__ for record in log.read(session)]
        return kinds, versions(score_log(log, session, Rulebooks())).versions
    finally:
        log.close()


async def test_a_result_is_signed_with_the_head_of_the_chain(live: Live, tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    async with live(key) as life:
        await life.say("sunday", opening("sunday"), e.SessionStarted(id="start", at=NOW))
        await life.signed()
        await life.say("sunday", published(1, "provisional"), published(2))
        await life.signed()
        records = list(life.log.read("sunday"))
    kinds, found = stored(tmp_path)
    assert kinds.count("SigningKey") == 1
    assert kinds.count("ResultSigned") == 2
    for number, version in enumerate(found, start=1):
        signature = version.signature
        assert signature
        said = signature.statement
        assert holds(key.public, signed_bytes(said), signature.signature)
        assert (signature.key, signature.key_id) == (key.public, key.id)
        assert (said.version, said.publication, said.stage) == (number, version.id, version.stage)
        assert (said.digest, said.result) == (version.digest, result_hash(version.result))
        assert bytes.fromhex(said.hash) == records[said.seq - 1].hash
        assert (said.seq, said.rulebook, said.signed_at) == (version.seq, version.rulebook, NOW + 500)


async def test_the_program_of_the_document_checks_a_sheet_and_notices_what_was_altered(live: Live, tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    async with live(key) as life:
        await life.say("sunday", opening("sunday"), published(1, "provisional"))
        await life.say("sunday", e.EntryRegistered(id="e7", at=NOW, car="7", class_="GT", team="Ècurie"), published(2))
        await life.signed()
    text = DOCUMENT.read_text("utf-8")
    program = text.partition("```python\n")[2].partition("```")[0]
    sheet = msgspec.json.encode(stored(tmp_path)[1][1])

    def check(said: bytes, by: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "sheet.json").write_bytes(said)
        arguments = [sys.executable, "-c", program, str(tmp_path / "sheet.json"), by]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)

    ran = check(sheet, key.public)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("signed: sunday document 2 amended head ")
    for said, by in (
        (sheet.replace("Ècurie".encode(), b"Ecurie"), key.public),
        (sheet, "00" * 32),
        (sheet.replace(b'"seq":', b'"seq":1'), key.public),
    ):
        assert check(said, by).returncode == 1


async def test_without_a_key_nothing_is_signed_and_nothing_else_changes(live: Live, tmp_path: Path) -> None:
    async with live(None) as life:
        await life.say("sunday", opening("sunday"), published(1, "provisional"))
    kinds, (version,) = stored(tmp_path)
    assert kinds == ["SessionOpened", "ResultPublished"]
    assert version.signature is None
    unsigned = version.digest
    async with live(new_key(tmp_path / "key")) as life:
        await life.signed()
    assert stored(tmp_path)[0] == kinds, "what was published before there was a key is left as it is"
    async with live(SigningKeyFile(tmp_path / "key")) as life:
        await life.say("sunday", published(2))
        await life.signed()
    kinds, (first, second) = stored(tmp_path)
    assert kinds[2:] == ["ResultPublished", "SigningKey", "ResultSigned"]
    assert (first.signature, first.digest) == (None, unsigned)
    assert second.signature
    async with live(SigningKeyFile(tmp_path / "key")) as life:
        await life.signed()
    assert stored(tmp_path)[0] == kinds


async def test_what_a_crash_left_unsigned_is_signed_at_the_next_start(live: Live, tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    async with live(key) as life:
        await life.say("sunday", opening("sunday"))
        await life.signed()
    async with live(None) as life:  # as if it had died between the two records
        await life.say("sunday", published(1, "provisional"), e.Message(id="m", at=NOW, text="more came in"))
    assert stored(tmp_path)[1][0].signature is None
    async with live(key) as life:
        async with asyncio.timeout(10):
            await life.projector.wait_for("sunday", 5)
    kinds, (version,) = stored(tmp_path)
    assert kinds == ["SessionOpened", "SigningKey", "ResultPublished", "Message", "ResultSigned"]
    assert version.signature
    assert version.signature.statement.seq == 3
    assert holds(key.public, signed_bytes(version.signature.statement), version.signature.signature)


async def test_another_key_is_announced_before_it_is_used(live: Live, tmp_path: Path) -> None:
    old, new = new_key(tmp_path / "old"), new_key(tmp_path / "new")
    async with live(old) as life:
        await life.say("sunday", opening("sunday"), published(1, "provisional"))
        await life.signed()
    for key in (new, old):
        async with live(key) as life:
            await life.say("sunday", published(2 if key is new else 3))
            await life.signed()
    kinds, found = stored(tmp_path)
    assert [version.signature and version.signature.key for version in found] == [old.public, new.public, old.public]
    assert kinds.count("SigningKey") == 3


async def test_a_voided_version_does_not_change_what_was_signed(live: Live, tmp_path: Path) -> None:
    async with live(new_key(tmp_path / "key")) as life:
        await life.say("sunday", opening("sunday"), published(1, "provisional"), published(2))
        await life.signed()
        await life.say("sunday", e.EventVoided(id="v", at=NOW + 9, event="p1", reason="wrong sheet", by="TK"), published(3))
        await life.signed()
    _, found = stored(tmp_path)
    assert [(v.number, v.signature and v.signature.statement.version) for v in found] == [(1, 2), (2, 2)]
