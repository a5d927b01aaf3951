"""Files that are written whole or not at all."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from timing.domain.errors import TimingError
from timing.services.whole import written


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "result.pdf"
    target.write_bytes(b"before")
    with written(target) as file:
        file.write(b"after")
        file.flush()
        assert target.read_bytes() == b"before"
    assert target.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [target]


def test_what_was_there_stays_when_something_fails(tmp_path: Path) -> None:
    target = tmp_path / "result.pdf"
    target.write_bytes(b"before")
    with contextlib.suppress(KeyboardInterrupt), written(target) as file:
        file.write(b"aft")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    target = tmp_path / "none" / "race.db"
    with (
        pytest.raises(TimingError, match=r"race\.db cannot be written: No such file or directory; choose another place$"),
        written(target, "choose another place"),
    ):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(TimingError, match=r"folder cannot be written: Is a directory$"), written(tmp_path / "folder"):
        pass


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe, heard = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    with written(pipe) as file:
        file.write(b"lines")
    reader.join(10)
    assert heard == [b"lines"]
    assert pipe.is_fifo()
