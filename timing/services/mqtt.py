"""MQTT as a log needs it: all that lies beneath aiomqtt's surface, in this one place.

aiomqtt acknowledges before the application has seen a message, and drops when its bounded queue is full. A ``Link`` acknowledges only
when told to, and stops reading the socket when too much waits: the broker then keeps what it has.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import aiomqtt
from msgspec import Struct
from paho.mqtt.client import MQTT_ERR_AGAIN, MQTT_ERR_SUCCESS, PUBACK, ConnectFlags, MQTTMessage
from paho.mqtt.client import Client as Paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from timing.domain.errors import BrokerError, ConfigurationError

_REFUSED = 0x80
"""What a broker grants in place of a quality of service when it lets us not read a topic."""

_PACKETS = 100
"""The most packets read in one turn of the event loop: others want their turn too."""


class Address:
    """Where a broker is, and who we are there. Its text never shows the password.

    ``context``: for ``mqtts://``, whom to trust and what to show; left out, whom the system trusts.
    """

    def __init__(self, url: str, environment: Mapping[str, str] = os.environ, *, context: ssl.SSLContext | None = None) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"the broker's address cannot be read ({error}); write mqtt://HOST:PORT") from None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ConfigurationError("the broker's address has the form mqtt://HOST:PORT, or mqtts:// for one with TLS")
        self.host = parts.hostname
        self.tls = parts.scheme == "mqtts"
        self.port = port or (8883 if self.tls else 1883)
        self.context = (context or ssl.create_default_context()) if self.tls else None
        self.username = unquote(parts.username) if parts.username else environment.get("TIMING_BROKER_USER")
        self.password = unquote(parts.password) if parts.password else environment.get("TIMING_BROKER_PASSWORD")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    __repr__ = __str__


class Arrival(Struct, frozen=True, gc=False):
    """A message as it came. ``again``: the broker says that it has delivered it before."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    again: bool
    retained: bool


