"""The programs that some tests drive: found here, and missed aloud. A test that cannot run fails, unless its absence was allowed by name.

``PARCFERME_ALLOW_MISSING=browser,mosquitto`` skips instead the tests that are marked so; ``PARCFERME_CHROMIUM`` and ``PARCFERME_MOSQUITTO``
name programs that stand in an unusual place.
"""

import os
import shutil
from pathlib import Path

import pytest

WAYS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
PROGRAMS = {
    "browser": ("PARCFERME_CHROMIUM", ("chromium", "chromium-browser", "google-chrome"), "Chromium: apt-get install chromium"),
    "mosquitto": ("PARCFERME_MOSQUITTO", ("mosquitto",), "Mosquitto: apt-get install mosquitto"),
}


def _playwrights_own() -> str | None:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    return next((str(path) for path in sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def _find(marker: str) -> str | None:
    variable, names, _ = PROGRAMS[marker]
    if given := os.environ.get(variable):
        return given if Path(given).is_file() else None
    found = next((path for name in names if (path := shutil.which(name, path=WAYS))), None)
    return found or (_playwrights_own() if marker == "browser" else None)


def _missing() -> dict[str, str]:
    return {marker: how for marker, (_, _, how) in PROGRAMS.items() if _find(marker) is None}


def _allowed() -> set[str]:
    return {word.strip() for word in os.environ.get("PARCFERME_ALLOW_MISSING", "").split(",")} - {""}


def pytest_configure() -> None:
    """Tell the fixtures where the programs are."""
    if strangers := _allowed() - set(PROGRAMS):
        raise pytest.UsageError(f"PARCFERME_ALLOW_MISSING knows {', '.join(PROGRAMS)}, not {', '.join(sorted(strangers))}")
    for marker, (variable, _, _) in PROGRAMS.items():
        if found := _find(marker):
            os.environ[variable] = found


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test whose program is missing, before its fixtures look for it."""
    for marker, how in _missing().items():
        if item.get_closest_marker(marker):
            if marker in _allowed():
                pytest.skip(f"not run for want of {how}")
            pytest.fail(f"this test needs {how} (or PARCFERME_ALLOW_MISSING={marker} to leave it out)", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was left out."""
    for marker, how in _missing().items():
        if marker in _allowed():
            terminalreporter.write_line(f"The tests marked {marker} were NOT run for want of {how}", yellow=True)
