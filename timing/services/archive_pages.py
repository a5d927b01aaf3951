"""The archive over HTTP: a session's tables and its result document, made from the log by a process of their own, once for each record.

Limits beside those of ``children`` and ``made``: every lap of a session of more than ``MANY_LAPS`` is printed for who is signed in, 401.
"""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timing.projections.sheet import PARTS
from timing.projections.tables import TABLES
from timing.projections.timing import Timing
from timing.services.asked import Refused, json_answer
from timing.services.children import Children, answered
from timing.services.made import Made
from timing.services.tables import Format

MANY_LAPS = 8_000  # of all cars: a sheet with more takes seconds and half a gigabyte
_DIGITS = 4  # of a version's number
TYPES = {"csv": "text/csv; charset=utf-8; header=present", "parquet": "application/vnd.apache.parquet"}


class Archive:
    """Answers for tables. ``log`` is its file, ``timing_of`` tells which sessions there are, ``watching`` refuses who may not see one."""

    def __init__(self, log: Path, timing_of: Callable[[str], Timing | None], watching: Callable[[Headers, str], object]) -> None:
        self._log = log
        self._timing_of = timing_of
        self._watching = watching
        self._children = Children("timing.services.archive_job")
        self._made = Made()

    def routes(self) -> list[Route]:
        """Give the routes under which they are asked."""
        return [
            Route("/api/sessions/{session}/tables", self.list),
            Route("/api/sessions/{session}/tables/{table}.{form}", self.table),
            Route("/api/sessions/{session}/document.pdf", self.document),
        ]

    async def list(self, request: Request) -> Response:
        """Say which tables there are, with their columns."""
        if refused := self._refused(request):
            return refused
        tables = [
            {
                "table": table.name,
                "about": table.about,
                "columns": [
                    {"name": name, "type": kind, "about": about} for column in table.columns for name, kind, about in column.stored()
                ],
            }
            for table in TABLES.values()
        ]
        return json_answer({"tables": tables})

    async def table(self, request: Request) -> Response:
        """Give one table as a file."""
        if refused := self._refused(request):
            return refused
        session, table, form = (request.path_params[name] for name in ("session", "table", "form"))
        if table not in TABLES or form not in get_args(Format):
            there = ", ".join(TABLES)
            return Refused(
                404, "no-table", f"there is no table {table[:64]}.{form[:16]}; there are, as .csv and .parquet: {there}"
            ).answer()
        name = f"{table}.{form}"
        return await answered(self._make(session, name), request, TYPES[form], f"{session}-{name}")

    async def document(self, request: Request) -> Response:
        """Give the result document: of ``?version=N`` or ``current``, the last version if left out, with each ``?part=``, or all."""
        if refused := self._refused(request):
            return refused
        session, query = request.path_params["session"], request.query_params
        version, parts = query.get("version", "last"), query.getlist("part")
        if not (version in ("last", "current") or (version.isascii() and version.isdecimal() and len(version) <= _DIGITS)):
            return Refused(400, "no-version", f"version is a number, current or last, not {version[:20]!r}").answer()
        if strangers := [part for part in parts if part not in PARTS]:
            return Refused(400, "no-part", f"there is no part {strangers[0][:20]!r}; there are: {', '.join(PARTS)}").answer()
        if (not parts or "laps" in parts) and self._laps(session) > MANY_LAPS and self._watching(request.headers, session) is None:
            rest = "&".join(f"part={part}" for part in PARTS if part != "laps")
            reason = f"so many laps are printed for who is signed in; leave them out (?{rest}), take the table laps.csv, or sign in"
            return Refused(401, "not-signed-in", reason).answer()
        work = self._make(session, "document.pdf", version, *dict.fromkeys(parts))
        return await answered(work, request, "application/pdf", f"{session}-{version}.pdf")

    async def _make(self, session: str, *what: str) -> bytes:
        timing = self._timing_of(session)
        assert timing is not None, "sessions do not go away"
        return await self._made.give((session, *what), timing.seq, lambda: self._children.ask([str(self._log), session, *what]))

    def _laps(self, session: str) -> int:
        timing = self._timing_of(session)
        return 0 if timing is None else sum(len(laps.ends) for laps in timing.laps.values())

    def _refused(self, request: Request) -> Response | None:
        session = request.path_params["session"]
        if self._timing_of(session) is None:
            return Refused(404, "no-session", f"there is no session {session[:64]!r}").answer()
        try:
            self._watching(request.headers, session)
        except Refused as refused:
            return refused.answer()
        return None
