"""What is signed of a result: everything on the sheet, in one text that any program can make."""

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.domain import events as e
from timing.projections.result import result, result_json
from timing.projections.statement import PREFIX, canonical, key_id, result_hash, signed_bytes, statement_of

if TYPE_CHECKING:
    from tests.projections.conftest import Script

TOLD = {"text", "seconds", "laps", "positions", "lap", "reason"}  # of a penalty: what it came to is signed, as what was added and taken
PUBLISHED = e.ResultPublished(id="p1", at=1_747_400_300_000_000, stage="provisional")


def finished(script: type["Script"]) -> "Script":
    told = script("7 9 3", laps=2).run(car7="60 120", car9="61 122", car3="62 125")
    told.say(e.Decision, at=130, decision="D1", car="7", penalty="time", seconds=2.5)
    told.say(e.Decision, at=131, decision="D2", car="3", penalty="grid_places", positions=3)
    return told


texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts.filter(str.isascii), inner),
    max_leaves=8,
)


@given(values)
def test_the_canonical_text_is_that_of_the_standard(value: Any) -> None:
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(value).decode() == expected


def test_every_value_on_the_sheet_is_in_the_hash_and_there_are_no_fractions(script: type["Script"]) -> None:
    document = json.loads(result_json(finished(script).fold()))
    document["rulebook"] = {"id": "x", "title": "X", "hash": "00"}
    scored = {"position": 1, "car": "7", "class": "GT", "place": 1, "points": 12.5}
    document["points"] = [{"championship": "France", "rows": [scored, {**scored, "car": "9", "points": 6}]}]
    whole = result_hash(document)

    def tampered(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in tampered(inner, (*path, key))]
        if isinstance(value, list):
            return [((*path, len(value)), None), *(found for i, inner in enumerate(value) for found in tampered(inner, (*path, i)))]
        assert path[-1] in {"points", *TOLD} or not isinstance(value, float), path
        return [(path, 13.5 if path[-1] == "points" else "altered")]

    changes = tampered(document)
    assert len(changes) > 70
    for path, other in changes:
        changed = copy.deepcopy(document)
        place: Any = changed
        for step in path[:-1]:
            place = place[step]
        if isinstance(path[-1], int) and path[-1] == len(place):
            place.append(place[-1] if place else {"car": "1"})
        else:
            place[path[-1]] = other
        try:
            same = result_hash(changed) == whole
        except (KeyError, TypeError):
            same = False
        assert same == ("penalties" in path and path[-1] in TOLD), path


def test_it_is_the_same_from_the_fold_and_from_the_sheet_and_later_fields_do_not_matter(script: type["Script"]) -> None:
    found = result(finished(script).fold())
    document = json.loads(msgspec.json.encode(found))
    document["later"] = 1
    document["rows"][0]["later"] = 1
    assert result_hash(document) == result_hash(found)
    with pytest.raises(KeyError):
        result_hash({"rows": []})


def test_the_statement_says_what_was_published(script: type["Script"]) -> None:
    found = result(finished(script).fold())
    stated = statement_of("s", PUBLISHED, found, number=2, seq=17, head=b"\x01" * 32, signed_at=5, program="p 1")
    assert (stated.document, stated.version, stated.seq, stated.hash) == ("2", 2, 17, "01" * 32)
    assert (stated.digest, stated.result) == (found.digest, result_hash(found))
    text = signed_bytes(stated)
    assert text.startswith(PREFIX)
    assert text == PREFIX + canonical(json.loads(msgspec.json.encode(stated)))
    assert b'"rulebook":' in text
    named = msgspec.structs.replace(PUBLISHED, document="12")
    assert statement_of("s", named, found, number=2, seq=17, head=b"", signed_at=5, program="p").document == "12"


def test_a_key_for_short() -> None:
    assert key_id("00" * 32) == hashlib.sha256(bytes(32)).hexdigest()[:32]
