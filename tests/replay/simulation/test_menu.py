"""Everything on the menu happens, as often as was asked for, and the race's result stays what the race itself knows."""

import pytest
from simulated import differences, raced, records

from replay.simulation.menu import FAULTS_BY_NAME, SCENARIOS, mishaps_of, read_fault
from replay.simulation.plan import MISHAPS
from timing.domain.errors import ConfigurationError
from timing.domain.events import Decision, DecisionUpdated, Passing, RaceStopped, TrackStatus
from timing.domain.units import SECOND
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks

RULEBOOKS = Rulebooks()


def wrong(options: list[str]) -> list[str]:
    simulation = raced(options)
    timing = Timing(simulation.plan.session)
    for record in records(simulation, RULEBOOKS):
        timing.apply(record)
    return differences(timing, simulation.truth)


@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_a_scenario_ends_as_it_knows_itself(scenario: str) -> None:
    for seed in range(4):
        assert wrong(["--scenario", scenario, "--cars", "10", "--laps", "10", "--seed", str(seed)]) == [], f"seed {seed}"


@pytest.mark.parametrize("name", list(FAULTS_BY_NAME))
def test_a_fault_at_its_greatest_leaves_the_result_as_it_was(name: str) -> None:
    fault = FAULTS_BY_NAME[name]
    rate = "" if fault.rate is None else f"={min(fault.most, 10 * fault.rate):g}"
    for seed in range(3):
        assert wrong(["--fault", f"{name}{rate}", "--cars", "8", "--minutes", "12", "--seed", str(seed)]) == [], f"seed {seed}"


def test_every_fault_that_has_to_be_mended_is_on_the_menu() -> None:
    assert set(MISHAPS) < set(FAULTS_BY_NAME)
    assert mishaps_of({"swaps", "late", "lost"}) == ("lost", "swaps")


def test_a_rate_is_how_often_it_happens() -> None:
    seen = {}
    for rate in ("0.01", "0.2"):
        simulation = raced(["--fault", f"strangers={rate}", "--fault", "late=0.5", "--cars", "10"])
        passings = [event for event in simulation.events if isinstance(event, Passing)]
        seen[rate] = sum(passing.transponder == "9000777" for passing in passings) / len(passings)
        arrived = zip(simulation.arrivals, simulation.events, strict=True)
        late = [at - event.at > SECOND for at, event in arrived if isinstance(event, Passing)]
        assert 0.4 < sum(late) / len(late) < 0.6
    assert seen["0.01"] < 0.03
    assert 0.12 < seen["0.2"] < 0.22


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fog", "is not on the menu"),
        ("late=often", "the rate is 0 to 1 of the passings"),
        ("late=2", "the rate is 0 to 1"),
        ("late=-1", "the rate is 0 to 1"),
        ("late=nan", "the rate is 0 to 1"),
        ("swaps=3", "takes no rate"),
    ],
)
def test_what_is_not_on_the_menu_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_fault(text)


def test_the_red_flag_on_the_last_lap_is_on_the_last_lap() -> None:
    for seed in range(5):
        simulation = raced(["--scenario", "red-on-the-last-lap", "--laps", "9", "--cars", "10", "--seed", str(seed)])
        red = next(event.at for event in simulation.events if isinstance(event, TrackStatus) and event.status == "red")
        assert red is not None
        assert max(sum(at <= red for at in crossings) for crossings in simulation.truth.crossings.values()) == 8
        assert any(isinstance(event, RaceStopped) for event in simulation.events)
        assert simulation.truth.finished_at is None


def test_the_protest_takes_the_win() -> None:
    simulation = raced(["--scenario", "protest", "--cars", "8", "--laps", "6"])
    stages = [
        event.stage for event in simulation.events if isinstance(event, DecisionUpdated) and event.stage in ("investigated", "issued")
    ]
    assert stages[-2:] == ["investigated", "issued"]
    assert any(isinstance(event, Decision) and event.penalty == "disqualified" for event in simulation.events)
    out = next(row for row in simulation.truth.rows if row.status == "disqualified")
    assert out.on_the_road == 1
