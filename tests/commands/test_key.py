"""``timing key``: as a person types it."""

import json
import subprocess
import sys
from pathlib import Path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("timing")
    return subprocess.run([program, "key", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def test_a_key_is_made_and_its_public_half_shown(tmp_path: Path) -> None:
    path = tmp_path / "results.key"
    made = run("new", path)
    assert (made.returncode, made.stderr) == (0, "")
    shown = json.loads(run("show", path, "--json").stdout)
    assert made.stdout.split()[-1] == shown["key"]
    assert made.stdout.splitlines()[0].split(maxsplit=1)[1].replace(" ", "") == shown["key_id"]
    pem = run("show", path, "--pem").stdout
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert run("show", shown["key"], "--pem").stdout == pem
    secret = path.read_text().splitlines()[1]
    assert all(secret not in run("show", path, *how).stdout for how in ((), ("--json",), ("--pem",)))


def test_misuse_is_said_in_a_line(tmp_path: Path) -> None:
    run("new", tmp_path / "a.key")
    again = run("new", tmp_path / "a.key")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    short = run("show", "00" * 16)
    assert short.returncode == 2
    assert "64 hexadecimal digits" in short.stderr
    assert run("show", tmp_path / "b.key").returncode == 2
    assert run("show", tmp_path / "a.key", "--pem", "--json").returncode == 2
