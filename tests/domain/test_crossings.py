"""Whose crossing a passing is, and when: entries, assignments, corrections."""

from typing import Any

import pytest

from timing.domain.crossings import LAP_LOOP, PIT_LAP_LOOP, Placement, PlacingCommand, placement
from timing.domain.events import (
    DecoderClockCorrected,
    EntryRegistered,
    Lap,
    Passing,
    PassingAdded,
    PassingKey,
    PassingReassigned,
    PassingVoided,
    TransponderAssigned,
)

LOOPS = {"SF": 0, "S1": 1, LAP_LOOP: 0, PIT_LAP_LOOP: 2}
ENTRIES = [
    EntryRegistered(id="e7", at=1, car="7", class_="GT", transponders=("T7", "T7b")),
    EntryRegistered(id="e9", at=2, car="9", class_="GT", transponders=("T9",)),
]


def heard(at: int = 100, *, transponder: str = "T7", loop: str = "SF", boot: int = 1, number: int = 1) -> Passing:
    return Passing(decoder="line", boot=boot, number=number, loop=loop, transponder=transponder, at=at)


def key(number: int = 1) -> PassingKey:
    return PassingKey(decoder="line", boot=1, number=number)


def by(n: int = 10) -> dict[str, Any]:
    return {"id": f"c{n}", "at": n, "by": "TK", "reason": "seen"}


def placed(*commands: PlacingCommand) -> Placement:
    return placement(LOOPS, [*ENTRIES, *commands])


@pytest.mark.parametrize(
    ("what", "commands", "passing", "crossing"),
    [
        ("by the entry", [], heard(), ("7", 100)),
        ("a second transponder of the entry", [], heard(transponder="T7b"), ("7", 100)),
        ("an unknown transponder", [], heard(transponder="marshal"), None),
        ("an unknown loop", [], heard(loop="elsewhere"), None),
        ("void", [PassingVoided(passing=key(), **by())], heard(), None),
        ("another one is void", [PassingVoided(passing=key(2), **by())], heard(), ("7", 100)),
        ("reassigned", [PassingReassigned(passing=key(), car="9", **by())], heard(), ("9", 100)),
        ("a stranger, reassigned", [PassingReassigned(passing=key(), car="9", **by())], heard(transponder="X"), ("9", 100)),
        (
            "reassigned twice: the later holds",
            [PassingReassigned(passing=key(), car="9", **by(10)), PassingReassigned(passing=key(), car="7", **by(11))],
            heard(transponder="T9"),
            ("7", 100),
        ),
        (
            "reassigned and void",
            [PassingReassigned(passing=key(), car="9", **by(10)), PassingVoided(passing=key(), **by(11))],
            heard(),
            None,
        ),
        (
            "an entry given anew replaces the one before",
            [EntryRegistered(id="e7b", at=5, car="7", class_="GT", transponders=("N7",))],
            heard(transponder="T7"),
            None,
        ),
    ],
)
def test_whose_crossing_it_is(what: str, commands: list[PlacingCommand], passing: Passing, crossing: tuple[str, int] | None) -> None:
    found = placed(*commands).place(passing)
    assert (found and (found[0], found[1][0])) == crossing


def assigned(n: int, car: str, since: int | None = None, until: int | None = None) -> TransponderAssigned:
    return TransponderAssigned(id=f"a{n}", at=n, transponder="T7", car=car, from_=since, until=until)


@pytest.mark.parametrize(
    ("what", "assignments", "cars"),
    [
        # whose crossings T7's are at    99   100   199   200
        ("without limit", [assigned(5, "9")], "9999"),
        ("from an instant on, that one included", [assigned(5, "9", 100)], "7999"),
        ("until an instant, that one not included", [assigned(5, "9", None, 200)], "9997"),
        ("over an interval, and back", [assigned(5, "9", 100, 200)], "7997"),
        ("the later beginning holds where two overlap", [assigned(6, "9", 100), assigned(5, "8")], "8999"),
        ("of equal beginnings the one given later", [assigned(5, "9", 100), assigned(6, "8", 100)], "7888"),
        ("an inner interval ends, the outer goes on", [assigned(5, "9", 50), assigned(6, "8", 100, 199)], "9899"),
    ],
)
def test_a_transponder_on_another_car(what: str, assignments: list[TransponderAssigned], cars: str) -> None:
    found = [placed(*assignments).place(heard(at)) for at in (99, 100, 199, 200)]
    assert "".join(place[0] for place in found if place) == cars


