"""The lock that lets one process alone write a log. It lies in a file of its own, so that it does not disturb SQLite's."""

import fcntl
import os
from pathlib import Path

from timing.domain.errors import LogError, LogInUse


class WriterLock:
    """The right to write ``path``, from construction to ``release`` or the end of the process, however it ends.

    The file ``path.lock`` stays when the lock goes: taking it away could let two processes hold two locks of one name.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(path.name + ".lock")
        try:
            self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LogError(f"the log {path} cannot be written: {self._file.name}: {error.strerror}") from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            holder = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip()
            os.close(self._handle)
            if isinstance(error, BlockingIOError):
                whose = f"process {holder}" if holder.isdigit() else "another process"
                raise LogInUse(f"{whose} is writing the log {path}; end it first, or give another log") from None
            raise LogError(f"the log {path} cannot be locked: {error.strerror}; put it on a local disk") from None

    def release(self) -> None:
        """Let another process write. Releasing twice is harmless."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def being_written(path: Path) -> bool:
    """Say whether some process holds the right to write ``path`` at this moment; asking takes that right from nobody who has it."""
    try:
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # no lock was ever taken, or it cannot be looked at
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
