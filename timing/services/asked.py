"""What is asked over HTTP, read within limits, and refused with a status, a code for programs and a reason for people."""

import asyncio
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from timing.domain.errors import TimingError

_BODY_WITHIN_S = 10.0


class Refused(TimingError):
    """A request that is not served. The answer is ``{"code", "reason", "error", "data"?}`` with the status.

    ``error`` is the reason again; ``data`` what it names, for words in other languages.
    """

    def __init__(
        self, status: int, code: str, reason: str, headers: Mapping[str, str] | None = None, data: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status, self.code, self.headers, self.data = status, code, dict(headers or {}), dict(data or {})

    def answer(self) -> Response:
        """Give it as an HTTP response."""
        said: dict[str, object] = {"code": self.code, "reason": str(self), "error": str(self)}
        if self.data:
            said["data"] = self.data
        return json_answer(said, self.status, self.headers)


async def body_of(request: Request, largest: int) -> bytes:
    """Read what was sent.

    Raises:
        Refused: it is larger than ``largest`` bytes, or did not come within ten seconds.
        ClientDisconnect: whoever asked has gone.

    """
    body = b""
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > largest:
                    raise Refused(413, "too-large", f"what was sent is larger than {largest // 1024} KiB; send less at a time")
    except TimeoutError:
        raise Refused(408, "too-slow", f"what was sent did not come within {_BODY_WITHIN_S:g} s; send it again") from None
    return body


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Give a value, or JSON text that is ready, as an answer that nobody keeps."""
    text = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return Response(text, status, {"cache-control": "no-store", **(headers or {})}, "application/json")
