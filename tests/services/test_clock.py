"""The service's clock goes on whatever is done to the computer's, and no event is moved by it."""

from contextlib import closing
from pathlib import Path

import structlog
from structlog.testing import capture_logs

from timing.log.sqlite_log import SqliteLog
from timing.projections.timing import Timing
from timing.services.clock import SteadyClock, elapsed_us, system_clock, warn_if_behind
from timing.services.door import Door
from timing.services.rulebooks import Rulebooks

HOUR, DAY = 3_600_000_000, 86_400_000_000
NOW = 1_778_937_600_000_000


class Watch:
    """A computer's two clocks; only the first can be set."""

    def __init__(self) -> None:
        self.wall, self.elapsed = NOW, 77

    def passes(self, us: int) -> None:
        self.wall += us
        self.elapsed += us


def made() -> tuple[Watch, SteadyClock]:
    watch = Watch()
    return watch, SteadyClock(lambda: watch.wall, lambda: watch.elapsed)


def test_it_goes_with_the_wall_clock_and_with_none_of_its_steps() -> None:
    watch, clock = made()
    for step in (0, -HOUR, DAY, -NOW):
        watch.passes(5_000_000)
        watch.wall += step
    assert clock() == NOW + 20_000_000
    assert clock.off_us == -HOUR + DAY - NOW


def test_a_step_is_told_once_and_a_correction_of_milliseconds_never() -> None:
    watch, clock = made()
    with capture_logs() as said:
        watch.wall += 400_000
        clock()
        assert said == []
        watch.wall -= HOUR
        for _ in range(3):
            clock()
        watch.wall += HOUR
        clock()
    assert [entry["off_by_seconds"] for entry in said] == [-3599.6, 0.4]


def test_the_real_clocks_agree() -> None:
    before = elapsed_us()
    assert abs(SteadyClock()() - system_clock()) < 1_000_000
    assert elapsed_us() >= before


def test_a_clock_behind_the_log_is_told() -> None:
    with capture_logs() as said:
        warn_if_behind(NOW, 0)
        warn_if_behind(NOW, NOW + 500_000)
        warn_if_behind(NOW, NOW + HOUR)
    assert [entry["behind_by_seconds"] for entry in said] == [3600.0]
    assert structlog.is_configured() in {True, False}


def raced(path: Path, steps: dict[int, int]) -> bytes:
    """Take a short race in while the clock is set before some of its events, and give what came of it."""
    watch, clock = made()
    door, timing = Door(Rulebooks().resolve), Timing("race-1")
    loops = b'{"name":"Albi","loops":[{"id":"SF","line":"finish"}]}'
    said = [
        (b"session", b'{"type":"session_opened","id":"o","at":%d,"session":"race-1","name":"R","kind":"race","rulebook":"club-sprint",'
                     b'"distance":{"minutes":20},"circuit":%s}' % (NOW - HOUR, loops)),
        *((b"entries", b'{"type":"entry_registered","id":"e%d","at":%d,"car":"%d","class":"A","drivers":[],"transponders":["%d"]}'
           % (car, NOW - HOUR + car, car, car)) for car in (1, 2)),
        (b"session", b'{"type":"session_started","id":"s","at":%d}' % NOW),
        (b"control", b'{"type":"track_status","id":"f1","status":"green"}'),
        *((b"passings/line", b'{"type":"passing","at":%d,"decoder":"line","boot":1,"number":%d,"loop":"SF","transponder":"%d"}'
           % (NOW + (lap + 1) * 90_000_000 + car * 1_000_000, lap * 2 + car, car)) for lap in range(3) for car in (1, 2)),
        (b"control", b'{"type":"track_status","id":"f2","status":"red"}'),
        (b"control", b'{"type":"race_stopped","id":"x"}'),
    ]  # fmt: skip
    with closing(SqliteLog(path)) as log:
        for number, (channel, payload) in enumerate(said):
            watch.passes(30_000_000)
            watch.wall += steps.get(number, 0)
            judged = door.judge(f"timing/v1/race-1/{channel.decode()}", payload, clock())
            assert judged is not None
            assert judged.outcome in {"accepted", "fact"}, judged.draft.raw
            for appended in log.append([judged.draft], clock()):
                assert appended.record is not None
                timing.apply(appended.record)
    return timing.digest()


def test_a_clock_that_is_set_moves_no_event(tmp_path: Path) -> None:
    as_it_was = raced(tmp_path / "0.db", {})
    for number, steps in enumerate(({5: -HOUR}, {4: DAY}, {3: -NOW}, {2: HOUR, 6: -DAY, 11: NOW}), start=1):
        assert raced(tmp_path / f"{number}.db", steps) == as_it_was, steps
