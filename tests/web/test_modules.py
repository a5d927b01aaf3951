"""The page's modules against the vectors that every client is held to, and against the same functions in Python."""

import asyncio
import json
import random
import re
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from timing.domain.units import format_duration
from timing.projections.frames import COLUMNS, MESSAGES_KEPT
from timing.services.screens import SCREENS

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text("utf-8"))
WEB = files("timing") / "web"

APPLY = "({apply}, cases) => cases.map(({snapshot, deltas}) => deltas.reduce(apply, snapshot))"
STREAMS = """({Replica}, streams) => streams.map(({steps}) => {
  const replica = new Replica();
  return steps.map(({frame}) => ({verdict: replica.take(frame), state: replica.state}));
})"""

pytestmark = pytest.mark.asyncio(loop_scope="module")

Modules = Callable[..., Awaitable[Any]]


@pytest.mark.browser
async def test_apply_gives_what_the_vectors_expect(modules: Modules) -> None:
    got = await modules("apply.js", APPLY, VECTORS["apply"])
    for case, state in zip(VECTORS["apply"], got, strict=True):
        assert state == case["expected"], case["name"]


@pytest.mark.browser
async def test_streams_are_judged_as_the_vectors_say(modules: Modules) -> None:
    got = await modules("apply.js", STREAMS, VECTORS["streams"])
    for stream, steps in zip(VECTORS["streams"], got, strict=True):
        for number, (expected, step) in enumerate(zip(stream["steps"], steps, strict=True)):
            assert (step["verdict"], step["state"]) == (expected["verdict"], expected["state"]), f"{stream['name']}, step {number}"


@pytest.mark.browser
async def test_apply_changes_nothing_it_was_given_and_keeps_what_is_untouched(modules: Modules) -> None:
    function = """({apply}, cases) => cases.every(({snapshot, deltas}) => {
      const freeze = (value) => {
        if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(freeze);
        return value;
      };
      let state = freeze(snapshot);
      for (const delta of deltas) {
        const next = apply(state, freeze(delta));
        for (const [car, row] of Object.entries(next.rows)) if (!(car in delta.rows) && row !== state.rows[car]) return false;
        if (!delta.messages.length && next.messages !== state.messages) return false;
        state = freeze(next);
      }
      return true;
    })"""
    deltas = [case for case in VECTORS["apply"] if all(frame["kind"] == "delta" for frame in case["deltas"])]
    assert deltas
    assert await modules("apply.js", function, deltas)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; Chromium runs the same vectors")
async def test_the_vectors_hold_in_node_too(tmp_path: Path) -> None:
    with as_file(WEB / "js") as js:
        shutil.copytree(js, tmp_path / "js")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "run.js").write_text(
        'import * as module from "./js/apply.js"; import { readFileSync } from "node:fs";\n'
        'const { apply, streams } = JSON.parse(readFileSync(0, "utf8"));\n'
        f"console.log(JSON.stringify({{ apply: ({APPLY})(module, apply), streams: ({STREAMS})(module, streams) }}));\n"
    )
    process = await asyncio.create_subprocess_exec("node", tmp_path / "run.js", stdin=PIPE, stdout=PIPE)
    said, _ = await asyncio.wait_for(process.communicate(json.dumps(VECTORS).encode()), 60)
    assert process.returncode == 0
    got = json.loads(said)
    assert got["apply"] == [case["expected"] for case in VECTORS["apply"]]
    assert got["streams"] == [[{key: step[key] for key in ("verdict", "state")} for step in s["steps"]] for s in VECTORS["streams"]]


@pytest.mark.browser
async def test_both_sides_keep_as_many_messages(modules: Modules) -> None:
    assert await modules("apply.js", "({MESSAGES_KEPT}) => MESSAGES_KEPT") == MESSAGES_KEPT == VECTORS["messages_kept"]


@pytest.mark.browser
async def test_durations_read_as_in_python(modules: Modules) -> None:
    chance = random.Random(7)  # sampling
    sample = [0, 1, 999, 1_000, 999_999, 59_999_999, 60_000_000, 3_599_999_999, 3_600_000_000, 2**53 - 1, -1, -61_234_567]
    sample += [chance.randrange(10 ** chance.randrange(1, 13)) for _ in range(500)]
    for decimals in (0, 1, 3, 6):
        got = await modules("format.js", f"({{duration}}, sample) => sample.map((us) => duration(us, {decimals}))", sample)
        assert got == [format_duration(us, decimals) for us in sample]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "gap", "expected"),
    [
        ("en", {"laps": 0, "time_us": 1_234_999}, {"laps": "", "time": "+1.234"}),
        ("en", {"laps": 1, "time_us": 23_456_000}, {"laps": "+1 lap", "time": "23.456"}),
        ("en", {"laps": 12, "time_us": 83_456_000}, {"laps": "+12 laps", "time": "1:23.456"}),
        ("fr", {"laps": 1, "time_us": 0}, {"laps": "+1 tour", "time": "0.000"}),
        ("fr", {"laps": 2, "time_us": 0}, {"laps": "+2 tours", "time": "0.000"}),
    ],
)
async def test_gaps_in_laps_and_time(modules: Modules, language: str, gap: dict[str, int], expected: dict[str, str]) -> None:
    function = (
        "async ({gap}, [language, value]) => { (await import('/static/js/texts.js')).chooseLanguage([language]); return gap(value); }"
    )
    assert await modules("format.js", function, [language, gap]) == expected


