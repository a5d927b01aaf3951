"""A moment: a cursor in a recording that one screen drives, or several together; nothing past it is told to anyone.

Limits and what happens at them: of the seeks asked for, only the last one not yet done is kept; steps beyond ``MOST_STEPS`` not yet done
are forgotten; ``COMPARISONS`` comparisons are made in ten seconds, beyond that the answer says to ask again.
"""

import asyncio
import gc
from collections import deque
from collections.abc import Hashable, Mapping
from typing import Literal

import msgspec
import structlog

from replay.serving.compared import compare
from replay.serving.player import MAX, Player, Time
from replay.serving.recording import Recording
from replay.serving.targets import NoSuchPlace, Place, Targets
from replay.serving.ways import Way
from timing.domain.errors import TimingError
from timing.projections.copied import let_go
from timing.projections.marks import Mark, marks
from timing.projections.timing import Timing
from timing.services.documents import document
from timing.services.explanations import Explanations
from timing.services.replayed import Control, Known, Replay, ReplayMarks, ReplayRefused, Speed, Target
from timing.services.sessions import Seat
from timing.services.shown import ShownSession

MOST_STEPS = 1_000
COMPARISONS = 10
_COMPARED_WITHIN_S = 10.0
_AT_ONE_GO_S = 0.005  # of folding, before other work gets its turn
_TELL_S = 0.5  # between two states told while it plays
_MARK_S = 2.0  # between two looks at what is to be marked
_LOOKED_BACK = 200  # records, for the frame before this one

_log = structlog.get_logger(__name__)


