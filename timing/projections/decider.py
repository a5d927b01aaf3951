"""What a session knows when a command comes in: whether it may become an event, or is refused and why."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from timing.domain.errors import RulebookError
from timing.domain.events import (
    AnyCommand,
    AnyEvent,
    Decision,
    DecisionUpdated,
    EntryRegistered,
    EventRetimed,
    EventVoided,
    Lap,
    Passing,
    SessionOpened,
    StampableCommand,
)
from timing.projections.checks import CHECKS, Refusal
from timing.projections.evidence import holding

__all__ = ["Decider", "Refusal", "ResolveRulebook"]

ResolveRulebook: TypeAlias = Callable[[str | Mapping[str, Any]], dict[str, Any]]
"""Gives the whole rulebook for what ``session_opened`` says. Raises ``RulebookError``."""


class Decider:
    """The decider of one session: ``decide`` looks and changes nothing, ``evolve`` takes in what was decided or recorded."""

    def __init__(self, session: str, resolve: ResolveRulebook) -> None:
        self.session = session
        self._resolve = resolve
        self.events: dict[str, AnyCommand] = {}
        self.opened: SessionOpened | None = None
        self.entries: dict[str, EntryRegistered] = {}
        self.decisions: dict[str, str] = {}
        self.voided: set[str] = set()
        self.retimed: set[str] = set()

    @property
    def open(self) -> bool:
        """Whether the session exists: facts and commands of a session that does not are refused at the door."""
        return self.opened is not None

    def decide(self, command: AnyEvent, arrived_at: int) -> AnyEvent | Refusal:
        """Give the event that a command becomes (``at`` and rulebook filled in), or why it is refused. Facts come back as they are.

        A command whose ``id`` is known comes back too: the log tells a repetition from a conflict.
        """
        if isinstance(command, Passing | Lap):
            return command
        if command.id in self.events:
            return _stamped(command, arrived_at)
        check = CHECKS.get(type(command))
        if refusal := check(self, command) if check else None:
            return refusal
        if isinstance(command, SessionOpened):
            return self._with_rules(command)
        return _stamped(command, arrived_at)

    def evolve(self, event: AnyEvent) -> None:
        """Take in an event of the log. One whose ``id`` is known changes nothing."""
        if isinstance(event, Passing | Lap) or event.id in self.events:
            return
        self.events[event.id] = event
        if isinstance(event, EventVoided):
            self._read_anew()
        else:
            self._hold(event)

    def _hold(self, event: AnyCommand) -> None:
        if isinstance(event, SessionOpened):
            self.opened = event
        elif isinstance(event, EntryRegistered):
            self.entries[event.car] = event
        elif isinstance(event, Decision | DecisionUpdated):
            self.decisions[event.decision] = event.stage
        elif isinstance(event, EventRetimed):
            self.retimed.add(event.event)

    def _read_anew(self) -> None:
        """Read off the events that hold what is known: a voided event takes with it all that it said, a void undone brings it back."""
        held = {event.id for event in holding(self.events)}
        self.voided = self.events.keys() - held
        self.entries, self.decisions, self.retimed = {}, {}, set()
        for event in self.events.values():
            if event.id in held:
                self._hold(event)

    def _with_rules(self, command: SessionOpened) -> SessionOpened | Refusal:
        try:
            return msgspec.structs.replace(command, rules=self._resolve(command.rulebook))
        except RulebookError as error:
            return Refusal("unknown-rulebook", str(error))


def _stamped(command: AnyEvent, arrived_at: int) -> AnyEvent:
    if isinstance(command, StampableCommand) and not command.at:
        return msgspec.structs.replace(command, at=arrived_at, stamped=True)
    return command