def clock(n: int, offset: int, **limits: int | None) -> DecoderClockCorrected:
    return DecoderClockCorrected(decoder="line", offset_us=offset, **by(n), **limits)  # type: ignore[arg-type]  # boot, from_, until


@pytest.mark.parametrize(
    ("what", "corrections", "passing", "at"),
    [
        ("every passing of the decoder", [clock(5, -7)], heard(100), 93),
        ("of its boot", [clock(5, -7, boot=2)], heard(100, boot=2), 93),
        ("not of another boot", [clock(5, -7, boot=2)], heard(100), 100),
        ("from an instant of its own time, included", [clock(5, 9, from_=100)], heard(100), 109),
        ("not before it", [clock(5, 9, from_=101)], heard(100), 100),
        ("until an instant of its own time, not included", [clock(5, 9, until=100)], heard(100), 100),
        ("up to just before it", [clock(5, 9, until=101)], heard(100), 109),
        ("two do not add up: the later one holds", [clock(5, 9), clock(6, 20)], heard(100), 120),
        ("the later one of a stretch, the earlier elsewhere", [clock(5, 9), clock(6, 20, until=50)], heard(100), 109),
    ],
)
def test_a_decoders_clock_is_corrected(what: str, corrections: list[DecoderClockCorrected], passing: Passing, at: int) -> None:
    found = placed(*corrections).place(passing)
    assert found
    assert found[1][0] == at


def test_another_decoders_clock_is_left_alone() -> None:
    other = DecoderClockCorrected(decoder="back", offset_us=5, **by())
    assert placed(other).place(heard(100)) == ("7", (100, 0, "line", 1, 1))


def test_an_assignment_is_read_at_the_corrected_instant() -> None:
    """The decoder ran 60 fast: what it heard at 150 was at 90, before the swap."""
    found = placed(clock(5, -60), assigned(6, "9", 100)).place(heard(150))
    assert found
    assert found[0] == "7"


@pytest.mark.parametrize(("pit", "loop"), [(False, 0), (True, 2)])
def test_a_lap_counted_elsewhere_ends_at_the_line(pit: bool, loop: int) -> None:
    lap = Lap(source="other", boot=1, number=4, car="7", lap=3, at=100, pit=pit)
    assert placed().place(lap) == ("7", (100, loop, "\0lap:other", 1, 4))


def test_a_crossing_added_by_hand() -> None:
    assert placed().place(PassingAdded(car="7", loop="S1", **by(50))) == ("7", (50, 1, "\0added:c50", 0, 0))
    assert placed().place(PassingAdded(car="7", loop="nowhere", **by(50))) is None


@pytest.mark.parametrize(
    ("what", "command", "concerned"),
    [
        ("a void", PassingVoided(passing=key(1), **by()), [1]),
        ("a reassignment", PassingReassigned(passing=key(2), car="9", **by()), [2]),
        ("a clock", clock(5, 1), [1, 2]),
        ("an assignment", assigned(5, "9"), [1]),
        ("an entry", EntryRegistered(id="e8", at=3, car="8", class_="GT", transponders=("T8",)), []),
    ],
)
def test_what_a_change_concerns(what: str, command: PlacingCommand, concerned: list[int]) -> None:
    """Passing 1 is of T7, passing 2 of T9."""
    touched = placed().touches(placed(command))
    passings = [heard(number=1), heard(number=2, transponder="T9")]
    assert [p.number for p in passings if touched.concerns(p)] == concerned
    assert touched
    assert not placed(command).touches(placed(command))
