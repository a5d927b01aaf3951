"""Printed sheets, read back: every row is there, nothing runs off the page, and the same sheet makes the same bytes."""

import io
import re
import sys
import unicodedata
from itertools import pairwise
from typing import Any

import msgspec
import pytest
import simulated
from pypdf import PdfReader

from timing.domain.errors import ConfigurationError
from timing.domain.events import Decision, Message, ResultPublished
from timing.log.record import Record
from timing.projections.result import result
from timing.projections.sheet import PARTS, Sheet, sheet
from timing.projections.sheet_parts import Column, Line, Section
from timing.projections.timing import Timing
from timing.projections.versions import versions
from timing.services import printing
from timing.services.printing import check_installed, pdf
from timing.services.rulebooks import Rulebooks

RACE = ("--format", "mitjet", "--rulebook", "fia-f1-2025", "--cars", "14", "--laps", "12", "--virtual", "1")  # whose rules have points
LONG = "Impeding another car that was on a fast lap, and which had to leave the track to avoid a collision; " * 4


def folded(*options: str, said: int = 0) -> Timing:
    """Fold a simulated race; ``said``: how many of three events more, the last of which publishes the result."""
    simulation = simulated.raced(["--seed", "5", *options])
    timing = Timing(simulation.plan.session)
    for record in simulated.records(simulation, Rulebooks()):
        timing.apply(record)
    at, car = timing.board().at, next(iter(timing.board().rows))
    more = (
        Decision(id="d1", at=at, decision="12", car=car, penalty="time", seconds=5, reason=LONG, article="33.1 b)"),
        Message(id="m1", at=at, text=LONG),
        ResultPublished(id="p1", at=at + 1, stage="final", document="14 rev. 2"),
    )
    for event in more[:said]:
        timing.apply(Record(timing.session, timing.seq + 1, at, event, b"", b""))
    return timing


@pytest.fixture(scope="module")
def timing() -> Timing:
    return folded(*RACE, said=3)


@pytest.fixture(scope="module")
def made(timing: Timing) -> Sheet:
    return sheet(timing)


@pytest.fixture(scope="module")
def printed(made: Sheet) -> PdfReader:
    return PdfReader(io.BytesIO(pdf(made)))


def close(text: str) -> str:
    """Leave out all white space: a page has none between two cells but the distance."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFC", text))


def in_two(parts: list[str], text: str) -> bool:
    """Say whether texts stand one below the other, or go on in another column of the page."""
    return any(close("".join(parts[:n])) in text and close("".join(parts[n:])) in text for n in range(len(parts), 0, -1))


def pages_of(reader: PdfReader, section: Section, made: Sheet) -> list[str]:
    """Give the texts of a section's pages: those that have its title at their head."""
    head = close(made.title)
    return [text for page in reader.pages if section.title in (text := page.extract_text()) and head in close(text)]


def test_every_row_of_every_table_is_on_its_pages(made: Sheet, printed: PdfReader) -> None:
    tables = [section for section in made.sections if section.lines]
    assert {section.part for section in tables} == set(PARTS) - {"chart", "laps"}
    for section in tables:
        text = close("".join(pages_of(printed, section, made)))
        places = [text.find(close("".join(line.cells))) for line in section.lines]
        assert -1 not in places, (section.part, section.lines[places.index(-1)])
        assert places == sorted(places), section.part


def test_the_classification_is_the_result_document(timing: Timing, made: Sheet) -> None:
    (section,) = (section for section in made.sections if section.part == "classification")
    rows = [line.cells for line in section.lines if line.kind == "row"]
    assert [(cells[0], cells[1]) for cells in rows] == [(str(row.position or ""), row.car) for row in result(timing).rows]


def test_every_lap_of_every_car_is_there(timing: Timing, made: Sheet, printed: PdfReader) -> None:
    (section,) = (section for section in made.sections if section.part == "laps")
    text = close("".join(pages_of(printed, section, made)))
    assert [car.car for car in section.cars] == [row.car for row in result(timing).rows if timing.laps[row.car].ends]
    for car in section.cars:
        assert len(car.lines) == len(timing.laps[car.car].ends)
        for column in range(len(section.columns)):
            assert in_two([line[column] for line in car.lines], text), (car.car, column)


def test_the_lap_chart_has_every_car_in_its_place(timing: Timing, made: Sheet, printed: PdfReader) -> None:
    (section,) = (section for section in made.sections if section.part == "chart")
    text = close("".join(pages_of(printed, section, made)))
    assert len(section.chart) == 1 + max(row.laps for row in result(timing).rows)
    for lap in section.chart:
        assert close("".join(car.removesuffix("*") for car in lap.cars)) in text


