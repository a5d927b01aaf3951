"""``timing watch``: the live leaderboard in a terminal, from any feed; it comes back by itself when the connection is lost."""

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import click
from rich.console import Console, RenderableType
from rich.live import Live
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from timing.commands.watch_keys import keys
from timing.commands.watch_screen import Choice, View, check_classes, check_columns, picture, pressed, screen
from timing.domain.errors import ConfigurationError, TimingError
from timing.projections.frames import State, receive

LONGEST_PAUSE_S = 10.0
ANSWER_S = 10.0
GOODBYE_S = 1.0
"""How long the end waits for the feed's goodbye: of one that is gone none will come."""
_REDRAWN_S, _SHORTEST_S = 0.25, 0.05  # the clock's pace, and the shortest time between two drawings


class FeedUnreachable(TimingError):
    """There is no feed, or no such session, at the address. The command line prints it; while watching it is tried again."""


def session_address(url: str) -> str:
    """Give the address of a session's feed; where ``url`` names only the host, ask it for its sessions and take the running one.

    Raises:
        ConfigurationError: not the address of a feed.
        FeedUnreachable: nobody answers, or there are no sessions.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigurationError(f"{url} is not the address of a feed; give one like ws://127.0.0.1:8765")
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    if path not in {"", "/v1/sessions"}:
        return base + path
    try:
        asked = Request(f"http{base[2:]}/v1/sessions", headers=_signed_in())  # noqa: S310  # http or https: checked above
        with urlopen(asked, timeout=ANSWER_S) as answer:  # noqa: S310  # the same
            sessions = json.load(answer)["sessions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FeedUnreachable(f"no feed answers at {base} ({error}); is `timing serve` running?") from None
    if not sessions:
        raise FeedUnreachable(f"the feed at {base} has no sessions yet; publish one with `timing publish FILE`")
    running = [entry for entry in sessions if entry["status"] in {"running", "suspended"}]
    return f"{base}/v1/sessions/{quote((running or sessions)[-1]['session'])}"


def _signed_in() -> dict[str, str]:
    """Give the header that shows the token in ``TIMING_TOKEN``: for feeds that are not public. On a command line others would read it."""
    token = os.environ.get("TIMING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


async def follow(address: str, view: View) -> AsyncIterator[None]:
    """Keep ``view`` up to date, yielding at every change of it. Ends never: a lost connection is taken up where it was left.

    Between attempts it waits up to twice as long each time, at most ``LONGEST_PAUSE_S``, and less at random, so that not all come at once.
    """
    attempts = 0
    while True:
        try:
            async for _ in _frames(address, view):
                attempts = 0
                yield
            view.trouble = "the feed closed the connection"
        except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
            view.trouble = str(error) or type(error).__name__
        yield
        attempts += 1
        await asyncio.sleep(min(LONGEST_PAUSE_S, 0.25 * 2**attempts) * random.uniform(0.5, 1))  # noqa: S311  # spreads load, no secret


async def _frames(address: str, view: View) -> AsyncGenerator[None, None]:
    known = view.state
    query = "?" + urlencode({"epoch": known["epoch"], "rev": known["rev"]}) if known else ""
    shown = _signed_in()
    limits: dict[str, Any] = {"max_size": None, "open_timeout": ANSWER_S, "close_timeout": GOODBYE_S}
    async with connect(address + query, compression=None, additional_headers=shown, **limits) as connection:
        asked = False
        if known:
            view.trouble = None
            yield
        async for message in connection:
            view.state, verdict = receive(view.state, json.loads(message))
            if verdict == "resync" and not asked:
                await connection.send('{"kind":"resync"}')
            asked = verdict == "resync" or (asked and verdict == "ignored")
            if verdict == "applied":
                view.since, view.trouble = time.monotonic(), None
                yield


async def first_state(address: str) -> State:
    """Give one snapshot.

    Raises:
        FeedUnreachable: none came.

    """
    view = View()
    try:
        async with asyncio.timeout(ANSWER_S):
            async with contextlib.aclosing(_frames(address, view)) as frames:
                await anext(frames, None)
    except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed, TimeoutError) as error:
        raise FeedUnreachable(
            f"no leaderboard from {address} ({str(error) or 'no answer'}); look at {address.rpartition('/')[0]}"
        ) from None
    if view.state is None:
        raise FeedUnreachable(f"the feed at {address} closed without a word")
    return view.state


def gone_us(view: View) -> int:
    """Give the time since the last frame came, in microseconds: the clock runs on by it."""
    return int((time.monotonic() - view.since) * 1_000_000)


async def watch_live(address: str, console: Console, choice: Choice) -> None:
    """Draw the board on the whole screen, anew at every change and key, and four times a second for the clock; ends at the key q."""
    view, changed = View(), asyncio.Event()

    def heard(key: str) -> None:
        pressed(key, choice, view.state, max(console.height // 2, 1))
        changed.set()

    def drawn() -> RenderableType:
        return screen(view, gone_us(view), console.width, console.height, choice)

    with Live(console=console, screen=True, auto_refresh=False, get_renderable=drawn, vertical_overflow="crop") as live, keys(heard):
        async with _listening(address, view, changed):
            while not choice.asked_to_end:
                live.refresh()
                await till_redrawn(changed)


async def till_redrawn(changed: asyncio.Event) -> None:
    """Wait for a change, but no longer than the clock may stand; whoever is cancelled is cancelled here, whatever came with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REDRAWN_S):  # not wait_for: before Python 3.12 that forgets a cancellation when a change comes with it
            await changed.wait()
    changed.clear()
    await asyncio.sleep(_SHORTEST_S)


