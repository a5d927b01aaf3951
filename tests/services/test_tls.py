"""TLS by configuration: pages, feed and broker speak it alone, and nobody is trusted who should not be."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates import self_signed
from websockets.asyncio.client import connect

from timing.domain.errors import BrokerError, ConfigurationError
from timing.domain.roles import Rights
from timing.services.app import Service
from timing.services.broker_users import make_user
from timing.services.mqtt import Address
from timing.services.settings import Settings
from timing.services.tls import asking, pinned, serving

Opening = Callable[..., dict[str, Any]]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    certificate, key = self_signed(tmp_path / "tls")
    files: Any = {"certificate": certificate, "key": key, "mqtt_certificate": certificate, "mqtt_key": key}
    async with Service(Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0, **files)) as service:
        yield service


@pytest.fixture
def trusting(tmp_path: Path) -> ssl.SSLContext:
    return asking(tmp_path / "tls" / "timing.example.org.pem")


async def test_everything_speaks_tls_and_nothing_else(service: Service, tmp_path: Path, opening: Opening) -> None:
    where = service.addresses
    assert (where.pages[:8], where.feed[:6], where.mqtt[:8]) == ("https://", "wss://", "mqtts://")
    assert service.health().ok, "the service itself speaks with its broker"
    trust = asking(tmp_path / "tls" / "timing.example.org.pem")
    token, _ = service.access.tokens.issue("Anna", Rights(roles=("timekeeper",)), 3600)
    async with httpx.AsyncClient(base_url=where.pages, verify=trust, headers={"x-parcferme": "1"}) as client:
        answer = await client.post("/api/sign-in", json={"token": token}, headers={"origin": where.pages.rstrip("/")})
        assert "secure" in answer.headers["set-cookie"].lower()
        assert (await client.post("/api/sessions/race-1/session", json=opening())).status_code == 200
        page = await client.get("/sessions")
        assert f"connect-src 'self' wss://127.0.0.1:{service.feed.port}" in page.headers["content-security-policy"]
        assert (await client.get("/api/feed")).json()["url"] == where.feed
    async with connect(f"{where.feed}/v1/sessions/race-1", ssl=trust) as screen:
        assert '"kind":"snapshot"' in str(await screen.recv())
    with pytest.raises(httpx.TransportError):
        async with httpx.AsyncClient() as plain:
            await plain.get(where.pages.replace("https", "http"))


async def test_who_trusts_somebody_else_does_not_speak_with_us(service: Service) -> None:
    where = service.addresses
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        async with httpx.AsyncClient() as client:
            await client.get(where.pages)
    broker = Address(where.mqtt, {})
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(broker.host, broker.port, ssl=broker.context)


async def test_users_and_tls_together_through_the_command_lines_address(
    tmp_path: Path,
    opening: Opening,
    sender_of: Callable[..., Any],
    eventually: Callable[..., Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate, key = self_signed(tmp_path / "tls")
    files: Any = {"mqtt_certificate": certificate, "mqtt_key": key}
    settings = Settings(log=tmp_path / "log.db", mqtt_port=0, feed_port=0, web_port=0, mqtt_anonymous=False, **files)
    async with Service(settings) as service:
        office = make_user("office", "long-enough-password", rights=Rights(roles=("timekeeper",)), rounds=4)
        service.users.write([office])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        url = service.addresses.mqtt.replace("mqtts://", "mqtts://office:long-enough-password@")

        async def opened() -> bool:
            try:
                async with sender_of(url) as sender:
                    sender.open_session()
                    await eventually(lambda: sender.answers)
                    return bool(sender.answers[0][0] == "race-1/accepted/session")
            except BrokerError:
                return False

        async with asyncio.timeout(20):  # the broker reads its users every two seconds
            while not await opened():
                pass


def test_the_pinned_certificate_is_the_only_one(tmp_path: Path) -> None:
    one, _ = self_signed(tmp_path / "one")
    context = pinned(one)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.check_hostname
    assert len(context.get_ca_certs()) == 1, "the system's authorities are not asked"


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path / "one")
    _, other = self_signed(tmp_path / "two")
    (tmp_path / "junk").write_text("hello")
    for call, arguments in (
        (serving, (certificate, other)),
        (serving, (certificate, None)),
        (serving, (tmp_path / "junk", key)),
        (serving, (tmp_path / "missing", key)),
        (asking, (tmp_path / "junk",)),
        (asking, (None, certificate, other)),
        (pinned, (tmp_path / "missing",)),
    ):
        with pytest.raises(ConfigurationError, match=str(tmp_path)):
            call(*arguments)