def test_each_page_says_what_it_is_of(made: Sheet, printed: PdfReader) -> None:
    count = len(printed.pages)
    for number, page in enumerate(printed.pages, start=1):
        text = page.extract_text()
        assert f"Page {number} of {count}" in text
        assert made.title in text
        assert made.foot in text
        assert any(section.title in text for section in made.sections)


def test_a_long_table_repeats_its_head(made: Sheet) -> None:
    columns = (Column("Number", "right"), Column("What was said", "left", "1fr"))
    lines = tuple(Line((f"#{number}", f"text {number}")) for number in range(200))
    long = msgspec.structs.replace(made, sections=(Section("messages", "Messages", columns, lines),))
    texts = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(long))).pages]
    assert len(texts) > 2
    assert all("What was said" in text for text in texts)
    for _, after in pairwise(texts):
        assert re.search(r"What was said\s*#\d+\s*text \d+", after)


@pytest.mark.parametrize(("cars", "pages"), [(30, 1), (34, 1), (60, 2)])
def test_a_classification_is_signed_on_a_page_that_has_cars(cars: int, pages: int) -> None:
    timing = folded("--format", "mitjet", "--cars", str(cars), "--laps", "6")
    texts = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(sheet(timing, None, ["classification"])))).pages]
    assert len(texts) == pages
    assert "Clerk of the course" in texts[-1]
    assert re.search(r"\d:\d\d\.\d{3}", texts[-1])


def test_a_heading_within_a_table_is_never_alone_at_a_page_s_end(made: Sheet) -> None:
    columns = (Column("Number", "right"), Column("What was said", "left", "1fr"))
    for rows in range(62, 72):
        lines = tuple(Line((f"#{number}", f"text {number}")) for number in range(rows))
        cut = (*lines, Line(("Below",), "head"), Line(("#below", "text below")))
        one = msgspec.structs.replace(made, sections=(Section("messages", "Messages", columns, cut),))
        texts = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(one))).pages]
        (page,) = [text for text in texts if "Below" in text]
        assert "#below" in page, f"after {rows} rows"


def spots(page: Any) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []

    def visit(text: str, page: list[float], at: list[float], *__: Any) -> None:
        if text.strip():
            found.append((at[4] * page[0] + at[5] * page[2] + page[4], at[4] * page[1] + at[5] * page[3] + page[5]))

    page.extract_text(visitor_text=visit)
    return found


def test_nothing_begins_off_the_page(printed: PdfReader) -> None:
    for page in printed.pages:
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        assert (round(width), round(height)) == (595, 842)
        assert [(x, y) for x, y in spots(page) if not (20 < x < width - 20 and 20 < y < height - 20)] == []


def test_the_same_sheet_makes_the_same_bytes_and_another_others(timing: Timing, made: Sheet) -> None:
    again = sheet(timing)
    assert pdf(again) == pdf(made)
    assert pdf(msgspec.structs.replace(made, title="Another")) != pdf(made)


def test_a_published_version_says_all_that_it_rests_on(timing: Timing) -> None:
    version = versions(timing).versions[-1]
    before = folded(*RACE, said=2)
    text = close("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf(sheet(before, version, ["classification"])))).pages))
    assert version.rulebook
    for said in (
        "FINAL",
        "Document 14 rev. 2",
        version.digest,
        version.rulebook,
        f"record {version.seq}, version {version.number}",
        "12",
        "5 s penalty",
    ):
        assert close(said) in text


def test_names_in_any_script_are_printed(made: Sheet) -> None:
    columns = (Column("Name", "left", "1fr"),)
    names = ("Łukasz Żółć", "Søren Ångström", "José Muñoz", "Αλέξης Παπάς", "Иван Петров", "Țăndărică", "#[x] $y$ *z* _w_ `v` \\ // <u>")
    odd = msgspec.structs.replace(made, sections=(Section("messages", "N", columns, tuple(Line((name,)) for name in names)),))
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf(odd))).pages)
    assert [name for name in names if close(name) not in close(text)] == []


def test_a_sheet_of_many_rows_is_not_tagged_and_a_short_one_is(made: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    def tagged(content: bytes) -> bool:
        return "/StructTreeRoot" in PdfReader(io.BytesIO(content)).trailer["/Root"]  # type: ignore[operator]  # a dictionary

    short = msgspec.structs.replace(made, sections=made.sections[:1])
    assert tagged(pdf(short))
    monkeypatch.setattr(printing, "TAGGED", 1)
    assert not tagged(pdf(short))


def test_a_sheet_of_a_session_that_has_not_begun() -> None:
    timing = Timing("s")
    reader = PdfReader(io.BytesIO(pdf(sheet(timing))))
    assert "Not published".upper() in reader.pages[0].extract_text()


def test_without_typst_it_says_what_to_install(made: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    for ask in (check_installed, lambda: pdf(made)):
        with pytest.raises(ConfigurationError, match=r"pip install 'parcferme\[archive\]'"):
            ask()
