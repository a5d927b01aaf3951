"""The shell: every screen in it, with its looks, its module, and the ways to the others."""

import re
from importlib.resources import files

import pytest

from timing.services.screens import SCREENS, Screen, Shell

WEB = files("timing") / "web"


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_every_screen_has_its_part_its_looks_and_its_module(screen: Screen) -> None:
    page = Shell().page(screen.path, root="/timing", session="course-2", name="A & <b>")
    assert page is not None
    assert f'href="/timing/static/css/{screen.name}.css"' in page
    assert f'src="/timing/static/js/{screen.script}"' in page
    assert '<h1 data-at="name">A &amp; &lt;b&gt;</h1>' in page
    assert "$" not in page
    named = re.findall(r'"/timing/static/([^"]+)"', page)
    assert [path for path in named if not (WEB / path).is_file()] == []


def test_ways_lead_to_every_screen_and_mark_the_one_that_is_shown() -> None:
    shell = Shell((Screen("", "leaderboard", "main.js"), Screen("again", "leaderboard", "main.js")))
    page = shell.page("again", root="", session="s", name="S")
    assert page is not None
    ways = re.findall(r'<a href="(/s/[^"]+)" data-text="nav.leaderboard"( aria-current="page")?>', page)
    assert ways == [("/s/s", ""), ("/s/s/again", ' aria-current="page"')]


def test_there_is_no_screen_that_is_not_listed() -> None:
    assert Shell().page("nothing", root="", session="s", name="S") is None
