"""What is said of a rulebook's faults: the key, what is written there, what is allowed."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timing.domain.errors import RulebookError
from timing.domain.rulebook import rulebook_from
from timing.services.rulebook_faults import Fault, RulebookFaulty
from timing.services.rulebook_keys import chapters, keys
from timing.services.rulebooks import Rulebooks


def faults(**changes: Any) -> tuple[Fault, ...]:
    with pytest.raises(RulebookFaulty) as caught:
        Rulebooks().rulebook({"base": "fia-f1", **changes})
    assert all(fault.key in str(caught.value) for fault in caught.value.faults)
    return caught.value.faults


@pytest.mark.parametrize(
    ("changes", "key", "said", "mend"),
    [
        ({"laps": {"min_lap": 3}}, "laps.min_lap", None, "did you mean min_lap_s?"),
        ({"lapps": {}}, "lapps", None, "did you mean laps?"),
        ({"penalties": {"grace_s": 3}}, "penalties.grace_s", None, "there is finish.grace_s"),
        ({"neutralisation": {"fyc": {}}}, "neutralisation.fyc", None, "did you mean fcy?"),
        ({"laps": 3}, "laps", "3", "a chapter: a table of keys"),
        ({"neutralisation": {"fcy": 3}}, "neutralisation.fcy", "3", "a chapter"),
        ({"finish": {"early_flag": "now"}}, "finish.early_flag", '"now"', "leader_last_crossing_before | leader_next_crossing"),
        ({"finish": {"grace_s": "soon"}}, "finish.grace_s", '"soon"', "seconds, 0 or more, or none"),
        ({"laps": {"min_lap_s": -1}}, "laps.min_lap_s", "-1", "seconds, 0 or more"),
        ({"laps": {"min_lap_s": 2_000_000}}, "laps.min_lap_s", "2000000", "seconds"),
        ({"classification": {"min_percent": 101}}, "classification.min_percent", "101", "a whole number from 0 to 100"),
        ({"classification": {"min_percent": 7.5}}, "classification.min_percent", "7.5", "a whole number"),
        ({"classification": {"base": True}}, "classification.base", "true", "overall_winner | class_winner"),
        ({"penalties": {"per_circuit_s": {"Fuji": "x"}}}, "penalties.per_circuit_s.Fuji", '"x"', "a table of names with seconds"),
        ({"qualifying": {"segments": [{"name": "Q1"}]}}, "qualifying.segments.0.minutes", None, "is missing; allowed is a whole number"),
        ({"qualifying": {"segments": [{"name": "Q", "minutes": 0}]}}, "qualifying.segments.0.minutes", "0", "from 1 to 600"),
        ({"qualifying": {"segments": [{"name": "Q", "minutes": 9, "minuts": 1}]}}, "qualifying.segments.0.minuts", None, "mean minutes?"),
        ({"penalties": {"offences": [{"offence": "x", "penalty": "fine"}]}}, "penalties.offences.0.penalty", '"fine"', "time | "),
        ({"penalties": {"offences": [{"penalty": "last"}]}}, "penalties.offences.0.offence", None, "is missing; allowed is a text"),
        ({"penalties": {"offences": [{"offence": "x", "penalty": "time", "seconds": 5}]}}, "penalties.offences.0.seconds", None, "amount"),
        ({"title": 7}, "title", "7", "a text"),
    ],
)  # fmt: skip
def test_a_fault(changes: dict[str, Any], key: str, said: str | None, mend: str) -> None:
    (fault,) = faults(**changes)
    assert (fault.key, fault.said) == (key, said)
    assert mend in fault.mend


def test_all_faults_are_told_at_once() -> None:
    assert {fault.key for fault in faults(laps={"min_lap": 3, "horizon_s": "x"}, finish={"dead_heat": 1})} == {
        "laps.min_lap", "laps.horizon_s", "finish.dead_heat",
    }  # fmt: skip


def test_what_is_long_is_not_repeated() -> None:
    assert faults(finish={"early_flag": "x" * 100})[0].said is None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3),
    max_leaves=6,
)
PATHS = st.sampled_from([key.path for key in keys()] + list(chapters()) + ["qualifying.segments.0", "penalties.per_circuit_s.Fuji", "?.?"])


@given(st.lists(st.tuples(PATHS, JSON), min_size=1, max_size=3))
def test_whatever_is_sent_as_changes_is_taken_or_refused_with_a_reason(changes: list[tuple[str, Any]]) -> None:
    said: dict[str, Any] = {"base": "fia-f1-2025"}
    for path, value in changes:
        place = said
        *chapter, name = path.split(".")
        for step in chapter:
            place = place.setdefault(step, {}) if isinstance(place.get(step, {}), dict) else {}
        place[name] = value
    with suppress(RulebookError):
        assert rulebook_from(Rulebooks().resolve(said)) == Rulebooks().rulebook(said)
