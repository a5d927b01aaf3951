"""The command lines: each command is there and helps, and what goes wrong is one line and an exit status."""

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

import replay.cli
import timing.cli
from timing.cli import LazyGroup, run
from timing.domain.errors import ConfigurationError, LogError

BIN = Path(sys.executable).parent
GROUPS = [("timing", timing.cli.root), ("replay", replay.cli.root)]


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / arguments[0], *arguments[1:]], capture_output=True, text=True, check=False)


def commands() -> list[tuple[str, str]]:
    found = []
    for program, group in GROUPS:
        assert isinstance(group, LazyGroup)
        found += [(program, name) for name in group.list_commands(click.Context(group))]
    return found


@pytest.mark.parametrize(("program", "name"), commands())
def test_each_command_that_is_listed_is_there_and_has_a_whole_help(program: str, name: str) -> None:
    command = importlib.import_module(f"{program}.commands.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    for each in (command, *(command.commands.values() if isinstance(command, click.Group) else ())):
        assert each.help
        assert "\\" not in each.help, f"{program} {name} shows a mark that is meant for the program"
        for parameter in each.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{program} {name} {each.name} {parameter.opts[0]} says nothing"


def test_the_contracts_commands_are_all_there() -> None:
    assert {name for program, name in commands() if program == "timing"} >= {"demo", "serve", "publish", "classify", "watch", "log"}


@pytest.mark.parametrize("program", ["timing", "replay"])
def test_the_version_is_said(program: str) -> None:
    assert timing.__version__ in call(program, "--version").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("timing", "time"),
        ("timing", "--no-such-option"),
        ("timing", "classify"),
        ("timing", "classify", "nowhere.events.jsonl"),
        ("timing", "serve", "--mqtt-port", "many"),
        ("timing", "serve", "--config", "nowhere.toml"),
        ("replay", "simulate", "--cars", "-1"),
    ],
    ids=" ".join,
)
def test_misuse_is_one_line_on_stderr_and_exit_status_2(arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_program_alone_shows_its_help_and_exits_2() -> None:
    done = call("timing")
    assert done.returncode == 2
    assert "Commands:" in done.stdout


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (LogError("the disk is full;\nmake room"), 1, "timing: the disk is full; make room\n"),
        (ConfigurationError("mqtt_port: too large"), 2, "timing: mqtt_port: too large\n"),
        (click.Abort(), 130, "timing: interrupted\n"),
        (click.ClickException("no"), 1, "timing: no\n"),
        (click.UsageError("what?"), 2, "timing: what?; see 'timing --help'\n"),
    ],
)
def test_an_error_is_one_line_and_its_exit_status(
    error: Exception, status: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["timing"])
    with pytest.raises(SystemExit) as end:
        run(fails, "timing")
    assert end.value.code == status
    assert capsys.readouterr().err == line


def test_a_programmers_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def fails() -> None:
        raise KeyError("car")

    monkeypatch.setattr(sys, "argv", ["timing"])
    with pytest.raises(KeyError):
        run(fails, "timing")


def test_a_reader_that_goes_away_is_nothing_to_talk_about() -> None:
    with subprocess.Popen([BIN / "replay", "simulate", "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout
        assert program.stderr
        program.stdout.read(10)
        program.stdout.close()
        assert program.stderr.read() == b""
