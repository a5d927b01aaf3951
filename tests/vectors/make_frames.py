"""Writes ``frames.json``: what every implementation of ``apply`` and of the client's rules must give. Run it after changing the frames.

``apply`` cases: {name, snapshot, deltas, expected}: applying all deltas to the snapshot gives ``expected``.
``streams`` cases: {name, steps: [{frame, verdict, state}]}: what a client that starts with nothing makes of each frame, and the snapshot
it shows afterwards (``null``: nothing yet). ``applied``, ``ignored``, or ``resync``: it asks for a snapshot, unless it has asked already.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from timing.projections.board import Board, Clock, Distance, DriverView, Gap, Notice, PenaltyView, ResultView, Row, SessionView
from timing.projections.frames import MESSAGES_KEPT, Framer

PLACE = Path(__file__).with_name("frames.json")
START = 1_778_937_000_000_000
NOWHERE = Gap(laps=0, time_us=0)

SESSION = SessionView(
    name="Course 1", kind="race", status="running", track_status="green", rulebook="mitjet-france", laps=3,
    distance=Distance(minutes=20, plus_laps=1), started_at=START, clock=Clock(elapsed_us=270_000_000, remaining_us=930_000_000),
    neutralised=False, pit_lane_open=True, circuit="Albi", sectors=3, classes=("Junior", "Senior"), finished_at=None,
)  # fmt: skip


def row(car: str, position: int, **changes: Any) -> Row:
    """Give a running car's row, three laps in."""
    plain = Row(
        position=position, result=ResultView(position=position, class_position=position, status="running", total_us=270_000_000 + position),
        class_="Senior", class_position=position, car=car, team="Équipe Rosé", driver=DriverView("d" + car, "Zoë Müller", "Gentleman"),
        laps=3, last_lap_us=88_123_456, best_lap_us=88_000_001, sectors_us=(29_000_000, 30_123_455, 29_000_001),
        gap=Gap(0, 1_000_000 * (position - 1)), interval=Gap(0, 0 if position == 1 else 1_000_000), class_gap=NOWHERE,
        class_interval=NOWHERE, status="running", pit_stops=0, penalties=(), grid=position, last_crossing_at=START + 270_000_000 + position,
        stint_laps=3,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def board(rows: Iterable[Row] = (), notices: Iterable[Notice] = (), at: int = START, **session: Any) -> Board:
    """Give a board of these rows, in the order of their positions."""
    ordered = sorted(rows, key=lambda row: row.position)
    head = msgspec.structs.replace(SESSION, **session)
    return Board(at, head, tuple(row.car for row in ordered), {row.car: row for row in ordered}, tuple(notices))


def notice(number: int, text: str = "Blue flags", car: str | None = None) -> Notice:
    """Give a message of race control."""
    return Notice(id=f"m{number}", at=START + number, kind="message", text=text, car=car)


TWO = board([row("007", 1), row("1A", 2)])
NOTICES = [notice(n) for n in range(MESSAGES_KEPT)]
FIRST_VANISHED = [notice(0, "Withdrawn later"), notice(1)]

STORIES: dict[str, list[Board]] = {
    "a row comes in": [TWO, board([row("007", 1), row("1A", 2), row("35", 3)])],
    "a row goes": [board([row("007", 1), row("1A", 2), row("35", 3)]), board([row("007", 1), row("35", 2)])],
    "all rows go": [TWO, board()],
    "a session fills up from nothing": [board(status="scheduled", laps=0, started_at=None), board([row("007", 1)]), TWO],
    "the order changes": [TWO, board([row("1A", 1), row("007", 2)])],
    "the order changes back and forth": [TWO, board([row("1A", 1), row("007", 2)]), TWO, board([row("1A", 1), row("007", 2)])],
    "fields become null": [TWO, board([row("007", 1, last_lap_us=None, best_lap_us=None, driver=None, team=None), row("1A", 2)])],
    "fields stop being null": [board([row("007", 1, last_lap_us=None, driver=None, grid=None)]), board([row("007", 1)])],
    "nested objects are replaced whole": [
        TWO,
        board([row("007", 1), row("1A", 2, gap=Gap(2, 5), result=ResultView(2, None, "not_classified", None))]),
        board([row("007", 1), row("1A", 2, gap=Gap(2, 5), driver=DriverView("x", "Å. Nother"))]),
    ],
    "lists are replaced whole": [
        TWO,
        board([row("007", 1, sectors_us=(29_000_000, None, None), penalties=(PenaltyView("D1", "time", "issued", "+5 s"),)), row("1A", 2)]),
        board([row("007", 1, sectors_us=(), penalties=()), row("1A", 2)]),
    ],
    "the head changes, field by field": [
        TWO,
        board(TWO.rows.values(), laps=4, clock=Clock(elapsed_us=358_000_000)),
        board(TWO.rows.values(), laps=4, clock=Clock(elapsed_us=358_000_000), track_status="safety_car", neutralised=True),
        board(TWO.rows.values(), laps=4, clock=Clock(elapsed_us=446_000_000, remaining_us=None), distance=Distance(laps=12)),
    ],
    "the status of the session and of cars": [
        TWO,
        board([row("007", 1, status="pit", pit_stops=1), row("1A", 2, status="retired")], status="suspended", track_status="red"),
        board([row("007", 1, status="finished"), row("1A", 2, status="disqualified")], status="final", finished_at=START + 9),
    ],
    "messages come in": [TWO, board(TWO.rows.values(), [notice(1)]), board(TWO.rows.values(), [notice(1), notice(2, car="1A")])],
    "a message is replaced in its place": [
        board(notices=[notice(1), notice(2), notice(3)]),
        board(notices=[notice(1), notice(2, "Blue flags for car 1A", "1A"), notice(3), notice(4)]),
    ],
    "a message is struck out": [
        board(notices=[notice(1), notice(2)]),
        board(notices=[msgspec.structs.replace(notice(1), struck=True), notice(2)]),
    ],
    "the list of messages is full": [board(notices=NOTICES), board(notices=[*NOTICES, notice(900), notice(901)])],
    "a message pushed out comes back changed": [
        board(notices=[*NOTICES, notice(900)]),
        board(notices=[notice(0, "Blue flags, again"), *NOTICES[1:], notice(900)]),
    ],
    "car numbers that look like integers keep their own order": [
        board([row("9", 1), row("10", 2), row("007", 3)]),
        board([row("10", 1), row("007", 2), row("9", 3)]),
    ],
    "text with quotes, signs and other scripts": [TWO, board(TWO.rows.values(), [notice(1, 'Car "1A" \\ 🏁 Hélène — 中')])],
}  # fmt: skip


def frames(boards: Iterable[Board], epoch: str = "e1") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Frame the boards; give the frames, and the snapshot after each (and before the first)."""
    framer = Framer(epoch)
    sent, snapshots = [], [msgspec.json.decode(framer.snapshot())]
    for seq, one in enumerate(boards, start=1):
        frame = framer.advance(one, seq * 3)
        assert frame is not None, "a story in which nothing happens"
        sent.append(msgspec.json.decode(frame))
        snapshots.append(msgspec.json.decode(framer.snapshot()))
    return sent, snapshots


def apply_cases() -> list[dict[str, Any]]:
    """Tell each story as a snapshot of its first board and the deltas of the others."""
    cases = []
    for name, story in STORIES.items():
        sent, snapshots = frames(story)
        cases.append({"name": name, "snapshot": snapshots[1], "deltas": sent[1:], "expected": snapshots[-1]})
    sent, snapshots = frames(STORIES["a session fills up from nothing"])
    return [*cases, {"name": "from the empty snapshot on", "snapshot": snapshots[0], "deltas": sent, "expected": snapshots[-1]}]


def stream_cases() -> list[dict[str, Any]]:
    """Tell what clients meet: frames twice, frames lost, a server that began anew."""
    boards = [board([row("007", 1, laps=laps), row("1A", 2, laps=laps)]) for laps in range(1, 6)]
    (_, d2, d3, d4, d5), s = frames(boards)
    (_, other2, *_), t = frames(boards, "e2")
    (_, withdrawal), w = frames([board(notices=FIRST_VANISHED), board(notices=FIRST_VANISHED[1:])])
    steps: dict[str, list[tuple[Any, str, Any]]] = {
        "frame after frame": [(s[1], "applied", s[1]), (d2, "applied", s[2]), (d3, "applied", s[3])],
        "a lower rev is ignored": [(s[3], "applied", s[3]), (d2, "ignored", s[3]), (d3, "ignored", s[3]), (d4, "applied", s[4])],
        "a snapshot of a lower rev is ignored": [(s[3], "applied", s[3]), (s[2], "ignored", s[3]), (d4, "applied", s[4])],
        "a snapshot of the same rev is taken": [(s[3], "applied", s[3]), (s[3], "applied", s[3]), (d4, "applied", s[4])],
        "a later snapshot is taken": [(s[1], "applied", s[1]), (s[4], "applied", s[4]), (d4, "ignored", s[4]), (d5, "applied", s[5])],
        "a gap": [(s[1], "applied", s[1]), (d3, "resync", s[1]), (d4, "resync", s[1]), (s[4], "applied", s[4]), (d5, "applied", s[5])],
        "a gap that closes by itself": [(s[1], "applied", s[1]), (d3, "resync", s[1]), (d2, "applied", s[2]), (d3, "applied", s[3])],
        "a delta of another epoch": [(s[1], "applied", s[1]), (other2, "resync", s[1]), (t[2], "applied", t[2])],
        "a snapshot of another epoch, with a lower rev": [(s[5], "applied", s[5]), (t[1], "applied", t[1]), (other2, "applied", t[2])],
        "a delta before any snapshot": [(d2, "resync", None), (s[2], "applied", s[2])],
        "from the empty snapshot": [(s[0], "applied", s[0]), (frames(boards)[0][0], "applied", s[1])],
        "a message is withdrawn, by a snapshot": [(w[1], "applied", w[1]), (withdrawal, "applied", w[2])],
    }  # fmt: skip
    return [
        {"name": name, "steps": [{"frame": frame, "verdict": verdict, "state": state} for frame, verdict, state in told]}
        for name, told in steps.items()
    ]


def text() -> str:
    """Give the whole file: JSON, one case a line."""

    def lines(cases: Iterable[dict[str, Any]]) -> str:
        return ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)

    return f'{{"messages_kept":{MESSAGES_KEPT},\n"apply":[\n{lines(apply_cases())}\n],\n"streams":[\n{lines(stream_cases())}\n]}}\n'


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8")
