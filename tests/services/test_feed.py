"""The feed over real sockets: nobody sees a wrong board, nobody waits for a slow neighbour, nobody is served without a limit."""

import asyncio
import base64
import contextlib
import json
import runpy
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import structlog
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from timing.domain.errors import TimingError
from timing.projections.board import Board
from timing.projections.frames import Framer, receive
from timing.services.feed import Feed, Limits, wire_form
from timing.services.hub import Hub
from timing.services.sessions import SessionInfo

make = runpy.run_path(str(Path(__file__).parent.parent / "vectors" / "make_frames.py"))
RESYNC = '{"kind":"resync"}'


class Stage:
    """One session, ``race``, whose board says how many laps were told; ``text`` makes frames as large as a test needs."""

    def __init__(self, epoch: str = "one", **limits: int) -> None:
        self.ready = True
        self.framer = Framer(epoch)
        self.framer.advance(self.board(0), 0)
        self.race = Hub(self.framer, **limits)
        self.laps = 0

    def board(self, laps: int, text: str = "") -> Board:
        board: Board = make["board"]([make["row"]("007", 1, laps=laps, team=text), make["row"]("1A", 2)], laps=laps)
        return board

    def lap(self, text: str = "") -> None:
        self.laps += 1
        frame = self.framer.advance(self.board(self.laps, text), self.laps)
        assert frame is not None
        self.race.publish(frame)

    def snapshot(self) -> dict[str, Any]:
        shown: dict[str, Any] = msgspec.json.decode(self.framer.snapshot())
        return shown

    def sessions(self) -> Sequence[SessionInfo]:
        return [SessionInfo("race", "Course 1", "race", "running", self.laps, 1)]

    def hub(self, session: str) -> Hub | None:
        return self.race if session == "race" else None


def feed(stage: Stage, **settings: Any) -> Feed:
    return Feed(stage, host="127.0.0.1", port=0, **settings)


def screen(server: Feed, query: str = "") -> connect:
    return connect(f"ws://127.0.0.1:{server.port}/v1/sessions/race{query}", compression=None, max_size=None)


async def until(condition: Callable[[], bool], limit_s: float = 10) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  # the one bounded wait, for conditions that have no event
            await asyncio.sleep(0.002)


async def to_the_end(connection: ClientConnection) -> None:
    while True:
        await connection.recv()


async def watch(connection: ClientConnection, rev: int, state: dict[str, Any] | None = None) -> dict[str, Any]:
    """Follow the frames, none ignored and none missing, until the one called ``rev``."""
    async with asyncio.timeout(10):
        while state is None or state["rev"] < rev:
            state, verdict = receive(state, json.loads(await connection.recv()))
            assert verdict == "applied"
    assert state is not None
    return state


async def test_a_screen_sees_the_board_and_every_change() -> None:
    stage = Stage()
    async with feed(stage) as server, screen(server) as client:
        assert await watch(client, 1) == stage.snapshot()
        state = stage.snapshot()
        for _ in range(20):
            stage.lap()
            state = await watch(client, stage.framer.rev, state)
            assert state == stage.snapshot()


async def test_resuming_gives_exactly_what_was_missed() -> None:
    stage = Stage()
    async with feed(stage) as server:
        async with screen(server) as client:
            state = await watch(client, 1)
        for _ in range(3):
            stage.lap()
        async with screen(server, f"?epoch={state['epoch']}&rev={state['rev']}") as client:
            frames = [json.loads(await client.recv()) for _ in range(3)]
            assert [(frame["kind"], frame["rev"]) for frame in frames] == [("delta", 2), ("delta", 3), ("delta", 4)]
            for frame in frames:
                state, verdict = receive(state, frame)  # type: ignore[assignment]  # a state that is followed is not None
                assert verdict == "applied"
            assert state == stage.snapshot()
            stage.lap()
            assert await watch(client, 5, state) == stage.snapshot()


