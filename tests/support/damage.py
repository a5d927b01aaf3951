"""A small log with everything in it, what becomes of it when its bytes change, and the count of what became of it."""

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from timing.domain.errors import LogError
from timing.domain.events import Message, Passing
from timing.log.record import Draft, Record, draft
from timing.log.salvage import Salvage
from timing.log.sqlite_log import SqliteLog
from timing.log.wal import wal_of

NOW = 1_778_936_400_000_000
COMMITS = 24

_WAYS_OUT = ("timing log salvage", "use the version that wrote it", "give another path")

Truth = dict[str, list[Record]]


def drafts(commit: int) -> list[Draft]:
    """Give one commit's drafts: passings of one session, of another, and now and then an event that fills pages of its own."""
    made = [draft("albi", Passing(at=n + 1, decoder="line-1", boot=1, number=n, loop="SF", transponder="T7")) for n in _numbers(commit)]
    note = Message(id=f"m{commit}", at=NOW, text="Car 7: black and white flag")
    long = {"noted_by": "desk 2 " * (1_500 if commit % 8 == 3 else 3)}
    return [*made, draft("zolder", note, msgspec.json.encode({**msgspec.to_builtins(note), **long}))]


def _numbers(commit: int) -> range:
    return range(commit * 6, commit * 6 + 6)


def write(path: Path, *, wal_from: int | None = None) -> Truth:
    """Write the log. ``wal_from``: leave it as kill -9 does, with what was written from this commit on in the write-ahead log alone."""
    with closing(SqliteLog(path.with_name("origin.db"))) as log:
        for commit in range(COMMITS):
            if commit == wal_from:
                assert log._writing
                log._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            log.append(drafts(commit), NOW + commit)
        truth = {name: list(log.read(name)) for name in log.sessions()}
        if wal_from is not None:
            for suffix in ("", "-wal"):
                shutil.copy(f"{log.path}{suffix}", f"{path}{suffix}")
    if wal_from is None:
        shutil.copy(log.path, path)
    return truth


class Tried:
    """What became of a log that was changed: refused in words, sound as far as it goes, or whole; anything else fails the test."""

    def __init__(self, folder: Path, truth: Truth) -> None:
        self.folder, self.truth = folder, truth
        self.count: Counter[str] = Counter()

    def open(self, main: bytes, wal: bytes, what: str, *, at_least: int = 0) -> str:
        """Open the log for writing, read it whole, and send all of it again: as the service does when it starts.

        ``at_least``: so many commits must be there if it opens.
        """
        path = self.folder / "hurt.db"
        for old in self.folder.glob("hurt.db*"):
            old.unlink()
        path.write_bytes(main)
        if wal:
            path.with_name("hurt.db-wal").write_bytes(wal)
        try:
            with closing(SqliteLog(path)) as log:
                outcome = self._look(log, what, at_least)
        except LogError as error:
            outcome = self._refused(path, main, wal, f"{what}: {error}")
        self.count[outcome] += 1
        return outcome

    @staticmethod
    def _refused(path: Path, main: bytes, wal: bytes, what: str) -> str:
        """Whoever is refused is told what to do, on one line, and finds the files as they were."""
        assert any(way in what for way in _WAYS_OUT), what
        assert "\n" not in what
        assert path.read_bytes() == main, f"{what}: the file was changed"
        beside = wal_of(path)
        assert (beside.read_bytes() if beside.exists() else b"") == wal, f"{what}: its write-ahead log was changed"
        return "refused"

    def salvage(self, main: bytes, wal: bytes, what: str, *, at_least: int = 0) -> int:
        """Save what can be proven, and give how many records that is: a prefix of the truth, whatever was done to the files."""
        path = self.folder / "saved.db"
        path.write_bytes(main)
        wal_of(path).write_bytes(wal)
        saving = Salvage(path)
        saved = 0
        for session in saving.sessions:
            if session.name not in self.truth:
                assert list(saving.proven(session)) == [], f"{what}: a session that never was"
                continue
            records = list(saving.proven(session))
            assert records == self.truth[session.name][: len(records)], f"{what}: what was saved of {session.name} is not what was written"
            saved += len(records)
            if session.name == "zolder":
                assert len(records) >= at_least, what
        return saved

    def _look(self, log: SqliteLog, what: str, at_least: int) -> str:
        read = {name: list(log.read(name)) for name in self.truth}
        assert set(log.sessions()) <= set(self.truth), f"{what}: sessions that were never there"
        for name, records in read.items():
            assert records == self.truth[name][: len(records)], f"{what}: session {name} is not what was written"
        whole = all(len(read[name]) == len(records) for name, records in self.truth.items())
        there = len(read["zolder"])
        assert there >= at_least, f"{what}: {there} commits of at least {at_least} are there"
        self._send_again(log, read, what)
        return "whole" if whole else "a prefix"

    def _send_again(self, log: SqliteLog, read: Truth, what: str) -> None:
        """Nothing that is there may be taken for new."""
        for name, records in read.items():
            again = [Draft(name, record.event, record.raw) for record in records]
            answers = log.append(again, NOW)
            assert [(a.outcome, a.seq) for a in answers] == [("same", r.seq) for r in records], f"{what}: taken for new"

    def told(self, what: str) -> str:
        """Say what was counted."""
        parts = ", ".join(f"{self.count[kind]:,} {kind}" for kind in ("refused", "a prefix", "whole") if self.count[kind])
        return f"{what}: {self.count.total():,} tried: {parts}; nothing else"


def flipped(content: bytes, place: int, bit: int) -> bytes:
    """Flip one bit of one byte."""
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def slices(total: int, parts: int, part: int) -> Sequence[int]:
    """Give every ``parts``-th number below ``total``, from ``part`` on."""
    return range(part, total, parts)
