"""How far long work is, on a terminal: one bar on stderr that goes when the work is done."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show ``what`` is being done; the function given is called with how much of ``total`` is done. Nothing where stderr is no terminal."""
    with progresses() as report:
        yield lambda done: report(what, done, total)


@contextmanager
def progresses() -> Iterator[Callable[[str, int, int], None]]:
    """Show several pieces of work, one after the other: the function given is called with what, how much is done, and of how much."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report
