"""Durations are written as timing sheets write them."""

import pytest

from timing.domain.units import format_duration, time_of_day


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0.000"),
        (8_000, "0.008"),
        (83_456_000, "1:23.456"),
        (60_000_000, "1:00.000"),
        (59_999_999, "59.999"),  # truncated: rounded it would be a minute
        (7_262_003_000, "2:01:02.003"),
        (86_400_000_000, "24:00:00.000"),
        (-1_500_000, "-1.500"),
    ],
)
def test_a_duration_is_truncated_and_never_rounded(us: int, text: str) -> None:
    assert format_duration(us) == text


@pytest.mark.parametrize(("decimals", "text"), [(0, "1:23"), (1, "1:23.4"), (6, "1:23.456789")])
def test_as_many_decimals_as_asked_for(decimals: int, text: str) -> None:
    assert format_duration(83_456_789, decimals) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [(1_778_937_061_000_000, "13:11:01.000"), (1_778_937_061_999_999, "13:11:01.999"), (1_778_889_600_000_000, "00:00:00.000")],
)
def test_an_instant_is_written_as_the_time_of_day(at: int, text: str) -> None:
    assert time_of_day(at) == text
