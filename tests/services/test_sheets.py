"""Which state a sheet is of: the version asked for, the last one, or what stands now."""

import pytest
from folded import fold

from timing.domain import events as e
from timing.domain.errors import TimingError
from timing.services.sheets import sheet_of

S = 1_000_000
START = 1_747_400_000 * S


def told(published: int) -> list[e.AnyEvent]:
    circuit = e.Circuit(name="Ring", loops=(e.Loop(id="SF", line="finish"),))
    events: list[e.AnyEvent] = [
        e.SessionOpened(
            id="open", at=START, session="sunday", name="S", kind="race", rulebook="t", distance=e.Distance(laps=1), circuit=circuit
        ),
        *(e.EntryRegistered(id=f"e{car}", at=START, car=car, class_="GT", transponders=(f"T{car}",)) for car in ("7", "9")),
        e.SessionStarted(id="start", at=START),
    ]
    for number, (car, at) in enumerate([("7", 60), ("9", 61)], start=1):
        events.append(e.Passing(decoder="d", boot=1, number=number, loop="SF", transponder=f"T{car}", at=START + at * S))
    for number in range(1, published + 1):
        events.append(e.ResultPublished(id=f"p{number}", at=START + 300 * S, stage="provisional", document=f"{number}0"))
        events.append(e.Decision(id=f"d{number}", at=START + 301 * S, decision=f"D{number}", car="7", penalty="time", seconds=5 * number))
    return events


@pytest.mark.parametrize(
    ("number", "current", "stamp", "order"),
    [
        (1, False, ("Provisional", "Document 10"), "79"),
        (2, False, ("Provisional", "Document 20"), "97"),
        (None, False, ("Provisional", "Document 20"), "97"),
        (None, True, ("Not published", "as it stands: provisional"), "97"),
    ],
)
def test_the_version_asked_for_is_the_one_of_then(number: int | None, current: bool, stamp: tuple[str, str], order: str) -> None:
    made, version = sheet_of(lambda seq: fold(told(2)[:seq], session="sunday"), number, current=current, parts=["classification"])
    assert made.stamp[:2] == stamp
    assert "".join(line.cells[1] for line in made.sections[0].lines) == order
    assert (version is None) == current


def test_without_versions_it_is_what_stands() -> None:
    made, version = sheet_of(lambda seq: fold(told(0)[:seq], session="sunday"), None, current=False)
    assert version is None
    assert made.stamp[0] == "Not published"
    assert {"classification", "laps", "messages"} <= {section.part for section in made.sections}


@pytest.mark.parametrize("number", [0, 3])
def test_a_version_that_is_not_there(number: int) -> None:
    with pytest.raises(TimingError, match=f"sunday has 2 published results; there is no version {number}"):
        sheet_of(lambda seq: fold(told(2)[:seq], session="sunday"), number, current=False)
