"""Verifying: whatever is altered in a log or an export is found, and the first record that differs is named."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from signed_log import PENALTY, ZERO, opening, published, race, signature, written

from replay.verifying.held import held
from replay.verifying.verdict import Verdict
from replay.verifying.verify import verify
from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.events import ResultPublished
from timing.log.record import GENESIS, chain_hash, decode_event, draft
from timing.log.schema import GUARDS
from timing.log.session_file import export_line
from timing.log.sqlite_log import SqliteLog
from timing.projections.timing import Timing
from timing.services.keys import SigningKeyFile, new_key


class Alter(Protocol):
    def __call__(self, db: sqlite3.Connection, seq: int) -> None: ...


Rows = list[list[object]]


RECORDS = 14  # of the signed race: 4 of the opening, 4 passings, 2 results, a penalty, the key, two signatures


def verified(path: Path, session: str | None = None, *, keys: tuple[str, ...] = (), heads: tuple[str, ...] = ()) -> Verdict:
    with held(path, session) as opened:
        return verify(opened, path.name, None if session is None else [session], keys=keys, heads=heads)


def altered(log: Path, copy: Path, alter: Callable[[sqlite3.Connection], None]) -> Path:
    """Alter a copy of a log as somebody would who knows it well: the guards are in their places again afterwards."""
    shutil.copy(log, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        for name in GUARDS:
            db.execute(f"DROP TRIGGER {name}")
        alter(db)
        for statement in GUARDS.values():
            db.execute(statement)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copy


def rows(db: sqlite3.Connection) -> Rows:
    return [list(row) for row in db.execute("SELECT position, session, seq, recorded_at, identity, event, hash FROM record ORDER BY seq")]


def rewrite(db: sqlite3.Connection, wanted: Rows) -> None:
    db.execute("DELETE FROM record")
    db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", wanted)


def renumbered(wanted: Rows) -> Rows:
    return [[place, row[1], place, *row[3:]] for place, row in enumerate(wanted, start=1)]


def chained(wanted: Rows) -> Rows:
    """Give every record the hash that it has to have, as a forger would."""
    previous, made = GENESIS, []
    for place, session, seq, recorded_at, identity, event, _ in wanted:
        assert isinstance(session, str)
        assert isinstance(seq, int)
        assert isinstance(recorded_at, int)
        assert isinstance(event, bytes)
        previous = chain_hash(previous, session, seq, recorded_at, event)
        made.append([place, session, seq, recorded_at, identity, event, previous])
    return made


def test_a_sound_log_and_its_export_hold(signed: Path, exported: bytes, key: SigningKeyFile, tmp_path: Path) -> None:
    (tmp_path / "export.jsonl").write_bytes(exported)
    for path in (signed, tmp_path / "export.jsonl"):
        verdict = verified(path, keys=(key.public,))
        assert (verdict.holds, verdict.status, verdict.differences) == (True, 0, ())
        (session,) = verdict.sessions
        assert (session.session, session.records, session.keys) == ("sunday", RECORDS, (key.public,))
        assert [(r.number, r.document, r.stage, r.holds, r.key_id) for r in session.results] == [
            (1, "12", "provisional", True, key.id),
            (2, "14", "final", True, key.id),
        ]
    last = verdict.sessions[0].hash
    assert verified(signed, keys=(key.id,), heads=(last, last[:16])).holds


def a_column(name: str, value: str) -> Alter:
    return lambda db, seq: run(db, f"UPDATE record SET {name} = {value} WHERE seq = {seq}")  # noqa: S608  # our own words


def run(db: sqlite3.Connection, statement: str) -> None:
    db.execute(statement)


def byte_of(name: str) -> Alter:
    def alter(db: sqlite3.Connection, seq: int) -> None:
        [[content]] = db.execute(f"SELECT {name} FROM record WHERE seq = ?", (seq,))  # noqa: S608  # our own words
        place = random.Random(seq).randrange(len(content))
        changed = bytearray(content)
        changed[place] ^= 1 << random.Random(seq).randrange(8)
        db.execute(f"UPDATE record SET {name} = ? WHERE seq = ?", (bytes(changed), seq))  # noqa: S608  # the same

    return alter


def without(db: sqlite3.Connection, seq: int) -> None:
    db.execute("DELETE FROM record WHERE seq = ?", (seq,))


def closed_up(db: sqlite3.Connection, seq: int) -> None:
    rewrite(db, renumbered([row for row in rows(db) if row[2] != seq]))


def swapped(db: sqlite3.Connection, seq: int) -> None:
    held = rows(db)
    one, other = seq - 1, seq % RECORDS
    held[one], held[other] = held[other], held[one]
    rewrite(db, renumbered(held))


def inserted(db: sqlite3.Connection, seq: int) -> None:
    held = rows(db)
    event = b'{"type":"message","id":"forged","at":1747400000000000,"text":"all fine"}'
    rewrite(db, renumbered([*held[: seq - 1], [0, "sunday", 0, ZERO, "id/forged", event, held[seq - 1][6]], *held[seq - 1 :]]))


ALTERED: dict[str, Alter] = {
    "seq": a_column("seq", "seq + 100"),
    "recorded_at": a_column("recorded_at", "recorded_at + 1"),
    "before 1970": a_column("recorded_at", "-recorded_at"),
    "session": a_column("session", "'monday'"),
    "identity": a_column("identity", "identity || 'x'"),
    "position": a_column("position", "position + 100"),
    "event": byte_of("event"),
    "no event": a_column("event", "x''"),
    "hash": byte_of("hash"),
    "short hash": a_column("hash", "substr(hash, 1, 31)"),
    "white space": a_column("event", "CAST(event || ' ' AS BLOB)"),
    "deleted": without,
    "deleted and closed up": closed_up,
    "swapped": swapped,
    "inserted": inserted,
}


@pytest.mark.parametrize("how", ALTERED)
def test_every_record_altered_in_every_way_is_found_and_named(signed: Path, tmp_path: Path, how: str) -> None:
    head = verified(signed).sessions[0].hash
    for seq in range(1, RECORDS + 1):
        copy = altered(signed, tmp_path / f"{seq}.db", partial(ALTERED[how], seq=seq))
        verdict = verified(copy, heads=(head,))
        assert verdict.status == 1, f"{how} of record {seq}"
        first = verdict.differences[0]
        if how in {"deleted", "deleted and closed up"} and seq == RECORDS:
            assert first.what == "head", "a shorter chain is sound; that it is shorter tells only what was noted elsewhere"
        elif how == "position":
            assert first.what in {"file", "record"}
        elif how == "swapped":
            assert first.seq == min(seq, seq % RECORDS + 1)
        else:
            assert first.seq == seq or (how == "session" and first.session == "monday"), first


def forged(db: sqlite3.Connection, change: Callable[[Rows], Rows]) -> None:
    rewrite(db, chained(renumbered(change(rows(db)))))


def replaced(seq: int, old: bytes, new: bytes) -> Callable[[Rows], Rows]:
    def change(held: Rows) -> Rows:
        event = held[seq - 1][5]
        assert isinstance(event, bytes)
        assert old in event
        held[seq - 1][5] = event.replace(old, new)
        return held

    return change


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (replaced(8, b"1747400120000000", b"1747400120000001"), "hash"),  # a crossing a microsecond later
        (replaced(12, b'"seconds":5', b'"seconds":9'), "hash"),
        (replaced(10, b'"document":"12"', b'"document":"13"'), "document"),
        (replaced(10, b'"provisional"', b'"amended"'), "stage"),
        (lambda held: [*held[:11], *held[12:]], "hash"),  # the penalty is gone
        (replaced(11, b'"version":1', b'"version":2'), None),
        (replaced(11, b'"signature":"', b'"signature":"00'[:-2]), None),
    ],
    ids=["a crossing", "a penalty", "the document", "the stage", "left out", "the statement", "nothing"],
)
def test_a_chain_made_anew_does_not_bear_the_signatures(
    signed: Path,
    tmp_path: Path,
    change: Callable[[Rows], Rows],
    first: str | None,
    request: pytest.FixtureRequest,
) -> None:
    verdict = verified(altered(signed, tmp_path / "forged.db", lambda db: forged(db, change)))
    if "nothing" in request.node.callspec.id:
        assert verdict.holds, "the chain is the same again where nothing was changed"
        return
    assert verdict.status == 1
    assert {one.what for one in verdict.differences} == {"signature"}
    assert any(first is None or f"another {first}" in one.reason for one in verdict.differences), verdict.differences
    assert not all(result.holds for result in verdict.sessions[0].results)


def test_a_forger_who_signs_again_is_another_hand(folder: Path, tmp_path: Path, key: SigningKeyFile) -> None:
    other = new_key(tmp_path / "other")
    cheated = [{**one, "seconds": 1} if one == PENALTY else one for one in race()]
    forged = written(tmp_path / "forged.db", cheated, other)
    assert verified(forged).holds, "without a key that is known nobody could tell"
    verdict = verified(forged, keys=(key.public,))
    assert (verdict.status, {one.what for one in verdict.differences}) == (3, {"key"})
    assert verified(forged, keys=(key.public, other.id)).holds


def test_a_tail_cut_off_is_a_sound_log_unless_its_end_was_noted(signed: Path, tmp_path: Path) -> None:
    head = verified(signed).sessions[0].hash
    for last in range(1, RECORDS):
        cut = altered(
            signed,
            tmp_path / f"{last}.db",
            partial(run, statement=f"DELETE FROM record WHERE seq > {last}"),  # noqa: S608  # a number
        )
        assert verified(cut).holds
        verdict = verified(cut, heads=(head,))
        assert (verdict.status, verdict.differences[0].what) == (1, "head")


def test_unsigned_results_hold_and_are_not_signed_by_the_key(folder: Path, tmp_path: Path, key: SigningKeyFile) -> None:
    log = written(tmp_path / "unsigned.db", race())
    assert verified(log).status == 0
    assert not any(result.signed for result in verified(log).sessions[0].results)
    assert verified(log, keys=(key.public,)).status == 3
    nothing = written(tmp_path / "nothing.db", opening(), key)
    assert verified(nothing, keys=(key.public,)).status == 3
    assert verified(nothing).status == 0


def test_a_voided_result_need_not_be_signed(tmp_path: Path, key: SigningKeyFile) -> None:
    log = written(tmp_path / "race.db", [*opening(), published(0, "provisional")])
    void = {"type": "event_voided", "id": "v", "at": ZERO, "event": "p0", "reason": "wrong sheet", "by": "TK"}
    append(log, void, None)
    append(log, published(1), key)
    verdict = verified(log, keys=(key.public,))
    assert [(one.what, one.seq) for one in verdict.differences] == [("signature", 8), ("key", 7)], "the key was never announced"
    assert [(result.voided, result.signed) for result in verdict.sessions[0].results] == [(True, False), (False, False)]


def append(path: Path, told: dict[str, object], key: SigningKeyFile | None) -> None:
    log = SqliteLog(path)
    try:
        timing = Timing("sunday")
        for record in log.read("sunday"):
            timing.apply(record)
        event = decode_event(msgspec.json.encode(told))
        [appended] = log.append([draft("sunday", event)], recorded_at=ZERO)
        assert appended.record
        timing.apply(appended.record)
        if key:
            assert isinstance(event, ResultPublished)
            log.append([draft("sunday", signature(key, timing, event, appended.record))], recorded_at=ZERO)
    finally:
        log.close()


def test_what_its_sender_said_of_a_result_is_checked(tmp_path: Path) -> None:
    sound = verified(written(tmp_path / "sound.db", race())).sessions[0].results[0]
    said = [*race()[:8]]
    as_of = len(said)
    right = written(tmp_path / "right.db", [*said, published(0, digest=sound.digest, as_of=as_of)])
    assert verified(right).holds
    late = written(tmp_path / "late.db", [*said, PENALTY, published(0, digest=sound.digest, as_of=as_of)])
    verdict = verified(late)
    assert verdict.holds, "it says itself on which record it rests, and is right"
    assert verdict.sessions[0].results[0].note == "the sheet rests on record 8; 1 more came in before it was published"
    for name, given, expected in (
        ("digest", {"digest": "0" * 64}, sound.digest),
        ("stale", {"digest": "0" * 64, "as_of": 3}, sound.digest),
        ("rulebook", {"rulebook": "0" * 64}, None),
        ("future", {"as_of": 99}, "a record before 9"),
    ):
        verdict = verified(written(tmp_path / f"{name}.db", [*said, published(0, **given)]))
        (one,) = verdict.differences
        assert (one.what, one.seq, verdict.sessions[0].results[0].holds) == ("result", 9, False)
        assert expected is None or one.expected == expected


def places(content: bytes, step: int) -> Iterator[int]:
    """Some bytes of each line: all that frame its record, and every so many of the rest."""
    start = 0
    for line in content.splitlines(keepends=True):
        ahead = line.index(b'"type"') if b'"type"' in line[:200] else 140
        chosen = {*range(0, min(ahead, len(line)), 5), *range(start % step, len(line), step), len(line) - 1, len(line) - 2}
        yield from (start + place for place in sorted(chosen))
        start += len(line)


@pytest.mark.parametrize("step", [61, pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_every_byte_of_an_export_counts(exported: bytes, tmp_path: Path, step: int) -> None:
    file = tmp_path / "export.jsonl"
    dice = random.Random(step)
    for place in places(exported, step):
        changed = bytearray(exported)
        changed[place] ^= 1 << dice.randrange(8)
        file.write_bytes(changed)
        try:
            verdict = verified(file, "sunday")
        except ConfigurationError:
            assert place < exported.index(b"\n"), "the first line says what the file is"
            continue
        assert verdict.status == 1, f"byte {place}"
        line = exported[:place].count(b"\n") + 1
        assert verdict.differences[0].seq in (line, line + 1), f"byte {place}: {verdict.differences[0]}"


def test_lines_of_an_export_moved_cut_or_rewritten(exported: bytes, tmp_path: Path) -> None:
    lines = exported.splitlines(keepends=True)
    file = tmp_path / "export.jsonl"
    spaced = lines[2].replace(b'"seq":3', b'"seq":03')
    for content, seq, says in (
        ([*lines[:2], *lines[3:]], 3, "is missing"),
        ([*lines[:3], lines[2], *lines[3:]], 4, "3 follows 3"),
        ([*lines[:4], lines[5], lines[4], *lines[6:]], 5, "6 follows 4"),
        ([*lines[:-1], lines[-1][:-1]], RECORDS, "cut off"),
        ([line.replace(b"\n", b"\r\n") for line in lines], 1, "a program rewrote"),
        ([*lines[:2], b"\n", *lines[2:]], 3, "it is empty"),
        ([*lines[:2], spaced, *lines[3:]], 3, "byte for byte"),
        ([*lines[:2], b'{"type":"message","id":"m","at":1,"text":"x"}\n', *lines[2:]], 3, "no seq"),
    ):
        file.write_bytes(b"".join(content))
        first = verified(file).differences[0]
        assert first.seq == seq
        assert says in first.reason


def test_the_same_identity_twice_in_a_chain_is_found_in_an_export(signed: Path, tmp_path: Path) -> None:
    log = SqliteLog(signed, readonly=True)
    records = list(log.read("sunday"))
    log.close()
    again, seq = records[3], RECORDS + 1
    hashed = chain_hash(records[-1].hash, "sunday", seq, ZERO, again.raw)
    line = b'{"seq":%d,"recorded_at":%d,"hash":"%s",%s\n' % (seq, ZERO, hashed.hex().encode(), again.raw[1:])
    (tmp_path / "twice.jsonl").write_bytes(b"".join(export_line(record) + b"\n" for record in records) + line)
    (one,) = verified(tmp_path / "twice.jsonl").differences
    assert (one.seq, "which is that of record 4" in one.reason) == (seq, True)


def test_several_sessions_and_one_of_them(tmp_path: Path) -> None:
    written(tmp_path / "log.db", race("friday"), session="friday")
    written(tmp_path / "log.db", race("sunday"), session="sunday")
    assert [session.session for session in verified(tmp_path / "log.db").sessions] == ["friday", "sunday"]
    bad = altered(tmp_path / "log.db", tmp_path / "bad.db", partial(run, statement="UPDATE record SET recorded_at = 7 WHERE position = 3"))
    assert [(one.session, one.seq) for one in verified(bad).differences] == [("friday", 3)]
    assert [s.records for s in verified(bad).sessions] == [2, 11]
    assert verified(bad, "sunday").holds


def test_guards_that_are_gone_are_a_fault_of_the_file_and_the_records_are_checked_all_the_same(signed: Path, tmp_path: Path) -> None:
    shutil.copy(signed, tmp_path / "open.db")
    with closing(sqlite3.connect(tmp_path / "open.db")) as db:
        db.execute("DROP TRIGGER record_is_never_updated")
    verdict = verified(tmp_path / "open.db")
    assert [one.what for one in verdict.differences] == ["file"]
    assert verdict.sessions[0].records == RECORDS


def test_what_has_no_hashes_cannot_be_verified(tmp_path: Path) -> None:
    (tmp_path / "plain.jsonl").write_text('{"type":"session_started","id":"s","at":1}\n')
    (tmp_path / "empty.jsonl").write_text("")
    for name in ("plain.jsonl", "empty.jsonl"):
        with pytest.raises(TimingError), held(tmp_path / name, None):
            pass
