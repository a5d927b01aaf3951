"""The pages' HTTP: what is served, as what, under which headers, and what a lost visitor is told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from typing import Any

import httpx
import msgspec
import pytest

from timing.domain.errors import TimingError
from timing.services.web import Health, SessionEntry, content_security_policy, feed_address, make_app

RESULT = b'{"session":"course-2","status":"provisional","rows":[]}'


class Shelf:
    """A source of pages as plain data."""

    def __init__(self) -> None:
        self.listed: list[SessionEntry] = []
        self.healthy = True

    def sessions(self) -> list[SessionEntry]:
        return self.listed

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:
        if query.get("at"):
            raise TimingError("that instant is no instant")
        return {"result": RESULT, "cars/7": b'{"car":"7"}'}.get(path) if session == "course-2" else None

    def health(self) -> Health:
        return Health(ok=self.healthy, parts={"log": {"ok": self.healthy, "records": 12}, "broker": {"ok": True}})


def entry(session: str, status: str = "running", name: str = "A race") -> SessionEntry:
    return SessionEntry(session, name, "race", status, 1)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def client(shelf: Shelf) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(shelf, feed_port=8765))
    async with httpx.AsyncClient(transport=transport, base_url="http://timing.local:8080") as client:
        yield client


@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        ([entry("only", "final")], "only"),
        ([entry("first"), entry("second"), entry("third", "scheduled")], "second"),
        ([entry("first", "suspended"), entry("second", "final")], "first"),
        ([entry("first", "final"), entry("second", "final")], "second"),
    ],
)
async def test_home_goes_to_the_session_one_came_for(
    client: httpx.AsyncClient, shelf: Shelf, listed: list[SessionEntry], chosen: str
) -> None:
    shelf.listed = listed
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/s/{chosen}")
    assert answer.headers["cache-control"] == "no-store"


async def test_home_waits_for_the_first_session(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    assert "data-wait" in answer.text


async def test_the_list_links_every_session_latest_first_and_escapes_names(client: httpx.AsyncClient, shelf: Shelf) -> None:
    shelf.listed = [entry("one", name="<b>One</b>"), entry("two", "final")]
    text = (await client.get("/sessions")).text
    assert 0 < text.index('href="/s/two"') < text.index('href="/s/one"')
    assert "&lt;b&gt;One&lt;/b&gt;" in text
    assert "<b>One" not in text
    assert "data-wait" not in text


async def test_the_leaderboard_page_names_its_session(client: httpx.AsyncClient, shelf: Shelf) -> None:
    shelf.listed = [entry("course-2", name='Course "2" & <3>')]
    answer = await client.get("/s/course-2")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<h1 data-at="name">Course &quot;2&quot; &amp; &lt;3&gt;</h1>' in answer.text


async def test_pages_hold_nothing_inline_and_nothing_from_elsewhere() -> None:
    for page in (files("timing") / "web" / "pages").iterdir():
        text = page.read_text("utf-8")
        assert "<style" not in text
        assert " style=" not in text
        assert " on" not in text.replace(" only", "")
        assert text.count("<script") == text.count('<script type="module" src="$root/static/')
        assert "//" not in text


async def test_behind_a_proxy_with_a_path_every_address_carries_it(shelf: Shelf) -> None:
    shelf.listed = [entry("course-2")]
    transport = httpx.ASGITransport(make_app(shelf, feed_port=8765), root_path="/timing")
    async with httpx.AsyncClient(transport=transport, base_url="http://club.example") as client:
        assert (await client.get("/timing/")).headers["location"] == "/timing/s/course-2"
        text = (await client.get("/timing/s/course-2")).text
    assert 'src="/timing/static/js/main.js"' in text
    assert 'href="/static' not in text


async def test_sessions_results_and_the_feed_as_json(client: httpx.AsyncClient, shelf: Shelf) -> None:
    shelf.listed = [entry("course-2")]
    listed = (await client.get("/api/sessions")).json()
    assert listed == {"sessions": [{"session": "course-2", "name": "A race", "kind": "race", "status": "running", "seq": 1}]}
    result = await client.get("/api/sessions/course-2/result")
    assert (result.content, result.headers["content-type"]) == (RESULT, "application/json")
    car = await client.get("/api/sessions/course-2/cars/7")
    assert (car.content, car.headers["content-type"]) == (b'{"car":"7"}', "application/json")
    stranger = await client.get("/api/sessions/course-2/cars/999")
    assert (stranger.status_code, "999" in stranger.json()["error"]) == (404, True)
    refused = await client.get("/api/sessions/course-2/result?at=noon")
    assert (refused.status_code, refused.json()["error"]) == (400, "that instant is no instant")
    assert (await client.get("/api/feed")).json() == {"url": "ws://timing.local:8765"}


@pytest.mark.parametrize("path", ["/api/sessions/none/result", "/api/nothing", "/static/js/none.js", "/static/pages/leaderboard.html"])
async def test_what_is_not_there_is_said_as_json(client: httpx.AsyncClient, shelf: Shelf, path: str) -> None:
    shelf.listed = [entry("course-2")]
    answer = await client.get(path)
    assert answer.status_code == 404
    said = answer.json()
    assert said["sessions"] == ["course-2"]
    assert said["error"]


@pytest.mark.parametrize("path", ["/s/none", "/nothing/at/all", "/s/%3Cscript%3E", "/s/" + "x" * 5000])
async def test_a_lost_visitor_is_shown_the_sessions(client: httpx.AsyncClient, shelf: Shelf, path: str) -> None:
    shelf.listed = [entry("course-2")]
    answer = await client.get(path)
    assert answer.status_code == 404
    assert 'href="/s/course-2"' in answer.text
    assert "<script>" not in answer.text


async def test_pages_only_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/sessions")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "MQTT" in answer.json()["error"]


@pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
async def test_health(client: httpx.AsyncClient, shelf: Shelf, *, healthy: bool, status: int) -> None:
    shelf.healthy = healthy
    answer = await client.get("/health")
    assert answer.status_code == status
    assert answer.json()["parts"]["log"] == {"ok": healthy, "records": 12}


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("js/main.js", "text/javascript; charset=utf-8"),
        ("css/shell.css", "text/css; charset=utf-8"),
        ("img/mark.svg", "image/svg+xml"),
        ("fonts/saira-latin.woff2", "font/woff2"),
    ],
)
async def test_static_files_are_asked_for_again_and_sent_once(client: httpx.AsyncClient, path: str, media_type: str) -> None:
    first = await client.get(f"/static/{path}")
    assert first.status_code == 200
    assert first.headers["content-type"] == media_type
    assert first.content == (files("timing") / "web" / path).read_bytes()
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get(f"/static/{path}", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await client.get(f"/static/{path}", headers={"if-none-match": '"other"'})).status_code == 200


async def test_the_typeface_comes_with_its_licence(client: httpx.AsyncClient) -> None:
    assert "SIL Open Font License" in (await client.get("/static/fonts/OFL.txt")).text


@pytest.mark.parametrize("path", ["/", "/s/none", "/static/css/shell.css", "/static/none", "/api/sessions", "/health", "/sessions"])
async def test_every_answer_carries_the_protective_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "connect-src 'self' ws://timing.local:8765;" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_of_documents_asked_for_at_once_those_beyond_the_limit_are_asked_to_come_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timing.services.web.DOCUMENTS_WAITING", 3)
    shelf.listed = [entry("course-2")]
    transport = httpx.ASGITransport(make_app(shelf, feed_port=8765))
    async with httpx.AsyncClient(transport=transport, base_url="http://timing.local") as client:
        answers = await asyncio.gather(*(client.get("/api/sessions/course-2/result") for _ in range(20)))
        assert Counter(answer.status_code for answer in answers) == {200: 4, 503: 16}
        assert {(answer.headers["retry-after"], answer.json()["code"]) for answer in answers if answer.status_code == 503} == {
            ("1", "busy")
        }
        assert (await client.get("/api/sessions/course-2/result")).status_code == 200


async def test_a_failure_in_the_service_is_a_500_and_no_page() -> None:
    class Broken(Shelf):
        def sessions(self) -> list[SessionEntry]:
            raise AssertionError("broken")

    transport = httpx.ASGITransport(make_app(Broken(), feed_port=1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://timing.local") as client:
        assert (await client.get("/api/sessions")).status_code == 500


@pytest.mark.parametrize(
    ("host", "secure", "url", "expected"),
    [
        ("timing.local", False, None, "ws://timing.local:8765"),
        ("timing.local", True, None, "wss://timing.local:8765"),
        ("192.168.1.20", False, None, "ws://192.168.1.20:8765"),
        ("::1", False, None, "ws://[::1]:8765"),
        ("x; script-src *", False, None, "ws://localhost:8765"),
        (None, False, None, "ws://localhost:8765"),
        ("timing.local", True, "wss://feed.club.example/live", "wss://feed.club.example/live"),
    ],
)
def test_the_feed_is_where_the_page_is_unless_told_otherwise(host: str | None, secure: Any, url: str | None, expected: str) -> None:
    assert feed_address(host, secure=secure, feed_port=8765, feed_url=url) == expected


@pytest.mark.parametrize(
    ("feed", "reach"),
    [
        ("wss://feed.club.example/live", "connect-src 'self' wss://feed.club.example;"),
        ("ws://timing.local:8765", "connect-src 'self' ws://timing.local:8765;"),
        ("ws://[::1]:8765", "connect-src 'self' ws:;"),
    ],
)
def test_the_policy_lets_pages_reach_the_feed_alone(feed: str, reach: str) -> None:
    assert reach in content_security_policy(feed)


def test_the_entry_is_what_lists_show() -> None:
    assert msgspec.json.encode(entry("a")) == b'{"session":"a","name":"A race","kind":"race","status":"running","seq":1}'