@pytest.mark.parametrize(
    "query", ["?epoch=other&rev=1", "?epoch=one&rev=99", "?epoch=one&rev=x", "?epoch=one", "?rev=1", "?epoch=one&rev=-1"]
)
async def test_resuming_from_elsewhere_gives_a_snapshot(query: str) -> None:
    stage = Stage()
    async with feed(stage) as server, screen(server, query) as client:
        assert json.loads(await client.recv()) == stage.snapshot()


async def test_a_service_that_began_anew_has_another_epoch_and_says_all() -> None:
    async with feed(Stage("one")) as server, screen(server) as client:
        state = await watch(client, 1)
    second = Stage("two")
    second.lap()
    async with feed(second) as server, screen(server, f"?epoch={state['epoch']}&rev={state['rev']}") as client:
        assert await watch(client, 2, None) == second.snapshot()


async def test_a_resync_is_answered_by_a_snapshot() -> None:
    stage = Stage()
    async with feed(stage) as server, screen(server) as client:
        await watch(client, 1)
        await client.send(RESYNC)
        assert json.loads(await client.recv()) == stage.snapshot()
        await client.send(RESYNC.encode())
        assert json.loads(await client.recv()) == stage.snapshot()


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        (["hello"], 1008, "only "),
        (['{"kind":"shout"}'], 1008, "only "),
        (["[]"], 1008, "only "),
        ([b"\xff\xfe"], 1008, "only "),
        (["[" * 4_000], 1008, "only "),
        (["x" * 5_000], 1009, "frame with 5000 bytes exceeds limit of 4096"),
        ([RESYNC] * 11, 1008, "too many resyncs"),
    ],
)
async def test_what_a_screen_may_not_say_ends_its_connection_alone_and_is_logged(
    messages: list[str | bytes], code: int, reason: str
) -> None:
    stage = Stage()
    async with feed(stage) as server, screen(server) as client, screen(server) as neighbour:
        with structlog.testing.capture_logs() as said:
            await shown_out(client, messages, code)
            await until(lambda: bool(said))
        assert [(one["event"], one["code"], one["client"]) for one in said] == [("screen shown out", code, "127.0.0.1")]
        assert said[0]["reason"].startswith(reason)
        stage.lap()
        assert await watch(neighbour, 2) == stage.snapshot()


async def shown_out(client: ClientConnection, messages: list[str | bytes], code: int) -> None:
    """Say something, and be closed for it."""
    with contextlib.suppress(ConnectionClosed):
        for message in messages:
            await client.send(message)
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(to_the_end(client), 10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


async def test_who_says_something_nearly_right_is_told_what_is_wrong() -> None:
    async with feed(Stage()) as server, screen(server) as client:
        await client.send('{"kind":"replay","do":"' + "é" * 200 + '"}')
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(to_the_end(client), 10)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason[:35]) == (1008, "not understood: Invalid enum value ")


async def test_plain_http_lists_the_sessions_and_explains_what_is_not_there() -> None:
    stage = Stage(max_screens=1)
    async with feed(stage) as server, httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as http:
        listed = await http.get("/v1/sessions")
        assert listed.status_code == 200
        assert listed.headers["content-type"] == "application/json"
        assert listed.headers["access-control-allow-origin"] == "*"
        assert listed.json()["sessions"][0] == {
            "session": "race", "name": "Course 1", "kind": "race", "status": "running", "seq": 0, "at": 1, "fault": None,
        }  # fmt: skip
        unknown = await http.get("/v1/sessions/no%20such")
        assert (unknown.status_code, unknown.json()) == (404, {"error": "there is no session 'no such'; /v1/sessions lists the sessions"})
        assert (await http.get("//[")).status_code == 404
        async with screen(server):
            await until(lambda: server.screens == 1)
            with pytest.raises(InvalidStatus) as refused:
                await screen(server)
            assert refused.value.response.status_code == 503
            assert refused.value.response.headers["Retry-After"] == "10"
        stage.ready = False
        starting = await http.get("/v1/sessions/race")
        assert (starting.status_code, starting.json()) == (503, {"error": "the service is starting; try again in a second"})


