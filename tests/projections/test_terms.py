"""Up to when other terms of the road under a neutralisation say the same of it."""

from typing import Any

import pytest
from msgspec.structs import replace

from timing.domain.neutralisation import Interval, Window
from timing.domain.rulebook import Neutral
from timing.projections.terms import Terms

FAR = 2**62
FIRST, SECOND = Interval("safety_car", 100, None), Interval("vsc", 300, None)
LASTS = Terms((Window(FIRST, Neutral()),), (), (), {}, None, FAR)


def window(interval: Interval = FIRST, **fields: Any) -> Window:
    return Window(interval, Neutral(), **fields)


@pytest.mark.parametrize(
    ("changes", "before"),
    [
        ({}, FAR),
        ({"windows": (window(replace(FIRST, ended=250), free_at=250),)}, 250),
        ({"windows": (window(free_at=240, at_line=True),)}, 240),
        ({"windows": (window(at_line=True, over_at=260, settled_at=350),)}, FAR),
        ({"windows": (window(replace(FIRST, ended=300), free_at=300), window(SECOND))}, 300),
        ({"windows": (window(replace(FIRST, until="next_post")),)}, 100),
        ({"windows": (window(replace(FIRST, began=90)),)}, 0),
        ({"not_raced": ((10, 20),)}, 0),
        ({"waves": ((200, frozenset("7")),)}, 200),
        ({"retired": {"7": 220, "9": 210}}, 210),
        ({"end_at": 400}, 400),
        ({"until": 350}, 351),
        ({"until": 350, "waves": ((200, frozenset("7")),)}, 200),
    ],
)
def test_other_terms_say_the_same_before_what_they_add(changes: dict[str, Any], before: int) -> None:
    other = replace(LASTS, **changes)
    assert (other.same_before(LASTS), LASTS.same_before(other)) == (before, before)


def test_what_is_moved_counts_from_where_it_was_or_is() -> None:
    ended, later = (replace(LASTS, windows=(window(replace(FIRST, ended=at), free_at=at),)) for at in (250, 270))
    assert ended.same_before(later) == later.same_before(ended) == 250
    waved, others = (replace(LASTS, waves=((200, frozenset(cars)),)) for cars in ("7", "79"))
    assert waved.same_before(others) == 200
