"""A race that goes on as told, served by real parts: frames from the Framer, a websockets feed, the pages under uvicorn, Chromium."""

import asyncio
import inspect
import itertools
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright
from running_service import BIN, Service
from tower import S, Tower
from tower import race as told_race

from timing.projections.board import Board, Clock, Distance, DriverView, Gap, Notice, PenaltyView, ResultView, Row, SessionView
from timing.projections.frames import Framer
from timing.services.app import Service as App
from timing.services.feed import Feed
from timing.services.hub import Hub
from timing.services.pages import PageServer
from timing.services.sessions import SessionInfo
from timing.services.settings import Settings
from timing.services.web import Health, SessionEntry, make_app

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
START = 1_778_937_000_000_000
LENGTH_US = 20 * 60_000_000
CLASSES = ("Junior", "Gentleman", "Senior", "Open")
GIVEN = ("Élodie", "Marek", "Jørgen", "Łucja", "Paolo", "Ines", "Bastien", "Ömer", "Charlotte", "Wim")
FAMILY = ("Garnier-Lefèvre", "Wiśniewski", "Åkesson", "Delacroix", "Fontana", "Brandt", "Kessler", "Marchetti", "Oyarzun", "Van den Berghe")
TEAMS = ("Écurie du Tarn", "Scuderia Lago", "Ochre Racing", "Atelier Nord", "Garage Sainte-Cécile", "Rouergue Sport")


