"""Tables as files, opened with the programs that analysts open them with; every value is what the fold says."""

import csv
import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import simulated

from timing.domain.errors import ConfigurationError, TimingError
from timing.projections.tables import TABLES, Table
from timing.projections.timing import Timing
from timing.services import tables
from timing.services.rulebooks import Rulebooks
from timing.services.tables import Format, arrow_schema, check_format, duration_text, instant_text, write_table, write_tables

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORMATS: tuple[Format, ...] = ("csv", "parquet")


@pytest.fixture(scope="module")
def timing() -> Timing:
    """Fold a simulated race with everything in it."""
    options = [
        "--seed",
        "5",
        "--format",
        "mitjet",
        "--cars",
        "9",
        "--laps",
        "9",
        "--virtual",
        "1",
        "--faults",
        "mild,ghosts,swaps,wrong-numbers,slips",
    ]
    simulation = simulated.raced(options)
    timing = Timing(simulation.plan.session)
    for record in simulated.records(simulation, Rulebooks()):
        timing.apply(record)
    return timing


@pytest.fixture(scope="module")
def folder(timing: Timing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables")
    for form in FORMATS:
        write_tables(timing, made, list(TABLES), form)
    return made


def expected(table: Table, timing: Timing) -> list[tuple[Any, ...]]:
    """Give the rows as Python's own values: each instant and duration as such, and as an integer."""
    rows = []
    for row in table.rows(timing):
        cells: list[Any] = []
        for column, value in zip(table.columns, row, strict=True):
            if column.type in ("instant", "duration"):
                since = None if value is None else timedelta(microseconds=int(value))
                cells.append(EPOCH + since if since is not None and column.type == "instant" else since)
            cells.append(value)
        rows.append(tuple(cells))
    return rows


def names(table: Table) -> list[str]:
    return [name for column in table.columns for name, _, _ in column.stored()]


def test_the_race_fills_most_tables(timing: Timing) -> None:
    filled = {name for name, table in TABLES.items() if list(table.rows(timing))}
    assert filled >= set(TABLES) - {"decisions", "neutralisations"}


@pytest.mark.parametrize("name", TABLES)
def test_polars_reads_parquet(timing: Timing, folder: Path, name: str) -> None:
    frame = pl.read_parquet(folder / f"{name}.parquet")
    assert frame.columns == names(TABLES[name])
    assert frame.rows() == expected(TABLES[name], timing)


@pytest.mark.parametrize("name", TABLES)
def test_pandas_reads_parquet(timing: Timing, folder: Path, name: str) -> None:
    frame = pd.read_parquet(folder / f"{name}.parquet", dtype_backend="pyarrow")
    assert list(frame.columns) == names(TABLES[name])
    found = [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False, name=None)]
    assert found == expected(TABLES[name], timing)


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_reads_parquet(timing: Timing, folder: Path, name: str) -> None:
    stored = [(column, kind) for table in [TABLES[name]] for c in table.columns for column, kind, _ in c.stored()]
    instants = {column for column, kind in stored if kind == "instant"}
    found = duckdb.sql(f"SELECT * FROM read_parquet('{folder / name}.parquet')")  # noqa: S608  # a path of this test
    assert found is not None
    assert found.columns == [column for column, _ in stored]
    assert {column for column, kind in zip(found.columns, found.types, strict=True) if kind == "TIMESTAMP WITH TIME ZONE"} == instants
    asked = found.project(", ".join(f'epoch_us("{column}")' if column in instants else f'"{column}"' for column, _ in stored))
    whole = []
    for row in TABLES[name].rows(timing):  # durations are integers of microseconds there
        values = zip(TABLES[name].columns, row, strict=True)
        whole.append(tuple(cell for column, value in values for cell in [value] * len(column.stored())))
    assert asked.fetchall() == whole


@pytest.mark.parametrize("name", TABLES)
def test_csv_holds_the_same(timing: Timing, folder: Path, name: str) -> None:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        head, *lines = csv.reader(file)
    assert head == names(TABLES[name])
    assert lines == [[text(cell) for cell in row] for row in expected(TABLES[name], timing)]