class Link(aiomqtt.Client):
    """One connection, entered once; after a loss a new one is made, so message ids of two connections can never be mixed up.

    At ``high`` arrivals not yet taken the socket is no longer read, at a quarter of that it is again.
    """

    def __init__(
        self,
        address: Address,
        *,
        client_id: str,
        clean_session: bool,
        high: int = 4_000,
        timeout: float = 5.0,
        keepalive: int = 30,
        on_delivered: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=clean_session,
            timeout=timeout,
            keepalive=keepalive,
            max_inflight_messages=65_535,  # whoever sends bounds what is on its way
            tls_context=address.context,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._client.manual_ack_set(True)
        self._address = address
        self._high, self._low = high, high // 4
        self._on_delivered = on_delivered
        self._arrivals: deque[Arrival] = deque()
        self._something = asyncio.Event()  # an arrival, or the end of the connection
        self._written = asyncio.Event()
        self._fileno: int | None = None
        self._abandoned = False
        self.paused = False
        self.session_present = False

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            BrokerError: the broker does not answer, or refuses us.

        """
        self._client.connect_timeout = self.timeout
        try:
            await super().__aenter__()
        except BaseException as error:
            self._abandoned = True
            self._client._sock_close()  # noqa: SLF001  # aiomqtt leaves it open when the broker does not answer
            if isinstance(error, aiomqtt.MqttError):
                raise BrokerError(f"the broker at {self._address} cannot be reached: {error}") from None
            raise
        self._disconnected.add_done_callback(lambda _: self._wake())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take leave of the broker; it keeps a session that is not clean."""
        try:
            await super().__aexit__(kind, error, trace)
        except aiomqtt.MqttError:
            pass  # it does not take our leave: gone all the same
        finally:
            self._client._sock_close()  # noqa: SLF001  # harmless where it is closed
            if self._disconnected.done() and not self._disconnected.cancelled():
                self._disconnected.exception()  # looked at, so that asyncio does not report it as overlooked

    @property
    def lost(self) -> bool:
        """Say whether the connection is over."""
        return self._disconnected.done()

    @property
    def waiting(self) -> int:
        """Count the arrivals not yet taken."""
        return len(self._arrivals)

    async def listen(self, filters: list[str], qos: int = 1) -> None:
        """Subscribe.

        Raises:
            BrokerError: the broker does not let us, or is gone.

        """
        try:
            granted = await self.subscribe([(name, qos) for name in filters])
        except aiomqtt.MqttError as error:
            raise BrokerError(f"the broker at {self._address} does not answer to a subscription: {error}") from None
        for name, code in zip(filters, granted, strict=True):
            if code == _REFUSED:  # a number in MQTT 3.1.1; aiomqtt gives it as a paho ReasonCode, which equals its number
                raise BrokerError(f"the broker at {self._address} does not let this user read {name}; grant it there")

    async def settle(self, seconds: float) -> None:
        """Let arrivals gather, then put those delivered again before the new ones.

        Raises:
            BrokerError: the connection is lost.

        """
        await asyncio.wait([self._disconnected], timeout=seconds)
        if self._disconnected.done():
            raise self._loss()
        self._arrivals = deque(sorted(self._arrivals, key=lambda arrival: not arrival.again))

    async def take(self, most: int) -> list[Arrival]:
        """Wait for arrivals and give up to ``most`` of them, in order. What came before a loss is given first.

        Raises:
            BrokerError: the connection is lost.

        """
        while not self._arrivals:
            if self._disconnected.done():
                raise self._loss()
            self._something.clear()
            await self._something.wait()
        arrivals = self._arrivals
        taken = [arrivals.popleft() for _ in range(min(most, len(arrivals)))]
        if self.paused and len(arrivals) <= self._low:
            self._resume()
        return taken

    def acknowledge(self, arrivals: Iterable[Arrival]) -> None:
        """Acknowledge arrivals of this connection, in one write. After a loss nothing is done: the broker delivers them again."""
        acknowledgements = b"".join(b"\x40\x02" + arrival.mid.to_bytes(2) for arrival in arrivals if arrival.qos)
        if acknowledgements and not self.lost:
            self._client._packet_queue(PUBACK, acknowledgements, 0, 0)  # noqa: SLF001  # one by one costs a third of the throughput

    def send(self, topic: str, payload: bytes, qos: int) -> int:
        """Send a message without waiting, and give its id; ``on_delivered`` hears that id when the broker has taken the message.

        Raises:
            BrokerError: the connection is lost.

        """
        if self.lost:
            raise self._loss()
        sent = self._client.publish(topic, payload, qos)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise BrokerError(f"the broker at {self._address} cannot be sent to: {aiomqtt.MqttCodeError(sent.rc)}")
        return sent.mid

    async def flushed(self) -> None:
        """Wait until everything sent is with the operating system, or the connection is lost."""
        while self._client.want_write() and not self.lost:
            self._written.clear()
            await self._written.wait()

    async def ended(self) -> BrokerError:
        """Wait for the end of the connection, and say why it ended."""
        await asyncio.wait([self._disconnected])
        return self._loss()

    def _loss(self) -> BrokerError:
        error = self._disconnected.exception()
        return BrokerError(f"the connection to the broker at {self._address} is lost{f': {error}' if error else ''}")

    def _wake(self) -> None:
        self._something.set()
        self._written.set()

    # --- beneath aiomqtt: its paho callbacks ---------------------------------------------------------------------------------------

    def _on_connect(self, client: Paho, userdata: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None = None) -> None:
        self.session_present = flags.session_present
        super()._on_connect(client, userdata, flags, code, properties)

    def _on_message(self, client: Paho, userdata: Any, message: MQTTMessage) -> None:  # noqa: ARG002  # paho's signature
        try:
            topic = message.topic
        except UnicodeDecodeError:  # raised here it would end the connection, each time the message is delivered again
            topic = message._topic.decode(errors="backslashreplace")  # noqa: SLF001
        self._arrivals.append(Arrival(topic, bytes(message.payload), message.qos, message.mid, message.dup, message.retain))
        self._something.set()

    def _on_publish(self, client: Paho, userdata: Any, mid: int, code: ReasonCode, properties: Properties) -> None:
        super()._on_publish(client, userdata, mid, code, properties)
        if self._on_delivered:
            self._on_delivered(mid)

    def _on_socket_open(self, client: Paho, userdata: Any, sock: Any) -> None:  # noqa: ARG002  # paho's signature; runs in another thread
        def begin() -> None:
            if self._abandoned:
                client._sock_close()  # noqa: SLF001
                return
            self._fileno = sock.fileno()
            self._loop.add_reader(sock.fileno(), self._read)
            self._misc_task = self._loop.create_task(self._misc_loop())

        self._loop.call_soon_threadsafe(begin)

    def _on_socket_close(self, client: Paho, userdata: Any, sock: Any) -> None:
        self._fileno = None
        super()._on_socket_close(client, userdata, sock)

    def _on_socket_register_write(self, client: Paho, userdata: Any, sock: Any) -> None:  # noqa: ARG002  # paho's signature
        def begin() -> None:
            if self._fileno is not None:  # closed meanwhile, its number may be another socket's already
                self._loop.add_writer(self._fileno, self._write)

        self._loop.call_soon_threadsafe(begin)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001  # as aiomqtt does: whatever it is, this connection is over
            self._fail(error)

    def _on_socket_unregister_write(self, client: Paho, userdata: Any, sock: Any) -> None:
        super()._on_socket_unregister_write(client, userdata, sock)
        self._written.set()

    def _read(self) -> None:
        """Read what has come, but not more than may wait."""
        client = self._client
        try:
            for _ in range(_PACKETS):
                if len(self._arrivals) >= self._high:
                    self._pause()
                    return
                status = client._packet_read()  # noqa: SLF001  # loop_read() reads one packet a turn, and hides whether more is there
                if status == MQTT_ERR_AGAIN:
                    return
                if status != MQTT_ERR_SUCCESS:
                    client._loop_rc_handle(status)  # noqa: SLF001
                    return
        except Exception as error:  # noqa: BLE001  # as aiomqtt does: whatever it is, this connection is over
            self._fail(error)
        else:
            if self._fileno is not None:
                self._loop.call_soon(self._read_on)  # a TLS socket may hold more than its file descriptor shows

    def _fail(self, error: Exception) -> None:
        if not self._disconnected.done():
            self._disconnected.set_exception(error)

    def _read_on(self) -> None:
        if self._fileno is not None and not self.paused:
            self._read()

    def _pause(self) -> None:
        if self._fileno is not None:
            self.paused = True
            self._loop.remove_reader(self._fileno)

    def _resume(self) -> None:
        self.paused = False
        if self._fileno is not None:
            self._loop.add_reader(self._fileno, self._read)
            self._loop.call_soon(self._read_on)


def _connect(address: Address) -> bytes:
    """Write the packet that asks to be let in: 3.1.1, clean session, keep alive 10 s, a client id of four bytes, and who we are."""
    named = [text.encode() for text in (address.username, address.password) if text is not None]
    flags = 0x02 | (0x80 if address.username is not None else 0) | (0x40 if address.password is not None else 0)
    fields = [os.urandom(2).hex().encode(), *named]
    rest = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x0a" + b"".join(len(field).to_bytes(2) + field for field in fields)
    length = bytes([len(rest)]) if len(rest) < 0x80 else bytes([len(rest) & 0x7F | 0x80, len(rest) >> 7])
    return b"\x10" + length + rest


async def probe(address: Address) -> None:
    """Wait until a broker accepts connections; the caller bounds the time.

    Raises:
        BrokerError: it answers, but not as a broker that takes us.

    """
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # a fault of TLS is an OSError too
            reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.context)
            try:
                writer.write(_connect(address))
                answer = await reader.readexactly(4)
                writer.write(b"\xe0\x00")
                await writer.drain()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            if answer[:2] != b"\x20\x02" or answer[3] not in {0, 5}:  # 5: it wants a user, so it is up
                raise BrokerError(f"what answers at {address} is no MQTT broker that takes us (its answer: {answer.hex()})")
            return
        await asyncio.sleep(0.02)
