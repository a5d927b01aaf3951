"""The ``replay`` command: what is done with a session after, or instead of, living it."""

import click

from timing import __version__
from timing.cli import LazyGroup, run


@click.command(
    cls=LazyGroup,
    package="replay.commands",
    lazy={
        "serve": "A log's feed and screens again: play, pause, seek, step, at any speed.",
        "verify": "Check a log, and every result that was published and signed in it, by folding it again.",
        "check": "Check a result sheet: who signed it, and whether a log makes it.",
        "diff": "Two ways of knowing or judging a session, side by side, and why each car differs.",
        "simulate": "Generate a believable race as a session file, and its true result.",
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="replay")
def root() -> None:
    """Parc Fermé: races looked at again, checked and simulated."""


def main() -> None:
    """Run ``replay``."""
    run(root, "replay")
