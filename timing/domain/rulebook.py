"""A rulebook as a value: named policies and numbers, no code. It is stored whole in ``session_opened``, so a log replays alone.

Each field names its alternatives; the shipped rulebooks (``config/rulebooks``) choose among them and cite the article.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from timing.domain.errors import RulebookError
from timing.domain.units import HOUR, SECOND, Duration


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A chapter of a rulebook."""


class Laps(Rules, frozen=True, kw_only=True):
    """What counts as a lap.

    A crossing of the same line within ``duplicate_window_us`` of the one before is the same crossing heard twice, and one that ends a
    lap shorter than ``min_lap_us`` is not a lap: both are kept as suspect and neither moves the start of the next lap.
    Passings later than ``horizon_us`` after the start are not of this session: a decoder's clock is wrong.
    """

    duplicate_window_us: Duration = 1 * SECOND
    min_lap_us: Duration = 0
    horizon_us: Duration = 48 * HOUR


class Finish(Rules, frozen=True, kw_only=True):
    """When the race is over, where the chequered flag and the distance disagree.

    ``early_flag``, shown before the distance is covered: the race ended when the leader last crossed the line before the signal
    (FIA F1 2025 art. 59.2), or ends at his next crossing (IMSA 2024 art. 49).
    ``late_flag``, shown after: as when it should have been shown (F1 59.2), or at the flag.
    ``grace_us``: a car that does not come round within this time after the leader keeps its last crossing; ``None`` waits for ever.
    """

    early_flag: Literal["leader_last_crossing_before", "leader_next_crossing"] = "leader_last_crossing_before"
    late_flag: Literal["should_have_finished", "at_flag"] = "should_have_finished"
    grace_us: Duration | None = None


class Classification(Rules, frozen=True, kw_only=True):
    """Who is classified: at least ``min_percent`` of the laps of the winner (overall or of the class), rounded down."""

    min_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    base: Literal["overall_winner", "class_winner"] = "overall_winner"
    must_cross_flag: bool = False


class RedFlag(Rules, frozen=True, kw_only=True):
    """How the result is taken when a suspended race is not resumed.

    The leader had completed C laps at the signal; the result is taken at the end of lap C - ``completed_minus`` (FIA F1 2025 art. 58.14
    and Motorsport UK Q12.15.2: 1; KartSport NZ J2.19: 0). ``others`` says how the other cars are read at that moment.
    """

    completed_minus: Annotated[int, Meta(ge=0, le=9)] = 1
    others: Literal["first_crossing_after_leader", "last_crossing_before_leader", "same_lap_number"] = "first_crossing_after_leader"


class Rulebook(Rules, frozen=True, kw_only=True):
    """Everything that series decide differently. ``source`` cites where the choices were read."""

    id: str
    title: str
    source: str
    laps: Laps = Laps()
    finish: Finish = Finish()
    classification: Classification = Classification()
    red_flag: RedFlag = RedFlag()


def rulebook_from(rules: dict[str, Any]) -> Rulebook:
    """Read a rulebook from the form in which ``session_opened`` stores it.

    Raises:
        RulebookError: naming the place that is not of the form.

    """
    try:
        return msgspec.convert(rules, Rulebook)
    except msgspec.ValidationError as error:
        raise RulebookError(f"the stored rulebook cannot be read: {error}") from None


def rules_of(rulebook: Rulebook) -> dict[str, Any]:
    """Give the form in which ``session_opened`` stores a rulebook."""
    stored: dict[str, Any] = msgspec.to_builtins(rulebook)
    return stored
