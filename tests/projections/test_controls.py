"""What a console is offered is what the rulebook, the circuit and the protocol have."""

from typing import TYPE_CHECKING, get_args

import msgspec
import pytest

from timing.domain import events as e
from timing.domain.decisions import NEXT
from timing.domain.parts import Driver, Penalty, Status
from timing.domain.rulebook import Championship, Neutral, Neutralisation, Offence, Penalties, Qualifying, Rulebook, Scoring, Segment
from timing.projections.controls import controls, controls_json
from timing.services.documents import document

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000
CLUB = Championship(name="Club", scale_milli=(25_000,))


def test_all_of_the_protocol_is_offered(script: type["Script"]) -> None:
    told = script("7 9", laps=3)
    told.say(e.Decision, at=30, decision="D7", car="9", penalty="warning", article="33.4")
    offered = controls(told.fold())
    assert offered.statuses == get_args(Status)
    assert [choice.penalty for choice in offered.penalties] == list(get_args(Penalty))
    assert offered.stages == NEXT
    assert offered.articles == {"D7": "33.4"}
    assert [loop.id for loop in offered.loops] == ["SF", "SFP", "S1", "PI", "PO"]
    assert (offered.rulebook, offered.sectors, offered.decisions) == ("Test rules", 2, ("D7",))


@pytest.mark.parametrize("penalty", get_args(Penalty))
def test_an_amount_that_is_asked_for_is_the_one_that_the_door_asks_for(script: type["Script"], penalty: Penalty) -> None:
    from timing.projections.preview import preview

    timing = script("7 9", laps=3).fold()
    [choice] = [each for each in controls(timing).penalties if each.penalty == penalty]
    bare = e.Decision(id="d", at=timing.state().at, decision="D1", car="7", penalty=penalty)
    refused = preview(timing, [bare]).refused
    assert [each.code for each in refused] == (["missing-field"] if choice.amount and not choice.optional else [])
    if choice.amount:
        whole = msgspec.structs.replace(bare, **{choice.amount: 2})
        assert preview(timing, [whole]).refused == ()


def test_what_was_not_served_comes_to_the_circuits_own_figure(script: type["Script"]) -> None:
    rules = Rulebook(id="t", title="T", source="t", penalties=Penalties(per_circuit_us={"ring": 53 * S}))
    offered = controls(script("7", laps=3, rules=rules).fold())
    assert (offered.drive_through_s, offered.stop_go_s) == (53, 63)
    usual = controls(script("7", laps=3).fold())
    assert (usual.drive_through_s, usual.stop_go_s) == (20, 30)


def test_wave_bys_are_offered_under_what_the_rulebook_has_them(script: type["Script"]) -> None:
    rules = Rulebook(id="t", title="T", source="t", neutralisation=Neutralisation(safety_car=Neutral(lapped="waved_by")))
    assert controls(script("7", laps=3, rules=rules).fold()).waved_by == ("safety_car",)


def test_the_rulebooks_offences_are_offered_in_its_order(script: type["Script"]) -> None:
    offences = (
        Offence(offence="Speeding in the pit lane", article="34.7c", penalty="time", amount=5),
        Offence(offence="Contact", penalty="warning"),
    )
    timing = script("7", laps=3, rules=Rulebook(id="t", title="T", source="t", penalties=Penalties(offences=offences))).fold()
    assert msgspec.json.decode(controls_json(timing))["offences"] == [
        {"offence": "Speeding in the pit lane", "article": "34.7c", "penalty": "time", "amount": 5},
        {"offence": "Contact", "article": None, "penalty": "warning", "amount": None},
    ]
    assert controls(script("7", laps=3).fold()).offences == ()


def test_the_session_as_it_stands_is_offered_to_be_changed(script: type["Script"]) -> None:
    told = script("7 9", laps=3)
    told.say(e.EntryRegistered, at=30, car="12", class_="GT", team="Écurie", transponders=("T12",), guest=True)
    told.say(e.EntryRegistered, at=31, car="12", class_="TC", drivers=(Driver(id="a", name="Anna"),), championships=("Club",))
    told.hear("T7", 60, 120)
    told.hear("T9", 61, decoder="gate")
    told.say(e.GridSet, at=32, cars=("9", None, "7"))
    offered = msgspec.json.decode(controls_json(told.fold()))
    assert [each["car"] for each in offered["entries"]] == ["7", "9", "12"]
    assert offered["entries"][-1] == {
        "car": "12", "class": "TC", "team": None, "drivers": [{"id": "a", "name": "Anna"}], "transponders": [],
        "guest": False, "championships": ["Club"],
    }  # fmt: skip
    assert offered["grid"] == ["9", None, "7"]
    assert (offered["kind"], offered["segments"], offered["championships"]) == ("race", [], [])
    assert offered["decoders"] == ["gate", "line"], "those that were heard"


@pytest.mark.parametrize(("kind", "offered"), [("qualifying", ("Q1", "Q2")), ("race", ())])
def test_segments_are_offered_where_the_session_is_qualifying(
    script: type["Script"], kind: e.SessionKind, offered: tuple[str, ...]
) -> None:
    segments = (Segment(name="Q1", minutes=10, advance=1), Segment(name="Q2", minutes=5))
    rules = Rulebook(id="t", title="T", source="t", qualifying=Qualifying(segments=segments), points=Scoring(championships=(CLUB,)))
    found = controls(script("7 9", kind=kind, laps=3, rules=rules).fold())
    assert (found.segments, found.championships) == (offered, ("Club",))


def test_it_is_a_document(script: type["Script"]) -> None:
    timing = script("7", laps=3).fold()
    assert document(timing, "controls", {}) == controls_json(timing)
    assert document(timing, "controls/more", {}) is None