class Moment:
    """A cursor and what is shown at it. ``run`` moves it, until it is cancelled; ``seat`` is where screens sit.

    ``recording``: of what. ``name``: what addresses call it. ``spoilers``: whether screens are told the whole session's marks and its end.
    """

    def __init__(
        self,
        recording: Recording,
        name: str,
        time: Time,
        *,
        known: Known = "then",
        speed: Speed = 1.0,
        spoilers: bool = False,
        gather_ms: int = 50,
    ) -> None:
        self.name = name
        self.known: Known = known
        self._recording = recording
        self._time = time
        self._spoilers = spoilers
        self._way: Way = recording.way(known)
        self._targets = Targets(recording, known)
        self.shown = ShownSession(recording.title.session, gather_s=gather_ms / 1_000)
        self.player = Player(time, self._way.begin, speed)
        self._explanations = Explanations(lambda _: self.shown.timing, time)
        self.seat = Seat(self.shown.hub, self._explain, self.control)
        self._past: list[Timing] = []
        self._goal: Place | None = None
        self._steps = 0
        self._step_by: Literal["record", "frame"] = "record"
        self._woken = asyncio.Event()
        self._tell_at = self._mark_at = 0.0
        self._marked: tuple[Mark, ...] | None = None
        self._marked_seq = -1
        self._compared: deque[float] = deque(maxlen=COMPARISONS)

    @property
    def recording(self) -> Recording:
        """What it is a moment of."""
        return self._recording

    @property
    def place(self) -> int:
        """How many records are shown."""
        return self.shown.seq

    @property
    def here(self) -> Place:
        """Where the cursor is, or will be when what was asked for is done."""
        return self._goal or Place(self.place, self._instant())

    def begin(self, place: Literal["begin", "start", "end"] | int, *, playing: bool) -> None:
        """Put the cursor somewhere for the first time: to a place by its name, or an instant."""
        self._go(self._targets.at(place) if isinstance(place, int) else self._targets.named(place))
        if playing:
            self.player.play()

    # --- what screens ask ---

    def control(self, screen: Hashable, asked: Control) -> bytes | None:
        """Do what a screen asks, or say why it cannot be done; from then on it is told the replay's state."""
        self.shown.hub.listen(screen)
        try:
            answer = self._obey(asked)
        except TimingError as refused:
            return msgspec.json.encode(ReplayRefused(self.shown.name, asked.do, str(refused)))
        self._tell_at = self._mark_at = 0.0
        self._woken.set()
        return answer

    def _obey(self, asked: Control) -> bytes | None:
        player = self.player
        if asked.do in ("play", "speed") and asked.speed is not None:
            player.run_at(asked.speed)
        match asked.do:
            case "play":
                if self.here.records >= len(self._way):
                    raise NoSuchPlace("the session is over here; seek a moment before its end")
                player.play()
            case "pause":
                self._hold()
            case "speed" if asked.speed is None:
                raise NoSuchPlace("say how quick: speed, from 0.1 to 1000, or max")
            case "seek":
                self._goal, self._steps = self._targets.find(asked.to or Target(), self.here), 0
            case "step":
                self._hold()
                self._steps = max(-MOST_STEPS, min(MOST_STEPS, self._steps + asked.count))
                self._step_by = asked.by
            case "know":
                self._know(asked.known or ("now" if self.known == "then" else "then"))
            case "compare":
                return self._compare()
        return None

    def document(self, path: str, query: Mapping[str, str]) -> bytes | None:
        """Give a document of the session as of this moment; ``None`` where there is none of that name."""
        return document(self.shown.timing, path, query) if self.shown.opened else None

    def _explain(self, car: str) -> bytes:
        return self._explanations.answer(self.shown.name, car)

    def _compare(self) -> bytes:
        now = self._time()
        if len(self._compared) == COMPARISONS and now - self._compared[0] < _COMPARED_WITHIN_S:
            raise NoSuchPlace("many comparisons are being asked for; ask again in a second")
        self._compared.append(now)
        return compare(self._recording, self.known, self.shown.timing, self._instant())

    def _hold(self) -> None:
        at = self._instant()
        self.player.pause()
        self.player.put(at)
        self.shown.form()

    def _know(self, known: Known) -> None:
        if known != self.known:
            at = self.here.at
            self.known, self._way, self._targets = known, self._recording.way(known), Targets(self._recording, known)
            self._goal, self._steps = self._targets.at(at), 0

    # --- what moves it ---

    async def run(self) -> None:
        """Move the cursor as it is asked and as time goes by, until cancelled."""
        try:
            while True:
                self._woken.clear()
                wait_s = self._move()
                if self._past:
                    await asyncio.sleep(0)  # the snapshot first
                    self._forget()
                self._tell()
                if wait_s == 0:
                    await asyncio.sleep(0)
                else:
                    await self._time.wait(self._woken, wait_s)
        finally:
            self.shown.stop()

    def let_go(self) -> None:
        """Free at once what it holds; to be called when it has ended and nobody asks it any more."""
        self._forget()
        let_go(self.shown.timing)
        vars(self).clear()  # it is in circles itself, which the collector no longer looks at

    def _forget(self) -> None:
        while self._past:
            let_go(self._past.pop())

    def _move(self) -> float | None:
        """Do a few milliseconds of what is to be done, and give the seconds until more is due; ``None`` until somebody asks."""
        if self._goal is not None:
            goal, self._goal = self._goal, None
            self._go(goal)
            return 0
        if self._steps:
            way = 1 if self._steps > 0 else -1
            self._steps -= way
            if not (self._step() if way > 0 else self._step_back()):
                self._steps = 0
            return 0
        if not self.player.playing:
            return None
        return self._play()

    def _play(self) -> float:
        way, player = self._way, self.player
        due = len(way) if player.speed == MAX else way.place_at(player.at)
        if self.place < due:
            self._fold(due)
            self.shown.plan()
        if self.shown.fault:
            self._hold()
            return 0
        if self.place < due:
            if player.speed == MAX:
                player.put(way.instants[self.place - 1])
            return 0
        if self.place == len(way):
            player.pause()
            player.put(way.end)
            self.shown.form()
            self._tell_at = self._mark_at = 0.0
            return 0
        return min(_TELL_S, player.seconds_until(way.instants[self.place]))

    def _fold(self, due: int) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + _AT_ONE_GO_S
        while self.place < due and clock() < until:
            for record in self._way.records[self.place : min(due, self.place + 50)]:
                self._take_in(record.seq)

    def _take_in(self, place: int) -> None:
        record = self._way.records[place - 1]
        self._recording.ready(self.known, self.shown.timing, record)
        self.shown.apply(record)

    def _go(self, goal: Place) -> None:
        """Show another moment: a new epoch for its screens, even where it lies ahead."""
        before = self.shown.timing
        gc.disable()  # it would look through what is copied here, several times, before the snapshot is sent
        try:
            self.shown.renew(self._recording.keyframes(self.known).fold(goal.records))
        finally:
            asyncio.get_running_loop().call_soon(gc.enable)  # after those whom the hub has just woken to send it
        self._explanations = Explanations(lambda _: self.shown.timing, self._time)
        self.player.put(goal.at)
        self._tell_at = self._mark_at = 0.0
        self._marked_seq = -1
        self._past.append(before)

    def _step(self) -> bool:
        """Show the next record, or the next frame that says anything new; ``False`` at the end."""
        while self.place < len(self._way):
            before = self.place
            self._take_in(before + 1)
            if self.place == before:
                return False  # a record that cannot be folded: the board stands still
            formed = self.shown.form()
            self.player.put(max(self._way.instants[self.place - 1], self.player.at if formed else 0))
            if formed or self._step_by == "record":
                self._mark_at = 0.0
                return True
        return False

    def _step_back(self) -> bool:
        if not self.place:
            return False
        board, keyframes = self.shown.timing.board(), self._recording.keyframes(self.known)
        least = max(0, self.place - _LOOKED_BACK) if self._step_by == "frame" else self.place - 1
        for place in range(self.place - 1, least - 1, -1):
            timing = keyframes.fold(place)
            then = timing.board()
            differs = (then.session, then.order, then.rows, then.notices) != (board.session, board.order, board.rows, board.notices)
            let_go(timing)
            if differs or place == least:
                self._go(Place(place, self._way.instants[max(place - 1, 0)]))
                return True
        return False

    # --- what screens are told ---

    def _instant(self) -> int:
        """Give the cursor's instant: where records are still due, that of the last one shown."""
        at, way = min(self.player.at, self._way.end), self._way
        behind = self.player.playing and self.place < way.place_at(at)
        return way.instants[max(self.place - 1, 0)] if behind else max(at, way.begin)

    def _tell(self) -> None:
        now = self._time()
        if now >= self._tell_at:
            self._tell_at = now + _TELL_S
            self.shown.hub.aside("replay", msgspec.json.encode(self.state()))
        if now >= self._mark_at:
            self._mark_at = now + _MARK_S
            self._tell_marks()

    def state(self) -> Replay:
        """Give what screens are told of the replay."""
        way, player = self._way, self.player
        ended = not player.playing and self.place == len(way)
        state: Literal["playing", "paused", "ended"] = "playing" if player.playing else "ended" if ended else "paused"
        timing = self.shown.timing
        known = timing.state() if self.shown.opened and not self.shown.fault else None
        return Replay(
            session=self.shown.name,
            moment=self.name,
            state=state,
            speed=player.speed,
            known=self.known,
            paced_by=way.paced_by,
            at=self._instant(),
            seq=self.shown.shown,
            begin=way.begin,
            end=way.end if self._spoilers else None,
            records=len(way) if self._spoilers else None,
            started_at=known.said.start if known else None,
            laps=self.shown.board.session.laps if self.shown.board else 0,
        )

    def _tell_marks(self) -> None:
        if self.shown.seq == self._marked_seq or self.shown.fault:
            return
        self._marked_seq = self.shown.seq
        found = self._recording.marks if self._spoilers else marks(self.shown.timing) if self.shown.opened else ()
        if found != self._marked:
            self._marked = found
            self.shown.hub.aside("marks", msgspec.json.encode(ReplayMarks(self.shown.name, found)))
