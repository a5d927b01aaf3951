"""Neutralisations in the fold: when racing resumed, laps tagged and left out, the pit lane, the order shown, candidates and rulings."""

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from timing.domain import events as e
from timing.domain.rulebook import Neutral, Neutralisation, Rulebook
from timing.log.record import Record
from timing.projections.board import Gap
from timing.projections.frozen import CANDIDATES_KEPT
from timing.projections.passes import passes, passes_json

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000


def rules(**keys: Any) -> Rulebook:
    neutral = Neutral(**{"until": "line_after_signal", **keys})
    return Rulebook(id="test", title="Test rules", source="test", neutralisation=Neutralisation(safety_car=neutral))


def neutralised(script: type["Script"], *, kind: e.SessionKind = "race", **keys: Any) -> "Script":
    """Three cars a second apart, the safety car out from 130 s, all through S1 behind it; car 9 passes car 7 before the line."""
    told = script("7 9 3", kind=kind, rules=rules(**keys)).run(car7="60 120", car9="61 121", car3="62 122")
    told.say(e.TrackStatus, at=130, status="safety_car")
    for place, car in enumerate(("7", "9", "3")):
        told.hear(f"T{car}", 150 + place, loop="S1", decoder="s1")
    told.run(car9="210", car7="211", car3="212")
    return told


def test_racing_resumes_at_the_leaders_line_after_the_announcement(script: type["Script"]) -> None:
    told = neutralised(script)
    told.say(e.TrackStatus, at=220, status="safety_car_ending")
    timing = told.fold()
    timing.state()
    (window,) = timing.neutral.windows
    assert (window.free_at, window.over_at, window.at_line) == (None, None, True)
    told.run(car9="260", car7="261", car3="262").say(e.TrackStatus, at=263, status="green")
    timing = told.fold()
    timing.state()
    (window,) = timing.neutral.windows
    assert window.free_at == window.over_at == timing.laps["9"].ends[3]
    assert window.settled_at is None
    told.run(car9="320")
    timing = told.fold()
    timing.state()
    assert timing.neutral.windows[0].settled_at == timing.laps["9"].ends[4]


@pytest.mark.parametrize(("until", "second"), [("signal", 255), ("next_post", 255), ("line_after_signal", 260)])
def test_racing_resumes_as_the_rulebook_says(script: type["Script"], until: str, second: int) -> None:
    told = neutralised(script, until=until)
    told.say(e.TrackStatus, at=255, status="green")
    told.run(car9="260", car7="261", car3="262")
    timing = told.fold()
    start = timing.state().said.start or 0
    assert timing.neutral.windows[0].over_at == start + second * S


def test_laps_are_tagged_by_what_any_part_of_them_was(script: type["Script"]) -> None:
    told = neutralised(script)
    told.hear("T3", 240, loop="PI", decoder="pit")
    told.hear("T3", 250, loop="SFP", decoder="pit")
    told.hear("T3", 260, loop="PO", decoder="pit")
    told.say(e.TrackStatus, at=251, status="yellow", sectors=(2,))
    told.say(e.TrackStatus, at=255, status="green")
    told.run(car9="260 320", car3="320")
    timing = told.fold()
    timing.state()
    tags = [timing.neutral.tags(timing.laps["3"], lap) for lap in range(1, 6)]
    assert tags == [("first",), (), ("safety_car",), ("safety_car", "in"), ("safety_car", "yellow", "out")]
    assert timing.board().rows["9"].last_lap_tags == ()


@pytest.mark.parametrize(("best_laps", "best"), [("count", 49), ("left_out", 60)])
@pytest.mark.parametrize("kind", ["race", "qualifying"])
def test_laps_under_it_are_best_laps_or_are_left_out(script: type["Script"], best_laps: str, best: int, kind: e.SessionKind) -> None:
    told = neutralised(script, best_laps=best_laps, kind=kind)
    told.run(car9="259")
    assert told.fold().board().rows["9"].best_lap_us == best * S


def test_a_signal_given_later_for_earlier_takes_the_best_lap_back(script: type["Script"]) -> None:
    told = script("7", rules=rules()).run(car7="60 115 175")
    timing = told.fold()
    assert timing.board().rows["7"].best_lap_us == 55 * S
    told.say(e.TrackStatus, at=100, status="safety_car")
    timing = told.fold()
    assert timing.board().rows["7"].best_lap_us == 60 * S


