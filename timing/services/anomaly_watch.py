"""How often a session is searched for anomalies while it runs: seldom enough to cost little, and once more when it has gone quiet."""

from collections.abc import Callable

import msgspec
import structlog

from timing.projections.anomalies import SETTLING_US, Watch, anomaly_notices
from timing.projections.board import Board, Notice
from timing.projections.timing import Timing

_log = structlog.get_logger(__name__)

EVERY_S = 1.0
_SHARE = 0.05


class AnomalyWatch:
    """Adds the anomalies to a board's notices: searched for at most once in ``EVERY_S``, and for at most a twentieth of the time.

    ``look_at``: when to look again, where something has come in that was not looked at; ``None`` where nothing has.
    ``after``: an instant after which the first search waits its turn too; left out, the first board is searched at once.
    """

    def __init__(self, session: str, timing: Timing, *, after: float | None = None) -> None:
        self._session = session
        self._timing = timing
        self._watch = Watch(timing)
        self._notices: tuple[Notice, ...] = ()
        self._looked_seq = 0
        self._not_before = 0.0 if after is None else after + EVERY_S

    @property
    def look_at(self) -> float | None:
        """The time of the next look, if one is due."""
        return None if self._looked_seq == self._timing.seq else self._not_before

    def due(self, now: float) -> bool:
        """Say whether it is time to look."""
        return self.look_at is not None and now >= self._not_before

    def with_notices(self, board: Board, clock: Callable[[], float]) -> Board:
        """Give the board with the anomalies among its notices: those of now if a look is due, otherwise those of the last look."""
        began = clock()
        if self.due(began):
            self._look()
            self._looked_seq = self._timing.seq
            now = clock()
            self._not_before = now + max(EVERY_S, (now - began) / _SHARE)
        if not self._notices:
            return board
        return msgspec.structs.replace(board, notices=(*board.notices, *self._notices))

    def _look(self) -> None:
        try:
            notices = anomaly_notices(self._watch.current(settling_us=SETTLING_US))
        except Exception as fault:  # noqa: BLE001  # what helps race control must not take the board from it
            _log.error("anomalies cannot be searched for", session=self._session, exc_info=fault)
            self._watch = Watch(self._timing)
            return
        self._notices = self._notices if notices == self._notices else notices
