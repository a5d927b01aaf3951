"""A car opened from its row: live facts, its sheet, why it is where it is, and nothing ahead of a delay."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
START = 1_778_937_000_000_000


def sheet(car: str, laps: int) -> dict[str, Any]:
    """Give a sheet of laps of 90 s, with a stop in the third."""
    lap = [
        {"lap": n, "ended_at": START + n * 90_000_000, "time_us": 90_000_000 + n, "sectors_us": [28_000_000, 36_000_000, 26_000_000 + n],
         "driver": "a" if n < 4 else "b", "pit": n == 3, "counted": True} for n in range(1, laps + 1)
    ]  # fmt: skip
    return {
        "session": "course-2", "car": car, "class": "Open", "team": "T", "laps": lap, "suspects": [],
        "drivers": [{"id": "a", "name": "Ines Brandt"}, {"id": "b", "name": "Wim Kessler"}],
        "stops": [{"lap": 3, "entered_at": START + 260_000_000, "exited_at": START + 290_000_000, "time_us": 30_000_000}],
        "stints": [{"driver": "a", "from_lap": 1, "laps": 3, "began_at": START, "until": START + 290_000_000},
                   {"driver": "b", "from_lap": 4, "laps": laps - 3, "began_at": START + 290_000_000, "until": None}],
        "drive_times": [{"driver": "a", "laps": 3, "time_us": 260_000_000}, {"driver": "b", "laps": laps - 3, "time_us": 90_000_000}],
    }  # fmt: skip


def explanation(car: str, seq: int) -> dict[str, Any]:
    """Give the parts of an explanation that the page writes."""
    return {
        "car": car, "seq": seq, "on_the_road": 3, "shown": 3, "position": 4, "status": "classified", "result_laps": 5,
        "total_us": 455_000_000, "road": [], "decisions": [], "corrections": [],
        "result": [{"car": "35", "where": "ahead", "by": "time", "laps": 0, "time_us": 1_250_000, "why": ""}],
        "rules": [{"key": "classification.min_percent", "value": "70", "source": "art. 6"}], "words": ["Car: P4."],
    }  # fmt: skip


async def test_a_row_opens_to_its_car_and_goes_on_with_the_race(stage: Any, race: Any, view: View) -> None:
    race.step(460)
    board = race.board()
    stage.publish(board)
    car = board.order[2]
    stage.documents = {f"cars/{car}": sheet(car, 5), f"cars/{car}/explain": explanation(car, stage.framer.seq)}
    viewer = await view(stage.url)
    await viewer.shows(stage)
    page = viewer.page
    await page.click(f'.row[data-car="{car}"] .c-driver')
    await viewer.becomes("document.querySelector('.lap-chart') !== null")
    assert await page.inner_text("#car-title") == f"{car} · {race.names[car]}"
    assert page.url.endswith(f"?car={car}")
    told = await page.inner_text(".car-body")
    for part in (
        "P3 on the road, P4 in the result, 5 laps",
        "Total time 7:35.000",
        "Car 35 is ahead: 1.250",
        "Ines Brandt",
        "30.000",
        "Wim Kessler",
    ):
        assert part in told
    laps = "[...document.querySelectorAll('.scroll tbody tr')].map((row) => row.cells[0].innerText.split(' ')[0])"
    assert await page.evaluate(laps) == ["5", "4", "3", "2", "1"]
    each = "[...document.querySelectorAll('.facts div')].map(({children: [name, value]}) => [name.innerText, value.innerText])"
    facts = f"Object.fromEntries({each})"
    assert (await page.evaluate(facts))["Laps"] == str(board.rows[car].laps)
    stage.documents = {f"cars/{car}": sheet(car, 6), f"cars/{car}/explain": explanation(car, stage.framer.seq + 1)}
    race.step(95)
    stage.publish(race.board())
    await viewer.shows(stage)
    assert (await page.evaluate(facts))["Laps"] == str(race.board().rows[car].laps), "facts are of the frame"
    await viewer.becomes(f"{laps}.length === 6")
    other = stage.state()["order"][0]
    await page.click(f'.row[data-car="{other}"] .plate')
    assert (await page.inner_text("#car-title")).startswith(f"{other} · ")
    await page.click("#car .button")
    assert not await page.is_visible("#car")
    assert "car=" not in page.url


async def test_when_the_car_behind_completes_its_lap_the_explanation_follows(stage: Any, race: Any, view: View) -> None:
    race.step(460)
    board = race.board()
    stage.publish(board)
    car, behind = board.order[2:4]
    told = explanation(car, stage.framer.seq)
    told["result"] = [{"car": behind, "where": "behind", "by": "laps", "laps": 1, "time_us": None, "why": ""}]
    stage.documents = {f"cars/{car}": sheet(car, 5), f"cars/{car}/explain": told}
    viewer = await view(f"{stage.url}/s/course-2?car={car}")
    why = "(document.querySelector('.car-body')?.innerText ?? '')"
    await viewer.becomes(f"{why}.includes('Car {behind} is behind: 1 lap')")
    told["result"][0] |= {"by": "time", "laps": 0, "time_us": 640_000}
    row = msgspec.structs.replace(board.rows[behind], laps=board.rows[behind].laps + 1)
    stage.publish(msgspec.structs.replace(board, at=board.at + 1, rows={**board.rows, behind: row}))
    await viewer.becomes(f"{why}.includes('Car {behind} is behind: 0.640')")


async def test_with_a_delay_a_car_tells_nothing_that_is_not_shown_yet(stage: Any, race: Any, view: View) -> None:
    race.step(460)
    board = race.board()
    stage.publish(board)
    car = board.order[2]
    stage.documents = {f"cars/{car}": sheet(car, 8), f"cars/{car}/explain": explanation(car, stage.framer.seq + 5)}  # the service is ahead
    viewer = await view(f"{stage.url}/s/course-2?car={car}")
    await viewer.shows(stage)
    page = viewer.page
    await viewer.becomes("document.querySelector('.lap-chart') !== null")
    assert await page.locator(".scroll tbody tr").count() == 5, "laps that ended after the instant that is shown are not"
    assert "once the delay has caught up" in await page.inner_text(".car-body")
    assert "in the result" not in await page.inner_text(".car-body")
    for _ in range(6):
        race.step(30)
        stage.publish(race.board())
    await viewer.shows(stage)
    await viewer.becomes("document.querySelector('.car-body').innerText.includes('in the result')")


async def test_a_service_that_does_not_answer_is_asked_again(stage: Any, race: Any, view: View) -> None:
    race.step(460)
    board = race.board()
    stage.publish(board)
    car = board.order[0]
    viewer = await view(f"{stage.url}/s/course-2?car={car}")
    viewer.may_lose_connection = True
    await viewer.becomes("document.querySelector('.car-body')?.innerText.includes('does not answer') ?? false")
    stage.documents = {f"cars/{car}": sheet(car, 5), f"cars/{car}/explain": explanation(car, 1)}
    stage.publish(msgspec.structs.replace(board, at=board.at + 1, order=(*board.order[1:], board.order[0])))
    await viewer.becomes("document.querySelector('.lap-chart') !== null")
    viewer.complaints = [said for said in viewer.complaints if "404" not in said]