def test_the_order_shown_is_frozen_and_the_road_is_not(script: type["Script"]) -> None:
    board = neutralised(script).fold().board()
    assert board.order == ("7", "9", "3")
    assert [c.car for c in board.session.candidates] == ["9"]
    assert board.session.neutralised
    assert (board.rows["9"].gap.time_us, board.rows["9"].interval.time_us) == (0, 0)
    assert board.rows["3"].gap.time_us == 1 * S
    assert board.rows["9"].gap_before is not None
    assert board.rows["9"].gap_before.time_us == 1 * S
    assert [s.car for s in neutralised(script).fold().state().standings] == ["9", "7", "3"]


def test_a_free_order_is_that_of_the_line_and_asks_nobody(script: type["Script"]) -> None:
    board = neutralised(script, order="free").fold().board()
    assert board.order == ("9", "7", "3")
    assert board.session.candidates == ()
    assert board.session.neutralised


def test_gaps_before_follow_a_passing_that_comes_late(script: type["Script"]) -> None:
    told = script("7 9", rules=rules()).run(car7="60 120", car9="61")
    told.say(e.TrackStatus, at=130, status="safety_car")
    timing = told.fold()
    assert timing.board().rows["9"].gap_before == Gap(0, 1 * S)
    late = told.run(car9="125").events[-1]
    timing.apply(Record("s", timing.seq + 1, 1, late, b"", b""))
    assert timing.board().rows["9"].gap_before == Gap(0, 5 * S)


def test_in_qualifying_no_order_is_frozen(script: type["Script"]) -> None:
    timing = neutralised(script, kind="qualifying").fold()
    assert timing.board().session.candidates == ()
    assert passes(timing).overtakes == ()


@pytest.mark.parametrize(
    ("ruling", "order", "left"), [("accepted", "9 7 3", []), ("referred", "9 7 3", []), ("give_back", "7 9 3", ["give_back"])]
)
def test_race_control_rules(script: type["Script"], ruling: str, order: str, left: list[str]) -> None:
    told = neutralised(script)
    (candidate,) = told.fold().board().session.candidates
    told.say(e.OvertakeRuled, at=220, overtake=candidate.id, ruling=ruling)
    board = told.fold().board()
    assert " ".join(board.order) == order
    assert [c.stands for c in board.session.candidates] == left
    (notice,) = [n for n in board.notices if n.id == candidate.id]
    assert notice.kind == "candidate"
    assert notice.struck == (ruling == "accepted")


def test_a_ruling_comes_before_the_candidate_and_holds_all_the_same(script: type["Script"]) -> None:
    told = neutralised(script)
    (candidate,) = told.fold().board().session.candidates
    told.say(e.OvertakeRuled, at=220, overtake=candidate.id, ruling="accepted")
    told.events.insert(6, told.events.pop())
    assert told.fold().board().order == ("9", "7", "3")


def test_a_place_to_be_given_back_is_watched_beyond_the_green(script: type["Script"]) -> None:
    told = neutralised(script)
    (candidate,) = told.fold().board().session.candidates
    told.say(e.OvertakeRuled, at=220, overtake=candidate.id, ruling="give_back")
    told.say(e.TrackStatus, at=255, status="green")
    told.run(car9="260 320", car7="261 321", car3="262 322")
    assert [c.stands for c in told.fold().board().session.candidates] == ["give_back"]
    told.run(car7="380", car9="381")
    assert told.fold().board().session.candidates == ()


def test_a_voided_passing_takes_its_candidate_with_it(script: type["Script"]) -> None:
    told = script("7 9", rules=rules()).run(car7="60", car9="61")
    told.say(e.TrackStatus, at=70, status="safety_car")
    told.hear("T7", 90, loop="S1", decoder="s1")
    told.hear("T9", 91, loop="S1", decoder="s1")
    (early,) = told.hear("T9", 119)
    told.run(car7="120")
    timing = told.fold()
    assert len(timing.board().session.candidates) == 1
    told.say(e.PassingVoided, at=130, passing=early)
    assert told.fold().board().session.candidates == ()


def test_the_list_is_bounded_and_the_document_is_not(script: type["Script"]) -> None:
    told = script("7 9", rules=rules()).run(car7="60", car9="61")
    told.say(e.TrackStatus, at=70, status="safety_car")
    many, ahead, behind = CANDIDATES_KEPT + 10, "9", "7"
    for step in range(3 * many):
        at = 90 + 30 * step
        told.hear(f"T{ahead}", at, loop=("S1", "SF")[step % 2], decoder=f"d{step % 2}")
        told.hear(f"T{behind}", at + 1, loop=("S1", "SF")[step % 2], decoder=f"d{step % 2}")
        ahead, behind = behind, ahead
    timing = told.fold()
    assert len(passes(timing).overtakes) > CANDIDATES_KEPT
    assert len(timing.board().session.candidates) <= CANDIDATES_KEPT


