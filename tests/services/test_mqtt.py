"""The link: what lies beneath aiomqtt does what ingest rests on."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from certificates import self_signed

from timing.domain.errors import BrokerError, ConfigurationError
from timing.services.mqtt import Address, Arrival, Link, probe

Eventually = Callable[..., Awaitable[None]]


def test_an_address_is_read_and_never_shows_the_password() -> None:
    address = Address("mqtt://ann:s%40cret@Broker.example", {})
    assert (address.host, address.port, address.tls) == ("broker.example", 1883, False)
    assert (address.username, address.password) == ("ann", "s@cret")
    assert str(address) == repr(address) == "mqtt://broker.example:1883"
    assert (Address("mqtts://b", {}).port, Address("mqtts://b", {}).tls) == (8883, True)
    assert str(Address("mqtt://[::1]:99", {})) == "mqtt://[::1]:99"


def test_the_user_may_come_from_the_environment() -> None:
    environment = {"TIMING_BROKER_USER": "ann", "TIMING_BROKER_PASSWORD": "secret"}
    address = Address("mqtt://broker", environment)
    assert (address.username, address.password) == ("ann", "secret")
    assert Address("mqtt://bob:x@broker", environment).username == "bob"


@pytest.mark.parametrize(
    "url", ["", "broker:1883", "http://broker", "mqtt://", "mqtt://b:port", "mqtt://b:99999", "mqtt://b/topic", "mqtt://[x"]
)
def test_an_address_that_cannot_be_used_is_said(url: str) -> None:
    with pytest.raises(ConfigurationError, match="mqtt://HOST:PORT"):
        Address(url, {})


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[Address]:
    """Let something that is no real broker listen."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address(f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def take(link: Link, count: int) -> list[Arrival]:
    got: list[Arrival] = []
    async with asyncio.timeout(10):
        while len(got) < count:
            got += await link.take(count - len(got))
    return got


async def test_unacknowledged_messages_come_again_and_acknowledged_ones_do_not(broker: Any, cutter: Any) -> None:
    address = Address(broker.url)
    async with Link(address, client_id="s", clean_session=True) as sender:
        first = Link(address, client_id="r", clean_session=False)
        async with first:
            assert not first.session_present
            await first.listen(["timing/v1/+/#"])
            for n in range(60):
                sender.send("timing/v1/x/control", b"%d" % n, qos=1)
            got = await take(first, 60)
            first.acknowledge(got[:20])
            await first.flushed()
            await first.listen(["timing/v1/answered"])  # only now has the broker surely read what came before: a cut drops what it has not
            cutter(first)
            assert "lost" in str(await first.ended())
            first.acknowledge(got[20:40])  # its message ids mean nothing any more: nobody is told
        async with Link(address, client_id="r", clean_session=False) as second:
            assert second.session_present
            again = await take(second, 40)
            assert [int(a.payload) for a in again] == list(range(20, 60))
            assert all(a.again for a in again)
            second.acknowledge(again)


async def test_what_came_before_a_loss_is_given_and_then_the_loss(broker: Any, cutter: Any, eventually: Eventually) -> None:
    async with Link(Address(broker.url), client_id="r", clean_session=True) as link:
        await link.listen(["timing/v1/+/#"])
        for n in range(10):
            link.send("timing/v1/x/control", b"%d" % n, qos=1)
        await eventually(lambda: link.waiting == 10)
        cutter(link)
        await link.ended()
        assert len(await link.take(100)) == 10
        with pytest.raises(BrokerError, match="is lost"):
            await link.take(100)
        with pytest.raises(BrokerError, match="is lost"):
            link.send("timing/v1/x/control", b"", qos=1)
        await link.flushed()


async def test_it_reads_no_more_than_may_wait_and_then_goes_on(broker: Any, eventually: Eventually) -> None:
    delivered: list[int] = []
    address = Address(broker.url)
    async with (
        Link(address, client_id="r", clean_session=True, high=40) as link,
        Link(address, client_id="s", clean_session=True, on_delivered=delivered.append) as sender,
    ):
        await link.listen(["timing/v1/+/#"])
        for n in range(500):
            sender.send("timing/v1/x/control", b"%d" % n, qos=1)
        await eventually(lambda: link.paused and len(delivered) == 500)
        assert link.waiting == 40
        got: list[Arrival] = []
        while len(got) < 500:
            batch = await take(link, 1)
            assert link.waiting <= 40
            link.acknowledge(batch)
            got += batch
        assert [int(a.payload) for a in got] == list(range(500))
        assert not link.paused


async def test_a_pause_ends_with_the_connection(broker: Any, cutter: Any, eventually: Eventually) -> None:
    async with Link(Address(broker.url), client_id="r", clean_session=True, high=5) as link:
        await link.listen(["timing/v1/+/#"])
        for n in range(20):
            link.send("timing/v1/x/control", b"%d" % n, qos=1)
        await eventually(lambda: link.paused)
        cutter(link)
        assert len(await take(link, 5)) == 5
        with pytest.raises(BrokerError):
            await take(link, 1_000)


