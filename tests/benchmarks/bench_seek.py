"""Seeking in a replay: from being asked for a moment to having its first snapshot, anywhere in a session, in both ways of knowing.

Beside it, on the same session: folding it all anew and forming its board, which is what a seek would be without keyframes.
"""

import argparse
import asyncio
import gc
import random
import sys
import tempfile
import time
from pathlib import Path

from replay.serving.moments import Moments, Opening
from replay.serving.recording import Recording
from replay.serving.shelf import Shelf
from timing.projections.copied import let_go
from timing.projections.frames import Framer
from timing.projections.timing import Timing
from timing.services.hub import Hub
from timing.services.replayed import Control, Known, Target


def resident_mib() -> float:
    """Give the memory that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def anew(recording: Recording) -> float:
    """Give the processor seconds of a whole fold and its first snapshot."""
    gc.collect()
    began = time.process_time()
    timing = Timing(recording.title.session)
    for record in recording.then.records:
        timing.apply(record)
    framer = Framer("anew")
    framer.advance(timing.board(), timing.seq)
    framer.snapshot()
    return time.process_time() - began


def built(recording: Recording, known: Known) -> tuple[float, float, int]:
    """Make the keyframes of a way: processor seconds, MiB and their number."""
    keyframes, dear = recording.keyframes(known), recording.dear
    gc.collect()
    began, before = time.process_time(), resident_mib()
    for _ in keyframes.build(dear):
        pass
    return time.process_time() - began, resident_mib() - before, len(keyframes)


async def seeks(recording: Recording, shelf: Shelf, known: Known, count: int, chance: random.Random) -> list[float]:
    """Give the processor milliseconds of seeks to moments drawn by chance, through the code that a screen's message goes through."""
    spent = []
    async with Moments(shelf, Opening(known=known, playing=False)) as moments:
        seat = await moments.usher(recording.title.session, "moment=bench")
        assert seat.control is not None
        await built_by(moments)
        due, written = asyncio.Event(), asyncio.Queue[float]()
        seat.hub.join(seat)
        seat.hub.wake = due.set
        writer = asyncio.create_task(write(seat.hub, due, written))
        for _ in range(count):
            at = chance.randint(recording.way(known).begin, recording.way(known).end)
            began = time.process_time()
            seat.control(seat, Control(do="seek", to=Target(at=at)))
            spent.append((await written.get() - began) * 1000)
            await asyncio.sleep(0.002)  # what is done after the snapshot: the fold before is let go, marks are looked for
        writer.cancel()
    return sorted(spent)


async def write(hub: Hub, due: asyncio.Event, written: asyncio.Queue[float]) -> None:
    """Take what the hub has to give when it has it, as the feed does, and tell when there was a snapshot among it."""
    while True:
        await due.wait()
        due.clear()
        if any(message.startswith(b'{"kind":"snapshot"') for _, message in hub.outgoing()):
            written.put_nowait(time.process_time())


async def built_by(moments: Moments) -> None:
    """Wait until the keyframes are there."""
    while not moments.built:  # noqa: ASYNC110  # nothing is measured meanwhile
        await asyncio.sleep(0.01)


async def measure(file: Path, count: int) -> None:
    """Print a session's figures."""
    began = time.process_time()
    shelf = Shelf(file)
    async with Moments(shelf, Opening()) as moments:
        seat = await moments.usher(shelf.titles[0].session, "")
        seat.hub.join(object())
        opened = time.process_time() - began
    recording = await shelf.recording(shelf.titles[0].session)
    assert recording is not None
    whole = anew(recording)
    print(f"{file.name}: {len(recording.then):,} records")
    print(f"  opened to the first snapshot in {opened * 1000:.0f} ms of process time, {time.process_time():.1f} s with all that was before")
    print(f"  folded anew to the end: {whole * 1000:.0f} ms")
    chance = random.Random(1)
    known: Known
    for known in ("then", "now"):
        fresh = Recording(recording.title, recording.then.records)
        seconds, mib, number = built(fresh, known)
        print(f"  known {known}: {number} keyframes, {seconds * 1000:.0f} ms of processor time, {mib:.0f} MiB")
        let_go(fresh.truth)
        del fresh
        spent = await seeks(recording, shelf, known, count, chance)
        p50, p99 = spent[len(spent) // 2], spent[len(spent) * 99 // 100]
        tail = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {spent[-1]:.1f} ms"
        print(f"    {count} seeks: {tail}; p99 is {p99 / whole / 1000:.2f} of folding anew")


def main() -> int:
    """Measure each file given, or a simulated race."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="logs or session files; without one, a simulated race of six hours")
    parser.add_argument("--seeks", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for file in asked.files or [simulated(Path(folder))]:
            asyncio.run(measure(file, asked.seeks))
    return 0


def simulated(folder: Path) -> Path:
    """Have a race of six hours and sixty cars simulated."""
    from replay.simulate import plan_for, simulate

    file = folder / "endurance-6h.events.jsonl"
    with file.open("wb") as out:
        out.writelines(simulate(plan_for("endurance")).lines())
    return file


if __name__ == "__main__":
    sys.exit(main())
