"""Laws of the count-back, over fields drawn by chance: what a result may rest on, and that looking changes nothing."""

from bisect import bisect_right
from typing import get_args, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from timing.domain.count_back import Race, read
from timing.domain.laps import FINISH, Loops
from timing.domain.restart import Runner
from timing.domain.rulebook import RedFlag
from timing.domain.suspension import Suspension

LOOPS = Loops((FINISH,), (False,), (0,), 0)
OTHERS = get_args(get_type_hints(RedFlag)["others"])
RESULTS = get_args(get_type_hints(RedFlag)["result"])
RESTARTS = get_args(get_type_hints(RedFlag)["restart_order"])

laps = st.lists(st.integers(1, 40), max_size=8)


@st.composite
def fields(draw: st.DrawFn) -> list[Runner]:
    """A field of up to six cars; each lap takes up to 40 instants, so that crossings meet each other and the signal."""
    field = []
    for number, times in enumerate(draw(st.lists(laps, min_size=1, max_size=6)), start=1):
        ends = [sum(times[: n + 1]) for n in range(len(times))]
        crossings = [(at, 0, "d", number, n) for n, at in enumerate(ends)]
        field.append(Runner(str(number), draw(st.sampled_from("AB")), ends, crossings, draw(st.booleans()), number))
    return field


rules_drawn = st.builds(
    RedFlag,
    result=st.sampled_from(RESULTS),
    others=st.sampled_from(OTHERS),
    completed_minus=st.integers(0, 3),
    scope=st.sampled_from(("overall", "class")),
    restart_order=st.sampled_from(RESTARTS),
    min_laps=st.integers(0, 3),
)


@given(fields(), st.integers(0, 200), rules_drawn)
@settings(max_examples=400, deadline=None)
def test_the_counted_lap_never_rests_on_a_crossing_after_the_signal(field: list[Runner], signal: int, rules: RedFlag) -> None:
    reading = read(field, Race(0, loops=LOOPS), signal, rules)
    for taken in (reading.taken, *reading.of_class.values()):
        assert taken.at <= signal
        assert taken.before_at <= taken.at
        assert 0 <= taken.counted <= taken.completed


@given(fields(), st.integers(0, 200), rules_drawn)
@settings(max_examples=400, deadline=None)
def test_no_reading_but_one_counts_anything_after_the_signal(field: list[Runner], signal: int, rules: RedFlag) -> None:
    reading = read(field, Race(0, loops=LOOPS), signal, rules)
    as_if_flagged = rules.others == "first_crossing_after_leader" and rules.result != "frozen_at_signal"
    for runner in field:
        assert reading.laps[runner.car] <= bisect_right(runner.ends, signal) + as_if_flagged


@given(fields(), st.integers(1, 200), rules_drawn, st.integers(1, 50))
@settings(max_examples=300, deadline=None)
def test_what_happens_after_the_signal_changes_no_reading_but_one(field: list[Runner], signal: int, rules: RedFlag, later: int) -> None:
    if rules.others == "first_crossing_after_leader":
        return
    more = [Runner(r.car, r.class_, [*r.ends, signal + 300 + later], r.crossings, r.running, r.grid) for r in field]
    assert read(more, Race(0, loops=LOOPS), signal, rules) == read(field, Race(0, loops=LOOPS), signal, rules)


@given(fields(), st.integers(0, 80), st.integers(0, 40), st.integers(0, 80), rules_drawn)
@settings(max_examples=400, deadline=None)
def test_a_second_count_back_is_never_below_the_restart(field: list[Runner], red: int, lasted: int, ran: int, rules: RedFlag) -> None:
    again = red + lasted
    race = Race(0, loops=LOOPS, breaks=(Suspension(red, again), Suspension(again + ran)))
    reading = read(field, race, again + ran, rules)
    assert reading.restarted or reading.taken.at >= again
    assert set(reading.rank) in (set(), {r.car for r in field})
    assert all(0 <= reading.laps[r.car] <= len(r.ends) for r in field)
