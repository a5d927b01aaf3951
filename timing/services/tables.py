"""Tables as files: CSV with the standard library, Parquet with PyArrow where it is installed."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from timing.domain.errors import ConfigurationError
from timing.domain.units import HOUR, MINUTE, SECOND
from timing.projections.tables import TABLES, Row, Table, Type, Value
from timing.projections.timing import Timing
from timing.services.whole import written

Format: TypeAlias = Literal["csv", "parquet"]
Progress: TypeAlias = Callable[[str, int, int], None]

CHUNK = 50_000  # rows in memory at a time, and in a row group of Parquet
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_format(form: Format) -> None:
    """Say beforehand whether files of a format can be written here.

    Raises:
        ConfigurationError: they cannot, and what to install.

    """
    if form == "parquet":
        _pyarrow()


def write_tables(
    timing: Timing, folder: Path, names: Sequence[str], form: Format, progress: Progress | None = None
) -> list[tuple[Path, int]]:
    """Write tables of a session to ``folder``, one file each; a file of the same name is replaced once the new one is whole.

    Returns:
        the files, and how many rows each has.

    Raises:
        ConfigurationError: Parquet is asked for, and PyArrow is not installed.
        TimingError: a file cannot be written.

    """
    writing = _parquet if form == "parquet" else _csv
    made = []
    for done, name in enumerate(names, start=1):
        target = folder / f"{name}.{form}"
        with written(target, folders=True) as file:
            rows = writing(TABLES[name], timing, file)
        made.append((target, rows))
        if progress:
            progress(f"tables of {timing.session}", done, len(names))
    return made


def write_table(name: str, timing: Timing, file: BinaryIO, form: Format) -> int:
    """Write one table, and say how many rows it has. See ``write_tables``."""
    return (_parquet if form == "parquet" else _csv)(TABLES[name], timing, file)


# --- CSV ----------------------------------------------------------------------------------------------------------------------------


def _csv(table: Table, timing: Timing, file: BinaryIO) -> int:
    """Write RFC 4180 in UTF-8: a head line, an empty cell for what there is none of."""
    count, kinds = 0, [column.type for column in table.columns]
    file.write(_lines([[name for column in table.columns for name, _, _ in column.stored()]]))
    for rows in _parts(table, timing):
        file.write(_lines([cell for kind, value in zip(kinds, row, strict=True) for cell in _cells(kind, value)] for row in rows))
        count += len(rows)
    return count


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cells(kind: Type, value: Value) -> tuple[object, ...]:
    if kind not in ("instant", "duration"):
        return (value if not isinstance(value, bool) else "true" if value else "false",)
    if value is None:
        return ("", "")
    assert isinstance(value, int)
    return (instant_text(value) if kind == "instant" else duration_text(value), value)


def instant_text(at: int) -> str:
    """Write an instant so that every program reads it exactly: ``2024-06-15T14:00:00.000000Z``."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def duration_text(us: int) -> str:
    """Write a duration so that every program reads it exactly: ``00:03:26.123456``."""
    sign, us = ("-", -us) if us < 0 else ("", us)
    return f"{sign}{us // HOUR:02d}:{us // MINUTE % 60:02d}:{us // SECOND % 60:02d}.{us % SECOND:06d}"


# --- Parquet ------------------------------------------------------------------------------------------------------------------------


def _parquet(table: Table, timing: Timing, file: BinaryIO) -> int:
    pa, parquet = _pyarrow()
    schema = arrow_schema(table, timing)
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _parts(table, timing):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(values, schema.field(name).type)
                for column, values in zip(table.columns, columns, strict=True)
                for name, _, _ in column.stored()
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(rows)
    return count


def arrow_schema(table: Table, timing: Timing) -> Any:
    """Give the schema of a table, of PyArrow: each field says what it tells, the whole says which session and state it is of."""
    pa, _ = _pyarrow()
    kinds: dict[Type, Any] = {
        "text": pa.string(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "instant": pa.timestamp("us", tz="UTC"),
        "duration": pa.duration("us"),
    }
    fields = [
        pa.field(name, kinds[kind], metadata={"description": about}) for column in table.columns for name, kind, about in column.stored()
    ]
    state = {"session": timing.session, "seq": str(timing.seq), "digest": timing.digest().hex()}
    return pa.schema(fields, metadata={"parcferme.table": table.name, "description": table.about, **state})


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra, and half a second to load
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError("Parquet needs PyArrow: pip install 'parcferme[archive]'; or ask for --format csv") from None
    return pa, parquet


def _parts(table: Table, timing: Timing) -> Iterator[list[Row]]:
    rows = iter(table.rows(timing))
    while part := list(islice(rows, CHUNK)):
        yield part
