"""`replay simulate --broker`: sessions sent as they happen, taken up after an end, and left in part to a trainee."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Make = Callable[..., Any]
Run = Callable[..., Awaitable[Any]]
REPLAY = Path(sys.executable).with_name("replay")
RACE = ("--format", "sprint", "--cars", "6", "--laps", "5")


async def replay(*arguments: str, cwd: Path) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(str(REPLAY), "simulate", *arguments, cwd=cwd, stdout=pipe, stderr=pipe)


async def finished(process: asyncio.subprocess.Process, status: int = 0) -> tuple[str, str]:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == status, f"{out.decode()}\n{err.decode()}"
    return out.decode(), err.decode()


def placed(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["position"], row["car"], row["laps"], row["total_us"], row["status"]) for row in rows]


async def test_many_sessions_at_a_rate_end_as_they_know_themselves(make_service: Make, tmp_path: Path) -> None:
    service = make_service()
    await service.start()
    options = ("--broker", service.mqtt, "--sessions", "3", "--rate", "600", "--truth", "truth.json", "--session", "heat")
    out, err = await finished(await replay(*RACE, *options, cwd=tmp_path))
    assert "3 sessions, " in out
    assert " 0 rejected" in out
    assert err == ""
    truths = json.loads((tmp_path / "truth.json").read_text())
    assert [truth["session"] for truth in truths] == ["heat-1", "heat-2", "heat-3"]
    for truth in truths:
        assert placed((await service.result(truth["session"]))["rows"]) == placed(truth["rows"])
    assert await service.stop() == 0


async def test_a_weekend_is_sent_into_one_log(make_service: Make, tmp_path: Path) -> None:
    service = make_service()
    await service.start()
    options = ("--weekend", "karting", "--cars", "5", "--broker", service.mqtt, "--speed", "max", "--truth", "truth.json")
    out, err = await finished(await replay(*options, cwd=tmp_path))
    assert ("3 sessions, " in out, " 0 rejected" in out, err) == (True, True, "")
    for truth in json.loads((tmp_path / "truth.json").read_text()):
        rows = (await service.result(truth["session"]))["rows"]
        assert [(row["position"], row["car"], row["laps"]) for row in rows] == [(r["position"], r["car"], r["laps"]) for r in truth["rows"]]
    assert await service.stop() == 0


async def test_an_interrupted_run_is_taken_up_where_it_was(make_service: Make, tmp_path: Path, eventually: Run) -> None:
    service = make_service()
    await service.start()
    options = (*RACE, "--broker", service.mqtt, "--state", "state.json", "--truth", "truth.json")
    first = await replay(*options, "--rate", "50", cwd=tmp_path)
    state = tmp_path / "state.json"
    await eventually(state.exists, within=60, what="the run's state")
    first.send_signal(signal.SIGINT)
    _, err = await finished(first, 130)
    assert "--state FILE would take it up" in err
    begun = json.loads(state.read_text())["start"]
    out, _ = await finished(await replay(*options, "--speed", "max", cwd=tmp_path))
    assert "0 rejected" in out
    assert json.loads(state.read_text())["start"] == begun, "the same race goes on"
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert placed((await service.result(truth["session"]))["rows"]) == placed(truth["rows"])
    out, _ = await finished(await replay(*options, "--speed", "max", cwd=tmp_path))
    assert "1 session, 0 events acknowledged" in out, "there is nothing left"
    _, err = await finished(await replay("--seed", "5", *options, cwd=tmp_path), 2)
    assert "is of another run" in err
    assert await service.stop() == 0


async def test_what_is_left_to_the_trainee_is_told_and_not_sent(make_service: Make, tmp_path: Path, timing_command: Run) -> None:
    service = make_service()
    await service.start()
    scenario = ("--scenario", "red-on-the-last-lap", "--cars", "8", "--laps", "8", "--session", "drill", "--speed", "max")
    options = (*scenario, "--training", "--debrief", "debrief.jsonl", "--truth", "truth.json", "--broker", service.mqtt)
    out, _ = await finished(await replay(*options, cwd=tmp_path))
    assert "to be entered: track status  status red" in out
    assert "to be entered: race stopped" in out
    assert "radio: " in out
    snapshot = await service.snapshot("drill")
    assert snapshot["session"]["track_status"] == "green", "nobody has entered anything yet"
    truth = json.loads((tmp_path / "truth.json").read_text())
    before = placed((await service.result("drill"))["rows"])
    await service.finished(await service.publish(tmp_path / "debrief.jsonl", "--session", "drill", "--speed", "max"))
    after = placed((await service.result("drill"))["rows"])
    assert before != after == placed(truth["rows"]), "the trainee who enters all of it has the true result"
    assert await service.stop() == 0


async def test_nobody_there_is_said_on_one_line(tmp_path: Path, unused_port: int) -> None:
    process = await replay(*RACE, "--broker", f"mqtt://127.0.0.1:{unused_port}", cwd=tmp_path)
    _, err = await finished(process, 1)
    assert "cannot be reached" in err.splitlines()[-1]
    for arguments, said in (
        (("--rate", "5"), "--rate is for --broker"),
        (("--sessions", "2"), "--sessions is for --broker"),
        (("--training", "passings"), "cannot be left to anybody"),
        (("--scenario", "protest", "--format", "practice"), "happens in a race"),
    ):
        _, err = await finished(await replay(*arguments, cwd=tmp_path), 2)
        assert said in err
        assert err.count("\n") == 1
