"""Refusals in the viewer's language: the catalogue against every place in the program where a person's command is refused."""

import ast
from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

Modules = Callable[..., Awaitable[Any]]

REFUSING = (
    "projections/checks.py", "projections/supposing.py", "services/access.py", "services/desk.py", "services/door.py",
    "services/previews.py", "services/tokens.py", "log/record.py",
)  # fmt: skip
IN_ENGLISH = {
    "not-json", "unknown-type", "bad-field", "too-large", "reserved-field", "wrong-channel", "wrong-device", "wrong-session",
    "bad-circuit", "unknown-rulebook", "once-only",
}  # fmt: skip
"""What no page of ours sends, or what the program found in detail: it stands in the service's own words."""


def refusals() -> Iterator[tuple[str, set[str]]]:
    """Give the code of every refusal in the program, with the names of the data it carries."""
    for path in REFUSING:
        for call in ast.walk(ast.parse((files("timing") / path).read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            if call.func.id not in {"Refusal", "MalformedEvent", "Refused", "NotSignedIn"}:
                continue
            status_first = isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, int)
            said = call.args[1 if status_first else 0]
            codes = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
            told = [each for each in (*call.args, *(keyword.value for keyword in call.keywords)) if isinstance(each, ast.Dict)]
            given = {str(key.value) for each in told for key in each.keys if isinstance(key, ast.Constant)}
            yield from ((code.value, given) for code in codes if isinstance(code, ast.Constant) and isinstance(code.value, str))


async def test_every_refusal_has_words_in_each_language_and_what_they_name(modules: Modules) -> None:
    found = list(refusals())
    assert len(found) > 50
    places = await modules(
        "texts.js",
        """async ({CATALOGUES, chooseLanguage, places}) => Object.fromEntries(Object.keys(CATALOGUES.en)
          .filter((key) => key.startsWith("refused.")).map((key) => [key.slice(8), places(key)]))""",
    )
    codes = {code for code, _ in found}
    assert codes - places.keys() - IN_ENGLISH == set()
    assert codes - places.keys() >= IN_ENGLISH, "what has words is not said in English"
    lacking = {code: set(places[code]) - given for code, given in found if code in places and not set(places[code]) <= given}
    assert lacking == {}


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ({"code": "unknown-car", "reason": "car 9 is …", "data": {"car": "9"}}, "la voiture 9 n’est pas engagée ; engagez-la d’abord"),
        ({"code": "unknown-car", "reason": "car 9 is not entered"}, None),
        ({"code": "bad-field", "reason": "`$.at`: expected int"}, None),
    ],
    ids=["in French", "of an older log, without what it names", "without words"],
)
async def test_what_has_no_words_is_said_in_english_and_marked_so(modules: Modules, refusal: dict[str, Any], said: str | None) -> None:
    html = await modules(
        "refusals.js",
        """async ({refusalWords}, refusal) => {
          (await import('/static/js/texts.js')).chooseLanguage(["fr"]);
          const made = document.createElement("p");
          made.append(...refusalWords("desk.refused", refusal));
          return made.innerHTML;
        }""",
        refusal,
    )
    why = said or f'<span lang="en">{refusal["reason"]}</span>'
    assert html == f"refusée : {why} ({refusal['code']})"
