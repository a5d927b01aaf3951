"""Results with versions: each stays as it was published."""

import json
from typing import TYPE_CHECKING, Literal

from timing.domain import events as e
from timing.projections.result import result
from timing.projections.versions import version_in_words, versions, versions_json

if TYPE_CHECKING:
    from tests.projections.conftest import Script

S = 1_000_000


def finished(script: type["Script"]) -> "Script":
    return script("7 9 3", laps=2).run(car7="60 120", car9="61 122", car3="62 125")


def publish(told: "Script", stage: Literal["provisional", "amended", "final"], at: float, **given: object) -> str:
    return told.say(e.ResultPublished, at=at, stage=stage, **given)


def test_nothing_published_is_no_version(script: type["Script"]) -> None:
    found = versions(finished(script).fold())
    assert (found.versions, found.due, found.status) == ((), False, "finished")


def test_a_version_is_what_the_records_before_it_made_whatever_comes_later(script: type["Script"]) -> None:
    told = finished(script)
    before = told.fold()
    publish(told, "provisional", 200)
    told.say(e.Decision, at=210, decision="D1", car="7", penalty="time", seconds=3.0, reason="contact", article="33.1")
    told.hear("T3", 121)
    (first,) = versions(told.fold()).versions
    assert first.result.rows == result(before).rows
    assert (first.digest, first.seq, first.number, first.document) == (before.digest().hex(), before.seq + 1, 1, "1")
    assert first.rulebook == before.rulebook_hash
    assert first.faults == ()
    assert not first.current


def test_what_changed_and_the_decisions_between(script: type["Script"]) -> None:
    told = finished(script)
    publish(told, "provisional", 200, document="12")
    told.say(e.Decision, at=210, decision="D1", car="7", penalty="time", seconds=3.0, reason="contact", article="33.1")
    told.say(e.Decision, at=211, decision="D2", car="3", penalty="warning", stage="noted")
    assert versions(told.fold()).due
    publish(told, "amended", 220)
    told.say(e.DecisionUpdated, at=230, decision="D1", stage="quashed", reason="new evidence")
    found = versions(told.fold())
    first, second = found.versions
    assert (first.document, second.document) == ("12", "2")
    assert second.current is False
    assert version_in_words(first) == []
    assert version_in_words(second)[:2] == [
        "decision D1, car 7: 3 s penalty issued (33.1): contact",
        "decision D2, car 3: warning noted",
    ]
    changed = {car.car: car.changes for car in second.changes.cars}
    assert (changed["9"]["position"].before, changed["9"]["position"].after) == (2, 1)
    assert (changed["7"]["total_us"].before, changed["7"]["total_us"].after) == (120 * S, 123 * S)
    assert "3" not in changed
    assert [(step.decision, step.before, step.after) for step in found.decisions_since] == [("D1", "issued", "quashed")]
    publish(told, "final", 240)
    found = versions(told.fold())
    assert [v.current for v in found.versions] == [True, False, True], "what was published first is true again"
    assert not found.due


def test_publishing_again_changes_nothing(script: type["Script"]) -> None:
    told = finished(script)
    for n in range(3):
        publish(told, "provisional" if n == 0 else "amended", 200 + n)
    found = versions(told.fold())
    assert len({v.result.rows for v in found.versions}) == 1
    assert all(v.changes.none and v.current for v in found.versions)


def test_what_its_sender_says_of_it_is_checked(script: type["Script"]) -> None:
    told = finished(script)
    seen = told.fold()
    told.say(e.Decision, at=150, decision="D1", car="7", penalty="time", seconds=3.0)
    publish(told, "provisional", 200, digest=seen.digest().hex(), as_of=seen.seq, rulebook="0" * 64)
    publish(told, "amended", 201, digest=told.fold().digest().hex(), as_of=len(told.events) + 5, rulebook=seen.rulebook_hash)
    first, second = versions(told.fold()).versions
    assert len(first.faults) == 2
    assert first.faults[0].endswith(f"the sheet rests on record {seen.seq}, and 1 more came in before it was published")
    assert first.faults[1].startswith("the rulebook given is 000000000000…, the session's is ")
    assert second.faults == (f"it says that it rests on record {second.seq + 4}, and is itself record {second.seq}",)


def test_a_voided_publication_is_none_and_a_retimed_one_is_of_its_new_instant(script: type["Script"]) -> None:
    told = finished(script)
    wrong, right = publish(told, "provisional", 200), publish(told, "provisional", 201)
    told.say(e.EventVoided, at=202, event=wrong)
    told.say(e.EventRetimed, at=190, event=right)
    (only,) = versions(told.fold()).versions
    assert (only.id, only.number) == (right, 1)
    assert only.at == 1_747_400_190 * S


def test_a_decision_voided_since_is_told(script: type["Script"]) -> None:
    told = finished(script)
    given = told.say(e.Decision, at=150, decision="D1", car="7", penalty="time", seconds=3.0)
    publish(told, "provisional", 200)
    told.say(e.EventVoided, at=202, event=given)
    found = versions(told.fold())
    assert [(step.decision, step.before, step.after) for step in found.decisions_since] == [("D1", "issued", "voided")]
    assert found.due


def test_as_json(script: type["Script"]) -> None:
    told = finished(script)
    publish(told, "provisional", 200)
    document = json.loads(versions_json(told.fold()))
    assert (document["session"], document["due"], document["versions"][0]["stage"]) == ("s", False, "provisional")
    assert [row["car"] for row in document["versions"][0]["result"]["rows"]] == ["7", "9", "3"]
