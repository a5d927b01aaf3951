"""The contract of every event log, held against each of them."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from timing.domain.errors import LogDamaged, LogError
from timing.domain.events import Passing
from timing.log.event_log import EventLog
from timing.log.record import GENESIS, Draft, chain_hash, draft, verify_chain

MakeDraft = Callable[..., Draft]
NOW = 1_778_936_400_000_000


def test_an_append_gives_each_draft_its_record(log: EventLog, passing: MakeDraft, message: MakeDraft) -> None:
    drafts = [passing(1), message("m1"), passing(2)]
    answers = log.append(drafts, NOW)
    assert [(a.outcome, a.seq) for a in answers] == [("new", 1), ("new", 2), ("new", 3)]
    previous = GENESIS
    for answer, given_draft in zip(answers, drafts, strict=True):
        record = answer.record
        assert record is not None
        assert (record.session, record.seq, record.recorded_at) == ("albi", answer.seq, NOW)
        assert (record.event, record.raw) == (given_draft.event, given_draft.raw)
        previous = chain_hash(previous, "albi", answer.seq, NOW, given_draft.raw)
        assert record.hash == previous
    assert list(log.read("albi")) == [a.record for a in answers]


def test_what_only_the_sender_knows_is_kept(log: EventLog, message: MakeDraft) -> None:
    log.append([message("m1")], NOW)
    assert b'"sent_by":"desk 2"' in next(log.read("albi")).raw


def test_the_same_again_is_nothing_new(log: EventLog, passing: MakeDraft) -> None:
    log.append([passing(1), passing(2)], NOW)
    answers = log.append([passing(2), passing(3), passing(1)], NOW + 1)
    assert [(a.outcome, a.seq, a.record is None) for a in answers] == [("same", 2, True), ("new", 3, False), ("same", 1, True)]
    assert log.high_watermark("albi") == 3


def test_the_same_twice_in_one_append_is_one_record(log: EventLog, passing: MakeDraft) -> None:
    answers = log.append([passing(1), passing(1), passing(1, transponder="T8")], NOW)
    assert [(a.outcome, a.seq) for a in answers] == [("new", 1), ("same", 1), ("conflict", 1)]
    assert log.high_watermark("albi") == 1


def test_one_identity_with_other_content_is_a_conflict(log: EventLog, passing: MakeDraft, message: MakeDraft) -> None:
    log.append([passing(1), message("m1")], NOW)
    answers = log.append([passing(1, transponder="T8"), message("m1", "Car 8"), passing(2)], NOW)
    assert [(a.outcome, a.seq) for a in answers] == [("conflict", 1), ("conflict", 2), ("new", 3)]
    assert [record.raw for record in log.read("albi")] == [passing(1).raw, message("m1").raw, passing(2).raw]


def test_sessions_are_independent(log: EventLog, passing: MakeDraft) -> None:
    answers = log.append([passing(1, "zolder"), passing(1, "albi"), passing(2, "zolder"), passing(1, "dijon")], NOW)
    assert [(a.outcome, a.seq) for a in answers] == [("new", 1), ("new", 1), ("new", 2), ("new", 1)]
    assert log.sessions() == ["zolder", "albi", "dijon"]
    assert {name: log.high_watermark(name) for name in log.sessions()} == {"zolder": 2, "albi": 1, "dijon": 1}
    assert [record.session for record in log.read("zolder")] == ["zolder", "zolder"]


def test_nothing_appended_is_nothing_written(log: EventLog) -> None:
    assert log.append([], NOW) == []
    assert log.sessions() == []
    assert log.high_watermark("albi") == 0
    assert list(log.read("albi")) == []


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (1, None, range(1, 8)),
        (3, 5, range(3, 6)),
        (7, 7, [7]),
        (8, None, []),
        (5, 4, []),
        (-3, 2, [1, 2]),
        (1, 0, []),
        (1, -2, []),
        (6, 99, [6, 7]),
    ],
)
def test_ranges_include_both_ends(log: EventLog, passing: MakeDraft, first: int, last: int | None, expected: list[int]) -> None:
    log.append([passing(n) for n in range(7)], NOW)
    assert [record.seq for record in log.read("albi", first, last)] == list(expected)


def test_reading_gives_what_was_there_when_it_began(log: EventLog, passing: MakeDraft) -> None:
    log.append([passing(n) for n in range(3)], NOW)
    reading = log.read("albi")
    log.append([passing(n) for n in range(3, 6)], NOW)
    assert [record.seq for record in reading] == [1, 2, 3]


def test_long_sessions_are_read_whole(log: EventLog, passing: MakeDraft) -> None:
    for start in range(0, 3_500, 700):
        log.append([passing(n) for n in range(start, start + 700)], NOW + start)
    records = list(log.read("albi"))
    assert [record.seq for record in records] == list(range(1, 3_501))
    assert verify_chain(records) == 3_500
    assert [record.seq for record in log.read("albi", 999, 2_002)] == list(range(999, 2_003))


def test_closing_twice_is_harmless(log: EventLog) -> None:
    log.close()
    log.close()


def test_a_log_restored_is_the_same_log(new_log: Callable[[], EventLog], passing: MakeDraft, message: MakeDraft) -> None:
    origin, copy = new_log(), new_log()
    for number in range(5):
        origin.append([passing(number), message(f"m{number}")], NOW + number)
    records = list(origin.read("albi"))
    assert [a.outcome for a in copy.restore(records[:4])] == ["new"] * 4
    assert [(a.outcome, a.seq) for a in copy.restore(records[2:])] == [("same", 3), ("same", 4), *(("new", seq) for seq in range(5, 11))]
    assert list(copy.read("albi")) == records
    assert copy.append([passing(1)], NOW)[0].outcome == "same"
    assert copy.restore([]) == []


def test_what_does_not_follow_is_not_restored(new_log: Callable[[], EventLog], passing: MakeDraft) -> None:
    origin, other, copy = new_log(), new_log(), new_log()
    origin.append([passing(n) for n in range(4)], NOW)
    other.append([passing(n) for n in range(4)], NOW + 1)
    records, others = list(origin.read("albi")), list(other.read("albi"))
    with pytest.raises(LogError, match="does not go on from there"):
        copy.restore(records[2:])
    with pytest.raises(LogDamaged, match="record 2 is missing"):
        copy.restore([records[0], *records[2:]])
    with pytest.raises(LogDamaged, match="record 3 is not what was written") as caught:
        copy.restore([*records[:2], others[2]])
    assert (caught.value.session, caught.value.seq) == ("albi", 3)
    assert copy.sessions() == []
    copy.restore(records[:1])
    with pytest.raises(LogError, match="record 1 is another one"):
        copy.restore(others)
    assert list(copy.read("albi")) == records[:1]


steps = st.lists(
    st.lists(st.tuples(st.sampled_from(["albi", "zolder", "_"]), st.integers(0, 9), st.sampled_from(["T1", "T2"])), max_size=6)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example makes its own log
@given(batches=steps)
def test_any_history_is_told_as_it_was(new_log: Callable[[], EventLog], batches: list[list[tuple[str, int, str]]]) -> None:
    log, model = new_log(), dict[str, list[tuple[int, str]]]()
    for batch in batches:
        drafts = [
            draft(session, Passing(at=1, decoder="d", boot=0, number=number, loop="SF", transponder=transponder))
            for session, number, transponder in batch
        ]
        expected = []
        for session, number, transponder in batch:
            told = model.setdefault(session, [])
            seq = next((i for i, (known, _) in enumerate(told, 1) if known == number), None)
            if seq is None:
                told.append((number, transponder))
                expected.append(("new", len(told)))
            else:
                expected.append(("same" if told[seq - 1][1] == transponder else "conflict", seq))
        assert [(a.outcome, a.seq) for a in log.append(drafts, NOW)] == expected
    assert log.sessions() == list(model)
    for session, told in model.items():
        records = list(log.read(session))
        assert verify_chain(records) == len(told) == log.high_watermark(session)
        assert [(r.event.number, r.event.transponder) for r in records if isinstance(r.event, Passing)] == told
    log.close()
