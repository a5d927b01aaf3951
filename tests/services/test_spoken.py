"""What a screen may say on the feed, and how often."""

import pytest

from timing.services.replayed import Control
from timing.services.spoken import Allowance, Explain, Resync, understood


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('{"kind":"resync"}', Resync()),
        (b'{"kind":"resync","why":"a gap"}', Resync()),
        ('{"kind":"explain","car":"007"}', Explain(car="007")),
        ('{"kind":"replay","do":"pause"}', Control(do="pause")),
        ('{"kind":"explain"}', None),
        ('{"kind":"shout"}', None),
        ("hello", None),
        (b"\xff\xfe", None),
        ("[" * 4_000, None),
    ],
)
def test_what_is_said_is_read_or_it_is_nothing(said: str | bytes, read: Resync | Explain | Control | None) -> None:
    assert understood(said) == read


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ('{"kind":"explain","car":""}', "Expected `str` of length >= 1 - at `$.car`"),
        ('{"kind":"explain","car":"123456789"}', "Expected `str` of length <= 8 - at `$.car`"),
        ('{"kind":"replay","do":"explode"}', "Invalid enum value 'explode' - at `$.do`"),
        ('{"kind":"replay","do":"speed","speed":5000}', "Expected `float` <= 1000.0 - at `$.speed`"),
        ('{"kind":"replay","do":"seek","to":{"lop":1}}', "Object contains unknown field `lop` - at `$.to`"),
    ],
)
def test_a_field_that_is_wrong_is_named(said: str, fault: str) -> None:
    assert understood(said) == f"not understood: {fault}"


def test_what_is_wrong_is_said_in_as_many_bytes_as_a_close_frame_takes() -> None:
    fault = understood('{"kind":"replay","do":"' + "é" * 200 + '"}')
    assert isinstance(fault, str)
    assert 100 < len(fault.encode()) <= 123


def test_so_many_within_so_long() -> None:
    allowance = Allowance(3, 10.0)
    assert [allowance.take(now) for now in (0.0, 1.0, 2.0, 9.9, 10.0, 10.5, 11.0)] == [True, True, True, False, True, False, True]