def text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case datetime():
            return cell.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case timedelta():
            whole, us = divmod(cell, timedelta(seconds=1))
            return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{us.microseconds:06d}"
    return str(cell)


@pytest.mark.parametrize("name", TABLES)
def test_pandas_polars_and_duckdb_read_csv_with_types(timing: Timing, folder: Path, name: str) -> None:
    path, table = folder / f"{name}.csv", TABLES[name]
    texts = [column.name for column in table.columns if column.type == "text"]
    integers = [stored for column in table.columns for stored, kind, _ in column.stored() if kind == "integer"]
    wanted = [[row[names(table).index(column)] for column in integers] for row in expected(table, timing)]
    by_pandas = pd.read_csv(path, dtype=dict.fromkeys(texts, "string") | dict.fromkeys(integers, "Int64"))
    assert [[None if pd.isna(value) else int(value) for value in row] for row in by_pandas[integers].itertuples(index=False)] == wanted
    overrides = dict.fromkeys(texts, pl.String()) | dict.fromkeys(integers, pl.Int64())
    by_polars = pl.read_csv(path, schema_overrides=overrides)
    assert [list(row) for row in by_polars.select(integers).rows()] == (wanted if integers else [])
    types = dict.fromkeys(texts, "VARCHAR") | dict.fromkeys(integers, "BIGINT")
    by_duckdb = duckdb.read_csv(str(path), dtype=types)
    if integers:
        assert [list(row) for row in by_duckdb.select(*(f'"{column}"' for column in integers)).fetchall()] == wanted


def test_parquet_says_what_it_tells(timing: Timing, folder: Path) -> None:
    schema = pq.read_schema(folder / "laps.parquet")
    assert schema.field("lap_time").metadata[b"description"].startswith(b"its time")
    assert schema.metadata[b"digest"] == timing.digest().hex().encode()
    assert (schema.metadata[b"session"], schema.metadata[b"parcferme.table"]) == (timing.session.encode(), b"laps")
    assert schema.equals(arrow_schema(TABLES["laps"], timing))


def test_the_same_log_makes_the_same_bytes(timing: Timing, folder: Path, tmp_path: Path) -> None:
    for form in FORMATS:
        write_tables(timing, tmp_path, list(TABLES), form)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_many_rows_go_in_parts(timing: Timing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 100)
    whole = {form: io.BytesIO() for form in FORMATS}
    counts = {form: write_table("crossings", timing, file, form) for form, file in whole.items()}
    assert counts["csv"] == counts["parquet"] == len(list(TABLES["crossings"].rows(timing))) > 200
    assert whole["csv"].getvalue().count(b"\n") == counts["csv"] + 1
    assert pq.ParquetFile(io.BytesIO(whole["parquet"].getvalue())).num_row_groups > 2


def test_progress_and_what_was_written(timing: Timing, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    written = write_tables(timing, tmp_path / "deep" / "down", ["laps", "stints"], "csv", lambda _, done, total: seen.append((done, total)))
    assert [path.name for path, _ in written] == ["laps.csv", "stints.csv"]
    assert seen == [(1, 2), (2, 2)]


def test_a_folder_that_cannot_be_made_is_named(timing: Timing, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TimingError, match=r"file/laps\.csv cannot be written"):
        write_tables(timing, tmp_path / "file", ["laps"], "csv")


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    check_format("csv")
    with pytest.raises(ConfigurationError, match=r"pip install 'parcferme\[archive\]'"):
        check_format("parquet")


@pytest.mark.parametrize(
    ("us", "as_instant", "as_duration"),
    [
        (0, "1970-01-01T00:00:00.000000Z", "00:00:00.000000"),
        (1_718_467_226_602_001, "2024-06-15T16:00:26.602001Z", "477352:00:26.602001"),
        (86_515_856_000, "1970-01-02T00:01:55.856000Z", "24:01:55.856000"),
    ],
)
def test_texts_are_exact(us: int, as_instant: str, as_duration: str) -> None:
    assert (instant_text(us), duration_text(us)) == (as_instant, as_duration)
    assert duration_text(-1) == "-00:00:00.000001"
