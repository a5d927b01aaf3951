"""`timing broker`: users made, listed, taken away, and written as a broker's own files that the broker takes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from timing.services.broker_users import BrokerUsers
from timing.services.mqtt import Address, Link

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    program = "import sys; from timing.cli import main; sys.argv[0] = 'timing'; main()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIMING_")}

    def call(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, "broker", *arguments],
            cwd=tmp_path, env=environment, input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


def test_made_listed_and_taken_away(run: Run, tmp_path: Path) -> None:
    made = run("add", "gate-1", "--decoder", "line-1", "--session", "albi")
    assert made.returncode == 0, made.stderr
    [password] = made.stdout.splitlines()
    assert "publishes on timing/v1/albi/passings/line-1" in made.stderr
    assert password not in made.stderr + (tmp_path / "parcferme.db-access" / "mqtt-users.json").read_text()
    assert run("add", "office", "--role", "timekeeper", "--password-stdin", stdin="a-long-password\n").stdout == ""
    assert "made anew" in run("add", "gate-1", "--decoder", "line-2").stderr
    assert [line.split()[0] for line in run("list").stdout.splitlines()] == ["gate-1", "office"]
    assert run("remove", "gate-1").stdout == "taken away: gate-1\n"
    assert [user.name for user in BrokerUsers(tmp_path / "parcferme.db-access").read()] == ["office"]


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("add", "x"), 2, "could say nothing"),
        (("add", "x", "--role", "viewer"), 2, "viewer"),
        (("add", "x", "--decoder", "a/b"), 2, "can be no device"),
        (("add", "x", "--decoder", "d", "--session", "albi-*"), 2, "whole sessions"),
        (("add", "x", "--decoder", "d", "--password-stdin"), 2, "12 are the least"),
        (("remove", "nobody"), 1, "there is no user 'nobody'"),
        (("config", "mosquitto"), 1, "timing broker add parcferme"),
        (("config", "rabbit"), 2, "rabbit"),
    ],
)
def test_misuse_is_named_on_one_line(run: Run, arguments: tuple[str, ...], status: int, complaint: str) -> None:
    said = run(*arguments)
    assert (said.returncode, said.stdout) == (status, "")
    assert complaint in said.stderr
    assert said.stderr.count("\n") == 1


@pytest.mark.mosquitto
async def test_mosquitto_takes_the_files(run: Run, tmp_path: Path, mosquitto: Callable[..., Any]) -> None:
    password = run("add", "parcferme").stdout.strip()
    run("add", "gate-1", "--decoder", "line-1", "--password-stdin", stdin="gate-one-password\n")
    written = run("config", "mosquitto", "-o", "rights").stdout.splitlines()
    assert [Path(path).name for path in written] == ["passwords", "rights", "users.conf"]
    said = dict(line.split(" ", 1) for line in (tmp_path / "rights" / "users.conf").read_text().splitlines() if not line.startswith("#"))
    async with mosquitto(**said) as broker:

        def address(name: str, secret: str) -> Address:
            return Address(broker.url, {"TIMING_BROKER_USER": name, "TIMING_BROKER_PASSWORD": secret})

        async with Link(address("parcferme", password), client_id="service", clean_session=True) as service:
            await service.listen(["timing/v1/+/#"])
            async with Link(address("gate-1", "gate-one-password"), client_id="gate", clean_session=True) as gate:
                for channel in ("control", "passings/line-2", "passings/line-1"):
                    gate.send(f"timing/v1/albi/{channel}", b"x", qos=1)
                [arrival] = await service.take(10)
                assert arrival.topic == "timing/v1/albi/passings/line-1"


def test_nats_takes_the_files(run: Run, tmp_path: Path) -> None:
    from timing.services.broker import server_program

    run("add", "parcferme")
    run("add", "gate-1", "--decoder", "line-1")
    assert run("config", "nats").stdout == "nats/authorization.conf\n"
    conf = tmp_path / "server.conf"
    conf.write_text('server_name: x\njetstream {}\nmqtt { port: -1 }\ninclude "nats/authorization.conf"\n')
    checked = subprocess.run([server_program(), "-t", "-c", str(conf)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "gate-1" in (tmp_path / "nats" / "authorization.conf").read_text()
