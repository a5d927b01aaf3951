"""The screens of a session: which there are, and the shell that all of them stand in (head, clocks, track status, ways between them)."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from msgspec import Struct


class Screen(Struct, frozen=True):
    """A screen of a session, at ``/s/{session}`` or ``/s/{session}/{path}``.

    ``name``: its part of the page is ``pages/{name}.html``, its looks ``css/{name}.css``, its name in the ways the text ``nav.{name}``.
    ``script``: the module that draws it, under ``js/``. ``speakers``: its way is shown only where somebody has signed in who may send
    commands.
    """

    path: str
    name: str
    script: str
    speakers: bool = False


SCREENS: tuple[Screen, ...] = (
    Screen("", "leaderboard", "main.js"),
    Screen("charts", "charts", "charts.js"),
    Screen("control", "control", "control.js", speakers=True),
)
"""In the order in which the ways between them are shown."""


class Shell:
    """Makes the pages of a session from the shell and each screen's own part, read once."""

    def __init__(self, screens: Sequence[Screen] = SCREENS) -> None:
        pages = files("timing") / "web" / "pages"
        self._screens = {screen.path: screen for screen in screens}
        self._shell = Template((pages / "shell.html").read_text("utf-8"))
        self._parts = {screen.name: Template((pages / f"{screen.name}.html").read_text("utf-8")) for screen in screens}

    def page(self, path: str, *, root: str, session: str, name: str) -> str | None:
        """Make the page of a screen for a session of that ``name``; ``None`` if there is no such screen. ``root`` begins every address."""
        screen = self._screens.get(path)
        if screen is None:
            return None
        said = {"root": root, "session": escape(session), "name": escape(name)}
        part = self._parts[screen.name].substitute(said)
        ways = "\n".join(self._way(each, screen, root, escape(session)) for each in self._screens.values())
        return self._shell.substitute(said, screen=screen.name, script=screen.script, ways=ways, part=part)

    @staticmethod
    def _way(to: Screen, here: Screen, root: str, session: str) -> str:
        address = f"{root}/s/{session}/{to.path}".rstrip("/")
        current = ' aria-current="page"' if to is here else ""
        hidden = " data-speakers hidden" if to.speakers and to is not here else ""
        return f'    <a href="{address}" data-text="nav.{to.name}"{current}{hidden}></a>'
