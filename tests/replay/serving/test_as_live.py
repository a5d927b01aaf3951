"""Live and replay are one code: the frames of a live run and of its replay are the same, byte for byte, but for the epoch."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest
from simulated import drawn, raced, records

from replay.serving.moment import Moment
from replay.serving.recording import Recording, Title
from timing.log.event_log import MemoryLog
from timing.log.record import Record, draft
from timing.services import anomaly_watch
from timing.services.projector import Projector
from timing.services.replayed import Control
from timing.services.rulebooks import Rulebooks
from timing.services.writer import LogWriter

LIMIT_S = 60
EPOCH = re.compile(rb'"epoch":"[0-9a-f]+"')


class Line:
    """A screen's place at a hub, without a socket: what it is handed, in order."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self.handed: list[bytes] = list(hub.join(self))

    def take(self) -> None:
        self.handed += [message for _, message in self._hub.outgoing()]

    def frames(self) -> list[bytes]:
        """Give the frames, but for their epoch and for what is said beside them."""
        return [EPOCH.sub(b'"epoch":""', m) for m in self.handed if b'"epoch"' in m[:60]]


class NoTime:
    """Time that does not go on: nothing happens but what is asked for."""

    def __call__(self) -> float:
        return 0.0

    async def wait(self, woken: asyncio.Event, _: float | None) -> None:
        await woken.wait()


async def live(told: Sequence[Record]) -> tuple[list[bytes], list[Record]]:
    """Run the live projector behind the real writer, each event appended when the one before is shown."""
    log = MemoryLog()
    arrivals = iter([record.recorded_at for record in told])
    writer = LogWriter(log, lambda: next(arrivals))
    projector = Projector(writer, {})
    running = asyncio.create_task(projector.run())
    session, line = told[0].session, None
    try:
        async with asyncio.timeout(LIMIT_S):
            for record in told:
                appended = await writer.append([draft(session, record.event)])
                await projector.wait_for(session, appended[0].seq)
                hub = projector.hub(session)
                assert hub is not None
                line = line or Line(hub)
                line.take()
    finally:
        running.cancel()
        await asyncio.wait({running})
        await writer.close()
    assert line is not None
    return line.frames(), list(log.read(session))


async def replayed(kept: Sequence[Record]) -> list[bytes]:
    """Step through the log of that run, record by record."""
    moment = Moment(Recording(Title(kept[0].session, "Race", "race", 0), kept), "m", NoTime())
    moment.begin(0, playing=False)
    running = asyncio.create_task(moment.run())
    line: Line | None = None
    try:
        async with asyncio.timeout(LIMIT_S):
            moment.control(None, Control())
            for seq in range(1, len(kept) + 1):
                if moment.place < seq:
                    moment.control(None, Control(do="step"))
                    while moment.place < seq:  # noqa: ASYNC110  # the moment's own turns
                        await asyncio.sleep(0)
                line = line or Line(moment.shown.hub)
                line.take()
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert line is not None
    return line.frames()


@pytest.mark.parametrize("seed", [0, 4, 9])
async def test_a_replay_s_frames_are_those_of_the_live_run(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomaly_watch, "EVERY_S", 0.0)  # looked for with each frame, and not by the second that a frame came in
    monkeypatch.setattr(anomaly_watch, "_SHARE", 1e9)
    told = list(records(raced(drawn(seed)), Rulebooks()))
    shown, kept = await live(told)
    again = await replayed(kept)
    assert len(shown) > 50
    assert again == shown