class Race:
    """A seeded race of ``size`` cars: `step(seconds)` goes on, `board()` is what a screen shows. Made for change, not for sport."""

    def __init__(self, seed: int = 1, size: int = 34) -> None:
        self.random = random.Random(seed)  # a story, not a secret
        self.now = 0
        self.track = "green"
        self.status = "running"
        self.notices: list[Notice] = []
        numbers = ["007", "1A", *(str(n) for n in range(2, 99))]
        self.cars = [numbers[i] for i in range(size)]
        self.random.shuffle(self.cars)
        self.grid = {car: i + 1 for i, car in enumerate(self.cars)}
        self.classes = {car: CLASSES[self.random.randrange(len(CLASSES))] for car in self.cars}
        self.pace = {car: 88_000_000 + 55_000 * i + self.random.randrange(900_000) for i, car in enumerate(self.cars)}
        self.names = {car: f"{self.random.choice(GIVEN)} {self.random.choice(FAMILY)}" for car in self.cars}
        self.crossings: dict[str, list[int]] = {car: [i * 300_000] for i, car in enumerate(self.cars)}
        self.due = {car: self.crossings[car][0] + self.lap(car) for car in self.cars}
        self.states: dict[str, str] = {}
        self.stops = dict.fromkeys(self.cars, 0)
        self.penalties: dict[str, tuple[PenaltyView, ...]] = {}
        self.championships: tuple[str, ...] = ()
        self.points: dict[str, tuple[int | None, ...]] = {}
        self.note("session", "The race is started")

    def lap(self, car: str) -> int:
        return self.pace[car] + self.random.randrange(-700_000, 1_600_000)

    def note(self, kind: str, text: str, car: str | None = None) -> None:
        self.notices.append(Notice(id=f"n{len(self.notices)}", at=START + self.now, kind=kind, text=text, car=car))  # type: ignore[arg-type]

    def flag(self, status: str) -> None:
        self.track = status
        self.note("track_status", status.replace("_", " ").capitalize())

    def penalise(self, car: str, text: str, stage: str = "issued") -> None:
        self.penalties[car] = (*self.penalties.get(car, ()), PenaltyView(f"d{self.now}", "time", stage, text))
        self.note("decision", text, car)

    def step(self, seconds: float) -> None:
        """Let so much time pass, with the crossings that fall into it."""
        self.now += int(seconds * 1_000_000)
        for car in self.cars:
            while self.due[car] <= self.now and self.states.get(car) not in ("retired", "not_started", "finished"):
                self.crossings[car].append(self.due[car])
                self.due[car] += self.lap(car)
                self.states.pop(car, None)
                if self.random.random() < 0.02:
                    self.states[car] = "pit"
                    self.stops[car] += 1
                    self.due[car] += 35_000_000
                if self.status == "finished":
                    self.states[car] = "finished"

    def board(self) -> Board:
        """Give the board at this moment."""
        order = sorted(self.cars, key=lambda car: (1 - len(self.crossings[car]), self.crossings[car][-1]))
        places: dict[str, int] = {}
        rows: dict[str, Row] = {}
        leaders: dict[str, str] = {}
        for place, car in enumerate(order, 1):
            cls = self.classes[car]
            places[cls] = places.get(cls, 0) + 1
            ahead, ahead_in_class = order[max(place - 2, 0)], next((c for c in reversed(order[: place - 1]) if self.classes[c] == cls), car)
            rows[car] = self.row(car, place, places[cls], (order[0], ahead, leaders.setdefault(cls, car), ahead_in_class))
        self.judge(rows)
        clock = Clock(self.now, max(LENGTH_US - self.now, 0))
        session = SessionView(
            name="Mitjet 2L · Course 2", kind="race", status=self.status, track_status=self.track, rulebook="mitjet-france",  # type: ignore[arg-type]
            laps=len(self.crossings[order[0]]) - 1, distance=Distance(minutes=20, plus_laps=1), started_at=START, clock=clock,
            neutralised=self.track in ("safety_car", "fcy"), pit_lane_open=True, circuit="Circuit d’Albi", sectors=3,
            classes=CLASSES, finished_at=None, championships=self.championships,
        )  # fmt: skip
        return Board(START + self.now, session, tuple(order), rows, tuple(self.notices[-200:]))

    def judge(self, rows: dict[str, Row]) -> None:
        """Place the cars once more, a five-second penalty included for each decision issued."""

        def key(car: str) -> tuple[int, int]:
            return -rows[car].laps, self.crossings[car][-1] + 5_000_000 * sum(p.stage == "issued" for p in rows[car].penalties)

        counts: dict[str, int] = {}
        for place, car in enumerate(sorted(rows, key=key), 1):
            row = rows[car]
            counts[row.class_] = counts.get(row.class_, 0) + 1
            out = row.status == "retired"
            result = ResultView(
                None if out else place, None if out else counts[row.class_], "retired" if out else "classified", key(car)[1]
            )
            rows[car] = msgspec.structs.replace(row, result=result)

    def gap(self, car: str, other: str) -> Gap:
        mine, theirs = self.crossings[car], self.crossings[other]
        lap = len(mine) - 1
        return Gap(len(theirs) - len(mine), mine[lap] - theirs[lap])

    def row(self, car: str, place: int, class_place: int, others: tuple[str, str, str, str]) -> Row:
        crossings = self.crossings[car]
        laps = [after - before for before, after in itertools.pairwise(crossings)]
        last = laps[-1] if laps else None
        sectors = (last * 31 // 100, last * 40 // 100, last - last * 31 // 100 - last * 40 // 100) if last else (None, None, None)
        gap, interval, class_gap, class_interval = (self.gap(car, other) for other in others)
        return Row(
            position=place, result=ResultView(place, class_place, "running", None), class_=self.classes[car], class_position=class_place,
            car=car, team=TEAMS[self.grid[car] % len(TEAMS)], driver=DriverView(f"d{car}", self.names[car]), laps=len(laps),
            last_lap_us=last, best_lap_us=min(laps, default=None), sectors_us=sectors, gap=gap, interval=interval, class_gap=class_gap,
            class_interval=class_interval, status=self.states.get(car, "running"), pit_stops=self.stops[car],  # type: ignore[arg-type]
            penalties=self.penalties.get(car, ()), grid=self.grid[car], last_crossing_at=START + crossings[-1], stint_laps=len(laps),
            points_milli=self.points.get(car, ()),
        )  # fmt: skip


class Stage:
    """One session, its hub, its feed and its pages: all real, on free ports. The feed can be closed, opened again, begun anew."""

    name = "course-2"
    ready = True

    def __init__(self) -> None:
        self.framer = Framer("first")
        self.one_hub = Hub(self.framer)
        self.frames = 0
        self.url = ""
        self.feed_port = 0
        self.opened = True
        self.later: list[SessionInfo] = []
        self.documents: dict[str, Any] = {}
        self._feed: Feed | None = None

    async def open_feed(self) -> None:
        self._feed = Feed(self, host="127.0.0.1", port=self.feed_port)
        await self._feed.__aenter__()
        self.feed_port = self._feed.port

    async def close_feed(self) -> None:
        if self._feed is not None:
            await self._feed.__aexit__()
            self._feed = None

    def begin_anew(self, epoch: str, board: Board) -> None:
        """Begin another epoch, as a service does that was started again."""
        self.framer = Framer(epoch)
        self.one_hub = Hub(self.framer)
        self.publish(board)

    def publish(self, board: Board) -> None:
        frame = self.framer.advance(board, self.framer.seq + 1)
        if frame is not None:
            self.frames += 1
            self.one_hub.publish(frame)

    def state(self) -> Any:
        return msgspec.json.decode(self.framer.snapshot())

    @property
    def rev(self) -> str:
        """What a page that is up to date says it shows."""
        return f"{self.framer.epoch}/{self.framer.rev}"

    # --- what the feed asks ---

    def sessions(self) -> list[SessionInfo]:
        info = SessionInfo(self.name, "Mitjet 2L · Course 2", "race", "running", self.framer.seq, self.framer.at)
        return [info, *self.later] if self.opened else []

    def hub(self, session: str) -> Hub | None:
        return self.one_hub if session == self.name else None


class Source:
    """What the pages ask of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def sessions(self) -> list[SessionEntry]:
        return [SessionEntry(each.session, each.name, each.kind, each.status, each.seq) for each in self._stage.sessions()]

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:  # noqa: ARG002  # the Protocol's names
        assert session == self._stage.name
        return msgspec.json.encode(self._stage.documents[path]) if path in self._stage.documents else None

    def health(self) -> Health:
        return Health(ok=True, parts={})


@asynccontextmanager
async def serving(stage: Stage) -> AsyncIterator[None]:
    """Serve a stage's feed and its pages."""
    await stage.open_feed()
    try:
        async with PageServer(make_app(Source(stage), feed_port=stage.feed_port), "127.0.0.1", 0) as pages:
            stage.url = f"http://127.0.0.1:{pages.port}"
            yield
    finally:
        await stage.close_feed()


async def until(condition: Callable[[], Any], what: str, seconds: float = 15) -> None:
    """Wait until a condition holds, awaited if it has to be; fail with what was waited for."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        held = condition()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    async with serving(stage):
        yield stage


@pytest.fixture
def race() -> Race:
    return Race()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=os.environ["PARCFERME_CHROMIUM"], args=ARGUMENTS, headless=True)
        try:
            yield browser
        finally:
            await browser.close()


LOST = (
    "WebSocket connection to", "net::ERR_CONNECTION_", "net::ERR_EMPTY_RESPONSE", "net::ERR_CONTENT_LENGTH_MISMATCH",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_SOCKET_NOT_CONNECTED",
)  # fmt: skip
"""What Chromium says of a line that is gone: nobody listens, or what was under way was cut."""


class Viewer:
    """A page whose every complaint and every request is kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.under_way: set[Request] = set()
        self.may_lose_connection = False
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._asked)
        page.on("requestfinished", lambda request: self.under_way.discard(request))  # noqa: PLW0108  # it keeps a note on what it calls
        page.on("requestfailed", lambda request: self.under_way.discard(request))  # noqa: PLW0108
        page.on("websocket", lambda socket: self.requests.append(socket.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)
        self.under_way.add(request)

    async def loses_connection(self) -> None:
        """Say that the line is about to be cut: first the page gets all it has asked for, its modules, fonts and documents."""
        await self.page.wait_for_load_state("load")
        await self.page.evaluate("document.fonts.ready.then(() => true)")
        await until(self._asks_nothing, "all that the page has asked for")
        self.may_lose_connection = True

    async def _asks_nothing(self) -> bool:
        if self.under_way:
            return False
        await self.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")  # what came may lead to more
        return not self.under_way

    async def shows(self, stage: Stage, seconds: float = 15) -> None:
        """Wait until the page shows the stage's last frame."""
        await self.becomes(f"document.documentElement.dataset.rev === {stage.rev!r}", seconds)

    async def becomes(self, expression: str, seconds: float = 15) -> None:
        """Wait until a JavaScript expression holds. (Playwright's own way needs `eval` in the page, which its policy forbids.)"""
        await until(lambda: self.page.evaluate(expression), expression, seconds)

    async def order(self) -> list[str]:
        """Give the cars as the rows stand, top to bottom."""
        cars: list[str] = await self.page.evaluate("[...document.querySelectorAll('#board .row')].map((row) => row.dataset.car)")
        return cars

    async def texts(self, column: str) -> list[str]:
        """Give a column as it reads, top to bottom."""
        return await self.page.locator(f'#board .row [data-column="{column}"]').all_inner_texts()

    def check(self) -> None:
        """Nothing went wrong on the page, and it asked nobody but its own host."""
        lost = LOST if self.may_lose_connection else ()
        assert [said for said in self.complaints if not any(word in said for word in lost)] == []
        assert {urlsplit(url).hostname for url in self.requests} == {"127.0.0.1"}


Open: TypeAlias = Callable[..., Awaitable[Viewer]]


@pytest_asyncio.fixture(loop_scope="module")
async def view(browser: Browser) -> AsyncIterator[Open]:
    """Open pages of a given size, ``await view(url, width=390, height=844)``; each is checked for complaints at the end."""
    viewers: list[Viewer] = []

    async def open_page(url: str, *, width: int = 1920, height: int = 1080, **context: Any) -> Viewer:
        settings = {"locale": "en-GB", "timezone_id": "Europe/Paris", "color_scheme": "dark", **context}
        made = await browser.new_context(viewport={"width": width, "height": height}, **settings)
        made.set_default_timeout(15_000)
        viewer = Viewer(await made.new_page())
        viewers.append(viewer)
        await viewer.page.goto(url)
        return viewer

    yield open_page
    for viewer in viewers:
        await viewer.page.context.close()
        viewer.check()


@pytest_asyncio.fixture(loop_scope="module")
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path)
    await service.start()
    yield service
    await service.end()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def events(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The race of the demo, an event a line."""
    file = tmp_path_factory.mktemp("race") / "race.events.jsonl"
    process = await asyncio.create_subprocess_exec(BIN / "replay", "simulate", "--seed", "1", "--session", "demo-1", "-o", file)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    return file.read_text("utf-8").splitlines()


@pytest_asyncio.fixture(loop_scope="module")
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with App(Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0)) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def empty_tower(app: App, view: Open) -> Tower:
    """A service that people sign in to; no session is open yet."""
    return Tower(app, view)


@pytest_asyncio.fixture(loop_scope="module")
async def tower(empty_tower: Tower) -> Tower:
    """The same, with a race of which five minutes have been told."""
    await empty_tower.publish(told_race(int(time.time() - 300) * S))
    return empty_tower
