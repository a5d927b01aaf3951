"""`timing token`: issued, listed and revoked, as whoever runs the service does it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from timing.commands import token as command
from timing.domain.roles import ROLES
from timing.services.access_folder import AccessFolder
from timing.services.tokens import Tokens

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    program = "import sys; from timing.cli import main; sys.argv[0] = 'timing'; main()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIMING_")}

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, "token", *arguments],
            cwd=tmp_path, env=environment | more, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


ANNA = ("new", "--role", "race-director", "--name", "Anna Roy", "--session", "albi-*")


def test_a_token_is_printed_alone_and_holds(run: Run, tmp_path: Path) -> None:
    made = run(*ANNA, "--for", "30m", "--log", "race.db")
    assert made.returncode == 0, made.stderr
    [token] = made.stdout.splitlines()
    person = Tokens(AccessFolder(tmp_path / "race.db-access")).read("token", token)
    assert (person.name, person.rights.roles, person.rights.sessions, person.once) == ("Anna Roy", ("race-director",), ("albi-*",), True)
    assert person.id in made.stderr
    assert "may send: control" in made.stderr
    assert token not in made.stderr


def test_listed_until_it_is_revoked(run: Run) -> None:
    made = [run(*ANNA), run("new", "--role", "viewer", "--name", "Press", "--reusable")]
    names = [said.stderr.split()[0] for said in made]
    listed = run("list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == names
    assert "reusable" in listed[1]
    assert run("revoke", names[0]).stdout == f"{names[0]} is revoked\n"
    assert [line.split()[0] for line in run("list").stdout.splitlines()] == names[1:]
    assert [line.split()[1] for line in run("list", "--all").stdout.splitlines()] == ["revoked", "holds"]


def test_the_folder_may_be_set(run: Run, tmp_path: Path) -> None:
    (tmp_path / "timing.toml").write_text('access = "keys"\n')
    assert run(*ANNA, "--config", "timing.toml").returncode == 0
    assert run(*ANNA, TIMING_ACCESS="keys").returncode == 0
    assert len(AccessFolder(tmp_path / "keys").entries()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "timing.toml"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("new", "--name", "Anna"), "--role"),
        (("new", "--role", "steward"), "--name"),
        (("new", "--role", "king", "--name", "x"), "king"),
        (("new", "--role", "steward", "--name", " "), "1 to 200 characters"),
        (("new", "--role", "steward", "--name", "x", "--session", "A/b"), "can be no session"),
        (("new", "--role", "steward", "--name", "x", "--channel", "passings"), "no channel 'passings'"),
        (("new", "--role", "steward", "--name", "x", "--for", "1y"), "write 30m, 12h or 3d"),
        (("new", "--role", "steward", "--name", "x", "--for", "32d"), "write 30m, 12h or 3d"),
        (("new", "--role", "steward", "--name", "x", "--for", "0m"), "write 30m, 12h or 3d"),
    ],
)
def test_misuse_is_named_on_one_line(run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    said = run(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert complaint in said.stderr
    assert said.stderr.count("\n") == 1


def test_who_is_not_known_cannot_be_revoked(run: Run) -> None:
    said = run("revoke", "nobody")
    assert said.returncode == 1
    assert "no token 'nobody' was issued" in said.stderr


def test_the_help_names_every_role() -> None:
    assert command._ROLES == ROLES
