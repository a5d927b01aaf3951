"""The door: what each message becomes, whatever it is."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.domain.events import ActedBy, MessageRejected, Passing, SessionOpened
from timing.log.event_log import MemoryLog
from timing.services.door import Door, Judged, answers
from timing.services.rulebooks import Rulebooks

NOW = 1_747_401_000_000_000
OPENED = {
    "type": "session_opened", "id": "open", "at": NOW, "session": "race-1", "name": "Race 1", "kind": "race", "rulebook": "mitjet",
    "distance": {"minutes": 20}, "circuit": {"name": "Albi", "loops": [{"id": "SF", "line": "finish", "colour": "blue"}]},
}  # fmt: skip
PASSING = {"type": "passing", "at": NOW, "decoder": "line-1", "boot": 1, "number": 7, "loop": "SF", "transponder": "T1"}
FLAG = {"type": "track_status", "id": "red-1", "status": "red"}


def text(event: dict[str, Any], **changes: Any) -> bytes:
    return msgspec.json.encode({**event, **changes})


def judge(door: Door, channel: str, payload: bytes, session: str = "race-1") -> Judged:
    judged = door.judge(f"timing/v1/{session}/{channel}", payload, NOW)
    assert judged is not None
    return judged


@pytest.fixture
def door() -> Door:
    door = Door(Rulebooks().resolve)
    assert judge(door, "session", text(OPENED)).outcome == "accepted"
    return door


def refused(judged: Judged) -> MessageRejected:
    assert judged.outcome == "rejected"
    assert isinstance(judged.draft.event, MessageRejected)
    return judged.draft.event


FORGED = {"type": "message_rejected", "id": "x", "at": 1, "channel": "c", "code": "c", "reason": "r", "payload": ""}

WRONG = [
    ("passings/line-1", b"", "not-json"),
    ("passings/line-1", b"\x00\xff\xfe", "not-json"),
    ("passings/line-1", text(PASSING)[:-1], "not-json"),
    ("passings/line-1", text(PASSING) + b" {}", "not-json"),
    ("passings/line-1", b'{"type":"passing","x":"\xff"}', "not-json"),
    ("passings/line-1", text(PASSING)[:-1] + b',"comment":"\xff"}', "not-json"),
    ("passings/line-1", b"[" * 100_0 + b"]" * 100_0, "bad-field"),
    ("passings/line-1", b"[]", "bad-field"),
    ("passings/line-1", b"{}", "unknown-type"),
    ("passings/line-1", text(PASSING, type="pasing"), "unknown-type"),
    ("passings/line-1", text(PASSING, type=7), "unknown-type"),
    ("passings/line-1", text(PASSING, at=1.5), "bad-field"),
    ("passings/line-1", text(PASSING, at="12:00"), "bad-field"),
    ("passings/line-1", text(PASSING, at=-1), "bad-field"),
    ("passings/line-1", text(PASSING, number=None), "bad-field"),
    ("passings/line-1", text({"type": "passing", "at": NOW}), "bad-field"),
    ("passings/line-1", text(PASSING, note="x" * 70_000), "too-large"),
    ("passings/line-1", b"x" * 2_000_000, "too-large"),
    ("passings/line-1", text(PASSING, seq=3), "reserved-field"),
    ("passings/line-1", text(PASSING, hash="0"), "reserved-field"),
    ("passings/line-1", text(PASSING)[:-1] + b',"\\u0073eq":3}', "reserved-field"),
    ("passings/line-2", text(PASSING), "wrong-device"),
    ("passings", text(PASSING), "wrong-device"),
    ("passings/line-1/extra", text(PASSING), "wrong-device"),
    ("laps/line-1", text(PASSING), "wrong-channel"),
    ("control", text(PASSING), "wrong-channel"),
    ("stewards", text(FLAG), "wrong-channel"),
    ("passings/line-1", text(FLAG), "wrong-channel"),
    ("weather", text(FLAG), "wrong-channel"),
    ("", text(FLAG), "wrong-channel"),
    ("control", text(FORGED), "wrong-channel"),
    ("session", text({"type": "signing_key", "id": "x", "at": 1, "key": "00" * 32}), "wrong-channel"),
    ("control", text(FLAG, id=""), "bad-field"),
    ("control", text(FLAG, id="x" * 65), "bad-field"),
    ("control", text(FLAG, status="purple"), "bad-field"),
    ("session", text(OPENED, id="again"), "already-open"),
    ("session", text(OPENED, session="race-2"), "wrong-session"),
    ("entries", text({"type": "car_retired", "id": "r", "at": NOW, "car": "99"}), "unknown-car"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "payload", "code"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_kept_with_its_bytes_and_answered(door: Door, channel: str, payload: bytes, code: str) -> None:
    judged = judge(door, channel, payload)
    event = refused(judged)
    assert event.code == code
    assert judged.draft.session == "race-1"
    assert event.payload == payload[: 1024 * 1024]
    assert base64.b64decode(msgspec.json.decode(judged.draft.raw)["payload"]) == event.payload
    [appended] = MemoryLog().append([judged.draft], NOW)
    [answer] = answers(judged, appended)
    assert answer.topic == f"timing/v1/race-1/rejected/{channel or '_'}"
    assert msgspec.json.decode(answer.payload)["code"] == code
    assert len(msgspec.json.decode(answer.payload)["reason"]) > 10


@pytest.mark.parametrize("session", ["race-9", "RACE-1", "_", "-a", "", "x" * 65, "race 1", "ræs"])
def test_an_unknown_session_is_kept_under_none(door: Door, session: str) -> None:
    judged = judge(door, "control", text(FLAG), session)
    assert refused(judged).code == "unknown-session"
    assert judged.draft.session == "_"
    [appended] = MemoryLog().append([judged.draft], NOW)
    topics = [answer.topic for answer in answers(judged, appended)]
    assert topics[0] == "timing/v1/_/rejected/control"
    assert topics[1:] == (["timing/v1/race-9/rejected/control"] if session == "race-9" else [])


def test_a_session_whose_opening_is_refused_stays_unknown(door: Door) -> None:
    judged = judge(door, "session", text(OPENED, session="race-2", rulebook="no-such-book"), "race-2")
    assert refused(judged).code == "unknown-rulebook"
    assert judged.draft.session == "_"
    assert refused(judge(door, "control", text(FLAG), "race-2")).code == "unknown-session"


def test_the_senders_id_comes_back_however_wrong_the_rest_is(door: Door) -> None:
    judged = judge(door, "control", text(FLAG, status="purple"))
    [answer] = answers(judged, MemoryLog().append([judged.draft], NOW)[0])
    assert msgspec.json.decode(answer.payload)["id"] == "red-1"


def test_the_same_rejected_message_is_the_same_record(door: Door) -> None:
    log = MemoryLog()
    for _ in range(3):
        log.append([judge(door, "control", b"garbage").draft, judge(door, "stewards", b"garbage").draft], NOW)
    assert log.high_watermark("race-1") == 2


def test_facts_are_never_refused_for_what_they_say(door: Door) -> None:
    judged = judge(door, "passings/line-1", text(PASSING, transponder="unheard-of", loop="nowhere", at=1))
    assert judged.outcome == "fact"
    assert isinstance(judged.draft.event, Passing)
    assert judged.draft.session == "race-1"


def test_what_the_door_fills_in_keeps_what_only_the_sender_knows(door: Door) -> None:
    judged = judge(door, "control", text(FLAG, weather={"rain": True}))
    stored = msgspec.json.decode(judged.draft.raw)
    assert stored == {**FLAG, "at": NOW, "stamped": True, "weather": {"rain": True}}
    opened = judge(Door(Rulebooks().resolve), "session", text(OPENED, series="Mitjet"))
    stored = msgspec.json.decode(opened.draft.raw)
    assert isinstance(opened.draft.event, SessionOpened)
    assert stored["series"] == "Mitjet"
    assert stored["circuit"] == OPENED["circuit"]
    assert stored["rules"]["finish"]


def test_what_was_sent_whole_is_stored_as_it_was_sent(door: Door) -> None:
    payload = text(PASSING, firmware="4.5", hits=12)
    assert judge(door, "passings/line-1", payload).draft.raw == payload


def test_commands_rest_on_those_before_them_in_the_same_batch(door: Door) -> None:
    entry = {"type": "entry_registered", "id": "e1", "at": NOW, "car": "7", "class": "Junior"}
    assert judge(door, "entries", text(entry)).outcome == "accepted"
    assert judge(door, "entries", text({"type": "car_retired", "id": "r", "at": NOW, "car": "7"})).outcome == "accepted"


def test_a_command_sent_twice_is_for_the_log_to_tell_from_a_conflict(door: Door) -> None:
    log = MemoryLog()
    drafts = [judge(door, "control", payload).draft for payload in (text(FLAG), text(FLAG), text(FLAG, status="green"))]
    assert [a.outcome for a in log.append(drafts, NOW)] == ["new", "same", "conflict"]


def test_our_own_answers_are_passed_over(door: Door) -> None:
    assert door.judge("timing/v1/race-1/accepted/control", b'{"id":"x","seq":1}', NOW) is None
    assert door.judge("timing/v1/_/rejected/passings/line-1", b"garbage", NOW) is None


def test_the_door_knows_after_a_restart_what_it_knew_before(door: Door) -> None:
    log = MemoryLog()
    log.append([judge(door, "session", text(OPENED)).draft], NOW)
    log.append([judge(door, "control", text(FLAG)).draft, judge(door, "passings/line-1", text(PASSING)).draft], NOW)
    restarted = Door(Rulebooks().resolve)
    for record in log.read("race-1"):
        restarted.restore("race-1", record.event)
    assert restarted.decider("race-1") is not None
    stopped = {"type": "race_stopped", "id": "stop"}
    assert judge(restarted, "control", text(stopped)).outcome == "accepted", "it remembers the red flag"
    assert refused(judge(restarted, "session", text(OPENED, id="again"))).code == "already-open"


def test_a_fault_of_the_program_costs_one_message_not_the_service() -> None:
    def broken(_: object) -> dict[str, Any]:
        raise ZeroDivisionError

    judged = judge(Door(broken), "session", text(OPENED))
    assert refused(judged).code == "internal-error"
    assert refused(judged).payload == text(OPENED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["type", "at", "id", "decoder", "boot", "number", "loop", "transponder", "status", "car", "seq", "session", "rulebook"]
)
TYPES = st.sampled_from(["passing", "lap", "track_status", "session_opened", "decision", "grid_set", "message"])
LIKELY = st.dictionaries(KEYS, JSON, max_size=8).flatmap(lambda d: TYPES.map(lambda t: {**d, "type": t}))
GARBAGE = st.binary(max_size=200) | JSON.map(msgspec.json.encode) | LIKELY.map(msgspec.json.encode)
LEVEL = st.sampled_from(["race-1", "race-2", "_", "passings", "passings/line-1", "laps/x", "session", "control", "entries"]) | st.text(
    max_size=12
)


@given(st.lists(st.tuples(LEVEL, LEVEL, GARBAGE), min_size=1, max_size=5))
def test_nothing_that_can_be_sent_gets_past_the_door_or_breaks_it(sent: list[tuple[str, str, bytes]]) -> None:
    door, log = Door(Rulebooks().resolve), MemoryLog()
    judge(door, "session", text(OPENED))
    for session, channel, payload in sent:
        judged = door.judge(f"timing/v1/{session}/{channel}", payload, NOW)
        if judged is None:
            assert channel.startswith(("accepted/", "rejected/")) or "/" in session
            continue
        [appended] = log.append([judged.draft], NOW)
        if judged.outcome == "rejected":
            assert refused(judged).code != "internal-error"
            assert refused(judged).payload == payload
        for answer in answers(judged, appended):
            assert not set(answer.topic) & set("+#\0")
            msgspec.json.decode(answer.payload)
    for name in log.sessions():
        for record in log.read(name):
            msgspec.json.decode(record.raw)


def test_who_says_stamped_is_held_to_the_instant_that_was_sent(door: Door) -> None:
    """``stamped`` is the door's own word; an export that is sent again has it, with the same ``at``."""
    log = MemoryLog()
    sent = text(FLAG, at=NOW, stamped=True)
    [first] = log.append([judge(door, "control", sent).draft], NOW)
    [again] = log.append([judge(door, "control", sent).draft], NOW)
    [other] = log.append([judge(door, "control", text(FLAG, at=NOW + 1, stamped=True)).draft], NOW)
    [unsaid] = log.append([judge(door, "control", text(FLAG)).draft], NOW)
    assert [first.outcome, again.outcome, other.outcome, unsaid.outcome] == ["new", "same", "conflict", "same"]


