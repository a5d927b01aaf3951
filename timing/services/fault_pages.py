"""What a browser is shown where there is no page, or none for whoever asks: in English or French, by ``Accept-Language``.

Programs, which ask under ``/api`` or ``/static``, are told the same as JSON, in English.
"""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

from starlette.requests import Request
from starlette.responses import Response

LANGUAGES = ("en", "fr")

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What every answer says beside its policy for content."""

TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "no-page": {
        "en": ("Nothing here", "There is no page {path}."),
        "fr": ("Rien ici", "Il n’y a pas de page {path}."),
    },
    "no-session": {
        "en": ("Nothing here", "There is no session {session}."),
        "fr": ("Rien ici", "Il n’y a pas de séance {session}."),
    },
    "amiss": {
        "en": ("Asked amiss", "This address cannot be answered."),
        "fr": ("Mal demandé", "On ne peut répondre à cette adresse."),
    },
    "read-only": {
        "en": ("Read only", "This page can only be looked at."),
        "fr": ("Lecture seule", "Cette page ne peut qu’être regardée."),
    },
    "not-allowed": {
        "en": ("Not with this sign-in", "What you signed in with is not for this session. Sign in with another token."),
        "fr": ("Pas avec cette connexion", "Votre connexion ne vaut pas pour cette séance. Connectez-vous avec un autre jeton."),
    },
    "unavailable": {
        "en": ("Not available now", "Who is signed in cannot be told now. Try again in a moment; the service’s log says why."),
        "fr": ("Indisponible", "On ne peut dire qui est connecté. Réessayez dans un instant ; le journal du service dit pourquoi."),
    },
    "fault": {
        "en": ("A fault", "Something broke here; the service’s log says what. Load the page again, or tell whoever runs it."),
        "fr": ("Une panne", "Quelque chose a cassé ; le journal du service dit quoi. Rechargez la page, ou prévenez qui le tient."),
    },
}  # fmt: skip
"""A title and a sentence for each kind of fault, by language."""

SIGN_IN = {"en": "Sign in", "fr": "Se connecter"}


def language_of(request: Request) -> str:
    """Give the language a browser wants most of those there are; English if it says none. ``?lang=fr`` is asked for in so many words."""
    if (asked := request.query_params.get("lang", "")) in LANGUAGES:
        return asked
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(request.headers.get("accept-language", "")[:1000].split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            liking = float(weight or 1)
        except ValueError:
            continue
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES and 0 < liking <= 1:
            wanted.append((-liking, place, language))
    return min(wanted)[2] if wanted else LANGUAGES[0]


def is_for_a_person(request: Request) -> bool:
    """Whether a page is asked for, so that a person reads the answer."""
    path = str(request.scope["path"]).removeprefix(str(request.scope.get("root_path", "")).rstrip("/"))
    return not path.startswith(("/api/", "/static/"))


class FaultPages:
    """Makes the pages."""

    def __init__(self) -> None:
        self._sheet = Template((files("timing") / "web" / "pages" / "sessions.html").read_text("utf-8"))

    def page(self, request: Request, status: int, kind: str, *, below: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """Make the page for a kind of ``TEXTS``. ``below``: HTML that follows the sentence."""
        language = language_of(request)
        root = escape(str(request.scope.get("root_path", "")).rstrip("/"))
        title, said = TEXTS[kind][language]
        said = said.format(path=request.url.path[:100], session=str(request.path_params.get("session", ""))[:64])
        body = f"  <p>{escape(said)}</p>\n{below}"
        page = self._sheet.substitute(root=root, title=escape(title), body=body, wait=" data-said", key="", language=language)
        kept = {"cache-control": "no-store", "vary": "accept-language", "content-language": language, **(headers or {})}
        return Response(page, status, kept, "text/html; charset=utf-8")

    def sign_in(self, request: Request, next_path: str) -> str:
        """Give the way to the sign-in, as HTML. ``next_path``: where to go then, quoted for an address."""
        root = escape(str(request.scope.get("root_path", "")).rstrip("/"))
        return f'  <p><a href="{root}/sign-in?next={escape(next_path)}">{SIGN_IN[language_of(request)]}</a></p>'
