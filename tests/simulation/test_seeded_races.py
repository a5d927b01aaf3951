"""Races with everything that goes wrong in a timing tower, mended as people mend it, end as the simulation itself knows that they did."""

import random
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from race_table import whatever_was_published
from simulated import KEPT, differences, drawn, raced, records

from replay.simulate import MISHAPS, Simulation
from timing.projections.result import result
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

IN_EVERY_RUN, IN_THE_LONG_ONE = 800, 6_000
BLOCKS = 8
RULEBOOKS = Rulebooks()


def told(options: list[str], found: list[str]) -> str:
    again = f"replay simulate {shlex.join(options)} -o race.events.jsonl --truth race.truth.json"
    return "\n".join((*found[:5], "", f"the race again: {again}", f"keep it: a line of {KEPT.name} with what follows `replay simulate`"))


def check(options: list[str], chance: random.Random) -> None:
    """Hold a race to its truth, once as it arrived, and once in any other order."""
    simulation = raced(options)
    arrived = list(records(simulation, RULEBOOKS))
    timing = Timing(simulation.plan.session)
    for record in arrived:
        timing.apply(record)
        if chance.random() < 0.02:
            looked_at(timing)
    if found := differences(timing, simulation.truth):
        pytest.fail(told(options, found), pytrace=False)
    chance.shuffle(arrived)
    other = Timing(simulation.plan.session)
    for record in arrived:
        other.apply(record)
    if other.digest() != timing.digest() or whatever_was_published(other.board()) != whatever_was_published(timing.board()):
        pytest.fail(told(options, ["another order of arrival ends otherwise"]), pytrace=False)


def looked_at(timing: Timing) -> None:
    """Look at the board while the race is on, with all that is still wrong in it: it is whole, whatever it says."""
    board = timing.board()
    entered = sorted(timing.state().said.entries)
    assert sorted(board.order) == entered
    assert [board.rows[car].position for car in board.order] == list(range(1, len(entered) + 1))
    assert sorted(place.car for place in timing.classification()) == entered


@pytest.mark.parametrize("block", range(BLOCKS))
def test_hundreds_of_seeds_end_as_they_did(block: int) -> None:
    for seed in range(block, IN_EVERY_RUN, BLOCKS):
        check(drawn(seed), random.Random(seed))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_thousands_of_seeds_end_as_they_did(block: int) -> None:
    for seed in range(IN_EVERY_RUN + block, IN_EVERY_RUN + IN_THE_LONG_ONE, BLOCKS):
        check(drawn(seed), random.Random(seed))


@pytest.mark.parametrize("line", [line for line in KEPT.read_text().splitlines() if line and not line.startswith("#")])
def test_what_once_went_wrong_goes_right(line: str) -> None:
    check(shlex.split(line), random.Random(1))


def test_the_seeds_draw_every_mishap_and_every_end() -> None:
    lines = [drawn(seed) for seed in range(IN_EVERY_RUN)]
    for mishap in MISHAPS:
        assert sum(mishap in options[-1].split(",") for options in lines) > IN_EVERY_RUN // 4
    assert sum("red" in options for options in lines) > IN_EVERY_RUN // 5
    assert sum("--virtual" in options for options in lines) > IN_EVERY_RUN // 4
    assert len({tuple(options) for options in lines}) == IN_EVERY_RUN


@pytest.mark.parametrize("mishap", MISHAPS)
def test_without_the_corrections_the_result_is_wrong(mishap: str) -> None:
    """A mishap that changed nothing would prove nothing: unmended, some race of a few ends otherwise."""
    mending = {"passing_voided", "passing_added", "passing_reassigned", "decoder_clock_corrected", "transponder_assigned"}
    spoilt = 0
    for seed in range(12):
        simulation = raced(["--seed", str(seed), "--cars", "8", "--minutes", "12", "--faults", f"none,{mishap}"])
        timing = Timing(simulation.plan.session)
        for record in records(simulation, RULEBOOKS):
            kind = record.event.__struct_config__.tag
            alone = kind == "passing" and getattr(record.event, "decoder", "").endswith("-backup")
            if kind not in mending and not alone and getattr(record.event, "id", "")[:10] != "correction":
                timing.apply(record)
        spoilt += bool(differences(timing, simulation.truth))
    assert spoilt == 0 if mishap in ("restarts", "shuffled") else spoilt > 3


def test_the_command_line_that_a_failure_prints_makes_the_same_bytes_and_the_same_result(tmp_path: Path) -> None:
    options = drawn(11)
    simulation: Simulation = raced(options)
    said = told(options, ["something"])
    line = shlex.split(said.split("the race again: ")[1].splitlines()[0])
    assert line[0] == "replay"
    run = subprocess.run(
        [sys.executable, "-c", "from replay.cli import main; main()", *line[1:]], cwd=tmp_path, check=True, capture_output=True, timeout=60
    )
    assert run.stderr == b""
    file = tmp_path / "race.events.jsonl"
    assert file.read_bytes() == b"".join(simulation.lines())
    timing, skipped = score_file(file, RULEBOOKS)
    assert skipped == []
    assert differences(timing, simulation.truth) == []
    assert result(timing).rows


def test_a_difference_is_told() -> None:
    simulation = raced(["--seed", "2", "--cars", "4", "--minutes", "8"])
    timing = Timing(simulation.plan.session)
    heard = list(records(simulation, RULEBOOKS))
    last = max(
        n for n, record in enumerate(heard) if getattr(record.event, "loop", "") == "SF" and record.event.at == simulation.truth.finished_at
    )
    for n, record in enumerate(heard):
        if n != last:
            timing.apply(record)
    found = "\n".join(differences(timing, simulation.truth))
    for word in ("classified", "finished at"):
        assert word in found
