"""What a session knows when a command comes in: whether it may become an event, or is refused and why."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from timing.domain.events import AnyEvent

ResolveRulebook = Callable[[str | Mapping[str, Any]], dict[str, Any]]
"""Gives the whole rulebook for what ``session_opened`` says. Raises ``RulebookError``."""


class Refusal(Struct, frozen=True):
    """A command that is not taken: a code for programs, a reason for people."""

    code: str
    reason: str


class Decider:
    """The decider of one session: ``decide`` looks and changes nothing, ``evolve`` takes in what was decided or recorded."""

    def __init__(self, session: str, resolve: ResolveRulebook) -> None:
        self.session = session
        self._resolve = resolve

    def decide(self, command: AnyEvent, arrived_at: int) -> AnyEvent | Refusal:
        """Give the event that a command becomes (``at`` and rulebook filled in), or why it is refused. Facts come back as they are."""
        raise NotImplementedError

    def evolve(self, event: AnyEvent) -> None:
        """Take in an event of the log."""
        raise NotImplementedError
