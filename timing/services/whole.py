"""Files that are written whole or not at all: what is unfinished never stands under a file's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from timing.domain.errors import TimingError


@contextmanager
def written(target: Path, mend: str = "", *, folders: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write, which gets its name, or takes the place of one of that name, at the end of the block.

    What is no file, as a pipe or ``/dev/null``, is written into. ``mend``: what to do where it cannot be written; ``folders``:
    make those that are wanting.

    Raises:
        TimingError: it cannot be written; a file that was there is as it was.

    """
    whole = target.is_file() or not target.exists()
    part = target.with_name(target.name + ".part") if whole else target
    try:
        if folders:
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                yield file
            if whole:
                part.replace(target)
        finally:
            if whole:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise TimingError(f"{target} cannot be written: {error.strerror}{mend and f'; {mend}'}") from None