async def test_settling_puts_first_what_comes_again(broker: Any) -> None:
    async with Link(Address(broker.url), client_id="r", clean_session=True) as link:
        for n, again in enumerate([False, True, False, True]):
            link._arrivals.append(Arrival("t", b"%d" % n, 1, n, again, retained=False))
        await link.settle(0.01)
        assert [a.mid for a in await link.take(9)] == [1, 3, 0, 2]


async def test_a_retained_message_says_that_it_is(broker: Any, eventually: Eventually) -> None:
    delivered: list[int] = []
    async with Link(Address(broker.url), client_id="s", clean_session=True, on_delivered=delivered.append) as link:
        link._client.publish("timing/v1/x/control", b"kept", 1, retain=True)
        await eventually(lambda: bool(delivered))
        await link.listen(["timing/v1/+/#"])
        [arrival] = await take(link, 1)
        assert (arrival.payload, arrival.retained) == (b"kept", True)


async def test_a_broker_that_is_not_there_is_said(unused_port: int) -> None:
    with pytest.raises(BrokerError, match="cannot be reached"):
        async with Link(Address(f"mqtt://127.0.0.1:{unused_port}"), client_id="r", clean_session=True):
            pass


async def test_one_that_takes_the_connection_and_says_nothing_is_left() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as address:
        with pytest.raises(BrokerError, match="cannot be reached"):
            async with Link(address, client_id="r", clean_session=True, timeout=0.3):
                pass


async def test_a_topic_that_is_no_text_does_not_end_the_connection() -> None:
    """Some brokers let it through; raised in the callback it would come again for ever."""
    packet = b"\x32\x0b" + b"\x00\x02\xff\xfe" + b"\x00\x07" + b"hello"

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"\x20\x02\x00\x00" + packet)
        await reader.read()

    async with listening(broker) as address, Link(address, client_id="r", clean_session=True) as link:
        [arrival] = await take(link, 1)
        assert (arrival.topic, arrival.payload, arrival.mid) == ("\\xff\\xfe", b"hello", 7)
        assert not link.lost


async def test_a_subscription_that_is_refused_is_said() -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"\x20\x02\x00\x00")
        subscribe = await reader.read(1_000)
        writer.write(b"\x90\x03" + subscribe[2:4] + b"\x80")
        await reader.read()

    async with listening(broker) as address, Link(address, client_id="r", clean_session=True) as link:
        with pytest.raises(BrokerError, match="does not let this user read"):
            await link.listen(["timing/v1/+/#"])


async def test_cancelled_while_it_connects_it_leaves_no_socket() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side has gone
        gone.set()

    gone = asyncio.Event()
    async with listening(silent) as address:
        link = Link(address, client_id="r", clean_session=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await link.__aenter__()
        async with asyncio.timeout(5):
            await gone.wait()


async def test_the_probe_tells_a_broker_from_something_else(broker: Any) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    await probe(Address(broker.url))
    async with listening(other) as address:
        with pytest.raises(BrokerError, match="no MQTT broker"):
            await probe(address)


@pytest.fixture
def guards(tmp_path: Path) -> dict[str, str]:
    """Settings of a Mosquitto with TLS and one user, ann, whose password is s3cret."""
    certificate, key = self_signed(tmp_path, "localhost")
    users = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "ann", "s3cret"], check=True, capture_output=True)
    for file in (key, users):
        file.chmod(0o600)
    return {"allow_anonymous": "false", "password_file": str(users), "certfile": str(certificate), "keyfile": str(key)}


def url_for(broker: Any, user: str) -> str:
    return str(broker.url.replace("//", f"//{user}@"))


@pytest.mark.mosquitto
async def test_tls_and_a_password(guards: dict[str, str], mosquitto: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", guards["certfile"])
    async with mosquitto(**guards) as broker:
        async with Link(Address(url_for(broker, "ann:s3cret")), client_id="a", clean_session=True, high=50) as link:
            await link.listen(["timing/v1/+/#"])
            for n in range(500):
                link.send("timing/v1/x/control", b"%d" % n + b" " * 1_000, qos=1)
            got: list[Arrival] = []
            while len(got) < 500:  # also what TLS has read ahead while the link paused
                got += await take(link, 10)
                link.acknowledge(got[-10:])
            assert [int(a.payload) for a in got] == list(range(500))
        with pytest.raises(BrokerError, match=r"(?i)not authori[sz]ed") as refused:
            async with Link(Address(url_for(broker, "ann:guessed")), client_id="a", clean_session=True):
                pass
        assert "guessed" not in str(refused.value)


@pytest.mark.mosquitto
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves the socket of a failed handshake to be collected
async def test_a_certificate_that_nobody_vouches_for_is_refused(guards: dict[str, str], mosquitto: Callable[..., Any]) -> None:
    async with mosquitto(**guards) as broker:
        with pytest.raises(BrokerError, match="certificate"):
            async with Link(Address(url_for(broker, "ann:s3cret")), client_id="a", clean_session=True):
                pass
