"""Refolding: events a second from records to the state of the race, with and without reading them from JSON.

Beside it, on the same file: reading alone, and the least that a running order could be (a dictionary of laps and times, sorted at the end).
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from timing.domain.events import AnyEvent, EntryRegistered, Passing, SessionOpened
from timing.log.record import Record, decode_recorded
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

ELSEWHERE = {"skeleton": "2.4-3.3 M/s", "skeleton with reading": "1.5-2.0 M/s", "reading": "3.4 M/s"}
"""What such parts measured on another machine of two cores."""


def skeleton(events: list[AnyEvent]) -> list[str]:
    """Keep a running order between lines and nothing else: no corrections, no order of arrival but the one of time, no end."""
    cars = {t: e.car for e in events if isinstance(e, EntryRegistered) for t in e.transponders}
    opened = next(e for e in events if isinstance(e, SessionOpened))
    places = {loop.id: 0 if loop.line == "finish" else index for index, loop in enumerate(opened.circuit.loops, start=1)}
    order: dict[str, tuple[int, int, int]] = dict.fromkeys(cars.values(), (0, 0, 0))
    for event in events:
        if type(event) is Passing:
            car, place = cars.get(event.transponder), places.get(event.loop)
            if car is not None and place is not None:
                laps, _, _ = order[car]
                order[car] = (laps, -place, event.at) if place else (laps - 1, 0, event.at)
    return sorted(order, key=lambda car: order[car])


def refold(records: list[Record]) -> Timing:
    """Fold the records and form the state once, as a service does when it starts."""
    timing = Timing(records[0].session)
    apply = timing.apply
    for record in records:
        apply(record)
    timing.state()
    return timing


def best(work: Callable[[], Any], rounds: int) -> float:
    """Give the processor seconds of the quickest round."""
    spent = []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
        gc.enable()
    return min(spent)


def boards_us(records: list[Record], last: int) -> list[float]:
    """Give the µs of forming the board after each of the last records, as in a live race, what was loaded left uncollected."""
    timing = refold(records[:-last])
    timing.board()
    gc.collect()
    gc.freeze()
    spent = []
    for record in records[-last:]:
        timing.apply(record)
        began = time.process_time_ns()
        timing.board()
        spent.append((time.process_time_ns() - began) / 1000)
    return spent


def first_board_us(records: list[Record]) -> float:
    """Give the µs of a fold's first board, for which nothing is kept from one before."""
    timing = refold(records)
    began = time.process_time_ns()
    timing.board()
    return (time.process_time_ns() - began) / 1000


def measure(file: Path, rounds: int) -> None:
    """Print a file's figures."""
    score_file(file, Rulebooks())  # it is a session file, or this says what it is
    raw = [line.strip() for line in file.read_bytes().splitlines() if line.strip()]
    events = [decode_recorded(line) for line in raw]
    opened = events[0]
    assert isinstance(opened, SessionOpened)
    rules = Rulebooks().resolve(opened.rulebook)

    def record(seq: int, event: AnyEvent) -> Record:
        return Record(opened.session, seq, 1, event, b"", b"")

    raw[0] = msgspec.json.encode(msgspec.structs.replace(opened, rules=rules))
    records = [record(seq, decode_recorded(line)) for seq, line in enumerate(raw, start=1)]
    count = len(records)
    seconds = {
        "reading": best(lambda: [decode_recorded(line) for line in raw], rounds),
        "skeleton": best(lambda: skeleton(events), rounds),
        "skeleton with reading": best(lambda: skeleton([decode_recorded(line) for line in raw]), rounds),
        "refold": best(lambda: refold(records), rounds),
        "refold with reading": best(lambda: refold([record(n, decode_recorded(line)) for n, line in enumerate(raw, start=1)]), rounds),
    }
    print(f"{file.name}: {count:,} events, {len(refold(records).state().standings)} cars")
    for name, spent in seconds.items():
        beside = f"; measured elsewhere {ELSEWHERE[name]}" if name in ELSEWHERE else ""
        print(f"  {name:<22} {count / spent / 1e6:5.2f} M/s  {spent * 1e3:7.1f} ms{beside}")
    print(f"  refold / skeleton: {seconds['skeleton'] / seconds['refold']:.2f} of its speed", end="")
    print(f"; with reading {seconds['skeleton with reading'] / seconds['refold with reading']:.2f}", end="")
    print(f"; refold with reading / reading: {seconds['reading'] / seconds['refold with reading']:.2f}")
    first = min(first_board_us(records) for _ in range(rounds))
    boards = sorted(boards_us(records, min(2_000, count // 2)))
    mean, p50, p99 = sum(boards) / len(boards), boards[len(boards) // 2], boards[len(boards) * 99 // 100]
    print(f"  board after each event: mean {mean:.0f} us, p50 {p50:.0f}, p99 {p99:.0f}, worst {boards[-1]:.0f}", end="")
    print(f"; p50 is {p50 / first:.2f} of a fold's first board, {first:.0f} us", flush=True)


def simulated(folder: Path) -> Path:
    """Have a race of six hours and sixty cars simulated."""
    from replay.simulate import plan_for, simulate

    file = folder / "endurance-6h.events.jsonl"
    with file.open("wb") as out:
        out.writelines(simulate(plan_for("endurance")).lines())
    return file


def main() -> int:
    """Measure each file given, or a simulated race."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="session files; without one, a simulated race of six hours")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if asked.files:
        for file in asked.files:
            measure(file, asked.rounds)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        measure(simulated(Path(folder)), asked.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
