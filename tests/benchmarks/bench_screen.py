"""The leaderboard on a cheap phone: sixty cars, ten updates a second, the processor slowed down four and six times.

Chromium has no graphics card here and paints with the processor, so the frames that a page drops are compared with those that the same page
drops while nothing comes in. Beside it, what an update costs the page's main thread in processor time, idle work taken off, and how much
movement the page still showed at the end: it sheds movement where pictures come late.

Between two updates five seconds of the race pass: ten rows change and two cars change places at each, more than any race has.
"""

import argparse
import asyncio
import importlib.util
import itertools
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, async_playwright

HZ = 10
CARS = 60
WARM_UPDATES = 20
SCREENS = {"phone": (390, 844), "desktop": (1920, 1080)}
MEASURED = (("phone", 1), ("phone", 4), ("phone", 6), ("desktop", 1))
PASSING_S = 5
KINDS = {"script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration", "all": "TaskDuration"}
MOVEMENT = ("all rows move", "rows move that moved by themselves", "no row moves")
FRAMES = """(ms) => new Promise((done) => {
  const times = [];
  const end = performance.now() + ms;
  const tick = (now) => { times.push(now); if (now < end) requestAnimationFrame(tick); else done(times); };
  requestAnimationFrame(tick);
})"""


def told() -> Any:
    """Load the race and the stage that the browser tests play on."""
    tests = Path(__file__).parents[1]
    sys.path.append(str(tests / "support"))  # as pytest has it
    file = tests / "browser" / "conftest.py"
    spec = importlib.util.spec_from_file_location("browser_stage", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def chromium() -> str | None:
    """Find the system's Chromium, as the tests do; without one Playwright's own is taken."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("PARCFERME_CHROMIUM") or next(filter(None, found), None)


def dropped(times: list[float]) -> tuple[int, int]:
    """Count the pictures that were shown and those that were missed, at sixty a second."""
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return len(gaps), sum(max(round(gap / (1000 / 60)) - 1, 0) for gap in gaps)


def share(shown: int, missed: int) -> str:
    """Say how many pictures were dropped."""
    return f"{missed} of {shown + missed} pictures dropped ({missed / (shown + missed):.1%})"


def crowd(module: Any, steps: int = 100) -> str:
    """Say how much an update changes."""
    stage, race = module.Stage(), module.Race(seed=4, size=CARS)
    race.step(300)
    stage.publish(race.board())
    rows = moved = 0
    for _ in range(steps):
        before = stage.state()
        race.step(PASSING_S)
        stage.publish(race.board())
        after = stage.state()
        rows += sum(row != before["rows"][car] for car, row in after["rows"].items())
        moved += sum(was != now for was, now in zip(before["order"], after["order"], strict=True))
    return f"{rows / steps:.1f} rows and {moved / steps:.1f} places change with each"


async def busy(cdp: CDPSession) -> dict[str, float]:
    """Give the milliseconds of processor time that the page's main thread has worked, by kind."""
    metrics = {each["name"]: each["value"] for each in (await cdp.send("Performance.getMetrics"))["metrics"]}
    return {kind: 1000 * metrics[name] for kind, name in KINDS.items()}


def cost(before: dict[str, float], after: dict[str, float], idle: dict[str, float], frames: int) -> str:
    """Say what an update costs, by kind."""
    each = {kind: max(after[kind] - before[kind] - idle[kind], 0) / frames for kind in KINDS}
    paint = max(each["all"] - each["script"] - each["style"] - each["layout"], 0)
    parts = ", ".join(f"{kind} {each[kind]:.1f}" for kind in ("script", "style", "layout"))
    return f"{each['all']:.1f} ms an update ({parts}, paint and the rest {paint:.1f})"


async def updates(stage: Any, race: Any, seconds: float) -> int:
    """Publish ten boards a second for so long; give how many made a frame."""
    loop = asyncio.get_running_loop()
    began, before = loop.time(), stage.frames
    for step in range(round(seconds * HZ)):
        race.step(PASSING_S)
        stage.publish(race.board())
        await asyncio.sleep(max(began + (step + 1) / HZ - loop.time(), 0))
    return int(stage.frames - before)


async def measure(browser: Any, module: Any, screen: str, slower: int, seconds: float) -> None:
    """Print the figures of one screen."""
    stage, race = module.Stage(), module.Race(seed=4, size=CARS)
    async with module.serving(stage):
        race.step(300)
        stage.publish(race.board())
        width, height = SCREENS[screen]
        page = await browser.new_page(viewport={"width": width, "height": height})
        await page.goto(f"{stage.url}/s/{stage.name}")
        await module.until(lambda: page.evaluate(f"document.documentElement.dataset.rev === {stage.rev!r}"), "the first frame")
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        await updates(stage, race, WARM_UPDATES / HZ)
        start = await busy(cdp)
        shown_idle, dropped_idle = dropped(await page.evaluate(FRAMES, seconds * 1000))
        before = await busy(cdp)
        frames, times = await asyncio.gather(updates(stage, race, seconds), page.evaluate(FRAMES, seconds * 1000))
        after = await busy(cdp)
        level = await page.evaluate("parcferme.board.motion.pace.level")
        shown, missed = dropped(times)
        longest = max(after - at for at, after in itertools.pairwise(times))
        await module.until(lambda: page.evaluate(f"document.documentElement.dataset.rev === {stage.rev!r}"), "the last frame")
        await page.close()
    print(
        f"  {screen:<8} {slower}x slower: {frames} updates, {share(shown, missed)}; idle {share(shown_idle, dropped_idle)}; "
        f"longest {longest:.0f} ms; {cost(before, after, {kind: before[kind] - start[kind] for kind in KINDS}, frames)}; {MOVEMENT[level]}",
        flush=True,
    )


async def run(seconds: float) -> None:
    """Measure every screen at every speed."""
    module = told()
    print(f"{CARS} cars, {HZ} updates a second; {crowd(module)}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=module.ARGUMENTS)
        for screen, slower in MEASURED:
            await measure(browser, module, screen, slower, seconds)
        await browser.close()


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    asyncio.run(run(parser.parse_args().seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
