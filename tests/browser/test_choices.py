"""What a viewer chooses: classes, orders, columns, a delay, a wall, a kiosk. Each is kept and shared by the address."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from timing.projections.board import Gap, LiveView, PenaltyView, SegmentView

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
HEADS = "[...document.querySelectorAll('#board .head .cell')].map((cell) => cell.className.split(' c-')[1])"


async def test_several_classes_at_once(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    board = race.board()
    stage.publish(board)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    button = "#classes button:has-text('{}')"
    await viewer.page.click(button.format("Senior"))
    await viewer.page.click(button.format("Open"))
    both = [car for car in board.order if board.rows[car].class_ in ("Senior", "Open")]
    assert await viewer.order() == both
    assert viewer.page.url.endswith("?class=Senior%2COpen")
    assert await viewer.texts("position") == [str(board.rows[car].position) for car in both], "among several, places are those of the field"
    await viewer.page.click(button.format("Senior"))
    assert await viewer.order() == [car for car in board.order if board.rows[car].class_ == "Open"]
    for name in ("Senior", "Junior", "Gentleman"):
        await viewer.page.click(button.format(name))
    assert await viewer.order() == list(board.order)
    assert "class=" not in viewer.page.url, "all of them are the field"


async def test_columns_are_chosen_moved_and_kept(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    stage.publish(race.board())
    viewer = await view(stage.url)
    await viewer.shows(stage)
    page = viewer.page
    usual = await page.evaluate(HEADS)
    await page.click("#settings-open")
    for name in ("Team", "Class", "Stops"):
        await page.locator(".picker").get_by_label(name, exact=True).uncheck()
    await page.locator(".picker").get_by_label("Stint", exact=True).check()
    assert {"team", "class", "pit_stops"}.isdisjoint(await page.evaluate(HEADS))
    await page.focus('.picker [data-id="gap"] input')
    await page.keyboard.press("Alt+ArrowUp")
    await page.keyboard.press("Alt+ArrowUp")
    assert await page.evaluate("document.activeElement.closest('li').dataset.id") == "gap"
    shown = await page.evaluate(HEADS)
    assert shown.index("gap") < shown.index("laps")
    await page.click('.picker [data-id="last_lap_us"] .up')
    await page.locator('.picker [data-id="car"]').drag_to(page.locator('.picker [data-id="position"]'))
    moved = await page.evaluate(HEADS)
    assert moved[:2] == ["car", "position"]
    assert "stint_laps" in moved
    address = page.url
    await page.goto(stage.url)
    await viewer.shows(stage)
    assert await page.evaluate(HEADS) == moved, "kept on the device"
    other = await view(address)
    await other.shows(stage)
    assert await other.page.evaluate(HEADS) == moved, "shared by the address"
    await page.click("#settings-open")
    await page.click("text=As it fits the screen")
    assert await page.evaluate(HEADS) == usual


async def test_points_are_a_column_for_each_championship_for_who_asks(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    race.championships = ("Trophée du Midi, pilotes amateurs", "Cup")
    race.points = {car: (None if i % 2 else 20_000 - 500 * i, 25_000 if i == 0 else 0) for i, car in enumerate(race.board().order)}
    board = race.board()
    stage.publish(board)
    viewer = await view(stage.url)
    await viewer.shows(stage)
    page = viewer.page
    assert not [column for column in await page.evaluate(HEADS) if column.startswith("points")], "nobody asked yet"
    await page.click("#settings-open")
    for name in ("Sectors", "Team", "Decisions"):
        await page.locator(".picker").get_by_label(name, exact=True).uncheck()
    for name in race.championships:
        await page.locator(".picker").get_by_label(f"Points · {name}", exact=True).check()
    await page.keyboard.press("Escape")
    trophy, cup = "points_milli:Trophée du Midi, pilotes amateurs", "points_milli:Cup"
    assert await viewer.texts(trophy) == ["" if i % 2 else f"{20 - i / 2:g}" for i in range(len(board.order))]
    assert await viewer.texts(cup) == ["25", *["0"] * (len(board.order) - 1)]
    assert await page.evaluate("[...document.querySelectorAll('.head .c-points_milli .cut')].map(({title}) => title)") == [
        *race.championships
    ], "a name that is cut can be read"
    await page.reload()
    await viewer.shows(stage)
    assert (await viewer.texts(cup))[0] == "25", "the address holds a name with a comma too"
    car = board.order[0]
    sheet: dict[str, Any] = {"laps": [], "stints": [], "stops": [], "drive_times": [], "drivers": []}
    explained = {"seq": stage.framer.seq, "road": [], "result": [], "decisions": [], "corrections": [], "rules": [], "words": []}
    explained |= {"position": 1, "on_the_road": 1, "shown": 1, "result_laps": 5, "total_us": None}
    stage.documents = {f"cars/{car}": sheet, f"cars/{car}/explain": explained}
    await page.click(f'.row[data-car="{car}"] .c-driver')
    await viewer.becomes("document.querySelector('.car-body h3') !== null")
    facts = dict(zip(await page.locator(".facts dt").all_inner_texts(), await page.locator(".facts dd").all_inner_texts(), strict=True))
    assert facts["Points · Cup"] == "25"
    assert facts[f"Points · {race.championships[0]}"] == "20"
    chosen = page.url
    race.championships, race.points = ("Cup",), dict.fromkeys(board.order, (1500,))
    stage.publish(race.board())
    await viewer.shows(stage)
    assert (await viewer.texts("points_milli"))[0] == "1.5", "of the one that is scored"
    await page.click("#settings-open")
    await page.locator(".picker").get_by_label("Team", exact=True).check()
    assert "Trop" in page.url, "what cannot be had here is kept for where it can"
    await page.goto(chosen.split("?", maxsplit=1)[0] + "?columns=position,car,points_milli")
    await viewer.shows(stage)
    assert await page.evaluate(HEADS) == ["position", "car", "points_milli"]


async def test_of_chosen_columns_those_that_do_not_fit_go_from_the_end(stage: Any, race: Any, view: View) -> None:
    race.step(200)
    stage.publish(race.board())
    columns = "car,driver,best_lap_us,last_lap_us,gap,interval,laps,pit_stops,sectors_us,unheard-of"
    viewer = await view(f"{stage.url}/s/course-2?columns={columns}", width=390, height=844)
    await viewer.shows(stage)
    shown = await viewer.page.evaluate(HEADS)
    assert 2 < len(shown) < 9
    assert shown == columns.split(",")[: len(shown)]
    assert await viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_order_between_the_lines_is_marked_as_such(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    board = race.board()
    live = [board.order[1], board.order[0], *board.order[2:]]
    rows = {
        car: msgspec.structs.replace(board.rows[car], live=LiveView(place, 1, Gap(0, place * 1_000_000), Gap(0, 1_000_000)))
        for place, car in enumerate(live, start=1)
    }
    stage.publish(msgspec.structs.replace(board, rows=rows))
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.order() == list(board.order), "it is not what is shown unless asked for"
    await viewer.page.click("#orders button:has-text('Live')")
    assert await viewer.order() == live
    assert await viewer.texts("position") == [str(place) for place in range(1, 35)]
    assert (await viewer.texts("gap"))[:3] == ["Leader", "+2.000", "+3.000"]
    assert "between the lines" in await viewer.page.inner_text(".hint")
    assert "dashed" in await viewer.page.evaluate("getComputedStyle(document.querySelector('#board')).borderTopStyle")
    stage.publish(race.board())  # the order is frozen: there is none between the lines any more
    await viewer.shows(stage)
    assert await viewer.order() == list(board.order)
    assert not await viewer.page.is_visible(".hint")


async def test_the_restart_order_is_beside_the_road_and_can_be_chosen(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    race.flag("red")
    race.status = "suspended"
    board = race.board()
    restart = (board.order[2], *board.order[:2], *board.order[3:30])
    stage.publish(msgspec.structs.replace(board, session=msgspec.structs.replace(board.session, restart_order=restart)))
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.order() == list(board.order)
    assert (await viewer.texts("restart"))[:5] == ["2", "3", "1", "4", "5"]
    assert (await viewer.texts("restart"))[-1] == "–"
    await viewer.page.click("#orders button:has-text('Restart')")
    assert await viewer.order() == [*restart, *board.order[30:]]
    assert (await viewer.texts("position"))[:4] == ["1", "2", "3", "4"]


async def test_in_qualifying_the_line_below_the_last_who_goes_on_and_deleted_laps(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    board = race.board()
    segment = SegmentView("Q2", None, 2, 3, "running", 1, 15, 10)
    deleted = PenaltyView("d1", "lap_time_deleted", "issued", "time of lap 5 deleted", lap=board.rows[board.order[3]].laps)
    rows = {car: msgspec.structs.replace(row, segment="Q2" if row.position <= 15 else "Q1") for car, row in board.rows.items()}
    rows[board.order[3]] = msgspec.structs.replace(rows[board.order[3]], last_lap_us=None, penalties=(deleted,))
    session = msgspec.structs.replace(board.session, kind="qualifying", segment=segment)
    stage.publish(msgspec.structs.replace(board, session=session, rows=rows))
    viewer = await view(stage.url)
    await viewer.shows(stage)
    cut = "[...document.querySelectorAll('.row[data-cut]')].map((row) => row.dataset.car)"
    assert await viewer.page.evaluate(cut) == [board.order[9]]
    assert await viewer.page.inner_text("[data-at=segment]") == "Q2 · 2 of 3"
    assert (await viewer.texts("last_lap_us"))[3] == "deleted"
    assert (await viewer.texts("penalties"))[3] == f"Lap {deleted.lap} deleted"
    closed = msgspec.structs.replace(session, segment=msgspec.structs.replace(segment, status="closed"))
    stage.publish(msgspec.structs.replace(board, session=closed, rows=rows))
    await viewer.shows(stage)
    assert await viewer.page.evaluate(cut) == []


async def test_fights_are_marked_and_say_whether_they_close(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    board = race.board()
    near, far = board.order[4], board.order[8]
    rows = dict(board.rows)
    rows[near] = msgspec.structs.replace(rows[near], interval=Gap(0, 842_000), interval_change_us=-310_000)
    rows[far] = msgspec.structs.replace(rows[far], interval=Gap(0, 2_500_000), interval_change_us=420_000)
    stage.publish(msgspec.structs.replace(board, rows=rows))
    viewer = await view(stage.url)
    await viewer.shows(stage)
    texts = dict(zip(await viewer.order(), await viewer.texts("interval"), strict=True))
    assert texts[near].split("\n") == ["▾0.3", "+0.842"]
    assert texts[far].split("\n") == ["▴0.4", "+2.500"]
    marked = "[...document.querySelectorAll('.row.battle')].map((row) => row.dataset.car)"
    assert near in await viewer.page.evaluate(marked)
    assert far not in await viewer.page.evaluate(marked)
    slow = msgspec.structs.replace(board.session, neutralised=True, track_status="safety_car")
    stage.publish(msgspec.structs.replace(board, rows=rows, session=slow))
    await viewer.shows(stage)
    assert await viewer.page.evaluate(marked) == [], "under a neutralisation nobody fights"


async def test_sectors_carry_signs_beside_their_colours(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    board = race.board()
    first, second, third = board.order[:3]

    def row(car: str, *now: int | None, best: int) -> Any:
        bests = (best, 35_000_000, 24_000_000)
        return msgspec.structs.replace(board.rows[car], sectors_us=now, best_sectors_us=bests)

    rows = {car: row(car, 28_000_000, None, None, best=27_000_000) for car in board.rows}
    rows[first] = row(first, 26_000_000, None, None, best=26_000_000)
    rows[second] = row(second, 27_500_000, 36_000_000, None, best=27_500_000)
    stage.publish(msgspec.structs.replace(board, rows=rows))
    viewer = await view(stage.url)
    await viewer.shows(stage)
    sectors = """(car) => [...document.querySelectorAll(`.row[data-car="${car}"] .c-sectors_us .sector`)]
      .map((each) => [each.className.replace("sector ", ""), each.innerText])"""
    assert await viewer.page.evaluate(sectors, first) == [["overall", "◆26.000"], ["sector", ""], ["sector", ""]]
    assert (await viewer.page.evaluate(sectors, second))[:2] == [["own", "●27.500"], ["slower", "36.000"]]
    assert (await viewer.page.evaluate(sectors, third))[0] == ["slower", "28.000"]


async def test_a_delay_delays_everything_alike(stage: Any, race: Any, view: View) -> None:
    race.step(300)
    stage.publish(race.board())
    viewer = await view(f"{stage.url}/sessions")
    page = viewer.page
    await page.clock.install()
    await page.goto(f"{stage.url}/s/course-2?delay=30")
    await viewer.becomes(f"globalThis.parcferme?.feed.state?.rev === {stage.framer.rev}")
    before, then = stage.rev, list(stage.state()["order"])
    assert await viewer.order() == []
    await page.clock.run_for(400)
    assert await page.inner_text("[data-at=behind]") == "Begins in 30 s"
    await page.clock.run_for(20_000)
    race.flag("red")
    race.status = "suspended"
    race.note("message", "Session suspended")
    race.step(80)
    stage.publish(race.board())
    await viewer.becomes(f"parcferme.feed.state.rev === {stage.framer.rev}")
    await page.clock.run_for(10_500)
    assert await page.evaluate("document.documentElement.dataset.rev") == before
    assert await viewer.order() == then
    assert await page.inner_text("[data-at=behind]") == "30 s delayed"
    assert await page.inner_text(".track strong") == "GREEN"
    assert await page.locator("#messages li").count() == 1
    assert (await page.inner_text("[data-at=elapsed]")) in ("05:00", "05:01"), "the clock as late as all the rest"
    await page.clock.run_for(20_000)
    await viewer.shows(stage)
    assert await page.inner_text(".track strong") == "RED FLAG"
    assert await page.locator("#messages li").count() == 3
    assert await page.inner_text("[data-at=elapsed]") == "06:20"
    await page.click("#settings-open")
    await page.select_option("#delay", "0")
    await page.clock.run_for(300)
    assert not await page.is_visible("[data-at=behind]")
    assert "delay" not in page.url


async def test_a_kiosk_has_no_tools_and_is_what_its_address_says(stage: Any, race: Any, view: View) -> None:
    race.step(400)
    board = race.board()
    stage.publish(board)
    viewer = await view(f"{stage.url}/s/course-2?class=Open")
    await viewer.shows(stage)
    await viewer.page.click("#classes button:has-text('Senior')")  # kept on the device
    await viewer.page.goto(f"{stage.url}/?kiosk&columns=position,car,laps&theme=light&lang=fr&messages=0")
    await viewer.shows(stage)
    page = viewer.page
    assert await viewer.order() == list(board.order), "what is kept on the device is not asked"
    assert await page.evaluate(HEADS) == ["position", "car", "laps"]
    assert (
        await page.evaluate("['.bar', '#messages', '.elsewhere'].some((name) => document.querySelector(name).checkVisibility())") is False
    )
    assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert await page.inner_text(".track strong") == "DRAPEAU VERT"
    assert await page.evaluate("localStorage.getItem('parcferme.class')") == "Senior,Open", "nor changed"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
async def test_a_wall_can_be_read_from_ten_metres_and_goes_through_the_field(
    stage: Any, race: Any, view: View, width: int, height: int
) -> None:
    race.step(400)
    board = race.board()
    stage.publish(board)
    viewer = await view(f"{stage.url}/sessions", width=width, height=height, reduced_motion="reduce")
    page = viewer.page
    await page.clock.install()
    await page.goto(f"{stage.url}/?view=wall&kiosk&every=5")
    await viewer.becomes(f"document.documentElement.dataset.rev === {stage.rev!r}")
    await viewer.becomes("document.fonts.status === 'loaded' && document.querySelector('#board .row').offsetHeight > 50")
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth")
    capitals = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('#board .row .c-driver')).fontSize) * .69")
    assert capitals / height >= 0.034, "on a screen of 55 inches (68 cm high) capitals of 23 mm: an inch can be read from ten metres"
    visible = """[...document.querySelectorAll('#board .row')].filter((row) => {
      const {top, bottom} = row.getBoundingClientRect();
      return row.contains(document.elementFromPoint(innerWidth / 2, (top + bottom) / 2));
    }).map((row) => row.dataset.car)"""
    pages = []
    for _ in range(6):
        pages.append(await page.evaluate(visible))
        await page.clock.run_for(5_000)
    assert pages[0] == list(board.order[:10])
    assert all(shown[:3] == list(board.order[:3]) for shown in pages), "the first three are always there"
    assert {car for shown in pages[:5] for car in shown} == set(board.order), "and everybody comes past"
    assert pages[5] == pages[0]
    cells = "[...document.querySelectorAll('#board .row .cell:not(.c-driver)')]"
    cut = await page.evaluate(cells + ".filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length")
    assert cut == 0


async def test_an_amended_result_that_is_due_and_a_photo_finish_are_said(stage: Any, race: Any, view: View) -> None:
    race.step(500)
    race.status = "provisional"
    board = race.board()
    car = board.order[0]
    rows = {**board.rows, car: msgspec.structs.replace(board.rows[car], result=msgspec.structs.replace(board.rows[car].result, photo=True))}
    stage.publish(msgspec.structs.replace(board, rows=rows, session=msgspec.structs.replace(board.session, result_due=True)))
    viewer = await view(stage.url)
    await viewer.shows(stage)
    assert await viewer.page.inner_text("[data-at=due]") == "Amended result due"
    assert await viewer.page.get_attribute(f'.row[data-car="{car}"] .badge.photo', "title") == "The photo finish decides"


async def test_gains_in_a_class_are_counted_in_the_class(stage: Any, race: Any, view: View) -> None:
    race.step(800)
    board = race.board()
    stage.publish(board)
    viewer = await view(f"{stage.url}/s/course-2?class=Senior")
    await viewer.shows(stage)
    seniors = [car for car in board.order if board.rows[car].class_ == "Senior"]
    by_grid = sorted(seniors, key=lambda car: race.grid[car])
    gains = [by_grid.index(car) - seniors.index(car) for car in seniors]
    assert any(gains)
    expected = ["–" if gain == 0 else f"{'▲' if gain > 0 else '▼'}{abs(gain)}" for gain in gains]
    assert await viewer.texts("gained") == expected
