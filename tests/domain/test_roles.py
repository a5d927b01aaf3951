"""Roles: who may speak where, as the contract's table says, and no more."""

import pytest

from timing.domain.events import CHANNELS
from timing.domain.roles import COMMAND_CHANNELS, DEVICE_CHANNELS, ROLES, SESSION_PATTERN, SPEAKS_ON, Rights, Role, speakers_on

TABLE = {
    "session": {"timekeeper", "administrator"},
    "entries": {"timekeeper", "administrator"},
    "corrections": {"timekeeper", "administrator"},
    "control": {"race-director", "administrator"},
    "stewards": {"steward", "administrator"},
    "passings": set(),
    "laps": set(),
}


def test_the_table_is_the_protocols() -> None:
    assert {channel: set(speakers_on(channel)) for channel in CHANNELS} == TABLE
    assert set(SPEAKS_ON) == set(ROLES)
    assert {*COMMAND_CHANNELS, *DEVICE_CHANNELS} == set(CHANNELS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("channel", list(CHANNELS))
def test_a_role_speaks_on_its_channels_in_its_sessions_alone(role: Role, channel: str) -> None:
    rights = Rights(roles=(role,), sessions=("albi-2026-*", "test"))
    for session, within in [("albi-2026-race-1", True), ("test", True), ("test-2", False), ("albi-2025-race-1", False), ("", False)]:
        assert (rights.role_on(session, channel) == role) == (within and role in TABLE[channel])
        assert rights.see(session) == within


def test_two_roles_act_by_the_one_that_has_the_right() -> None:
    rights = Rights(roles=("viewer", "race-director", "steward"))
    assert (rights.role_on("any", "control"), rights.role_on("any", "stewards"), rights.role_on("any", "entries")) == (
        "race-director",
        "steward",
        None,
    )
    assert rights.speaking_on("any") == ("control", "stewards")


def test_channels_narrow_what_roles_allow_and_add_nothing() -> None:
    rights = Rights(roles=("timekeeper",), channels=("entries", "control"))
    assert rights.speaking_on("any") == ("entries",)


@pytest.mark.parametrize("pattern", ["a.c", "(x|albi)", "albi", "[a-z]*"])
def test_a_pattern_is_no_regular_expression(pattern: str) -> None:
    rights = Rights(roles=("administrator",), sessions=(pattern,))
    assert rights.see("abc") is False
    assert rights.see("x") is False
    assert rights.see("albi\n") is False


def test_what_can_be_a_pattern() -> None:
    assert all(SESSION_PATTERN.fullmatch(text) for text in ("*", "albi-*", "a", "*-race-1"))
    assert not any(SESSION_PATTERN.fullmatch(text) for text in ("", "-a", "A", "a/b", "+", "#", "a b"))
