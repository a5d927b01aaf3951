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
        ('{"kind":"explain","car":""}', None),
        ('{"kind":"explain","car":"123456789"}', None),
        ('{"kind":"explain"}', None),
        ('{"kind":"shout"}', None),
        ('{"kind":"replay","do":"explode"}', None),
        ("hello", None),
        (b"\xff\xfe", None),
        ("[" * 4_000, None),
    ],
)
def test_what_is_said_is_read_or_it_is_nothing(said: str | bytes, read: Resync | Explain | Control | None) -> None:
    assert understood(said) == read


def test_so_many_within_so_long() -> None:
    allowance = Allowance(3, 10.0)
    assert [allowance.take(now) for now in (0.0, 1.0, 2.0, 9.9, 10.0, 10.5, 11.0)] == [True, True, True, False, True, False, True]
