"""Sheets as PDF: typeset with Typst, with the template and the typeface that are shipped. The same sheet makes the same bytes."""

from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from timing.domain.errors import ConfigurationError
from timing.domain.units import SECOND
from timing.projections.sheet import Sheet

TAGGED = 3_000  # rows up to which the file is tagged for screen readers; beyond, tags are forty times what they tag


def pdf(sheet: Sheet) -> bytes:
    """Typeset a sheet.

    Raises:
        ConfigurationError: Typst is not installed.

    """
    typst = _typst()
    with as_file(files("timing") / "sheets") as shipped, TemporaryDirectory(prefix="parcferme-") as folder:
        root = Path(folder)
        (root / "sheet.typ").write_bytes((shipped / "sheet.typ").read_bytes())
        (root / "sheet.json").write_bytes(msgspec.json.encode(sheet))
        made: bytes = typst.compile(
            root / "sheet.typ",
            root=root,
            font_paths=[shipped / "fonts"],
            ignore_system_fonts=True,
            timestamp=sheet.at // SECOND,
            pdf_tags=_rows(sheet) <= TAGGED,
        )
    return made


def check_installed() -> None:
    """Say beforehand whether sheets can be printed here.

    Raises:
        ConfigurationError: they cannot, and what to install.

    """
    _typst()


def can_print() -> bool:
    """Say whether sheets can be printed here, without loading what prints them."""
    return find_spec("typst") is not None


def _rows(sheet: Sheet) -> int:
    return sum(len(s.lines) + sum(len(lap.cars) for lap in s.chart) + sum(len(car.lines) for car in s.cars) for s in sheet.sections)


def _typst() -> Any:
    try:
        import typst  # noqa: PLC0415  # an extra
    except ImportError:
        raise ConfigurationError("printing needs Typst: pip install 'parcferme[archive]'") from None
    return typst
