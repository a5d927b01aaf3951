"""Every key of a rulebook has an effect: for each there is a table in which that key, changed alone, changes what is seen.

Each line of ``WITNESSES`` names a key, values for it, and the table (``TABLE:LABEL`` for one of its rulebooks, a title for an example of
docs/rulebook.md) in which no two of the values show the same. A named policy needs a witness for every two of its alternatives.
"""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from key_witness import shown

from timing.services.rulebook_keys import Key, keys

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/rulebook.md").read_text("utf-8")
KINDS = ("safety_car", "vsc", "fcy", "code60")
NAMING = {"id", "title", "source"}  # what names a rulebook, and decides nothing

WITNESSES = """
start.lap1_from | signal | line_of_leader | own_crossing | rolling-start
start.ignore_crossings_s | 0 | 30 | start-from-behind-the-line
start.behind_safety_car | laps_count | distance_reduced | start-behind-safety-car

laps.duplicate_window_s | 0.1 | 1 | 16-duplicate-read-300-ms-later
laps.min_lap_s | 0 | 20 | short-lap
laps.horizon_s | 172800 | 60 | finish-by-laps

finish.early_flag | leader_last_crossing_before | leader_next_crossing | 05-flag-a-lap-early
finish.late_flag | should_have_finished | at_flag | 06-flag-a-lap-late
finish.grace_s | none | 300 | A car comes round late
finish.time_limit_s | none | 300 | Four laps, or the lap after five minutes at the latest
finish.time_limit_at | lap_under_way | lap_after | 07-time-limit-within-a-lap-and-at-a-crossing
finish.time_limit_total_s | none | 300 | 400 | 07b-time-limit-prolonged-by-a-suspension
finish.dead_heat | shared | running_order | 13-same-microsecond
finish.photo_s | 0 | 0.003 | 13b-photo-finish

classification.min_percent | 75 | 90 | 25-classified-at-ninety-per-cent-rounded-down
classification.base | overall_winner | class_winner | classified-by-class-winner
classification.must_cross_flag | false | true | never-takes-the-flag
classification.last_lap_within_s | none | 120 | last-lap-too-slow
classification.disqualified | others_move_up | place_left_empty | disqualification

red_flag.clock | runs | stops | red-clock-stops
red_flag.restart_order | last_common_loop | end_of_lap | end_of_lap_before | 26-second-red-in-the-resumed-part
red_flag.restart_order | last_common_loop | split_scoring | 26-second-red-in-the-resumed-part
red_flag.restart_order | end_of_lap | split_scoring | restart-order-split-scoring
red_flag.restart_order | end_of_lap_before | split_scoring | 26-second-red-in-the-resumed-part
red_flag.result | completed_minus | last_lap_completed_by_all | 02b-red-as-another-car-ends-the-lap-before-the-leader-in-the-pits
red_flag.result | completed_minus | frozen_at_signal | 02b-red-as-another-car-ends-the-lap-before-the-leader-in-the-pits
red_flag.result | last_lap_completed_by_all | frozen_at_signal | 02b-red-as-another-car-ends-the-lap-before-the-leader-in-the-pits
red_flag.completed_minus | 0 | 1 | 2 | 01-red-on-the-last-lap
red_flag.scope | overall | class | red-counted-by-class
red_flag.others | first_crossing_after_leader | first_crossing_after_leader_before_signal | last_crossing_before_leader | composite | \
    04-lapped-cars-between-the-counted-lap-and-the-signal
red_flag.others | first_crossing_after_leader | last_crossing_before_leader | same_lap_number | composite | \
    04-lapped-cars-between-the-counted-lap-and-the-signal
red_flag.others | first_crossing_after_leader_before_signal | same_lap_number | red-lapped-car-crosses-twice
red_flag.min_laps | 1 | 2 | 03-red-in-the-first-laps
red_flag.stands_at_percent | none | 75 | 01-red-on-the-last-lap
red_flag.not_returned_within_s | none | 300 | red-not-returned
red_flag.lap_across | counts_without_time | counts | red-resumed
red_flag.gaps | race_clock | reset | red-gaps-over-a-suspension
red_flag.pit_visits | left_out | count | red-gaps-over-a-suspension
red_flag.points | [] | [{"below_percent":75,"percent":50}] | 23-disqualified-winner-and-half-points
red_flag.points.1.below_percent | 75 | 26 | 23-disqualified-winner-and-half-points
red_flag.points.1.percent | 50 | 40 | 23-disqualified-winner-and-half-points

neutralisation.slow_percent | 100 | 300 | 2000 | neutral-explained-passes

penalties.drive_through_s | 20 | 30 | 11-drive-through-in-the-last-three-laps
penalties.stop_go_s | 30 | 40 | drive-through-at-a-red-flag
penalties.per_circuit_s | {} | {"Scenario":40} | 11-drive-through-in-the-last-three-laps
penalties.convert_within_laps | 0 | 3 | 11-drive-through-in-the-last-three-laps:reporting
penalties.serve_within_crossings | 2 | 5 | serving-a-drive-through
penalties.unserved | converted | disqualified | reported | 11-drive-through-in-the-last-three-laps
penalties.lap_conversion | none | average_lap | 12-penalty-larger-than-a-lap
penalties.track_limits_strikes | 0 | 3 | lap-time-deleted
penalties.offences | [] | [{"offence":"False start","penalty":"drive_through"}] | What the stewards are offered
penalties.offences.0.offence | False start | Jump start | What the stewards are offered
penalties.offences.0.article | none | 48.1 | What the stewards are offered
penalties.offences.0.penalty | time | drive_through | stop_go | lap_time_deleted | laps | positions | last_of_class | last | grid_places | \
    disqualified | reprimand | warning | What the stewards are offered
penalties.offences.0.amount | none | 5 | 10 | What the stewards are offered

qualifying.tie | first_set | second_best_lap | qualifying-equal-times
qualifying.percent | 0 | 107 | qualifying-107-per-cent
qualifying.percent_of | overall | class | qualifying-107-per-cent
qualifying.red | laps_void | laps_count | qualifying-red-flag
qualifying.yellow | laps_count | laps_void | qualifying-under-yellow
qualifying.extended_by_red | false | true | qualifying-red-flag
qualifying.pit_laps | left_out | count | A lap under red, a lap by the pit lane, and equal laps
qualifying.causing_red | nothing | best_lap_deleted | best_two_deleted | session_over | qualifying-red-flag
qualifying.segments | [] | [{"name":"Q1","minutes":18,"advance":2},{"name":"Q2","minutes":15}] | Q1, and the first two of three go on
qualifying.segments.0.minutes | 18 | 19 | Q1, and the first two of three go on
qualifying.segments.0.advance | 1 | 2 | Q1, and the first two of three go on
qualifying.segments.0.name | Q1 | first | Q1, and the first two of three go on
qualifying.segments.0.per_class | false | true | qualifying-best-of-each-class

grid.withdrawal | left_empty | closed_up | closed_up_until_issued | grid-issued
grid.penalties | fia | in_turn | grid-places-lost
grid.back_from_places | none | 3 | grid-places-lost
grid.invert | penalties_before | penalties_after | The top four inverted, the winner with two places to lose, the third withdrawn
grid.eligible_percent | 0 | 102 | albi-2021-race-3-inverted-grid
grid.classes | mixed | by_class | grid-by-class

points.championships | [] | [{"name":"Cup","scale":[10,8]}] | points-every-rule
points.championships.0.name | Cup | Trophy | points-every-rule
points.championships.0.scale | [10,8,6] | [10,8,5] | points-every-rule
points.championships.0.entered | all | named | points-every-rule
points.championships.0.classes | [] | ["GT"] | points-every-rule
points.championships.0.places | overall | class | points-every-rule
points.championships.0.ineligible | skip | consume | points-every-rule
points.championships.0.factor_percent | 100 | 50 | points-every-rule
points.championships.0.pole | 0 | 1 | points-for-pole
points.championships.0.fastest_lap | 1 | 2 | points-every-rule:any
points.championships.0.fastest_lap_within | none | 2 | points-every-rule
points.championships.0.racing_laps | 0 | 5 | points-every-rule
points.championships.0.shortened | [] | [{"below_percent":50,"scale":[5,4,3,2,1]}] | points-every-rule
points.championships.0.shortened.0.below_percent | 50 | 20 | points-every-rule:short
points.championships.0.shortened.0.scale | [5,4] | [4,3] | points-every-rule:short
points.championships.0.small_field | [] | [{"below_starters":6,"percent":50}] | points-every-rule
points.championships.0.small_field.0.below_starters | 6 | 2 | points-every-rule:short
points.championships.0.small_field.0.percent | 50 | 25 | points-every-rule:short
"""