@pytest.mark.browser
@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        ({"laps": 20, "minutes": None, "plus_laps": 0}, "20 laps"),
        ({"laps": None, "minutes": 20, "plus_laps": 1}, "20 min + 1 lap"),
        ({"laps": None, "minutes": 360, "plus_laps": 0}, "6 h"),
        ({"laps": 70, "minutes": 120, "plus_laps": 0}, "2 h / 70 laps"),
        ({}, ""),
    ],
)
async def test_distances(modules: Modules, distance: dict[str, Any], expected: str) -> None:
    assert await modules("format.js", "({distance}, value) => distance(value)", distance) == expected


@pytest.mark.browser
async def test_the_clock_follows_the_furthest_reading_and_jumps_only_when_it_must(modules: Modules) -> None:
    function = """({SessionClock}) => {
      const clock = new SessionClock(), seen = [];
      const at = (now, elapsed, running = true) => {
        if (elapsed !== undefined) clock.set({elapsed_us: elapsed, remaining_us: 100e6 - elapsed}, running, now);
        const {elapsed_us, remaining_us} = clock.read(now);
        seen.push([elapsed_us / 1e6, remaining_us / 1e6]);
      };
      at(0, 10e6); at(1e6); at(2e6, 11.2e6); at(3e6, 13.4e6); at(4e6, 8e6); at(5e6, 9e6, false); at(9e6); at(10e6, 99e6); at(99e6);
      return seen;
    }"""
    assert await modules("clock.js", function) == [
        [10, 90], [11, 89],  # runs on by itself
        [12, 88],  # a frame that came late by 0.8 s does not set it back
        [13.4, 86.6],  # one that shows it was behind sets it on
        [8, 92],  # clearly elsewhere: a seek
        [9, 91], [9, 91],  # suspended: stands
        [99, 1], [188, 0],  # never below nothing left
    ]  # fmt: skip


@pytest.mark.browser
async def test_no_two_catalogues_give_the_same_text(modules: Modules) -> None:
    names = [file.name for file in (WEB / "js" / "texts").iterdir()]
    parts = {name: list((await modules(f"texts/{name}", "(part) => part.default"))["en"]) for name in names}
    seen = [key for keys in parts.values() for key in keys]
    assert len(seen) == len(set(seen)) == len(await modules("texts.js", "({CATALOGUES}) => Object.keys(CATALOGUES.en)"))


@pytest.mark.browser
async def test_catalogues_have_the_same_keys_and_places(modules: Modules) -> None:
    catalogues = await modules("texts.js", "({CATALOGUES}) => CATALOGUES")
    english = catalogues["en"]
    for language, texts in catalogues.items():
        assert texts.keys() == english.keys(), language
        for key, text in texts.items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), f"{language}: {key}"


@pytest.mark.browser
async def test_every_text_the_modules_ask_for_is_in_the_catalogue_and_none_is_idle(modules: Modules) -> None:
    keys = set(await modules("texts.js", "({CATALOGUES}) => Object.keys(CATALOGUES.en)"))
    source = "".join(file.read_text("utf-8") for file in (WEB / "js").iterdir() if file.is_file() and file.name != "texts.js")
    pages = "".join(file.read_text("utf-8") for file in (WEB / "pages").iterdir())
    pages += "".join(f'"nav.{screen.name}"' for screen in SCREENS)
    asked = set(re.findall(r'\bt\(\s*"([^"]+)"', source))
    asked |= {f"{key}.{form}" for key in re.findall(r'plural\("([^"]+)"', source) for form in ("one", "other")}
    assert asked <= keys
    families = set(re.findall(r"`([a-z_.-]+\.)\$\{", source))
    named = set(re.findall(r'data-(?:text|label)="([^"$]+)"', pages))
    assert named <= keys
    quoted = set(re.findall(r'"([a-z_.-]+)"', source + pages)) | {"sessions.title"}
    assert {key for key in keys - asked - quoted if not key.startswith(tuple(families))} == set()


