"""Refusals in the service's log: counted all, said one by one as long as they are few."""

import structlog

from timing.services.refusals import Refusals


def test_a_flood_is_counted_and_does_not_fill_the_log() -> None:
    refusals = Refusals()
    with structlog.testing.capture_logs() as said:
        for _ in range(1_000):
            refusals.say("request refused", 5.0, code="bad-token")
        assert (len(said), refusals.count) == (20, 1_000)
        refusals.say("request refused", 6.0, code="bad-token")
    assert said[-1] == {"event": "request refused", "log_level": "warning", "code": "bad-token", "refused_in_all": 1_001}
