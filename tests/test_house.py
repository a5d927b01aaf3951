"""The house stands: who may import whom, what stays outside the pure floors, how long a module may be, how quickly help appears."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import replay
import timing

ROOT = Path(__file__).parents[1]
TIMING, REPLAY = (Path(package.__file__).parent for package in (timing, replay) if package.__file__)
LONGEST_MODULE = 400
LONGEST_TEST = 500  # tables of cases are long, and quick to read

PURE = {
    "abc", "base64", "bisect", "collections", "copy", "dataclasses", "enum", "fractions", "functools", "hashlib", "heapq", "itertools",
    "json", "math", "msgspec", "operator", "re", "string", "types", "typing",
}  # fmt: skip
MAY_IMPORT = {
    "domain": PURE,
    "projections": PURE,
    "log": PURE
    | {
        "array",
        "contextlib",
        "fcntl",
        "io",
        "mmap",
        "os",
        "pathlib",
        "sqlite3",
        "sys",
        "threading",
    },  # the one floor below the line that keeps files
}
DOES_IO = {"open", "print", "input", "exec", "eval", "compile", "breakpoint", "__import__"}
HEAVY = {
    "aiomqtt", "asyncio", "msgspec", "paho", "pydantic", "pydantic_settings", "rich", "sqlite3", "starlette", "structlog", "uvicorn",
    "uvloop", "websockets",
}  # fmt: skip


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def name_of(path: Path) -> str:
    package = next(folder for folder in (TIMING, REPLAY, ROOT) if path.is_relative_to(folder))
    return str(path.relative_to(package.parent if package != ROOT else package))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide the floor they reach"
            yield str(node.module).partition(".")[0]


def check_floors(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def test_nobody_imports_from_the_floor_above() -> None:
    run = check_floors(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("timing/domain/upstairs.py", "import timing.services.clock", "timing.domain.upstairs -> timing.services.clock"),
        ("timing/services/upstairs.py", "import timing.commands", "timing.services.upstairs -> timing.commands"),
        ("timing/services/rerun.py", "import replay", "timing.services.rerun -> replay"),
        ("timing/attic.py", "", "timing.attic"),
        ("replay/attic.py", "", "replay.attic"),
    ],
)
def test_a_module_on_the_wrong_floor_is_noticed(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    leave = shutil.ignore_patterns("__pycache__", "web", "config")
    for package in (TIMING, REPLAY):
        shutil.copytree(package, tmp_path / package.name, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / path).write_text(text)
    run = check_floors(tmp_path)
    assert run.returncode != 0
    assert complaint in run.stdout


@pytest.mark.parametrize("floor", sorted(MAY_IMPORT))
def test_the_pure_floors_know_no_clock_no_world_and_no_chance(floor: str) -> None:
    strangers = [
        f"{name_of(path)} imports {name}"
        for path in modules(TIMING / floor)
        for name in imported(ast.parse(path.read_bytes()))
        if name not in MAY_IMPORT[floor] | {"timing"}
    ]
    assert not strangers, "give it as a parameter from services, or write the reason into MAY_IMPORT"


@pytest.mark.parametrize("floor", ["domain", "projections"])
def test_the_pure_floors_neither_read_nor_print(floor: str) -> None:
    calls = [
        f"{name_of(path)}:{node.lineno} calls {node.func.id}"
        for path in modules(TIMING / floor)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DOES_IO
    ]
    assert not calls


@pytest.mark.parametrize("path", [*modules(TIMING), *modules(REPLAY)], ids=name_of)
def test_a_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_bytes()))
    assert docstring
    assert len(docstring) > 20


@pytest.mark.parametrize(
    ("folder", "pattern", "longest"),
    [
        (TIMING, "*.py", LONGEST_MODULE),
        (REPLAY, "*.py", LONGEST_MODULE),
        (TIMING / "web", "*.js", LONGEST_MODULE),
        (ROOT / "tests", "*.py", LONGEST_TEST),
    ],
    ids=["timing", "replay", "web", "tests"],
)
def test_no_module_is_too_long_to_know(folder: Path, pattern: str, longest: int) -> None:
    lines = {name_of(path): path.read_bytes().count(b"\n") for path in folder.rglob(pattern) if "vendor" not in path.parts}
    assert lines
    too_long = {name: count for name, count in lines.items() if count > longest}
    assert not too_long, f"split what is longer than {longest} lines along a word of the sport"


def test_help_appears_before_anything_heavy_is_loaded() -> None:
    program = """
import sys
from timing.cli import main
sys.argv = ["timing", "--help"]
try:
    main()
except SystemExit as end:
    assert end.code == 0
print("LOADED", *{name.partition(".")[0] for name in sys.modules})
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    output, _, loaded = run.stdout.rpartition("LOADED ")
    assert "Commands:" in output
    assert not HEAVY & set(loaded.split())
