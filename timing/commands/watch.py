"""``timing watch``: the live leaderboard in a terminal, from any feed; it comes back by itself when the connection is lost."""

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import click
from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from timing.commands.watch_table import head, table
from timing.domain.errors import ConfigurationError, TimingError
from timing.projections.frames import State, receive

LONGEST_PAUSE_S = 10.0
ANSWER_S = 10.0


class FeedUnreachable(TimingError):
    """There is no feed, or no such session, at the address. The command line prints it; while watching it is tried again."""


class View(Struct):
    """What is known, since when (by this machine's own monotonic clock), and whether the connection stands."""

    state: State | None = None
    since: float = 0.0
    trouble: str | None = None


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
    async with connect(address + query, compression=None, max_size=None, open_timeout=ANSWER_S, additional_headers=shown) as connection:
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


def picture(view: View, width: int, *, plain: bool = False) -> RenderableType:
    """Draw what is known."""
    if view.state is None:
        return head(None, 0, view.trouble or "connecting", plain=plain)
    gone = int((time.monotonic() - view.since) * 1_000_000)
    return Group(head(view.state, gone, view.trouble, plain=plain), table(view.state, width, plain=plain))


async def watch_live(address: str, console: Console) -> None:
    """Draw the board on the whole screen, anew at every change and four times a second for the clock."""
    view = View()
    with Live(console=console, screen=True, refresh_per_second=4, get_renderable=lambda: picture(view, console.width)):
        async for _ in follow(address, view):
            pass


async def watch_plain(address: str, console: Console, *, pause_s: float = 1.0) -> None:
    """Print the board whenever it changed, at most once every ``pause_s``."""
    view = View()
    changed = asyncio.Event()

    async def listen() -> None:
        async for _ in follow(address, view):
            changed.set()

    listening = asyncio.create_task(listen())
    try:
        while True:
            await changed.wait()
            changed.clear()
            console.print(picture(view, console.width, plain=True))
            await asyncio.sleep(pause_s)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


@click.command(name="watch")
@click.argument("url", default="ws://127.0.0.1:8765")
@click.option("--once", is_flag=True, help="Print the leaderboard once and end.")
@click.option("--plain", is_flag=True, help="Plain text: no colours, nothing drawn over; printed anew when it changes.")
def command(url: str, *, once: bool, plain: bool) -> None:
    """Show the live leaderboard of a feed in the terminal.

    URL is the feed (ws://HOST:8765), of which the running session is shown, or else the latest, or one session's address
    (ws://HOST:8765/v1/sessions/SESSION). Ctrl-C ends it.
    """
    console = Console(no_color=plain or None, highlight=False)
    address = session_address(url)
    if once:
        view = View(asyncio.run(first_state(address)), time.monotonic())
        console.print(picture(view, console.width, plain=plain))
        return
    watch: Callable[[str, Console], object] = watch_plain if plain or not console.is_terminal else watch_live
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(address, console))  # type: ignore[arg-type]  # both are coroutines
