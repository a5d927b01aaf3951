"""What a scenario table shows under a changed rulebook: whether one key of it, changed alone, changes what anybody sees."""

import re
from pathlib import Path
from typing import Any

import msgspec
from race_expectations import grid_of
from race_table import Play
from race_words import time_of_day, value, with_segments

from timing.domain.events import AnyEvent
from timing.projections.anomalies import anomalies
from timing.projections.controls import controls
from timing.projections.decider import Refusal
from timing.projections.passes import passes
from timing.projections.result import result


class Shown(Play):
    """A table played under its rulebook with one key changed: ``finish.grace_s=300``, ``qualifying.segments.0.minutes=18``.

    What the table expects is not asked. Segments that it names stand in the rulebook.

    ``seen``: after every event the board, or the code with which the event was refused; every grid that the table makes; in the end the
    result, the anomalies, the passes under neutralisations, and the offences that a console offers.
    """

    def __init__(self, path: Path, label: str | None, change: str) -> None:
        super().__init__(path, label)
        self._change = change
        self.seen: list[Any] = []

    def run(self) -> "Shown":
        """Play every line, and keep what is seen."""
        for line in self.path.read_text().splitlines():
            text = line.split("#")[0].strip()
            if match := re.fullmatch(r"expect(?:\[[^\]]+\])? grid (.+) is .+", text):
                self.seen.append(grid_of(self.timing, match[1].split()))
            elif text and not text.startswith("expect"):
                self._shown(text)
        timing = self.timing
        told = msgspec.structs.replace(result(timing), rulebook=None, digest="")  # both name the rulebook
        self.seen += [told, anomalies(timing), passes(timing), controls(timing).offences]
        return self

    def _shown(self, text: str) -> None:
        if not text[0].isdigit():
            self._line(text)
            return
        word, *what = text.split()
        if not self.records:
            where, _, written = self._change.partition("=")
            rules = with_segments(self.rulebooks[self.label], self.segments)
            said = {"base": rules} if isinstance(rules, str) else rules
            self.segments, self.rulebooks[self.label] = [], _laid_over(said, where.split("."), value(written))
            self._open(time_of_day(word))
        try:
            self._event(self._day + time_of_day(word), what[2:] if what[0] == "refused" else what)
        except ValueError as error:  # a candidate or an anomaly that is not there under these rules
            self.seen.append(str(error))
        self.seen.append(self.timing.board())

    def _decided(self, command: AnyEvent) -> None:
        decided = self._decider.decide(command, command.at)
        if isinstance(decided, Refusal):
            self.seen.append(decided.code)
        else:
            super()._decided(command)


def _laid_over(said: Any, where: list[str], written: Any) -> Any:
    """Give tables within tables, or lists of them by their index, with one value put into its place."""
    if not where:
        return written
    key, *rest = where
    if isinstance(said, list | tuple):
        return [_laid_over(part, rest, written) if index == int(key) else part for index, part in enumerate(said)]
    return {**said, key: _laid_over(said.get(key, {}), rest, written)}


def shown(path: Path, label: str | None, change: str) -> list[Any]:
    """Play a table under its rulebook with one key changed, and give everything that was seen."""
    return Shown(path, label, change).run().seen
