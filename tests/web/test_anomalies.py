"""Anomalies in the viewer's language: the catalogue against every place in the program where one is found."""

import ast
from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files
from typing import Any, get_args

import pytest

from timing.projections.anomaly import AnomalyKind

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

Modules = Callable[..., Awaitable[Any]]

FINDING = ("anomalies.py", "unheard.py", "decoders.py")
KNOWN = {"time", "car", "count", "side"}
"""What words may name beside the data; ``side`` follows from an offset."""
LISTED_ALONE = {"duplicate"}
"""Kinds that are never notable, so that no console shows them."""


def found() -> Iterator[tuple[str, set[str]]]:
    """Give each kind of anomaly that the program finds, with the names of its data."""
    for path in FINDING:
        for call in ast.walk(ast.parse((files("timing") / "projections" / path).read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"Anomaly", "_group"}):
                continue
            said = {keyword.arg: keyword.value for keyword in call.keywords}
            kind, data = (call.args[0], call.args[4]) if call.func.id == "_group" else (said["kind"], said.get("data"))
            if isinstance(kind, ast.Constant):
                yield str(kind.value), {str(key.value) for key in getattr(data, "keys", []) if isinstance(key, ast.Constant)}


async def test_every_kind_has_words_for_what_its_data_name(modules: Modules) -> None:
    kinds = dict(found())
    assert kinds.keys() == set(get_args(AnomalyKind))
    places = await modules(
        "texts.js",
        """({CATALOGUES, places}) => Object.fromEntries(Object.keys(CATALOGUES.en)
          .filter((key) => key.startsWith("anomaly.said.")).map((key) => [key.slice(13), places(key)]))""",
    )
    assert set(kinds) - places.keys() == LISTED_ALONE
    kinds["short_lap"] |= {"lap_us"}  # where there is a lap that it ends
    lacking = {(kind, name) for kind, data in kinds.items() for name in set(places.get(kind, ())) - data - KNOWN}
    assert lacking == set()


@pytest.mark.parametrize(
    ("anomaly", "said"),
    [
        (
            {"kind": "decoder_offset", "at": 0, "data": {"decoder": "gate", "boot": 1, "against": "line", "offset_us": -250_000}},
            "gate a 0.250 s d’avance sur line à la même boucle",
        ),
        ({"kind": "unknown_transponder", "at": 0, "data": {"transponder": "T9"}}, "T9 n’est sur aucune voiture d’ici"),
        ({"kind": "short_lap", "at": 0, "data": {"lap_us": 9_000_000}}, "Un passage ne compte pas : il finirait un tour de 9.000"),
        ({"kind": "short_lap", "at": 0, "data": {}}, "Un passage ne compte pas : il ne finit aucun tour"),
        ({"kind": "numbers_missing", "at": 0, "count": 3}, None),
        ({"kind": "something_new", "at": 0, "data": {}}, None),
    ],
)
async def test_it_is_said_or_left_to_the_services_text(modules: Modules, anomaly: dict[str, Any], said: str | None) -> None:
    function = """async ({anomalyText}, anomaly) => {
      (await import('/static/js/texts.js')).chooseLanguage(["fr"]);
      return anomalyText(anomaly);
    }"""
    assert await modules("anomalies.js", function, anomaly) == said
