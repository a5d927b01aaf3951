"""The charts on the service as it is run: what they show against the cars' sheets, live, after corrections, by keyboard, for everyone."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from audited import faults
from running_service import Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

View = Callable[..., Awaitable[Any]]
KINDS = ("positions", "gaps", "times", "classes", "sectors", "stints")
PICTURE = "parcfermeCharts.picture"
DATA = "parcfermeCharts.data"


async def seq_of(service: Service) -> int:
    async with httpx.AsyncClient(base_url=service.pages) as client:
        seq: int = (await client.get("/api/sessions")).json()["sessions"][0]["seq"]
    return seq


async def charted(viewer: Any, service: Service) -> dict[str, Any]:
    """Wait until the chart shows every record of the log, and give its picture."""
    seq = await seq_of(service)
    await viewer.becomes(f"globalThis.parcferme?.screen.state?.seq >= {seq - 1}")
    await viewer.becomes(f"{DATA}.start !== null && {DATA}.seq >= {seq - 1} && {PICTURE} !== null", 20)
    picture: dict[str, Any] = await viewer.page.evaluate(f"JSON.parse(JSON.stringify({PICTURE}))")
    return picture


async def sheets(service: Service, cars: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Give the laps of each car that count, from its own sheet."""
    async with httpx.AsyncClient(base_url=service.pages) as client:
        found = {car: (await client.get(f"/api/sessions/demo-1/cars/{car}")).json()["laps"] for car in cars}
    return {car: [lap for lap in laps if lap["counted"]] for car, laps in found.items()}


def lines_of(picture: dict[str, Any]) -> dict[str, list[float | None]]:
    return {line["car"]: line["values"] for line in picture["lines"]}


async def test_the_lap_chart_is_what_the_cars_sheets_say(service: Service, events: list[str], view: View) -> None:
    await service.publish(events)
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=positions")
    picture = await charted(viewer, service)
    lines = lines_of(picture)
    laps = await sheets(service, list(lines))
    assert len(lines) > 30
    for n in range(max(map(len, laps.values()))):
        ended = sorted((mine[n]["ended_at"], car) for car, mine in laps.items() if len(mine) > n)
        for place, (_, car) in enumerate(ended, start=1):
            assert lines[car][n + 1] == place, f"car {car} at the end of lap {n + 1}"
    grid = next(json.loads(line)["cars"] for line in events if '"grid_set"' in line)
    assert {car: values[0] for car, values in lines.items()} == {car: grid.index(car) + 1 for car in lines}


async def test_times_and_gaps_are_those_of_the_sheets(service: Service, events: list[str], view: View) -> None:
    await service.publish(events)
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=times&all=1")
    leader = (await charted(viewer, service))["lines"][-1]["car"]
    await viewer.page.click(f'.pick[data-car="{leader}"]')
    await viewer.becomes(f"{PICTURE}.lines.length === 1")
    laps = (await sheets(service, [leader]))[leader]
    values = lines_of(await charted(viewer, service))[leader]
    drawn = [None if value is None else round(value * 1_000_000) for value in values]
    assert drawn[: len(laps)] == [lap["time_us"] for lap in laps]
    assert None in drawn[: len(laps)], "the lap across the red flag has no time"
    await viewer.page.click('#tools button[data-value="gaps"]')
    await viewer.becomes(f"{PICTURE}.lines.length > 30")
    gaps = lines_of(await charted(viewer, service))
    everyone = await sheets(service, list(gaps))
    for n in range(len(everyone[leader])):
        first = min(mine[n]["ended_at"] for mine in everyone.values() if len(mine) > n)
        for car, mine in everyone.items():
            if len(mine) > n:
                value = gaps[car][n]
                assert value is not None
                assert round(value * 1_000_000) == mine[n]["ended_at"] - first