@pytest.mark.browser
async def test_columns_that_fit_are_the_important_ones_in_their_order(modules: Modules) -> None:
    function = """({fitColumns}, width) => fitColumns(
      [["a", 2, 1], ["b", 9, 3], ["c", 2, 1], ["d", 1, 4]].map(([id, width, priority]) => ({id, width, priority})), width)
      .map(({id}) => id).join("")"""
    assert await modules("columns.js", function, 4) == "ac", "what matters most stays, fit or not"
    assert await modules("columns.js", function, 14) == "ac", "a lesser one does not slip in where an important one had no room"
    assert await modules("columns.js", function, 16) == "abc"
    assert await modules("columns.js", function, 20) == "abcd"


@pytest.mark.browser
async def test_a_column_the_page_does_not_know_is_shown_as_it_comes(modules: Modules) -> None:
    function = """({planColumns}, column) => {
      const [plan] = planColumns([column], {order: "road", classes: [], sectors: 0});
      return [plan.label, plan.align, plan.cell({tyre: "soft"}, {}), plan.cell({tyre: null}, {}), plan.cell({tyre: {a: 1}}, {})];
    }"""
    column = {"id": "tyre", "label": "Tyre", "kind": "text", "align": "left", "priority": 2}
    assert await modules("columns.js", function, column) == ["Tyre", "left", ["soft"], [""], ['{"a":1}']]


@pytest.mark.browser
async def test_every_column_of_the_feed_and_of_the_page_has_its_label(modules: Modules) -> None:
    function = """({choosable, planColumns}, columns) => {
      const championships = ["European Cup", "Trophy"];
      const all = choosable(columns, championships);
      const view = {differs: true, restart: new Map(), classes: ["A", "B"], sectors: 3, championships, chosen: all.map(({id}) => id)};
      return [...all, ...["road", "result"].flatMap((order) => planColumns(columns, {...view, order}))].map(({id, label}) => [id, label]);
    }"""
    plan = await modules("columns.js", function, msgspec.to_builtins(COLUMNS))
    assert {column.id for column in COLUMNS} | {"gained", "gap_before", "result", "restart", "total"} == {
        name.partition(":")[0] for name, _ in plan
    }
    assert [name for name, label in plan if label == name or label.startswith("column.")] == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("indices", "still"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([1, 0, 2], [1, 2]),  # the second went past the first
        ([1, 2, 3, 0], [0, 1, 2]),  # the leader fell to the end: only it moved by itself
        ([3, 0, 1, 2], [1, 2, 3]),
        ([0, -1, 1], [0, 2]),  # one is new
        ([], []),
    ],
)
async def test_who_moved_by_itself_and_who_was_pushed_along(modules: Modules, indices: list[int], still: list[int]) -> None:
    got = await modules("leaderboard.js", "({standing}, indices) => [...standing(indices)]", indices)
    assert sorted(got) == still


@pytest.mark.browser
async def test_movement_is_shed_where_pictures_are_late_and_tried_again_when_they_are_not(modules: Modules) -> None:
    levels = """({Pace}, story) => {
      const pace = new Pace();
      let now = 0;
      return story.flatMap(([states, share]) => Array.from({length: states}, (_, i) => {
        pace.judge(i % 100 < share, now += 100);
        return pace.level;
      }));
    }"""
    assert set(await modules("pace.js", levels, [[400, 1]])) == {0}, "one late picture in a hundred is nothing"
    busy = await modules("pace.js", levels, [[10, 100]])
    assert (busy[0], busy[-1]) == (0, 2), "all late: all movement is shed within a second"
    calm = await modules("pace.js", levels, [[10, 100], [90, 0], [30, 0], [101, 0]])
    assert (calm[99], calm[-1]) == (2, 0), "held for ten seconds at each level"
    again = await modules("pace.js", levels, [[10, 100], [210, 0], [10, 100], [190, 0], [20, 0]])
    assert (again[219], again[419], again[-1]) == (0, 2, 1), "what was too much again is held for twice as long"


@pytest.mark.browser
async def test_the_mean_of_a_stint_is_of_the_laps_whose_time_counts(modules: Modules) -> None:
    times = [
        (90_000_000, True, False),
        (150_000_000, False, False),
        (92_000_000, True, False),
        (70_000_000, True, True),
        (None, False, False),
    ]
    laps = [{"lap": lap, "time_us": us, "timed": timed, "pit": pit} for lap, (us, timed, pit) in enumerate(times, start=1)]
    sheet = {"drivers": [], "laps": laps, "stints": [{"driver": "a", "from_lap": 1, "laps": 5}]}
    got = await modules(
        "carsheet.js", "({stintTable}, sheet) => [...stintTable(sheet).querySelectorAll('td')].map((cell) => cell.textContent)", sheet
    )
    assert got[-1] == "1:31.000"