OF_EACH_KIND = {
    "order": "frozen | free", "until": "line_after_signal | signal | next_post", "best_laps": "count | left_out",
    "lapped": "stay | waved_by | waved_by_class", "pit_lane": "open | closed", "max_speed_kmh": "none | 80",
}  # fmt: skip
"""The keys that every kind of neutralisation has, shown by one table, in which its name is put for that of the full course yellow."""


def _table(name: str, folder: Path) -> Path:
    """Give the table of that name, or the example of the manual with that title."""
    if (HERE / f"{name}.race").exists():
        return HERE / f"{name}.race"
    race = next(race for race in re.findall(r"```race\n(.*?)```", PAGE, flags=re.DOTALL) if race.startswith(f"title {name}\n"))
    path = folder / "example.race"
    path.write_text(race)
    return path


def _witnesses() -> list[tuple[str, list[str], str]]:
    lines = [line.split(" | ") for line in WITNESSES.replace("\\\n", "").splitlines() if line]
    return [(line[0].strip(), [value.strip() for value in line[1:-1]], line[-1].strip()) for line in lines]


def _every_pair() -> dict[str, set[frozenset[str]]]:
    """Give, for each key, the pairs of values that some table tells apart."""
    pairs: dict[str, set[frozenset[str]]] = {}
    told = [(key, values) for key, values, _ in _witnesses()]
    told += [(f"neutralisation.{kind}.{key}", values.split(" | ")) for kind in KINDS for key, values in OF_EACH_KIND.items()]
    for key, values in told:
        pairs.setdefault(re.sub(r"\.\d+(?=\.)", "", key), set()).update(map(frozenset, combinations(values, 2)))
    return pairs


