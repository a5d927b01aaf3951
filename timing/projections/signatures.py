"""What the service itself recorded of a session: with which key it signs results, which it signed, how much it rejected. No evidence."""

from timing.domain.events import OwnEvent, ResultSigned, SigningKey


class Signatures:
    """The signatures of a session, as recorded; whether they hold is for ``verify`` to say.

    ``key``: the public key last announced; ``None`` where results are not signed. ``by_publication``: of each result's publication, by its
    id, the first signature. ``rejected``: how many messages were not taken.
    """

    def __init__(self) -> None:
        self.by_publication: dict[str, ResultSigned] = {}
        self.rejected = 0
        self.key: str | None = None

    def take(self, event: OwnEvent) -> None:
        """Take in an event of the service's own. One that is known changes nothing."""
        if isinstance(event, SigningKey):
            self.key = event.key
        elif isinstance(event, ResultSigned):
            self.by_publication.setdefault(event.statement.publication, event)
        else:
            self.rejected += 1