ANNA = ActedBy(name="Anna Roy", role="race-director", token="t1")  # noqa: S106  # an id


def test_who_acted_is_written_into_the_record_and_is_no_part_of_what_was_said(door: Door) -> None:
    log = MemoryLog()
    judged = door.judge("timing/v1/race-1/control", text(FLAG), NOW, ANNA)
    assert judged is not None
    assert msgspec.json.decode(judged.draft.raw)["acted_by"] == {"name": "Anna Roy", "role": "race-director", "token": "t1"}
    again = [judge(door, "control", text(FLAG)), judge(door, "control", text(FLAG, at=NOW))]
    by_ben = door.judge("timing/v1/race-1/control", text(FLAG), NOW + 9, ActedBy(name="Ben", role="administrator", token="t2"))  # noqa: S106
    assert by_ben is not None
    outcomes = [log.append([each.draft], NOW)[0].outcome for each in (judged, *again, by_ben)]
    assert outcomes == ["new", "same", "conflict", "same"], "only `at`, which was not sent the first time, makes it another"


def test_a_refusal_keeps_who_tried(door: Door) -> None:
    judged = door.judge("timing/v1/race-1/control", text({"type": "race_stopped", "id": "x"}), NOW, ANNA)
    assert judged is not None
    assert refused(judged).acted_by == ANNA
    assert refused(door.conflict(judged, 3, NOW)).acted_by == ANNA


def test_nobody_says_over_mqtt_who_acted(door: Door) -> None:
    forged = judge(door, "control", text(FLAG, acted_by={"name": "Anna Roy", "role": "race-director", "token": "t1"}))
    assert refused(forged).code == "reserved-field"
    assert "the service itself" in refused(forged).reason
    escaped = text(FLAG)[:-1] + b',"acted\\u005fby":{"name":"A","role":"r","token":"t"}}'
    assert refused(judge(door, "control", escaped)).code == "reserved-field"
