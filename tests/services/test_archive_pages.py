"""The archive over HTTP: made from a real log by a process of its own."""

import csv
import io
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import polars as pl
import pytest
import simulated
from pypdf import PdfReader
from starlette.applications import Starlette
from starlette.datastructures import Headers

from timing.log.record import draft
from timing.log.sqlite_log import SqliteLog
from timing.projections.tables import TABLES
from timing.projections.timing import Timing
from timing.projections.versions import versions
from timing.services import archive_job, archive_pages
from timing.services.archive_pages import Archive
from timing.services.asked import Refused
from timing.services.children import Children
from timing.services.rulebooks import Rulebooks
from timing.services.tables import write_table

OPTIONS = ["--seed", "7", "--format", "sprint", "--cars", "5", "--laps", "5", "--session", "sunday"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "race.db"
    with closing(SqliteLog(path)) as log:
        log.append([draft("sunday", record.event) for record in simulated.records(simulated.raced(OPTIONS), Rulebooks())], 5)
    return path


@pytest.fixture(scope="module")
def timing(log: Path) -> Timing:
    timing = Timing("sunday")
    with closing(SqliteLog(log, readonly=True)) as opened:
        for record in opened.read("sunday"):
            timing.apply(record)
    return timing


@pytest.fixture
async def client(log: Path, timing: Timing) -> AsyncIterator[httpx.AsyncClient]:
    def watching(headers: Headers, session: str) -> str | None:
        if "cookie" in headers:
            raise Refused(403, "not-allowed", f"what you signed in with is not for the session {session}")
        return headers.get("authorization")

    archive = Archive(log, {"sunday": timing}.get, watching)
    transport = httpx.ASGITransport(Starlette(routes=archive.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://timing.local", timeout=60) as client:
        yield client


async def test_the_tables_are_listed_with_their_columns(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/sessions/sunday/tables")).json()["tables"]
    assert [table["table"] for table in listed] == list(TABLES)
    laps = next(table for table in listed if table["table"] == "laps")
    assert {"name": "lap_time_us", "type": "integer", "about": "the same, microseconds"}.items() <= next(
        column for column in laps["columns"] if column["name"] == "lap_time_us"
    ).items()


async def test_a_table_is_the_one_that_the_command_writes(client: httpx.AsyncClient, timing: Timing) -> None:
    answer = await client.get("/api/sessions/sunday/tables/laps.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8; header=present")
    assert answer.headers["content-disposition"] == 'attachment; filename="sunday-laps.csv"'
    whole = io.BytesIO()
    write_table("laps", timing, whole, "csv")
    assert answer.content == whole.getvalue()
    assert len(list(csv.reader(io.StringIO(answer.text)))) == sum(len(laps.ends) for laps in timing.laps.values()) + 1


async def test_parquet_too(client: httpx.AsyncClient, timing: Timing) -> None:
    answer = await client.get("/api/sessions/sunday/tables/results.parquet")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.apache.parquet")
    now = pl.read_parquet(answer.content).filter(pl.col("version").is_null())
    assert now["car"].to_list() == [place.car for place in timing.classification()]


@pytest.mark.parametrize("path", ["none/tables", "none/tables/laps.csv", "sunday/tables/lapps.csv", "sunday/tables/laps.xls"])
async def test_what_is_not_there_is_said(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/sessions/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("there is no ")


@pytest.mark.parametrize("path", ["sunday/tables", "sunday/tables/laps.csv", "sunday/document.pdf"])
async def test_who_may_not_watch_gets_no_table(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/sessions/{path}", headers={"cookie": "pass=another"})
    assert (answer.status_code, "not for the session sunday" in answer.text) == (403, True)


async def test_the_result_document_as_pdf(client: httpx.AsyncClient, timing: Timing) -> None:
    answer = await client.get("/api/sessions/sunday/document.pdf?part=classification&part=grid")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="sunday-last.pdf"'
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert f"Document {versions(timing).versions[-1].document}" in text
    assert "Starting grid" in text
    assert "Lap analysis" not in text


async def test_a_file_is_made_once_until_something_is_recorded(
    client: httpx.AsyncClient, timing: Timing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    ask = Children.ask

    async def counted(children: Children, arguments: list[str]) -> bytes:
        asked.append(arguments[1:])
        return await ask(children, arguments)

    monkeypatch.setattr(Children, "ask", counted)
    first = await client.get("/api/sessions/sunday/document.pdf?part=grid")
    again = await client.get("/api/sessions/sunday/document.pdf?part=grid")
    assert (first.status_code, again.status_code, first.content == again.content) == (200, 200, True)
    assert len(asked) == 1
    await client.get("/api/sessions/sunday/tables/laps.csv")
    monkeypatch.setattr(timing, "seq", timing.seq + 1)
    await client.get("/api/sessions/sunday/document.pdf?part=grid")
    assert asked == [["sunday", "document.pdf", "last", "grid"], ["sunday", "laps.csv"], ["sunday", "document.pdf", "last", "grid"]]


async def test_very_many_laps_are_printed_for_who_is_signed_in(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_pages, "MANY_LAPS", 20)
    signed_in = {"authorization": "Bearer any"}
    for query in ("", "?part=laps", "?version=1&part=grid&part=laps"):
        refused = await client.get(f"/api/sessions/sunday/document.pdf{query}")
        assert (refused.status_code, refused.json()["code"]) == (401, "not-signed-in")
    [instead] = re.findall(r"leave them out \((\?\S+)\)", refused.json()["reason"])
    assert (await client.get(f"/api/sessions/sunday/document.pdf{instead}")).status_code == 200
    answer = await client.get("/api/sessions/sunday/document.pdf?part=laps", headers=signed_in)
    assert answer.status_code == 200
    assert "Lap analysis" in "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("version=0", 400, "there is no version 0"),
        ("version=999", 400, "there is no version 999"),
        ("version=-1", 400, "version is a number, current or last"),
        ("version=99999", 400, "version is a number, current or last"),
        ("part=weather", 400, "there is no part 'weather'; there are: classification, "),
    ],
)
async def test_a_document_that_cannot_be_made_is_explained(client: httpx.AsyncClient, query: str, status: int, reason: str) -> None:
    answer = await client.get(f"/api/sessions/sunday/document.pdf?{query}")
    assert (answer.status_code, reason in answer.json()["reason"]) == (status, True), answer.text


def test_the_job_says_what_this_machine_lacks(log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert archive_job.main([str(log), "sunday", "laps.parquet"], io.BytesIO()) == 4
    assert "pip install 'parcferme[archive]'" in capsys.readouterr().err


def test_the_job_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive_job.main([str(tmp_path / "none.db"), "sunday", "laps.csv"], io.BytesIO()) == 2
    assert "there is no log" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="of Linux")
def test_the_job_gives_way_to_the_race() -> None:
    program = (
        "import os, timing.services.archive_job as job; job.give_way(); print(os.nice(0), open('/proc/self/oom_score_adj').read().strip())"
    )
    before = os.nice(0)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(min(before + 10, 19)), "1000"]
