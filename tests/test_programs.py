"""A test whose program is missing fails with what to install, unless its absence was allowed by name: then the end says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SUITE = """
import pytest

@pytest.mark.mosquitto
def test_with_a_broker() -> None:
    pass

def test_without() -> None:
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: x\n    mosquitto: x\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    return tmp_path


def run(suite: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARCFERME_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *options],
        cwd=suite,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_missing_program_is_missed_with_what_to_install(suite: Path, options: tuple[str, ...]) -> None:
    done = run(suite, *options, PARCFERME_MOSQUITTO=str(suite / "nowhere"))
    assert done.returncode == 1
    assert "1 passed, 1 error" in done.stdout
    assert "this test needs Mosquitto: apt-get install mosquitto (or PARCFERME_ALLOW_MISSING=mosquitto to leave it out)" in done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_an_absence_that_is_allowed_is_said_at_the_end(suite: Path, options: tuple[str, ...]) -> None:
    done = run(suite, *options, PARCFERME_MOSQUITTO=str(suite / "nowhere"), PARCFERME_ALLOW_MISSING="browser, mosquitto")
    assert done.returncode == 0
    assert "1 passed, 1 skipped" in done.stdout
    assert "The tests marked mosquitto were NOT run for want of Mosquitto" in done.stdout


def test_a_program_that_is_there_is_used(suite: Path) -> None:
    program = suite / "mosquitto"
    program.write_text("")
    done = run(suite, PARCFERME_MOSQUITTO=str(program))
    assert done.returncode == 0
    assert "2 passed" in done.stdout


def test_an_absence_of_something_unknown_is_refused(suite: Path) -> None:
    done = run(suite, PARCFERME_ALLOW_MISSING="brwoser")
    assert done.returncode == 4
    assert "PARCFERME_ALLOW_MISSING knows browser, mosquitto, not brwoser" in done.stderr