@contextlib.asynccontextmanager
async def _listening(address: str, view: View, changed: asyncio.Event) -> AsyncIterator[None]:
    """Keep the view up to date for as long as the block lasts; ``changed`` says so."""

    async def listen() -> None:
        async for _ in follow(address, view):
            changed.set()

    listening = asyncio.create_task(listen())
    try:
        yield
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def watch_plain(address: str, console: Console, choice: Choice, *, pause_s: float = 1.0) -> None:
    """Print the board whenever it changed, at most once every ``pause_s``."""
    view, changed = View(), asyncio.Event()
    async with _listening(address, view, changed):
        while True:
            await changed.wait()
            changed.clear()
            console.print(picture(view, gone_us(view), console.width, choice=choice, plain=True))
            await asyncio.sleep(pause_s)


@click.command(name="watch")
@click.argument("url", default="ws://127.0.0.1:8765")
@click.option("--class", "classes", metavar="NAME", multiple=True, help="These cars alone; of one class, with places and gaps within it.")
@click.option(
    "--columns", metavar="NAME,...", help="These columns in this order, such as position,car,driver,points. [default: by the width]"
)
@click.option("--messages", metavar="N", type=click.IntRange(0, 50), help="How many messages. [5 on a terminal, else none]")
@click.option("--once", is_flag=True, help="Print the leaderboard once and end.")
@click.option("--plain", is_flag=True, help="Plain text: no colours, nothing drawn over; printed anew when it changes.")
def command(url: str, *, classes: tuple[str, ...], columns: str | None, messages: int | None, once: bool, plain: bool) -> None:
    """Show the live leaderboard of a feed in the terminal.

    URL is the feed (ws://HOST:8765), of which the running session is shown, or else the latest, or one session's address
    (ws://HOST:8765/v1/sessions/SESSION). On a terminal the table scrolls (arrows, PgUp, PgDn, Home, End), c shows one class after the
    other, m the messages or not, and q or Ctrl-C ends it. Into a pipe it prints plain lines. NO_COLOR is heeded.
    """
    console = Console(no_color=plain or None, highlight=False)
    address = session_address(url)
    on_screen = console.is_terminal and not plain and not once
    choice = Choice(messages=Choice().messages if on_screen else 0) if messages is None else Choice(messages=messages)
    if once or classes or columns:
        view = View(asyncio.run(first_state(address)), time.monotonic())
        assert view.state is not None
        choice.classes = check_classes(view.state, classes)
        choice.columns = check_columns(view.state, columns or "")
        if once:
            console.print(picture(view, 0, console.width, choice=choice, plain=plain or not console.is_terminal))
            return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch_live(address, console, choice) if on_screen else watch_plain(address, console, choice))
