"""The MQTT door: the same rights at the embedded broker and at Mosquitto, from one table, held by the brokers themselves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from timing.domain.errors import BrokerError, ConfigurationError
from timing.domain.roles import ROLES, Rights
from timing.services.access_folder import AccessFolder
from timing.services.broker import EmbeddedBroker
from timing.services.broker_rights import mosquitto_passwords, mosquitto_rights, nats_subjects
from timing.services.broker_users import SERVICE, BrokerUser, BrokerUsers, make_user, new_password
from timing.services.mqtt import Address, Link

Eventually = Callable[..., Awaitable[None]]

PASSWORD = "correct-horse-battery"  # noqa: S105  # of a test


def user(name: str, **granted: Any) -> BrokerUser:
    return make_user(name, PASSWORD, rounds=4, **granted)


USERS = [
    user(SERVICE),
    user("line-1", decoders=("line-1", "pit.in")),
    user("counter", sources=("club",), sessions=("race-1",)),
    user("control", rights=Rights(roles=("race-director",))),
    user("office", rights=Rights(roles=("timekeeper",)), sessions=("race-1", "race-2")),
    user("stewards", rights=Rights(roles=("steward",))),
]
EVERYTHING = [
    *(f"timing/v1/{session}/{channel}" for session in ("race-1", "race-2", "race-3") for channel in (
        "session", "entries", "corrections", "control", "stewards", "passings/line-1", "passings/line-2", "passings/pit.in", "laps/club",
        "laps/other", "accepted/control", "rejected/passings/line-1",
    )),
    "timing/v2/race-1/control", "elsewhere",
]  # fmt: skip
MAY: dict[str, set[str]] = {
    "line-1": {f"timing/v1/race-{n}/passings/{name}" for n in (1, 2, 3) for name in ("line-1", "pit.in")},
    "counter": {"timing/v1/race-1/laps/club"},
    "control": {f"timing/v1/race-{n}/control" for n in (1, 2, 3)},
    "office": {f"timing/v1/race-{n}/{channel}" for n in (1, 2) for channel in ("session", "entries", "corrections")},
    "stewards": {f"timing/v1/race-{n}/stewards" for n in (1, 2, 3)},
    SERVICE: {f"timing/v1/race-{n}/{answer}" for n in (1, 2, 3) for answer in ("accepted/control", "rejected/passings/line-1")},
}


class Door(NamedTuple):
    """A broker with users. ``service`` is where the service itself connects."""

    url: str
    service: Address

    def of(self, name: str, password: str = PASSWORD) -> Address:
        return Address(self.url, {"TIMING_BROKER_USER": name, "TIMING_BROKER_PASSWORD": password})


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
async def door(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Callable[..., Any]) -> AsyncIterator[Door]:
    if request.param == "embedded":
        kept = BrokerUsers(AccessFolder(tmp_path / "access").path)
        kept.write(USERS)
        async with EmbeddedBroker(tmp_path / "broker", users=kept) as broker:
            yield Door(broker.url, broker.address)
        return
    files = {"password_file": mosquitto_passwords(USERS), "acl_file": mosquitto_rights(USERS)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    async with mosquitto(allow_anonymous="false", **{name: str(tmp_path / name) for name in files}) as broker:
        door = Door(broker.url, Address(broker.url))
        yield door._replace(service=door.of(SERVICE))


async def heard(link: Link, until_topic: str) -> set[str]:
    topics: set[str] = set()
    async with asyncio.timeout(15):
        while until_topic not in topics:
            arrivals = await link.take(1_000)
            link.acknowledge(arrivals)
            topics |= {arrival.topic for arrival in arrivals}
    return topics - {until_topic}


@pytest.mark.parametrize("name", list(MAY))
async def test_each_speaks_on_their_own_topics_alone(door: Door, name: str) -> None:
    speaker = door.service if name == SERVICE else door.of(name)
    last = max(MAY[name])
    async with Link(door.service, client_id="service", clean_session=True) as service:
        await service.listen(["timing/v1/+/#"])
        async with Link(speaker, client_id="speaker", clean_session=True) as link:
            for topic in (*(topic for topic in EVERYTHING if topic != last), last):
                link.send(topic, b"x", qos=1)
            assert await heard(service, last) == MAY[name] - {last}


async def test_each_reads_the_answers_in_their_sessions_alone(door: Door) -> None:
    async with Link(door.of("counter"), client_id="reader", clean_session=True) as reader:
        await reader.listen(["timing/v1/race-1/accepted/#", "timing/v1/race-1/rejected/#"])
        async with Link(door.service, client_id="service", clean_session=True) as service:
            for topic in ("timing/v1/race-2/accepted/control", "timing/v1/race-1/accepted/control", "timing/v1/race-1/rejected/laps/club"):
                service.send(topic, b"x", qos=0)
            assert await heard(reader, "timing/v1/race-1/rejected/laps/club") == {"timing/v1/race-1/accepted/control"}


@pytest.mark.parametrize("topic", ["timing/v1/+/#", "timing/v1/race-1/control", "#", "$MQTT/sub/#", "timing/v1/race-2/accepted/#"])
async def test_nobody_listens_to_what_others_send(door: Door, topic: str) -> None:
    """NATS refuses the subscription; Mosquitto grants it and delivers nothing."""
    async with Link(door.of("counter"), client_id="reader", clean_session=True) as reader:
        await reader.listen(["timing/v1/race-1/accepted/#"])
        with contextlib.suppress(BrokerError):
            await reader.listen([topic])
        async with Link(door.of("control"), client_id="control", clean_session=True) as control:
            control.send("timing/v1/race-1/control", b"secret", qos=1)
            await control.flushed()
        async with Link(door.service, client_id="service", clean_session=True) as service:
            service.send("timing/v1/race-2/accepted/control", b"secret", qos=0)
            service.send("timing/v1/race-1/accepted/laps/club", b"last", qos=0)
            assert await heard(reader, "timing/v1/race-1/accepted/laps/club") == set()


@pytest.mark.parametrize(("name", "password"), [("control", "wrong-password"), ("nobody", PASSWORD), ("control", ""), ("", "")])
async def test_who_is_no_user_is_not_let_in(door: Door, name: str, password: str) -> None:
    with pytest.raises(BrokerError, match=r"(?i)not authori"):
        async with Link(door.of(name, password) if name else Address(door.url, {}), client_id="x", clean_session=True):
            pass


async def test_users_come_and_go_while_the_embedded_broker_runs(tmp_path: Path) -> None:
    kept = BrokerUsers(AccessFolder(tmp_path / "access").path)
    async with EmbeddedBroker(tmp_path / "broker", users=kept, anonymous=False, look_every=0.05) as broker:
        door = Door(broker.url, broker.address)

        async def lets_in(name: str) -> bool:
            try:
                async with Link(door.of(name), client_id="x", clean_session=True):
                    return True
            except BrokerError:
                return False

        async with Link(door.service, client_id="service", clean_session=True) as service:
            await service.listen(["timing/v1/+/#"])
            assert not await lets_in("control"), "without users nobody speaks, if anonymous is off"
            kept.write([user("control", rights=Rights(roles=("race-director",)))])
            async with asyncio.timeout(15):
                while not await lets_in("control"):
                    pass
            async with Link(door.of("control"), client_id="control", clean_session=True) as control:
                kept.write([])
                await asyncio.wait_for(control.ended(), 15)
            assert not await lets_in("control")
            service.send("timing/v1/race-1/accepted/control", b"x", qos=0)
            assert not service.lost, "the service itself is not disturbed"


async def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, eventually: Eventually) -> None:
    folder = AccessFolder(tmp_path / "access").path
    kept = BrokerUsers(folder)
    kept.write([user("control", rights=Rights(roles=("race-director",)))])
    async with EmbeddedBroker(tmp_path / "broker", users=kept, look_every=0.02) as broker:
        (folder / "mqtt-users.json").write_text("nonsense")
        await eventually(lambda: broker._users_seen == kept.state)
        async with Link(Door(broker.url, broker.address).of("control"), client_id="x", clean_session=True):
            pass


def test_passwords_are_kept_nowhere_and_files_are_their_owners(tmp_path: Path) -> None:
    password = new_password()
    assert len(password) >= 32
    kept = BrokerUsers(tmp_path)
    made = make_user("control", password, rights=Rights(roles=("race-director",)))
    kept.write([made])
    file = tmp_path / "mqtt-users.json"
    assert password not in file.read_text()
    assert password not in mosquitto_passwords([made])
    assert file.stat().st_mode & 0o777 == 0o600
    assert kept.read() == [made]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("name", "granted", "complaint"),
    [
        ("a b", {"decoders": ("d",)}, "can be no user"),
        ("", {"decoders": ("d",)}, "can be no user"),
        ("x\n", {"decoders": ("d",)}, "can be no user"),
        ("x", {"decoders": ("a/b",)}, "can be no device"),
        ("x", {"sources": ("+",)}, "can be no device"),
        ("x", {"decoders": ("d",), "sessions": ("albi-*",)}, "whole sessions"),
        ("x", {"rights": Rights(roles=("viewer",))}, "could say nothing"),
        ("x", {}, "could say nothing"),
    ],
)
def test_what_cannot_be_a_user_is_said(name: str, granted: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        user(name, **granted)


@pytest.mark.parametrize(("password", "complaint"), [("short", "12 are the least"), ("x" * 73, "72 bytes")])
def test_a_password_that_is_none_is_said(password: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        make_user("x", password, decoders=("d",))


def test_roles_publish_at_the_broker_what_they_say_at_the_desk() -> None:
    for role in ROLES:
        rights = Rights(roles=(role,))
        topics = [f"timing/v1/+/{channel}" for channel in rights.speaking_on("any")]
        if topics:
            assert user("x", rights=rights).may_publish() == topics


def test_topics_as_subjects() -> None:
    assert nats_subjects("timing/v1/+/passings/pit.in") == ["timing.v1.*.passings.pit//in"]
    assert nats_subjects("timing/v1/+/#") == ["timing.v1.*", "timing.v1.*.>"]
    assert msgspec.json.encode(nats_subjects("a/b")) == b'["a.b"]'
