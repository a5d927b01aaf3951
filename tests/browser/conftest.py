"""A race that goes on as told, served by real parts: frames from the Framer, a websockets feed, the pages under uvicorn, Chromium."""

import asyncio
import itertools
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from timing.projections.board import Board, Clock, Distance, DriverView, Gap, Notice, PenaltyView, ResultView, Row, SessionView
from timing.projections.frames import Framer
from timing.services.web import Health, SessionEntry, make_app

CHROMIUM = os.environ.get("PARCFERME_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
START = 1_778_937_000_000_000
LENGTH_US = 20 * 60_000_000
CLASSES = ("Junior", "Gentleman", "Senior", "Open")
GIVEN = ("Élodie", "Marek", "Jørgen", "Łucja", "Paolo", "Ines", "Bastien", "Ömer", "Charlotte", "Wim")
FAMILY = ("Garnier-Lefèvre", "Wiśniewski", "Åkesson", "Delacroix", "Fontana", "Brandt", "Kessler", "Marchetti", "Oyarzun", "Van den Berghe")
TEAMS = ("Écurie du Tarn", "Scuderia Lago", "Ochre Racing", "Atelier Nord", "Garage Sainte-Cécile", "Rouergue Sport")

Shot: TypeAlias = Callable[[Page, str], Awaitable[None]]


class Race:
    """A seeded race of ``size`` cars: `step(seconds)` goes on, `board()` is what a screen shows. Sport is not its aim, plausible change is."""

    def __init__(self, seed: int = 1, size: int = 34) -> None:
        self.random = random.Random(seed)
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
            classes=CLASSES, finished_at=None,
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
        )  # fmt: skip


class Feed:
    """A feed of one session that can be cut, restarted as another process would be, and made to lose frames."""

    def __init__(self) -> None:
        self.framer = Framer("first")
        self.sent: list[bytes] = []
        self.clients: set[ServerConnection] = set()
        self.joins: list[str] = []
        self.resyncs = 0
        self.port = 0
        self.losing = False
        self._server: Server | None = None

    async def open(self) -> None:
        self._server = await serve(self._client, "127.0.0.1", self.port, compression=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def restart_as(self, epoch: str, board: Board) -> None:
        """Begin another epoch, as a service does that was started anew."""
        self.framer = Framer(epoch)
        self.framer.advance(board, 1)
        self.sent.clear()

    async def publish(self, board: Board) -> None:
        frame = self.framer.advance(board, self.framer.seq + 1)
        if frame is None:
            return
        self.sent.append(frame)
        if self.losing:
            return
        for client in tuple(self.clients):
            with suppress(ConnectionClosed):
                await client.send(frame, text=True)

    def state(self) -> Any:
        return msgspec.json.decode(self.framer.snapshot())

    async def _client(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = connection.request.path
        self.joins.append(path)
        wanted = parse_qs(urlsplit(path).query)
        missed = self.framer.rev - int(wanted.get("rev", ["-1"])[0])
        resumes = wanted.get("epoch") == [self.framer.epoch] and 0 <= missed <= len(self.sent)
        for frame in self.sent[len(self.sent) - missed :] if resumes else [self.framer.snapshot()]:
            await connection.send(frame, text=True)
        self.clients.add(connection)
        try:
            async for message in connection:
                assert msgspec.json.decode(message) == {"kind": "resync"}
                self.resyncs += 1
                await connection.send(self.framer.snapshot(), text=True)
        except ConnectionClosed:
            pass
        finally:
            self.clients.discard(connection)


class Site:
    """What the pages are made from, here: one session and its feed."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.listed: list[SessionEntry] = []
        self.url = ""

    def sessions(self) -> list[SessionEntry]:
        return self.listed

    def result(self, session: str) -> bytes | None:
        return msgspec.json.encode({"session": session, "status": "running", "rows": []})

    def health(self) -> Health:
        return Health(ok=True, parts={"log": {"ok": True}})


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[None]:
    """Serve a site's feed and its pages on free ports."""
    await site.feed.open()
    app = make_app(site, feed_port=site.feed.port)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off"))
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started, "the pages' server")
        site.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
        await site.feed.close()


async def until(condition: Callable[[], Any], what: str, seconds: float = 15) -> None:
    """Wait until a condition holds; fail with what was waited for."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.02)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    site.listed = [SessionEntry("course-2", "Mitjet 2L · Course 2", "race", "running", 1)]
    async with serving(site):
        yield site


@pytest.fixture
def race() -> Race:
    return Race()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, headless=True)
        try:
            yield browser
        finally:
            await browser.close()


class Viewer:
    """A page whose every complaint and every request is kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on(
            "console",
            lambda message: self.complaints.append(f"{message.type}: {message.text}") if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))


Open: TypeAlias = Callable[..., Awaitable[Viewer]]


@pytest.fixture
async def view(browser: Browser) -> Open:
    """Open pages of a given size: ``await view(url, width=390, height=844)``."""

    async def open_page(url: str, *, width: int = 1920, height: int = 1080, **context: Any) -> Viewer:
        made = await browser.new_context(
            viewport={"width": width, "height": height}, **{"locale": "en-GB", "timezone_id": "Europe/Paris", **context}
        )
        made.set_default_timeout(15_000)
        viewer = Viewer(await made.new_page())
        await viewer.page.goto(url)
        return viewer

    return open_page


@pytest.fixture(scope="session")
def images() -> Path:
    """The folder of the pictures the documents show."""
    return Path(__file__).parents[2] / "docs" / "images"
