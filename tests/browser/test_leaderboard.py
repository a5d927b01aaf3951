"""The leaderboard page in a real Chromium, on a real feed: what it shows is what the server says, on every screen, through every break."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from timing.domain.units import format_duration
from timing.projections.board import Gap

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
SCREENS = {"phone": (390, 844), "tablet": (820, 1180), "laptop": (1366, 768), "desktop": (1920, 1080), "wall": (3840, 2160)}


async def test_the_page_is_the_servers_snapshot_through_hundreds_of_frames(stage: Any, race: Any, view: View) -> None:
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    flags = {60: "safety_car", 120: "safety_car_ending", 130: "green", 200: "red"}
    for step in range(240):
        race.step(5)
        if step in flags:
            race.flag(flags[step])
        stage.publish(race.board())
        if step % 40 == 39:
            await viewer.shows(stage)
            state = await viewer.page.evaluate("parcferme.feed.state")
            assert state == stage.state()
            assert await viewer.order() == list(state["order"])
            assert await viewer.texts("position") == [str(place) for place in range(1, 35)]
            rows = [state["rows"][car] for car in state["order"]]
            assert await viewer.texts("car") == state["order"]
            assert await viewer.texts("laps") == [str(row["laps"]) for row in rows]
            lasts = [text.split("\n")[-1] for text in await viewer.texts("last_lap_us")]
            assert lasts == [format_duration(row["last_lap_us"]) if row["last_lap_us"] is not None else "" for row in rows]
    assert stage.frames > 200


async def test_gaps_read_as_laps_and_time_for_lapped_cars_too(stage: Any, race: Any, view: View) -> None:
    slow = race.cars[-1]
    race.pace[slow] = 200_000_000
    race.step(900)
    board = race.board()
    stage.publish(board)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    row = board.rows[slow]
    assert row.gap.laps > 1
    assert (await viewer.texts("gap"))[row.position - 1].split("\n") == [f"+{row.gap.laps} laps", format_duration(row.gap.time_us)]
    assert (await viewer.texts("gap"))[0] == "Leader"
    second = board.rows[board.order[1]]
    assert (await viewer.texts("interval"))[1] == f"+{format_duration(second.interval.time_us)}"


@pytest.mark.parametrize("another", [False, True], ids=["the same process", "another process"])
async def test_after_the_feed_was_away_the_page_goes_on_without_a_wrong_row(stage: Any, race: Any, view: View, *, another: bool) -> None:
    race.step(300)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    before = await viewer.order()
    await viewer.loses_connection()
    await stage.close_feed()
    await viewer.page.wait_for_selector('html[data-link="offline"]')
    assert "Connection lost" in await viewer.page.inner_text(".lost")
    assert await viewer.page.inner_text(".link") == "No connection"
    assert await viewer.order() == before
    race.step(120)
    if another:
        stage.begin_anew("second", race.board())
    else:
        stage.publish(race.board())
    await stage.open_feed()
    await viewer.shows(stage)
    assert await viewer.page.evaluate("parcferme.feed.state") == stage.state()
    assert await viewer.order() == stage.state()["order"] != before
    await viewer.page.wait_for_selector('html[data-link="live"]')
    assert not await viewer.page.is_visible(".lost")
    epoch, rev = "first", 1
    resumed = [url for url in viewer.requests if url.endswith(f"?epoch={epoch}&rev={rev}")]
    assert resumed, viewer.requests


async def test_a_resumed_line_on_which_nothing_was_missed_is_live_and_checked(stage: Any, race: Any, view: View) -> None:
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    await viewer.loses_connection()
    await stage.close_feed()
    await viewer.page.wait_for_selector('html[data-link="offline"]')
    await stage.open_feed()
    await viewer.page.wait_for_selector('html[data-link="live"]')
    race.step(5)
    stage.publish(race.board())
    await viewer.shows(stage)


async def test_only_what_changed_is_touched(stage: Any, race: Any, view: View) -> None:
    race.step(400)
    first = race.board()
    stage.publish(first)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    await viewer.page.evaluate("""() => {
      globalThis.touched = new Set();
      new MutationObserver((all) => all.forEach(({target}) => {
        const cell = target.closest?.(".cell");
        touched.add(cell ? `${cell.parentElement.dataset.car} ${cell.dataset.column}` : target.className);
      })).observe(document.querySelector("#board .body"), {childList: true, subtree: true, characterData: true});
    }""")
    car = first.order[4]
    row = first.rows[car]
    changed = msgspec.structs.replace(row, last_lap_us=row.last_lap_us + 1_000_000, pit_stops=row.pit_stops + 1)
    stage.publish(msgspec.structs.replace(first, rows={**first.rows, car: changed}))
    await viewer.shows(stage)
    assert set(await viewer.page.evaluate("[...touched]")) == {f"{car} last_lap_us", f"{car} pit_stops"}


@pytest.mark.parametrize("slow", [False, True], ids=["all that moved", "on a slow device, those that moved by themselves"])
async def test_rows_that_change_places_move_there(stage: Any, race: Any, view: View, *, slow: bool) -> None:
    race.step(300)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    await viewer.becomes("parcferme.board !== undefined")
    await viewer.page.evaluate("(slow) => { parcferme.board.motion.pace.level = slow ? 1 : 0; }", slow)
    await viewer.page.evaluate("""() => {
      globalThis.moved = new Map();
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (frames, options) {
        if (frames[0]?.transform) moved.set(this.dataset.car, frames[0].transform);
        return animate.call(this, frames, options);
      };
    }""")
    old = await viewer.order()
    height = await viewer.page.evaluate("document.querySelector('#board .row').offsetHeight")
    race.step(60)
    stage.publish(race.board())
    await viewer.shows(stage)
    new = await viewer.order()
    expected = {car: f"translateY({(old.index(car) - new.index(car)) * height}px)" for car in new if old.index(car) != new.index(car)}
    assert expected
    moved = dict(await viewer.page.evaluate("[...moved]"))
    if slow:
        standing = "async (indices) => [...(await import('/static/js/leaderboard.js')).standing(indices)]"
        pushed = {new[place] for place in await viewer.page.evaluate(standing, [old.index(car) for car in new])}
        expected = {car: frames for car, frames in expected.items() if car not in pushed}
        assert 0 < len(expected) < len(new)
    assert moved == expected


async def test_on_a_phone_rows_in_sight_move_and_all_rows_read_as_the_state_says(stage: Any, race: Any, view: View) -> None:
    race = type(race)(seed=4, size=60)
    race.step(300)
    stage.publish(race.board())
    viewer = await view(stage.url, width=390, height=844)
    await viewer.shows(stage)
    await viewer.page.evaluate("""() => {
      globalThis.moved = new Set();
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (frames, options) {
        if (frames[0]?.transform) moved.add(this.dataset.car);
        return animate.call(this, frames, options);
      };
    }""")
    for top in (0, 900):
        await viewer.page.evaluate(f"() => {{ moved.clear(); scrollTo(0, {top}); }}")
        await viewer.becomes(f"scrollY === {top}")
        await viewer.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        old = await viewer.order()
        race.step(60)
        stage.publish(race.board())
        await viewer.shows(stage)
        new = await viewer.order()
        assert new == stage.state()["order"]
        assert [text.split()[0] for text in await viewer.texts("position")] == [str(n + 1) for n in range(60)]
        first = await viewer.page.evaluate("document.querySelector('#board .body').getBoundingClientRect().top")
        seen = {car for place, car in enumerate(new) if -46 < first + 46 * place < 844}
        moved = set(await viewer.page.evaluate("[...moved]"))
        changed = {car for car in new if old.index(car) != new.index(car)}
        assert moved & seen == changed & seen, "those in sight move"
        assert len(moved) < len(changed), "and not those that nobody sees"


async def test_without_motion_where_none_is_wanted(stage: Any, race: Any, view: View) -> None:
    race.step(300)
    stage.publish(race.board())
    viewer = await view(stage.url, reduced_motion="reduce")
    await viewer.shows(stage)
    race.step(60)
    stage.publish(race.board())
    await viewer.shows(stage)
    assert await viewer.order() == stage.state()["order"]
    assert await viewer.page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_screen_holds_what_matters(stage: Any, race: Any, view: View, screen: str) -> None:
    width, height = SCREENS[screen]
    race.step(500)
    race.penalise(race.cars[2], "5 s: track limits")
    stage.publish(race.board())
    viewer = await view(stage.url, width=width, height=height)
    await viewer.shows(stage)
    page = viewer.page
    await page.evaluate("document.fonts.ready")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    columns = await page.evaluate("[...document.querySelectorAll('#board .row:first-child .cell')].map((cell) => cell.dataset.column)")
    assert {"position", "car", "driver", "gap", "last_lap_us"} <= set(columns)
    cut = await page.evaluate("""[...document.querySelectorAll('#board .row .cell')].filter((cell) =>
      !["driver", "team", "class", "penalties"].includes(cell.dataset.column) && cell.scrollWidth > cell.clientWidth + 1)
      .map((cell) => `${cell.dataset.column}: ${cell.innerText}`)""")
    assert cut == [], "numbers that are cut off"
    bottom = await page.evaluate("document.querySelector('#board .row:last-child').getBoundingClientRect().bottom")
    size = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('#board')).fontSize)")
    if screen in ("desktop", "wall"):
        assert bottom <= height, "the whole field fits on the screen"
        assert size >= height / 68
        assert {"team", "class", "interval", "best_lap_us", "sectors_us", "pit_stops", "status", "penalties"} <= set(columns)
    assert size >= 14
    assert await page.locator(".badge.penalty").count() == 1


STATUSES = {
    "green": ("GREEN", "▶"), "yellow": ("YELLOW FLAG", "!"), "slow_zone": ("SLOW ZONE", "SLOW"), "safety_car": ("SAFETY CAR", "SC"),
    "safety_car_ending": ("SAFETY CAR IN THIS LAP", "SC"), "vsc": ("VIRTUAL SAFETY CAR", "VSC"),
    "vsc_ending": ("VIRTUAL SAFETY CAR ENDING", "VSC"), "fcy": ("FULL COURSE YELLOW", "FCY"), "code60": ("CODE 60", "60"),
    "red": ("RED FLAG", "✕"), "chequered": ("CHEQUERED FLAG", None),
}  # fmt: skip


async def test_the_track_status_is_a_word_a_panel_and_a_colour(stage: Any, race: Any, view: View) -> None:
    stage.publish(race.board())
    viewer = await view(stage.url, width=390, height=844, reduced_motion="reduce")
    page = viewer.page
    colours = {}
    for status, (word, panel) in STATUSES.items():
        race.flag(status)
        race.step(1)
        stage.publish(race.board())
        await viewer.shows(stage)
        assert await page.inner_text(".track strong") == word
        assert (await page.inner_text(".panel") if panel else None) == panel
        style = "(name, pseudo) => getComputedStyle(document.querySelector(name), pseudo)"
        colours[status] = await page.evaluate(f"({style})('.track').backgroundColor")
        frame = await page.evaluate(f"({style})('body', '::after').borderTopColor")
        assert (frame == "rgba(0, 0, 0, 0)") == (status in ("green", "chequered")), status
        pattern = await page.evaluate(f"({style})('.track', '::after').backgroundImage")
        assert (pattern == "none") == (status == "green"), status
    assert len({colours[status] for status in ("green", "safety_car", "red", "chequered")}) == 4
    await page.mouse.wheel(0, 3000)
    await viewer.becomes("scrollY > 300")
    assert await page.evaluate("document.querySelector('.track').getBoundingClientRect().top") == 0


async def test_a_class_is_chosen_kept_and_shared(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    board = race.board()
    stage.publish(board)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    page = viewer.page
    await page.click("#classes button:has-text('Senior')")
    seniors = [car for car in board.order if board.rows[car].class_ == "Senior"]
    assert await viewer.order() == seniors
    assert await viewer.texts("position") == [str(place) for place in range(1, len(seniors) + 1)]
    gaps = [f"+{format_duration(board.rows[car].class_gap.time_us)}" for car in seniors[1:]]
    assert [text for text in await viewer.texts("gap") if text] == ["Leader", *gaps]
    assert page.url.endswith("?class=Senior")
    await page.goto(stage.url)
    await viewer.shows(stage)
    assert await viewer.order() == seniors, "kept on the device"
    other = await view(f"{stage.url}/s/course-2?class=Open")
    await other.shows(stage)
    assert await other.order() == [car for car in board.order if board.rows[car].class_ == "Open"], "shared by the address"
    await other.page.click("#classes button >> nth=0")
    assert await other.order() == list(board.order)


async def test_after_the_finish_the_result_and_the_road_are_both_shown(stage: Any, race: Any, view: View) -> None:
    race.step(600)
    race.penalise(race.board().order[1], "5 s: start")
    race.flag("chequered")
    race.status = "finished"
    race.step(95)
    board = race.board()
    by_result = sorted(board.order, key=lambda car: board.rows[car].result.position or 99)
    assert by_result != list(board.order)
    stage.publish(board)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.order() == list(board.order)
    assert await viewer.texts("result") == [f"P{board.rows[car].result.position}" for car in board.order]
    await viewer.page.click("#orders button >> nth=1")
    assert await viewer.order() == by_result
    assert (await viewer.texts("total"))[0] == format_duration(board.rows[by_result[0]].result.total_us or 0)
    race.status = "provisional"
    stage.publish(race.board())
    fresh = await view(stage.url)
    await fresh.shows(stage)
    assert await fresh.order() == by_result, "once it is published, the result comes first"


async def test_signs_stand_beside_the_colours_of_best_laps(stage: Any, race: Any, view: View) -> None:
    race.step(700)
    board = race.board()
    stage.publish(board)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    bests = {car: row.best_lap_us for car, row in board.rows.items() if row.best_lap_us is not None}
    overall = min(bests, key=lambda car: bests[car])
    texts = dict(zip(await viewer.order(), await viewer.texts("best_lap_us"), strict=True))
    assert texts[overall].startswith("◆")
    for cls in board.session.classes:
        car = min((car for car in bests if board.rows[car].class_ == cls), key=lambda car: bests[car])
        assert texts[car].startswith("◆" if car == overall else "◇")
    assert sum(text.startswith(("◆", "◇")) for text in texts.values()) == len(board.session.classes)
    other = next(car for car in bests if car != overall and board.rows[car].class_ == board.rows[overall].class_)
    faster = msgspec.structs.replace(board.rows[other], best_lap_us=bests[overall] - 1)
    stage.publish(msgspec.structs.replace(board, rows={**board.rows, other: faster}))
    await viewer.shows(stage)
    texts = dict(zip(await viewer.order(), await viewer.texts("best_lap_us"), strict=True))
    assert texts[other].startswith("◆")
    assert texts[overall][0].isdigit(), "a sign goes from the row that lost it, though nothing else of it changed"


async def test_columns_keep_the_room_that_they_once_needed(stage: Any, race: Any, view: View) -> None:
    race.step(700)
    board = race.board()
    level = {car: msgspec.structs.replace(row, gap=Gap(0, row.gap.time_us)) for car, row in board.rows.items()}
    lapped = {**level, board.order[-1]: msgspec.structs.replace(level[board.order[-1]], gap=Gap(2, 1_000_000))}
    viewer = await view(stage.url)
    widths = []
    for rows in (level, lapped, level):
        stage.publish(msgspec.structs.replace(board, rows=rows))
        await viewer.shows(stage)
        widths.append(await viewer.page.evaluate("document.querySelector('#board .head .c-gap').offsetWidth"))
    assert widths[0] < widths[1] == widths[2]


async def test_messages_newest_first_replaced_by_id_anomalies_left_to_the_timekeeper(stage: Any, race: Any, view: View) -> None:
    race.note("message", "Blue flags", "007")
    race.note("anomaly", "Unknown transponder 4711")
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    texts = viewer.page.locator("#messages li p")
    assert await texts.all_inner_texts() == ["007Blue flags", "The race is started"]
    race.notices[1] = msgspec.structs.replace(race.notices[1], text="<b>Blue flags withdrawn</b>")
    race.note("decision", "5 s", "1A")
    stage.publish(race.board())
    await viewer.shows(stage)
    assert await texts.all_inner_texts() == ["1A5 s", "007<b>Blue flags withdrawn</b>", "The race is started"]


async def test_the_clock_runs_on_between_frames_and_stands_while_suspended(stage: Any, race: Any, view: View) -> None:
    race.step(725)
    stage.publish(race.board())
    viewer = await view(stage.url)
    page = viewer.page
    await viewer.shows(stage)
    clocks = "['elapsed', 'remaining'].map((name) => document.querySelector(`[data-at=${name}]`).textContent)"
    for elapsed in ("12:05", "12:07"):
        await viewer.becomes(f"{clocks}[0] >= {elapsed!r}")
        run, left = [text.split(":") for text in await page.evaluate(clocks)]
        assert 60 * (int(run[0]) + int(left[0])) + int(run[1]) + int(left[1]) == 20 * 60
        assert int(run[0]) == 12, "from where the frame set it"
    race.status = "suspended"
    race.flag("red")
    stage.publish(race.board())
    await viewer.shows(stage)
    assert await page.inner_text('[data-at="elapsed"]') == "12:05"
    assert await page.inner_text("[data-at=state]") == "Suspended"


async def test_cars_come_and_go(stage: Any, race: Any, view: View) -> None:
    race.step(200)
    whole = race.board()
    fewer = whole.order[:3] + whole.order[5:]
    stage.publish(whole)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    stage.publish(msgspec.structs.replace(whole, order=fewer, rows={car: whole.rows[car] for car in fewer}))
    await viewer.shows(stage)
    assert await viewer.order() == list(fewer)
    stage.publish(whole)
    await viewer.shows(stage)
    assert await viewer.order() == list(whole.order)


async def test_before_the_start_nobody_is_called_a_non_starter(stage: Any, race: Any, view: View) -> None:
    race.states = dict.fromkeys(race.cars, "not_started")
    race.status = "scheduled"
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert set(await viewer.texts("status")) == {""}
    assert await viewer.page.inner_text(".track strong") == "NOT STARTED"
    race.status = "running"
    race.states = {race.cars[5]: "not_started"}
    stage.publish(race.board())
    await viewer.shows(stage)
    states = dict(zip(await viewer.order(), await viewer.texts("status"), strict=True))
    assert {car for car, text in states.items() if text} == {race.cars[5]}
    assert states[race.cars[5]] == "DNS"


async def test_the_home_page_goes_to_the_first_session_when_it_opens(stage: Any, race: Any, view: View) -> None:
    stage.opened = False
    viewer = await view(stage.url, locale="fr-FR")
    assert "Aucune séance" in await viewer.page.inner_text("#none")
    stage.opened = True
    stage.publish(race.board())
    await viewer.page.wait_for_url("**/s/course-2")
    await viewer.shows(stage)


async def test_a_session_without_a_board_yet_waits_in_peace(stage: Any, view: View, race: Any) -> None:
    viewer = await view(stage.url)
    await viewer.page.wait_for_selector(".empty")
    assert await viewer.page.inner_text(".empty") == "Waiting for the first cars"
    stage.publish(race.board())
    await viewer.shows(stage)
    assert len(await viewer.order()) == 34


async def test_in_french(stage: Any, race: Any, view: View) -> None:
    race.step(100)
    race.flag("red")
    stage.publish(race.board())
    viewer = await view(stage.url, locale="fr-FR")
    await viewer.shows(stage)
    assert await viewer.page.inner_text(".track strong") == "DRAPEAU ROUGE"
    assert await viewer.page.evaluate("document.documentElement.lang") == "fr"
    heads = await viewer.page.locator("#board .head .cell").all_inner_texts()
    assert {"Pilote", "Écart", "Intervalle", "Dernier", "Meilleur"} <= set(heads)


async def test_the_theme_is_the_devices_unless_chosen(stage: Any, race: Any, view: View) -> None:
    stage.publish(race.board())
    viewer = await view(stage.url, color_scheme="light")
    await viewer.shows(stage)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await viewer.page.evaluate(ground)
    await viewer.page.click("#settings-open")
    await viewer.page.get_by_label("Dark").check()
    dark = await viewer.page.evaluate(ground)
    assert dark != light
    await viewer.page.reload()
    await viewer.shows(stage)
    assert await viewer.page.evaluate(ground) == dark


async def test_for_screen_readers_a_table_and_the_news_that_matter(stage: Any, race: Any, view: View) -> None:
    race.step(100)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    page = viewer.page
    assert await page.get_by_role("table", name="Leaderboard").get_by_role("row").count() == 35
    assert await page.get_by_role("columnheader", name="Driver").count() == 1
    assert f"Car {stage.state()['order'][0]} leads" in await page.inner_text(".said")
    race.flag("safety_car")
    stage.publish(race.board())
    await viewer.shows(stage)
    assert await page.inner_text(".said") == "Safety car"
