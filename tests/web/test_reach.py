"""What people may say by the contract can be said on the console: each type is sent by one of its modules, and the documents say where."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from timing.domain.events import CHANNELS, event_type
from timing.domain.roles import COMMAND_CHANNELS

TYPES = [(channel, event_type(kind.__name__)) for channel in COMMAND_CHANNELS for kind in CHANNELS[channel]]
ELSEWHERE = {"session_opened"}
"""A console is that of a session which is open."""
SOURCE = "".join(file.read_text("utf-8") for file in (files("timing") / "web" / "js").iterdir() if file.is_file())
DOCUMENT = (
    (Path(__file__).parents[2] / "docs" / "race-control.md")
    .read_text("utf-8")
    .partition("## Everything that may be said")[2]
    .partition("\n## ")[0]
)
ROWS = {name: row for row in re.findall(r"^\| `.*$", DOCUMENT, re.MULTILINE) for name in re.findall(r"`(\w+)`", row.split("|")[1])}


@pytest.mark.parametrize(("channel", "name"), TYPES, ids=[name for _, name in TYPES])
def test_it_is_sent_and_told(channel: str, name: str) -> None:
    assert name in ROWS, "docs/race-control.md says where"
    assert f"`{channel}`" in ROWS[name].split("|")[2]
    sent = re.search(rf'(?:type: |segment\(|\[|retired", )"{name}"', SOURCE)
    assert bool(sent) != (name in ELSEWHERE)


def test_nothing_is_told_that_the_contract_has_not() -> None:
    assert set(ROWS) == {name for _, name in TYPES}
