"""How often somebody may ask."""

from timing.services.throttle import KEPT, Throttle


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    throttle = Throttle(rate=2, burst=3)
    assert [throttle.wait("a", 10.0) for _ in range(3)] == [0, 0, 0]
    assert throttle.wait("a", 10.0) == 0.5
    assert throttle.wait("a", 10.25) == 0.25, "asking in vain takes nothing"
    assert throttle.wait("a", 10.5) == 0
    assert throttle.wait("a", 10.5) == 0.5
    assert [throttle.wait("a", 100.0) for _ in range(4)] == [0, 0, 0, 0.5], "a long pause gives no more than a burst"


def test_one_does_not_use_up_what_is_anothers() -> None:
    throttle = Throttle(rate=1, burst=1)
    assert (throttle.wait("a", 0), throttle.wait("b", 0)) == (0, 0)
    assert throttle.wait("a", 0) == 1


def test_memory_has_an_end() -> None:
    throttle = Throttle(rate=0.001, burst=1)
    for number in range(KEPT + 1):
        throttle.wait(str(number), 0)
    assert throttle.wait("1", 0) > 0, "still remembered"
    assert throttle.wait("0", 0) == 0, "forgotten first"