async def test_the_chart_grows_and_a_correction_mends_it(service: Service, events: list[str], view: View) -> None:
    half = len(events) // 2
    await service.publish(events[:half])
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=positions")
    before = await charted(viewer, service)
    await service.publish(events[half : half + len(events) // 4])
    after = await charted(viewer, service)
    assert len(after["laps"]) > len(before["laps"])
    assert not await viewer.page.evaluate("performance.getEntriesByType('navigation').some(({type}) => type === 'reload')")
    car = next(line["car"] for line in after["lines"] if len([v for v in line["values"] if v is not None]) > 5)
    ends = await viewer.page.evaluate(f"(car) => {DATA}.cars.get(car).ends.length", car)
    at = (await sheets(service, [car]))[car][2]["ended_at"]
    loops = {loop["id"]: loop["line"] for loop in json.loads(events[0])["circuit"]["loops"]}
    passing = next(e for e in map(json.loads, events) if e["type"] == "passing" and e["at"] == at and loops[e["loop"]] == "finish")
    void = {
        "type": "passing_voided", "id": "void-1", "at": at + 1, "reason": "another car", "by": "Timekeeper",
        "passing": {key: passing[key] for key in ("decoder", "boot", "number")},
    }  # fmt: skip
    await service.publish([json.dumps(void)])
    await viewer.becomes(f"{DATA}.cars.get({car!r}).ends.length === {ends - 1}")


async def test_through_a_kill_of_the_service_the_chart_is_that_of_its_log(service: Service, events: list[str], view: View) -> None:
    half = len(events) // 2
    await service.publish(events[:half])
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=positions")
    before = await charted(viewer, service)
    await viewer.loses_connection()
    await service.end(kill=True)
    await viewer.page.wait_for_selector('html[data-link="offline"]')
    await service.start()
    await viewer.page.wait_for_selector('html[data-link="live"]', timeout=30_000)
    await service.publish(events[half:])
    after = await charted(viewer, service)
    assert len(after["laps"]) > len(before["laps"])
    drawn = await viewer.page.evaluate(
        f"Object.fromEntries([...{DATA}.cars].map(([car, {{ends}}]) => [car, ends.map((us) => {DATA}.start + us)]))"
    )
    counted = {car: [lap["ended_at"] for lap in laps] for car, laps in (await sheets(service, list(drawn))).items()}
    assert {car: ends[: len(counted[car])] for car, ends in drawn.items()} == counted
    values = {car: [value for value in values[1:] if value is not None] for car, values in lines_of(after).items()}
    assert {car: len(each) for car, each in values.items()} == {car: len(ends) for car, ends in counted.items()}


async def test_flags_are_shaded_where_the_leader_was_under_them(service: Service, events: list[str], view: View) -> None:
    await service.publish(events)
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=positions", color_scheme="light")
    picture = await charted(viewer, service)
    flags = [e for e in map(json.loads, events) if e["type"] == "track_status"]
    out = next(e["at"] for e in flags if e["status"] == "safety_car")
    laps = await sheets(service, list(lines_of(picture)))
    firsts = [min(mine[n]["ended_at"] for mine in laps.values() if len(mine) > n) for n in range(max(map(len, laps.values())))]
    lap = sum(at <= out for at in firsts)
    stretch = next(each for each in picture["stretches"] if each["kind"] == "safety_car")
    assert lap <= stretch["from"] < lap + 1
    colour = """([from, to, y]) => {
      const canvas = document.querySelector("#plot canvas");
      const over = document.querySelector("#plot .u-over");
      const laps = parcfermeCharts.picture.laps;
      const share = ((from + to) / 2 - laps[0]) / (laps.at(-1) - laps[0]);
      const ratio = canvas.width / canvas.clientWidth;
      const x = (over.offsetLeft + share * over.clientWidth) * ratio;
      return [...canvas.getContext("2d").getImageData(x, (over.offsetTop + y) * ratio, 1, 1).data];
    }"""
    red, green, blue, _ = await viewer.page.evaluate(colour, [stretch["from"], stretch["to"], 3])
    assert red > 230
    assert blue < min(red, green) - 30, "the safety car's yellow"
    assert next(line for line in picture["lines"] if line["marks"])["marks"][0]["kind"] in ("pit", "out")


async def test_it_is_read_by_keyboard_and_as_a_table(service: Service, events: list[str], view: View) -> None:
    await service.publish(events)
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=positions")
    picture = await charted(viewer, service)
    await viewer.page.focus("#plot")
    await viewer.page.keyboard.press("ArrowRight")
    await viewer.page.keyboard.press("ArrowRight")
    await viewer.page.keyboard.press("ArrowDown")
    first = next(car for car, values in lines_of(picture).items() if values[1] == 1)
    await viewer.becomes("document.querySelector('#readout').textContent.startsWith('Lap 1')")
    assert await viewer.page.inner_text("#readout") == f"Lap 1 {first} P1"
    await viewer.page.keyboard.press("+")
    await viewer.page.keyboard.press("0")
    await viewer.page.click("#as-table summary")
    await viewer.becomes("document.querySelectorAll('#as-table tbody tr').length === parcfermeCharts.picture.laps.length")


async def test_what_is_chosen_is_in_the_address(service: Service, events: list[str], view: View) -> None:
    await service.publish(events)
    viewer = await view(f"{service.pages}s/demo-1/charts", locale="fr-FR")
    picture = await charted(viewer, service)
    car = picture["lines"][0]["car"]
    await viewer.page.click(f'.pick[data-car="{car}"]')
    await viewer.page.click("#tools button >> text=Écarts")
    await viewer.becomes("new URLSearchParams(location.search).get('chart') === 'gaps'")
    await viewer.page.reload()
    picture = await charted(viewer, service)
    assert [line["car"] for line in picture["lines"] if line["pick"] is not None] == [car]
    assert await viewer.page.get_attribute(f'.pick[data-car="{car}"]', "aria-pressed") == "true"


@pytest.mark.parametrize("size", [(390, 844, "dark"), (1920, 1080, "light"), (3840, 2160, "dark")], ids=["phone", "desktop", "wall"])
async def test_every_chart_is_drawn_at_every_size_and_nothing_is_against_wcag(
    service: Service, events: list[str], view: View, size: tuple[int, int, str]
) -> None:
    width, height, theme = size
    await service.publish(events)
    address = f"{service.pages}s/demo-1/charts?chart="
    viewer = await view(address, width=width, height=height, color_scheme=theme, reduced_motion="reduce")
    for kind in KINDS:
        await viewer.page.goto(f"{address}{kind}")
        await viewer.becomes("document.documentElement.dataset.charted !== undefined")
        drawn = "canvas" if kind in ("positions", "gaps", "times", "classes") else f".{kind}"
        await viewer.page.wait_for_selector(f"#plot {drawn}")
        assert await faults(viewer.page) == [], kind
        assert await viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{kind} is too wide"


async def test_before_the_first_racing_lap_it_says_so_and_then_draws(service: Service, events: list[str], view: View) -> None:
    ended = next(n for n, e in enumerate(map(json.loads, events)) if e["type"] == "track_status" and e["status"] == "safety_car")
    await service.publish(events[:ended])  # a lap, the first
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=times")
    await viewer.becomes("document.documentElement.dataset.charted !== undefined")
    assert "No racing lap of these cars yet" in await viewer.page.inner_text("#plot")
    await service.publish(events[ended:])
    await charted(viewer, service)
    await viewer.page.wait_for_selector("#plot canvas")
    assert "No racing lap" not in await viewer.page.inner_text("#plot")


async def test_names_at_the_ends_of_the_lines_have_their_place(service: Service, events: list[str], view: View) -> None:
    await service.publish(events)
    viewer = await view(f"{service.pages}s/demo-1/charts?chart=classes")
    picture = await charted(viewer, service)
    assert "Gentleman" in lines_of(picture)
    written = """(name) => {
      const context = document.createElement("canvas").getContext("2d");
      context.font = `550 12.5px ${getComputedStyle(document.querySelector("#plot")).fontFamily}`;
      return context.measureText(name).width;
    }"""
    room = "((over) => over.parentElement.clientWidth - over.offsetLeft - over.clientWidth)(document.querySelector('#plot .u-over'))"
    assert await viewer.page.evaluate(written, "Gentleman") + 6 <= await viewer.page.evaluate(room)