def _differ(path: Path, label: str | None, key: str, values: list[str]) -> None:
    seen = {value: shown(path, label, f"{key}={value}") for value in values}
    alike = [pair for pair in combinations(values, 2) if seen[pair[0]] == seen[pair[1]]]
    assert not alike, f"{path.stem} shows the same under {key} = {alike[0][0]} and {alike[0][1]}"


@pytest.mark.parametrize(
    ("key", "values", "table"), _witnesses(), ids=lambda value: value if isinstance(value, str) else "|".join(value)[:40]
)
def test_a_key_changed_alone_changes_what_is_seen(key: str, values: list[str], table: str, tmp_path: Path) -> None:
    name, _, label = table.partition(":") if (HERE / f"{table.partition(':')[0]}.race").exists() else (table, "", "")
    _differ(_table(name, tmp_path), label or None, key, values)


@pytest.mark.parametrize("key", OF_EACH_KIND)
@pytest.mark.parametrize("kind", KINDS)
def test_so_does_each_key_of_each_neutralisation(kind: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.race"
    path.write_text((HERE / "neutral-every-rule.race").read_text().replace("fcy", kind))
    _differ(path, None, f"neutralisation.{kind}.{key}", OF_EACH_KIND[key].split(" | "))


def _deciding() -> list[tuple[str, Key]]:
    """Give every key that decides something, those of the entries of lists too."""
    return [pair for key in keys() if key.path not in NAMING for pair in _with_parts(key.path, key)]


def _with_parts(path: str, key: Key) -> Iterator[tuple[str, Key]]:
    yield path, key
    for part in key.parts:
        yield from _with_parts(f"{path}.{part.name}", part)


def test_every_key_is_seen_and_every_two_of_its_alternatives_told_apart() -> None:
    told = _every_pair()
    unseen = [path for path, _ in _deciding() if path not in told]
    unseen += [f"{path}: {' and '.join(sorted(pair))}" for path, key in _deciding() for pair in _pairs_of(key) - told.get(path, set())]
    assert not unseen, "name in WITNESSES a table in which this key changes what is seen; one without an effect has no place in a rulebook"


def test_no_witness_is_of_a_key_that_is_gone() -> None:
    assert _every_pair().keys() <= {path for path, _ in _deciding()}


def _pairs_of(key: Key) -> set[frozenset[str]]:
    choices = ("false", "true") if key.allowed == "true | false" else key.choices
    return {frozenset(pair) for pair in combinations(choices, 2)}
