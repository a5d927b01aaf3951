"""The longest real race through the archive: files and copies of the same bytes, and a printed sheet with every row of the result."""

import io
import re
from contextlib import closing
from pathlib import Path

import pytest
from pypdf import PdfReader

from timing.log.backup import backup
from timing.log.copying import copy_session
from timing.log.session_file import export_line, read_lines
from timing.log.sqlite_log import SqliteLog
from timing.projections.result import result
from timing.projections.sheet import sheet
from timing.services.importing import plan_import
from timing.services.printing import pdf
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

pytestmark = pytest.mark.races
NOW = 1_747_400_000_000_000


def exported(path: Path, session: str) -> bytes:
    with closing(SqliteLog(path, readonly=True)) as log:
        return b"".join(export_line(record) + b"\n" for record in log.read(session))


def test_every_copy_of_a_log_is_the_log(longest_race: Path, tmp_path: Path) -> None:
    first, again, copied, saved = (tmp_path / f"{name}.db" for name in ("first", "again", "copied", "saved"))
    with closing(SqliteLog(first)) as log, longest_race.open("rb") as lines:
        plan = plan_import(log, read_lines(lines), Rulebooks().resolve, NOW)
        assert plan.write(log, NOW) > 40_000
        (head,) = backup(first, saved)
        with closing(SqliteLog(copied)) as target:
            assert copy_session(log, target, plan.session).hash == head.hash
    whole = exported(first, plan.session)
    with closing(SqliteLog(again)) as log:
        plan_import(log, read_lines(io.BytesIO(whole)), Rulebooks().resolve, NOW + 1).write(log, NOW + 1)
    assert [exported(path, plan.session) == whole for path in (again, copied, saved)] == [True] * 3


def test_the_printed_classification_is_the_result_document(longest_race: Path) -> None:
    timing, _ = score_file(longest_race, Rulebooks())
    content = pdf(sheet(timing, None, ["classification", "classes", "fastest", "stops"]))
    text = re.sub(r"\s+", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))
    last = -1
    for line in next(section for section in sheet(timing).sections if section.part == "classification").lines:
        place = text.find(re.sub(r"\s+", "", "".join(line.cells)), last + 1)
        assert place > last, line.cells
        last = place
    rows = [line.cells for line in sheet(timing).sections[0].lines if line.kind == "row"]
    assert [(cells[0], cells[1]) for cells in rows] == [(str(row.position or ""), row.car) for row in result(timing).rows]