async def test_two_hundred_screens_see_the_same() -> None:
    stage = Stage()
    async with feed(stage) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(screen(server)) for _ in range(200)]
        for _ in range(20):
            stage.lap()
            await asyncio.sleep(0)
        states = await asyncio.gather(*(watch(client, 21) for client in clients))
        assert all(state == stage.snapshot() for state in states)
        assert server.screens == 200
        await asyncio.gather(*(client.close() for client in clients[:50]))
        await until(lambda: server.screens == stage.race.screens == 150)


class SlowScreen:
    """A client that reads only when told: a bare socket with a small buffer, and the WebSocket protocol without I/O."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/v1/sessions/race"), max_size=None)
        self.protocol.send_request(self.protocol.connect())
        self.socket.sendall(b"".join(self.protocol.data_to_send()))

    def read(self, rev: int | None = None) -> tuple[list[dict[str, Any]], int]:
        """Read until frame ``rev``, or until the end; give the frames and the number of bytes."""
        frames: list[dict[str, Any]] = []
        size = 0
        while rev is None or not frames or frames[-1]["rev"] != rev:
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                break
            if not data:
                break
            size += len(data)
            self.protocol.receive_data(data)
            frames += [
                json.loads(bytes(event.data)) for event in self.protocol.events_received() if isinstance(event, Frame) and event.opcode == 1
            ]
        return frames, size

    def close(self) -> None:
        self.socket.close()


async def slow_and_quick() -> None:
    """Let a screen sleep through two hundred frames of 50 KB, and then read."""
    stage = Stage()
    async with feed(stage) as server, screen(server) as quick:
        slow = await asyncio.to_thread(SlowScreen, server.port)
        await until(lambda: server.screens == 2)
        state = await watch(quick, 1)
        noise = base64.b64encode(bytes(36_000)).decode()
        for n in range(200):
            stage.lap(f"{n}{noise}")
            state = await watch(quick, stage.framer.rev, state)
        assert state == stage.snapshot()
        frames, size = await asyncio.to_thread(slow.read, stage.framer.rev)
        first, *others = [frame["kind"] for frame in frames]
        assert first == "snapshot"
        assert others[:-1] == ["delta"] * (len(others) - 1)
        assert others[-1] == "snapshot"
        assert size < 150 * 50_000
        seen = None
        for frame in frames:
            seen, verdict = receive(seen, frame)
            assert verdict == "applied"
        assert seen == stage.snapshot()
        stage.lap()
        frames, _ = await asyncio.to_thread(slow.read, stage.framer.rev)
        assert [frame["kind"] for frame in frames] == ["delta"]
        slow.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_slow_screen_gets_one_snapshot_and_holds_nobody(run: Callable[[Any], None]) -> None:
    run(slow_and_quick())


async def test_a_screen_that_never_reads_is_cut_and_others_are_not() -> None:
    stage = Stage()
    async with feed(stage, limits=Limits(stall_s=0.2)) as server, screen(server) as quick:
        slow = await asyncio.to_thread(SlowScreen, server.port)
        await until(lambda: server.screens == 2)
        noise = "x" * 50_000
        state = await watch(quick, 1)
        for _ in range(200):
            stage.lap(f"{stage.laps}{noise}")
            state = await watch(quick, stage.framer.rev, state)
        await until(lambda: server.screens == 1)
        stage.lap()
        assert await watch(quick, stage.framer.rev, state) == stage.snapshot()
        assert stage.race.screens == 1
        slow.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_the_end_is_said_and_waits_for_nobody(run: Callable[[Any], None]) -> None:
    async def end() -> None:
        stage = Stage()
        async with asyncio.timeout(8), contextlib.AsyncExitStack() as stack:
            server = await stack.enter_async_context(feed(stage, limits=Limits(close_s=0.5)))
            quick = await screen(server)
            stalled, silent = [await asyncio.to_thread(SlowScreen, server.port) for _ in range(2)]
            await until(lambda: server.screens == 3)
            await asyncio.to_thread(silent.read, 1)
            noise = "x" * 50_000
            state = await watch(quick, 1)
            for n in range(100):
                stage.lap(f"{n}{noise}")
                state = await watch(quick, stage.framer.rev, state)
            mute = await asyncio.to_thread(SlowScreen, server.port)
            await until(lambda: server.screens >= 2)
            closing = asyncio.create_task(stack.aclose())
            with pytest.raises(ConnectionClosed) as closed:
                await quick.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            await closing
            assert (server.screens, stage.race.screens) == (0, 0)
            stalled.close()
            silent.close()
            mute.close()

    run(end())


async def test_small_frames_do_not_wait_for_each_other() -> None:
    stage = Stage()
    async with feed(stage) as server, screen(server) as client:
        await watch(client, 1)
        for connection in server._screens:
            assert connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_the_wire_form_is_what_the_library_itself_would_send(size: int) -> None:
    library = ServerProtocol(state=State.OPEN)
    library.send_text(b"x" * size)
    assert wire_form(b"x" * size) == b"".join(library.data_to_send())


DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "feed.md").read_text(encoding="utf-8")


async def test_the_client_of_the_reference_works(tmp_path: Path) -> None:
    program = tmp_path / "client.py"
    program.write_text(DOCUMENT.split("```python\n")[1].split("```")[0], encoding="utf-8")
    stage = Stage()
    async with feed(stage) as server:
        address = f"ws://127.0.0.1:{server.port}/v1/sessions/race"
        client = await asyncio.create_subprocess_exec(sys.executable, str(program), address, stdout=asyncio.subprocess.PIPE)
        assert client.stdout is not None
        try:
            assert await asyncio.wait_for(client.stdout.readline(), 10) == b"1 ['007', '1A']\n"
            stage.lap()
            assert await asyncio.wait_for(client.stdout.readline(), 10) == b"2 ['007', '1A']\n"
        finally:
            client.terminate()
            await client.communicate()


@pytest.mark.parametrize("host", ["127.0.0.1", "203.0.113.9"], ids=["taken", "another machine's"])
async def test_an_address_that_cannot_be_had_is_said_in_a_line(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TimingError, match=rf"^the feed cannot listen on {host}:{port}: [A-Z][a-z ]+; choose another port"):
            await Feed(Stage(), host=host, port=port).__aenter__()


ASK = '{"kind":"explain","car":"7"}'


def explained(session: str, car: str) -> bytes:
    return msgspec.json.encode({"kind": "explanation", "session": session, "car": car, "explanation": {"words": ["P1"]}})


async def test_a_screen_asks_what_a_place_rests_on_and_frames_go_on() -> None:
    stage = Stage()
    async with feed(stage, explain=explained) as server, screen(server) as client, screen(server) as other:
        await watch(client, 1)
        state = await watch(other, 1)
        await client.send(ASK)
        answer = json.loads(await client.recv())
        assert (answer["kind"], answer["session"], answer["car"]) == ("explanation", "race", "7")
        stage.lap()
        assert json.loads(await client.recv())["rev"] == 2
        assert (await watch(other, 2, state))["rev"] == 2, "who did not ask gets no answer"


async def test_too_many_questions_end_a_connection_and_resyncs_are_counted_apart() -> None:
    async with feed(Stage(), explain=explained) as server, screen(server) as client:
        for _ in range(10):
            await client.send(ASK)
            await client.send(RESYNC)
        await client.send(ASK)
        with pytest.raises(ConnectionClosed) as closed:
            await to_the_end(client)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "too many questions; ask more slowly")


@pytest.mark.parametrize("asked", ['{"kind":"explain"}', '{"kind":"explain","car":7}', '{"kind":"explain","car":"123456789"}'])
async def test_a_question_without_a_car_is_none(asked: str) -> None:
    async with feed(Stage(), explain=explained) as server, screen(server) as client:
        await client.send(asked)
        with pytest.raises(ConnectionClosed) as closed:
            await to_the_end(client)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_where_nobody_explains_a_question_ends_the_connection() -> None:
    async with feed(Stage()) as server, screen(server) as client:
        await client.send(ASK)
        with pytest.raises(ConnectionClosed) as closed:
            await to_the_end(client)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
