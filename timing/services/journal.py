"""What was said in a session, as it came and with who said it, for those who may speak in it.

``GET /api/sessions/{session}/log?after=SEQ&limit=N``. Limits: 1,000 records at a time. Left out are whole rulebooks, and the bytes of
a rejected message where they are more than 4 KiB.
"""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timing.log.record import Record
from timing.log.sqlite_log import SqliteLog
from timing.services.access import Access
from timing.services.asked import Refused, json_answer

_USUAL, _MOST = 100, 1_000
_LONGEST_PAYLOAD = 4_096


class Journal:
    """Reads the log beside its writer."""

    def __init__(self, access: Access, log: SqliteLog) -> None:
        self._access, self._log = access, log

    def route(self) -> Route:
        """Give the route."""
        return Route("/api/sessions/{session}/log", self.answer)

    async def answer(self, request: Request) -> Response:
        """Give the records."""
        session = request.path_params["session"]
        try:
            self._access.speaking(request.headers, session)
            after, limit = _number(request, "after", 0), _number(request, "limit", _USUAL)
        except Refused as fault:
            return self._access.refusing(request, fault).answer()
        last = self._log.high_watermark(session)
        if not last:
            return Refused(404, "unknown-session", f"there is no session {session[:64]!r}").answer()
        records = await asyncio.to_thread(self._log.commands, session, after, min(limit, _MOST))
        return json_answer({"session": session, "seq": last, "records": [_shown(record) for record in records]})


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 16):
        raise Refused(400, "bad-field", f"{name} is a number, not {text[:20]!r}")
    return int(text)


def _shown(record: Record) -> dict[str, Any]:
    event: dict[str, Any] = msgspec.json.decode(record.raw)
    event.pop("rules", None)
    if len(event.get("payload", "")) > _LONGEST_PAYLOAD:
        del event["payload"]
    return {"seq": record.seq, "recorded_at": record.recorded_at, "event": event}
