"""A session as tables for analysts: what each table and column is called, holds and is measured in; the rows are made elsewhere.

A column of type ``instant`` or ``duration`` becomes two: one in a type of dates and times, and, with ``_us`` at the end of its name, one
with the exact integer of microseconds. A row holds one value a column; of an instant or a duration it is that integer.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from timing.projections import tables_raced as raced
from timing.projections import tables_said as said

if TYPE_CHECKING:
    from timing.projections.timing import Timing

Type: TypeAlias = Literal["text", "integer", "boolean", "instant", "duration"]
Value: TypeAlias = str | int | bool | None
Row: TypeAlias = tuple[Value, ...]


class Column(Struct, frozen=True):
    """A column: its name, its type, and what it tells, for people."""

    name: str
    type: Type
    about: str

    def stored(self) -> tuple[tuple[str, Type, str], ...]:
        """Give the columns that files have for it: name, type, and what it tells."""
        if self.type in ("instant", "duration"):
            what = "microseconds since 1970-01-01 UTC" if self.type == "instant" else "microseconds"
            return (self.name, self.type, self.about), (f"{self.name}_us", "integer", f"the same, {what}")
        return ((self.name, self.type, self.about),)


class Table(Struct, frozen=True):
    """A table: its name, what a row of it is, its columns, and what makes a session's rows. The first column is ``session``."""

    name: str
    about: str
    columns: tuple[Column, ...]
    make: Callable[["Timing"], Iterable[Row]]

    def rows(self, timing: "Timing") -> Iterable[Row]:
        """Give a session's rows, each with as many values as ``columns``."""
        return ((timing.session, *row) for row in self.make(timing))


_SESSION: tuple[str, Type, str] = ("session", "text", "the session's name in the log")


_Said: TypeAlias = tuple[str, Type, str]


def _table(name: str, about: str, make: Callable[["Timing"], Iterable[Row]], *columns: _Said) -> Table:
    return Table(name, about, tuple(Column(*column) for column in (_SESSION, *columns)), make)


