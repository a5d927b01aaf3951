"""The sheet of a red flag: every reading beside the rulebook's own, and nothing changed by looking."""

from collections.abc import Callable

import msgspec
import pytest
from folded import decided, fold

from timing.domain.rulebook import RedFlag
from timing.log.record import decode_event
from timing.projections.readings import OTHERS, policy, readings, red_flag_sheet, signal_of
from timing.projections.timing import Timing

Fold = Callable[[list[dict[str, object]]], Timing]

ZERO = 1_747_400_000_000_000


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1_000_000)


def race(*extra: dict[str, object]) -> list[dict[str, object]]:
    """Three laps done by 7 and 12, who leads the third; 3 is a lap down."""
    told: list[dict[str, object]] = [
        {
            "type": "session_opened", "id": "open", "at": at(-9), "session": "s", "name": "S", "kind": "race", "rulebook": "fia-f1",
            "distance": {"laps": 10}, "circuit": {"name": "Ring", "loops": [{"id": "SF", "line": "finish"}]},
        },
        *({"type": "entry_registered", "id": f"e{c}", "at": at(-5), "car": c, "class": k, "transponders": [f"T{c}"]}
          for c, k in (("7", "GT"), ("12", "GT"), ("3", "TC"))),
        {"type": "session_started", "id": "start", "at": at(0)},
    ]  # fmt: skip
    crossings = [("7", 60), ("12", 61), ("3", 90), ("7", 120), ("12", 121), ("12", 180), ("7", 181), ("3", 185)]
    for number, (car, seconds) in enumerate(crossings, start=1):
        told.append(
            {"type": "passing", "decoder": "d", "boot": 1, "number": number, "loop": "SF", "transponder": f"T{car}", "at": at(seconds)}
        )
    return [*told, *extra]


RED: dict[str, object] = {"type": "track_status", "id": "red", "at": at(200), "status": "red"}
STOPPED: dict[str, object] = {"type": "race_stopped", "id": "stop", "at": at(900)}


def folded(told: list[dict[str, object]]) -> Timing:
    """Fold a session as the service would."""
    return fold(decided(decode_event(msgspec.json.encode(one)) for one in told))


def test_every_reading_is_told_before_the_race_is_declared_stopped() -> None:
    sheet = red_flag_sheet(folded(race(RED)))
    assert (sheet.completed, sheet.suspended, sheet.declared, sheet.over) == (3, True, False, False)
    assert sheet.restart_order == ("12", "7", "3")
    assert [r.own for r in sheet.readings].count(True) == 1
    assert len(sheet.readings) == 3 * len(OTHERS) * 2
    own, *rest = sheet.readings
    assert (own.counted, [line.car for line in own.result]) == (2, ["7", "12", "3"])
    last = next(r for r in rest if r.policy == policy(RedFlag(completed_minus=0, others="same_lap_number")))
    assert [line.car for line in last.result] == ["12", "7", "3"]
    assert {d.car: (d.changes["position"].before, d.changes["position"].after) for d in last.moved.cars if "position" in d.changes} == {
        "12": (2, 1),
        "7": (1, 2),
    }


def test_the_rulebooks_own_reading_is_what_the_declaration_gives() -> None:
    before = red_flag_sheet(folded(race(RED))).readings[0]
    declared = folded(race(RED, STOPPED))
    assert [line.car for line in before.result] == [p.car for p in declared.classification()]
    assert [(line.laps, line.total_us, line.position) for line in before.result] == [
        (p.laps, p.total_us, p.position) for p in declared.classification()
    ]


def test_looking_changes_nothing() -> None:
    timing, untouched = folded(race(RED)), folded(race(RED))
    board = timing.board()
    readings(timing)
    readings(timing, at(100))
    assert timing.board() is board
    assert (timing.digest(), timing.board()) == (untouched.digest(), untouched.board())


@pytest.mark.parametrize(("seconds", "completed"), [(59, 0), (60, 1), (130, 2), (180, 3)])
def test_a_signal_may_be_supposed(seconds: int, completed: int) -> None:
    sheet = red_flag_sheet(folded(race()), at(seconds))
    assert (sheet.completed, sheet.suspended) == (completed, False)


def test_without_a_red_flag_it_is_read_at_the_latest_instant() -> None:
    assert signal_of(folded(race())) == at(185)


def test_with_no_result_nobody_has_a_place() -> None:
    own = red_flag_sheet(folded(race()), at(70)).readings[0]
    assert own.void
    assert {line.position for line in own.result} == {None}
    assert own.points_percent == 0
