"""What is shipped: the wheel is whole, the locks agree, the container's recipe holds, the pages' links lead somewhere."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import pytest

import replay
import timing
from timing.services.settings import Settings

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ("build", "run", "image", "test", "dev")


def is_editable() -> bool:
    origin = json.loads(metadata.distribution("parcferme").read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


installed_only = pytest.mark.skipif(is_editable(), reason="an editable install; `make test` runs against the wheel")


# --- the wheel --------------------------------------------------------------------------------------------------------------------


@installed_only
def test_the_tests_run_against_the_installed_wheel() -> None:
    for package in (timing, replay):
        assert package.__file__
        assert "site-packages" in Path(package.__file__).parts
        assert not Path(package.__file__).is_relative_to(ROOT / "timing")


@installed_only
def test_programs_that_tests_start_use_it_too() -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import timing; print(timing.__file__)"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert where == timing.__file__


@installed_only
def test_the_wheel_has_every_file_of_the_packages_and_no_other() -> None:
    shipped = {str(path) for path in metadata.files("parcferme") or () if path.parts[0] in ("timing", "replay") and path.suffix != ".pyc"}
    tree = {str(path.relative_to(ROOT)) for package in ("timing", "replay") for path in (ROOT / package).rglob("*") if path.is_file()} | {
        f"timing/{path.relative_to(ROOT)}" for path in (ROOT / "config").rglob("*") if path.is_file()
    }
    assert shipped == {path for path in tree if not path.endswith((".pyc", ".pyo"))}


def test_types_and_commands_are_declared() -> None:
    for package in (timing, replay):
        assert (Path(str(package.__file__)).parent / "py.typed").is_file()
    scripts = {entry.name: entry for entry in metadata.entry_points(group="console_scripts") if entry.name in PROJECT["project"]["scripts"]}
    assert set(scripts) == {"timing", "replay"}
    assert all(callable(entry.load()) for entry in scripts.values())
    assert metadata.version("parcferme") == timing.__version__ == PROJECT["project"]["version"]


# --- the locks ----------------------------------------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_the_locks_agree_with_each_other_and_with_the_project() -> None:
    run, image, test, dev = locked("run"), locked("image"), locked("test"), locked("dev")
    assert run.items() <= image.items() <= test.items() <= dev.items()
    assert locked("build").items() <= dev.items()
    wanted = {re.split(r"[^a-z0-9-]", dependency)[0] for dependency in PROJECT["project"]["dependencies"]}
    assert wanted <= run.keys()
    assert {re.split(r"[^a-z0-9-]", extra)[0] for extra in PROJECT["project"]["optional-dependencies"]["archive"]} <= image.keys()
    grouped = {
        group: {re.split(r"[^a-z0-9-]", d)[0] for d in found if isinstance(d, str)} for group, found in PROJECT["dependency-groups"].items()
    }
    assert grouped["test"] <= test.keys()
    assert grouped["lint"] | grouped["lock"] | grouped["build"] <= dev.keys()


# --- make ---------------------------------------------------------------------------------------------------------------------------


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_alone_says_what_there_is() -> None:
    run = make()
    assert run.returncode == 0
    listed = re.findall(r"^  ([a-z-]+)", run.stdout, re.MULTILINE)
    assert {"demo", "test", "test-long", "lint", "bench", "wheel", "lock", "clean"} <= set(listed)


def test_a_python_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    run = make("check-python", "PYTHON=no-such-python")
    assert run.returncode != 0
    assert "there is no no-such-python; install Python 3.11 or later" in run.stderr
    old = tmp_path / "python-old"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2"\n[ "$1" != -c ]\n')
    old.chmod(0o755)
    run = make("check-python", f"PYTHON={old}")
    assert run.returncode != 0
    assert "is Python 3.9.2; Parc Fermé needs 3.11 or later" in run.stderr


# --- the container ----------------------------------------------------------------------------------------------------------------


def stages() -> list[list[tuple[str, str]]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            if word == "FROM":
                found.append([])
            found[-1].append((word, " ".join(rest.split())))
    return found


def said(stage: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for known, rest in stage if known == word]


def test_the_container_is_built_in_two_stages_on_one_base() -> None:
    build, runtime = stages()
    assert said(build, "FROM")[0].split()[0] == said(runtime, "FROM")[0]
    assert any("--from=build" in copy for copy in said(runtime, "COPY"))
    installs = [run for run in said(build, "RUN") if "install" in run]
    assert all("--require-hashes" in run or "--no-index" in run for run in installs)
    assert not any("pip" in run for run in said(runtime, "RUN"))


def test_the_container_offers_tables_and_sheets() -> None:
    build, _ = stages()
    assert any("-r requirements/image.txt" in run for run in said(build, "RUN"))


def test_what_it_copies_is_there_and_not_ignored() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    for stage in stages():
        for copy in said(stage, "COPY"):
            *sources, _ = copy.split()
            if not sources[0].startswith("--from"):
                assert all((ROOT / source).exists() for source in sources), copy
                assert all(source.partition("/")[0] in let_in for source in sources), copy


def test_it_runs_unprivileged_with_its_log_on_a_volume() -> None:
    runtime = stages()[-1]
    (user,), (volume,) = said(runtime, "USER"), said(runtime, "VOLUME")
    assert re.search(rf"useradd --uid [1-9]\d+ .*--home-dir {volume} .* {user}\b", said(runtime, "RUN")[0])
    assert user not in ("root", "0")
    order = [word for word, _ in runtime]
    assert order.index("USER") < order.index("CMD")
    (environment,) = said(runtime, "ENV")
    settings = dict(pair.split("=", 1) for pair in environment.split() if pair.startswith("TIMING_"))
    taken = Settings.model_validate({name.removeprefix("TIMING_").lower(): value for name, value in settings.items()})
    assert taken.log.is_relative_to(volume)
    assert {taken.mqtt_host, taken.feed_host, taken.web_host} == {"0.0.0.0"}  # noqa: S104  # inside the container, for its published ports
    assert {int(port) for port in said(runtime, "EXPOSE")[0].split()} == {taken.mqtt_port, taken.feed_port, taken.web_port}


@contextmanager
def answering(status: int) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_its_health_check_tells_well_from_ill(status: int, healthy: bool) -> None:
    (check,) = said(stages()[-1], "HEALTHCHECK")
    program, flag, code = json.loads(check.partition("CMD ")[2])
    assert (program, flag) == ("python", "-c")
    with answering(status) as port:
        run = subprocess.run([sys.executable, "-c", code.replace("8080", str(port))], capture_output=True, check=False)
    assert (run.returncode == 0) == healthy


# --- the pages -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")]), ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
