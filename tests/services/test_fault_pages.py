"""Pages for who is lost, refused or met by a fault: in the language of the browser, and complete in each."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from starlette.requests import Request

from timing.services.fault_pages import HEADERS, LANGUAGES, TEXTS, language_of
from timing.services.pages import PageServer
from timing.services.web import Health, SessionEntry, make_app


class Broken:
    """A source of pages in which a part breaks."""

    def sessions(self) -> list[SessionEntry]:
        return [SessionEntry("course-2", "Course 2 <b>", "race", "running", 1)]

    def document(self, session: str, path: str, query: Mapping[str, str]) -> bytes | None:
        raise RuntimeError((session, path, query))

    def health(self) -> Health:
        raise RuntimeError


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        PageServer(make_app(Broken(), feed_port=8765), "127.0.0.1", 0) as pages,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{pages.port}") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ("", "", "en"),
        ("fr", "", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "", "fr"),
        ("de-DE,en;q=0.3,fr;q=0.7", "", "fr"),
        ("de", "", "en"),
        ("en;q=0.5,fr;q=0.5", "", "en"),
        ("fr;q=0,en;q=0.1", "", "en"),
        ("fr;q=nonsense, fr;q=7, ,;q=", "", "en"),
        ("en", "lang=fr", "fr"),
        ("fr", "lang=xx", "fr"),
        (",".join(["de"] * 1000 + ["fr"]), "", "en"),
    ],
)
def test_the_language_a_browser_wants(header: str, query: str, expected: str) -> None:
    scope = {"type": "http", "query_string": query.encode(), "headers": [(b"accept-language", header.encode())]}
    assert language_of(Request(scope)) == expected


def test_every_kind_is_said_in_every_language_with_the_same_places() -> None:
    for kind, texts in TEXTS.items():
        assert texts.keys() == set(LANGUAGES), kind
        places = {language: sorted(name for name in ("{path}", "{session}") if name in said) for language, (_, said) in texts.items()}
        assert len({tuple(each) for each in places.values()}) == 1, kind
        assert len({title for title, _ in texts.values()}) == len(LANGUAGES), kind


@pytest.mark.parametrize(
    ("path", "status", "english", "french"),
    [
        ("/s/none", 404, "There is no session none.", "Il n’y a pas de séance none."),
        ("/s/course-2/nothing", 404, "There is no page /s/course-2/nothing.", "Il n’y a pas de page /s/course-2/nothing."),
        ("/nowhere", 404, "There is no page /nowhere.", "Il n’y a pas de page /nowhere."),
        ("/health", 500, "Something broke here", "Quelque chose a cassé"),
    ],
)
async def test_a_person_reads_it_in_their_language(client: httpx.AsyncClient, path: str, status: int, english: str, french: str) -> None:
    for language, said in (("en", english), ("fr", french)):
        answer = await client.get(path, headers={"accept-language": language})
        assert (answer.status_code, answer.headers["content-language"]) == (status, language)
        assert f'<html lang="{language}">' in answer.text
        assert said in answer.text
        assert ('href="/s/course-2"' in answer.text) == (status == 404)
        assert "<b>" not in answer.text.replace("Ferm<b>", "")
        assert HEADERS.items() <= dict(answer.headers).items()
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_program_is_told_a_fault_as_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/sessions/course-2/result", headers={"accept-language": "fr"})
    assert (answer.status_code, answer.json()) == (500, {"code": "internal-error", "error": "a fault in the program; please report it"})