_CAR: tuple[str, Type, str] = ("car", "text", "the car's number, as painted")
_CLASS: tuple[str, Type, str] = ("class", "text", "the car's class")
_DRIVER: tuple[str, Type, str] = ("driver", "text", "id of the driver at the wheel, as in `drivers`")
_LAP: tuple[str, Type, str] = ("lap", "integer", "the lap's number, from 1")
_EVENT: tuple[str, Type, str] = ("event", "text", "id of the event that said so")

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "sessions",
            "The session: one row.",
            said.sessions,
            ("name", "text", "its title"),
            ("kind", "text", "`race`, `qualifying` or `practice`"),
            ("status", "text", "`scheduled`, `running`, `suspended`, `finished`, `provisional` or `final`"),
            ("circuit", "text", "the circuit's name"),
            ("circuit_length_m", "integer", "its length in metres"),
            ("distance_laps", "integer", "the distance as opened: laps"),
            ("distance_minutes", "integer", "the distance as opened: minutes"),
            ("distance_plus_laps", "integer", "laps to go after the minutes"),
            ("started_at", "instant", "the start signal"),
            ("finished_at", "instant", "the leader's flag, the stop, or the close"),
            ("rulebook", "text", "id of the rulebook"),
            ("rulebook_hash", "text", "SHA-256 of the rulebook as the session stores it"),
            ("seq", "integer", "the last record taken in"),
            ("digest", "text", "names the state that all tables are made from"),
        ),
        _table(
            "entries",
            "A row for each car that is entered.",
            said.entries,
            _CAR,
            _CLASS,
            ("team", "text", "the team's name"),
            ("guest", "boolean", "whether it takes no points"),
            ("championships", "text", "the championships it scores in, joined by `; `"),
            ("transponders", "text", "its transponders, joined by `; `"),
            ("grid", "integer", "its place on the grid, from 1"),
            ("status", "text", "as screens show it: `running`, `pit`, `stopped`, `retired`, `finished`, `disqualified`, `not_started`"),
        ),
        _table(
            "drivers",
            "A row for each driver of each car.",
            said.drivers,
            _CAR,
            ("driver", "text", "the driver's id"),
            ("name", "text", "the driver's name"),
            ("category", "text", "as the series says it"),
            ("laps", "integer", "laps at the wheel"),
            ("drive_time", "duration", "time at the wheel outside the pit lane"),
        ),
        _table(
            "laps",
            "A row for each lap of each car, those after the flag and outside a red-flag result included.",
            raced.laps,
            _CAR,
            _CLASS,
            _DRIVER,
            _LAP,
            ("stint", "integer", "the stint it was run in, as in `stints`"),
            ("began_at", "instant", "where the lap began"),
            ("ended_at", "instant", "the crossing of the line that ended it"),
            ("lap_time", "duration", "its time; none where it has none"),
            ("counted", "boolean", "whether it counts in the session's result"),
            ("deleted", "boolean", "whether its time was deleted or does not count as a time; the lap does"),
            ("neutralised", "boolean", "whether it is left out of best laps because of a neutralisation"),
            ("pit", "boolean", "whether the car was in the pit lane in it"),
            ("tags", "text", "`first`, `in`, `out` and the flags it was run under, joined by a space"),
        ),
        _table(
            "sectors",
            "A row for each sector of each lap. None where the circuit has no sector loops.",
            raced.sectors,
            _CAR,
            _LAP,
            ("sector", "integer", "the sector's number, from 1"),
            ("sector_time", "duration", "its time; none where a loop was not heard"),
        ),
        _table(
            "positions",
            "A row for each car at each line of each lap: its place among the cars that came to this line on this lap, in the order of "
            "their coming: the lap chart. At the finish line it is the running order when the car completed the lap. Lap 0 is the grid.",
            raced.positions,
            _CAR,
            _CLASS,
            ("lap", "integer", "the lap's number, from 1; 0 for the grid"),
            ("line", "text", "`grid`, `finish`, or `sector 1` … for the line at that sector's end"),
            ("position", "integer", "its place"),
            ("class_position", "integer", "its place in its class"),
            ("crossed_at", "instant", "when it crossed"),
            ("gap", "duration", "behind the first on this lap"),
            ("interval", "duration", "behind the one ahead on this lap"),
        ),
        _table(
            "crossings",
            "A row for everything a decoder heard, another system counted or the timekeeper added by hand.",
            raced.crossings,
            ("origin", "text", "`passing`, `lap` (of a system that counts laps itself) or `added` (by hand)"),
            ("decoder", "text", "the decoder, the source of laps, or the id of the event that added it"),
            ("boot", "integer", "the decoder's start it belongs to"),
            ("number", "integer", "the decoder's own count since then"),
            ("heard_at", "instant", "the instant as it was sent"),
            ("loop", "text", "the loop; none for laps counted elsewhere"),
            ("line", "text", "`finish`, `sector`, `speed`, `pit_entry`, `pit_exit` or `sc_line`"),
            ("pit", "boolean", "whether the loop lies in the pit lane"),
            ("transponder", "text", "the transponder heard"),
            ("strength", "integer", "as the decoder gives it"),
            ("hits", "integer", "as the decoder gives it"),
            ("car", "text", "the car it counts for, after corrections"),
            ("crossed_at", "instant", "the instant it counts at, after corrections of the decoder's clock"),
            ("used", "boolean", "whether it is a crossing of that car"),
            ("reason", "text", "why not: `voided`, `unplaced` (no such loop or transponder), or why lap counting set it aside"),
        ),
        _table(
            "stints",
            "A row for each stretch by one driver without a stop.",
            raced.stints,
            _CAR,
            ("stint", "integer", "its number, from 1"),
            _DRIVER,
            ("from_lap", "integer", "its first lap"),
            ("laps", "integer", "laps completed in it"),
            ("began_at", "instant", "the start, the pit exit, or the change of driver"),
            ("ended_at", "instant", "the next one's beginning; none while it goes on"),
        ),
        _table(
            "stops",
            "A row for each visit to the pit lane.",
            raced.stops,
            _CAR,
            ("stop", "integer", "its number, from 1"),
            ("lap", "integer", "the lap in which the car came in"),
            ("entered_at", "instant", "into the pit lane"),
            ("exited_at", "instant", "out of it; none while it is there, or was not heard leaving"),
            ("pit_time", "duration", "the time between"),
            ("pit_stop", "boolean", "whether it is counted as a stop; one under a red flag is not, unless the rulebook counts it"),
        ),
        _table(
            "flags",
            "A row for each track status and opening or closing of the pit lane that holds, as race control gave it.",
            said.flags,
            _EVENT,
            ("at", "instant", "from when"),
            ("status", "text", "`green`, `yellow`, `safety_car`, `red` … as in the protocol; `pit_lane_open`, `pit_lane_closed`"),
            ("sectors", "text", "the sectors it is for, joined by `; `; none for the whole track"),
            ("cause", "text", "the car that brought it about"),
        ),
        _table(
            "neutralisations",
            "A row for each stretch of time under a neutralisation, a red flag or a flag in some sectors.",
            said.neutralisations,
            ("kind", "text", "`safety_car`, `vsc`, `fcy`, `code60`, `red`, `yellow` or `slow_zone`"),
            ("sectors", "text", "the sectors it is for, joined by `; `; none for the whole track"),
            ("began_at", "instant", "the signal"),
            ("ending_at", "instant", "when its end was announced"),
            ("ended_at", "instant", "the signal that ended it"),
            ("racing_at", "instant", "when the first car might race again; none for flags in sectors"),
        ),
        _table(
            "decisions",
            "A row for each step of each decision's life: the first is the decision itself.",
            said.decisions,
            ("decision", "text", "its name on paper"),
            _EVENT,
            _CAR,
            ("penalty", "text", "`time`, `drive_through`, `disqualified` … as in the protocol"),
            ("amount", "text", "the penalty in words"),
            ("time", "duration", "the seconds given with it"),
            ("laps", "integer", "laps taken"),
            ("positions", "integer", "places lost"),
            ("lap", "integer", "the lap it is about"),
            ("article", "text", "the article it rests on"),
            ("step", "integer", "the step's number, from 1"),
            ("stage", "text", "the stage it came to: `noted`, `investigated`, `issued`, `served`, `converted`, `suspended`, `quashed`"),
            ("at", "instant", "when"),
            ("reason", "text", "why"),
            ("last", "boolean", "whether it is where the decision stands"),
        ),
        _table(
            "messages",
            "A row for each line of the message list.",
            said.messages,
            _EVENT,
            ("at", "instant", "when"),
            ("kind", "text", "`message`, `track_status`, `pit_lane`, `decision`, `session` or `candidate`"),
            ("text", "text", "what was said"),
            ("car", "text", "the car it is about"),
            ("struck", "boolean", "whether it was taken back since"),
        ),
        _table(
            "results",
            "A row for each car of the classification as it stands, and of each version that was published.",
            said.results,
            ("version", "integer", "the published version, from 1; none for the classification as it stands"),
            ("stage", "text", "`provisional`, `amended` or `final`; none for the classification as it stands"),
            ("document", "text", "the number on the sheet"),
            ("order", "integer", "the row's place on the sheet, from 1, for cars without a place too"),
            ("position", "integer", "the place; none without one"),
            _CAR,
            _CLASS,
            ("class_position", "integer", "the place in class"),
            ("driver", "text", "name of the driver at the wheel last"),
            ("team", "text", "the team's name"),
            ("laps", "integer", "laps, less those taken"),
            ("total", "duration", "the time, penalties included"),
            ("gap_laps", "integer", "laps behind the winner"),
            ("gap", "duration", "the time behind the winner on the same lap"),
            ("status", "text", "`classified`, `not_classified`, `retired`, `disqualified`, `not_started` or `running`"),
            ("best_lap", "duration", "the best lap"),
            ("on_the_road", "integer", "its place in the running order, decisions apart"),
            ("gained", "integer", "places won (below zero: lost) by decisions"),
            ("added", "duration", "what decisions added"),
            ("laps_taken", "integer", "what decisions took"),
            ("penalties", "text", "the decisions about it in words, joined by `; `"),
        ),
    )
}
"""Every table by its name, in the order of the documentation."""
