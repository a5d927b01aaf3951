"""A result sheet: whatever is altered on it shows, alone and against the log it came from."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from signed_log import PENALTY, ZERO, race, written

from replay.verifying.held import held
from replay.verifying.sheet import CheckedSheet, check_sheet, sheets_of
from timing.domain.errors import TimingError
from timing.log.record import decode_event, draft
from timing.log.sqlite_log import SqliteLog
from timing.projections.versions import versions_json
from timing.services.keys import SigningKeyFile, new_key
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_log


def sheets(path: Path) -> list[dict[str, Any]]:
    log = SqliteLog(path, readonly=True)
    try:
        return sheets_of(versions_json(score_log(log, "sunday", Rulebooks())))
    finally:
        log.close()


@pytest.fixture
def sheet(signed: Path) -> dict[str, Any]:
    return sheets(signed)[1]


def against(sheet: dict[str, Any], path: Path, *keys: str) -> CheckedSheet:
    with held(path, None) as opened:
        return check_sheet(sheet, keys=keys, held=opened, against=path.name)


def test_a_sound_sheet_holds_alone_and_against_log_and_export(
    signed: Path, exported: bytes, sheet: dict[str, Any], key: SigningKeyFile, tmp_path: Path
) -> None:
    found = check_sheet(sheet, keys=[key.id])
    assert (found.status, found.differences, found.notes) == (0, (), ())
    assert (found.document, found.stage, found.key_id, found.key) == ("14", "final", key.id, key.public)
    (tmp_path / "export.jsonl").write_bytes(exported)
    assert found.hash == json.loads(exported.splitlines()[found.seq - 1])["hash"]
    for path in (signed, tmp_path / "export.jsonl"):
        assert against(sheet, path, key.public).holds


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [leaf for name, one in inner for leaf in leaves(one, (*path, name))] or [path]


def altered(sheet: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(sheet)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    was = place[path[-1]]
    place[path[-1]] = (
        was + 1 if isinstance(was, int) and not isinstance(was, bool) else f"{'0' if str(was)[:1] != '0' else '1'}{str(was)[1:]}"
    )
    return changed


def test_every_value_of_the_result_and_of_what_was_signed_counts(sheet: dict[str, Any], key: SigningKeyFile, signed: Path) -> None:
    told = {"text", "seconds", "laps", "positions", "lap", "reason"}
    for part in ("result", "signature"):
        for path in leaves(sheet[part], (part,)):
            free = "penalties" in path and path[-1] in told
            found = check_sheet(altered(sheet, path), keys=[key.public])
            assert (found.status == 1) != free, path
            assert (against(altered(sheet, path), signed, key.public).status == 1) != free, path
    for name in ("digest", "seq", "stage", "id", "rulebook"):
        assert check_sheet(altered(sheet, (name,))).status == 1, name


def test_fields_added_to_what_was_signed_are_noticed(sheet: dict[str, Any]) -> None:
    sheet["signature"]["statement"]["winner"] = "9"
    (one,) = check_sheet(sheet).differences
    assert "not of its form" in one.reason
    sheet["signature"]["statement"]["form"] = "parcferme-result-9"
    assert "use a newer one" in check_sheet(sheet).differences[0].reason
    sheet["signature"] = {"key": "x"}
    assert "cannot be read" in check_sheet(sheet).differences[0].reason


def test_who_signed_it(sheet: dict[str, Any], key: SigningKeyFile, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other")
    assert check_sheet(sheet, keys=[other.public]).status == 3
    assert check_sheet(sheet, keys=[other.id, key.id]).status == 0
    cheated = written(tmp_path / "cheated.db", [{**one, "seconds": 1} if one == PENALTY else one for one in race()], other)
    forged = sheets(cheated)[1]
    assert check_sheet(forged).status == 0, "without a key that is known nobody could tell"
    assert check_sheet(forged, keys=[key.public]).status == 3


def test_an_unsigned_sheet_says_nothing_alone_and_holds_against_its_log(key: SigningKeyFile, tmp_path: Path) -> None:
    unsigned = written(tmp_path / "unsigned.db", race())
    sheet = sheets(unsigned)[1]
    assert check_sheet(sheet).status == 3
    assert against(sheet, unsigned).status == 0
    assert against(sheet, unsigned, key.public).status == 3
    sheet["result"]["rows"][0]["car"] = "88"
    assert against(sheet, unsigned).status == 1


def test_against_another_log_or_one_whose_end_is_gone(sheet: dict[str, Any], key: SigningKeyFile, tmp_path: Path) -> None:
    short = written(tmp_path / "short.db", race()[:-1], key)
    (one,) = against(sheet, short).differences
    assert one.reason.startswith("the log ends at record 12, the sheet is of record 13")
    elsewhere = written(tmp_path / "elsewhere.db", race("monday"), key, session="monday")
    assert against(sheet, elsewhere).differences[0].reason == "the log holds no session sunday"
    other = written(tmp_path / "other.db", [{**one, "seconds": 1} if one == PENALTY else one for one in race()], key)
    assert {"digest", "hash"} <= {
        one.reason.split("another ")[1].split()[0].replace("state", "digest") for one in against(sheet, other).differences
    }
    longer = written(tmp_path / "longer.db", [*race()[:-1], {**PENALTY, "id": "d2", "decision": "D2"}, race()[-1]], key)
    assert "publishes no result" in against(sheet, longer).differences[0].reason


def test_what_a_correction_changed_since_is_noted(key: SigningKeyFile, tmp_path: Path) -> None:
    path = written(tmp_path / "voided.db", race(), key)
    void = {"type": "event_voided", "id": "v", "at": ZERO, "event": "p0", "reason": "wrong sheet", "by": "TK"}
    opened = SqliteLog(path)
    opened.append([draft("sunday", decode_event(msgspec.json.encode(void)))], recorded_at=ZERO)
    opened.close()
    (sheet,) = sheets(path)
    found = against(sheet, path, key.public)
    assert (found.status, found.notes) == (0, ("the sheet says number 1, what was signed says 2",))


def test_what_is_no_sheet(sheet: dict[str, Any]) -> None:
    for content in (b"", b"[]", b"{}", b'{"versions":[1]}', b'{"versions":{"a":1}}', json.dumps({**sheet, "result": []}).encode()):
        with pytest.raises(TimingError, match="no result sheet"):
            sheets_of(content)
