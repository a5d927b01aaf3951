"""The sections of what was said: the stewards' decisions, and the messages of race control."""

from typing import TYPE_CHECKING

from timing.domain.decisions import Step
from timing.projections.notices import penalty_text
from timing.projections.result import Result
from timing.projections.sheet_parts import Column, Line, Section, of_day

if TYPE_CHECKING:
    from timing.projections.timing import Timing


def decisions(timing: "Timing", _: Result) -> Section | None:
    """Form the list of decisions with their life."""
    lines = []
    for ruling in timing.state().said.rulings:
        taken = ruling.decision
        said = f"{penalty_text(taken)}\n{taken.reason}" if taken.reason else penalty_text(taken)
        stages = "\n".join(
            f"{of_day(s.at)} {s.stage}{f': {s.reason}' if s.reason and s is not ruling.steps[0] else ''}" for s in ruling.steps
        )
        lines.append(Line((taken.decision, of_day(taken.at), taken.car, said, taken.article or "", ruling.stage, stages)))
    columns = (
        Column("Decision"),
        Column("Time (UTC)", "right"),
        Column("No", "right"),
        Column("Penalty · Reason", "left", "1.2fr"),
        Column("Article"),
        Column("Stands"),
        Column("Steps", "left", "1fr"),
    )
    return Section("decisions", "Stewards' decisions", columns, tuple(lines)) if lines else None


def messages(timing: "Timing", _: Result) -> Section | None:
    """Form the list of messages."""
    lines = [
        Line((of_day(notice.at), notice.car or "", f"{notice.text} (taken back)" if notice.struck else notice.text))
        for notice in timing.board().notices
        if notice.kind not in ("anomaly", "candidate")
    ]
    columns = (Column("Time (UTC)", "right"), Column("No", "right"), Column("Message", "left", "1fr"))
    return Section("messages", "Race control messages", columns, tuple(lines)) if lines else None


def _step(step: Step, *, first: bool) -> str:
    because = "" if first or not step.reason else f": {step.reason}"
    return f"{of_day(step.at)} {step.stage}{because}"