def test_the_document_tells_what_explains_a_pass(script: type["Script"]) -> None:
    told = neutralised(script)
    told.say(e.WaveBy, at=200, cars=("9",))
    document = msgspec.json.decode(passes_json(told.fold()))
    (told_of,) = document["overtakes"]
    assert (told_of["car"], told_of["over"], told_of["stands"], told_of["why"]) == ("9", "7", "explained", "waved_by")
    assert told_of["evidence"] == ["s1/1/8", "s1/1/7", "line/1/10", "line/1/11"]


@pytest.mark.parametrize("best_laps", ["count", "left_out"])
def test_slow_is_what_is_slow_beside_racing_laps_also_where_others_count(script: type["Script"], best_laps: str) -> None:
    """Car 7 takes 200 s to S1: four times what it takes racing, not three times its mean with the laps behind the safety car."""
    told = script("7 9", rules=rules(best_laps=best_laps))
    for lap in range(6):
        times = 60 if lap < 3 else 300
        began = 60 * lap if lap < 3 else 180 + 300 * (lap - 3)
        for place, car in enumerate("79"):
            told.hear(f"T{car}", began + times - 10 + place, loop="S1", decoder="s1")
            told.run(**{f"car{car}": str(began + times + place)})
    told.say(e.TrackStatus, at=170, status="safety_car")
    told.say(e.TrackStatus, at=1075, status="green")
    for began in (1080, 1140, 1200):
        for place, car in enumerate("79"):
            told.hear(f"T{car}", began + 50 + place, loop="S1", decoder="s1")
            told.run(**{f"car{car}": str(began + 60 + place)})
    told.say(e.TrackStatus, at=1258, status="safety_car")
    told.hear("T9", 1370, loop="S1", decoder="s1")
    told.hear("T7", 1460, loop="S1", decoder="s1")
    assert [(p.car, p.over, p.why) for p in passes(told.fold()).overtakes] == [("9", "7", "slow")]


def test_entries_into_a_closed_pit_lane_are_candidates_but_not_under_red(script: type["Script"]) -> None:
    told = neutralised(script, pit_lane="closed")
    told.hear("T3", 250, loop="PI", decoder="pit")
    board = told.fold().board()
    assert not board.session.pit_lane_open
    assert [(c.kind, c.car, c.over) for c in board.session.candidates if c.car == "3"] == [("pit_entry", "3", None)]
    told.say(e.TrackStatus, at=245, status="red")
    told.say(e.PitLane, at=246, open=False)
    assert [c for c in told.fold().board().session.candidates if c.car == "3"] == []


def test_crossings_added_by_hand_are_evidence_too(script: type["Script"]) -> None:
    told = script("7 9", rules=rules()).run(car7="60", car9="61")
    told.say(e.TrackStatus, at=70, status="safety_car")
    told.hear("T7", 90, loop="S1", decoder="s1")
    told.hear("T9", 91, loop="S1", decoder="s1")
    name = told.say(e.PassingAdded, at=119, car="9", loop="SF")
    told.run(car7="120")
    (candidate,) = told.fold().board().session.candidates
    assert f"by hand {name}" in candidate.evidence


def test_a_local_yellow_under_the_safety_car_leaves_the_safety_car_out(script: type["Script"]) -> None:
    told = neutralised(script)
    told.say(e.TrackStatus, at=215, status="yellow", sectors=(1,))
    board = told.fold().board()
    assert (board.session.track_status, board.session.neutralised) == ("safety_car", True)


def test_a_pass_is_told_once_where_the_safety_car_comes_out_again_at_once(script: type["Script"]) -> None:
    """Car 9 has not crossed the line since the first is in when the second comes out: it is bound by both."""
    told = neutralised(script)
    told.say(e.TrackStatus, at=213, status="green")
    told.say(e.TrackStatus, at=214, status="safety_car")
    told.hear("T7", 230, loop="S1", decoder="s1")
    told.hear("T9", 231, loop="S1", decoder="s1")
    told.run(car9="290", car7="291")
    found = passes(told.fold()).overtakes
    assert [(p.car, p.over) for p in found].count(("9", "7")) == 2, "before the line and after it, each once"
    assert len({p.id for p in found}) == len(found)
