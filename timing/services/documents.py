"""The documents that can be asked for of a session: what stands under ``/api/sessions/{session}/…``, one line each."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from timing.domain.errors import TimingError
from timing.projections.anomalies import anomalies_json
from timing.projections.car import car_sheet_json
from timing.projections.controls import controls_json
from timing.projections.explain import explanation_json
from timing.projections.lap_data import laps_json
from timing.projections.passes import passes_json
from timing.projections.readings import red_flag_json
from timing.projections.result import result_json
from timing.projections.timing import Timing
from timing.projections.versions import versions_json

_DIGITS = 16  # of an instant: enough for any that a number of JavaScript holds

Query: TypeAlias = Mapping[str, str]
"""What follows the ``?`` in the address."""

Document: TypeAlias = Callable[[Timing, tuple[str, ...], Query], bytes | None]
"""Makes a document, as JSON, from the fold, the rest of the path and the query; ``None`` where there is no such thing."""


def _result(timing: Timing, rest: tuple[str, ...], _: Query) -> bytes | None:
    return None if rest else result_json(timing)


def _car(timing: Timing, rest: tuple[str, ...], query: Query) -> bytes | None:
    if len(rest) == 2 and rest[1] == "explain":
        return explanation_json(timing, rest[0], last=_number(query, "last"))
    return car_sheet_json(timing, rest[0]) if len(rest) == 1 else None


def _versions(timing: Timing, rest: tuple[str, ...], _: Query) -> bytes | None:
    return None if rest else versions_json(timing)


def _overtakes(timing: Timing, rest: tuple[str, ...], _: Query) -> bytes | None:
    return None if rest else passes_json(timing)


def _laps(timing: Timing, rest: tuple[str, ...], query: Query) -> bytes | None:
    return None if rest else laps_json(timing, query.get("since"), sectors=query.get("sectors") == "1")


def _anomalies(timing: Timing, rest: tuple[str, ...], _: Query) -> bytes | None:
    return None if rest else anomalies_json(timing)


def _controls(timing: Timing, rest: tuple[str, ...], _: Query) -> bytes | None:
    return None if rest else controls_json(timing)


def _number(query: Query, name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise TimingError(f"{name} is a number of crossings, not {text[:20]!r}")
    return int(text)


def _red_flag(timing: Timing, rest: tuple[str, ...], query: Query) -> bytes | None:
    if rest or not timing.race:
        return None
    at = query.get("at")
    if at is not None and not (at.isascii() and at.isdigit() and len(at) <= _DIGITS):
        raise TimingError("at is an instant in microseconds since 1970: ?at=1747400000000000")
    return red_flag_json(timing, None if at is None else int(at))


DOCUMENTS: dict[str, Document] = {
    "result": _result,  # the classification as it stands, as `timing classify --json` prints it
    "versions": _versions,  # every result that was published, and what it changed; as `timing results --json` prints it
    "laps": _laps,  # every lap of every car, for charts; `?since=MARK` gives what changed since, `?sectors=1` sector times too
    "overtakes": _overtakes,  # every pass under a frozen order with what explains it, and entries into a closed pit lane
    "cars": _car,  # cars/{car}: laps, stops, stints and drive times; cars/{car}/explain?last=N: what its place rests on
    "anomalies": _anomalies,  # what in the evidence cannot be as it was said, with the corrections that would mend it
    "controls": _controls,  # what the rulebook and the circuit give race control to choose from, for a console
    "red-flag": _red_flag,  # what each reading of a red flag gives, `?at=` supposes one; as `timing red-flag --json` prints it
}


def document(timing: Timing, path: str, query: Query) -> bytes | None:
    """Give the document at a path below the session's, or ``None`` where there is none.

    Raises:
        TimingError: what was asked cannot be answered, and why.

    """
    name, *rest = path.split("/")
    make = DOCUMENTS.get(name)
    return None if make is None else make(timing, tuple(rest), query)
