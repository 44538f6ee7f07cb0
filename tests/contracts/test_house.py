"""The house rules that no linter knows: sizes, names, rooms, pure domains, nothing of a machine in the files."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

CODE_SUFFIXES = {".py", ".html", ".mako", ".sh", ".toml", ".txt", ".yml", ".yaml"}
CODE_NAMES = {"Dockerfile", "Makefile", "run"}
VAGUE_NAMES = {"base", "bases", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}

SERVICES = ("accrual", "coalition", "fraud", "members", "notifications", "redemption")
ROOMS = ("README.md", "__init__.py", "__main__.py", "app.py", "settings.py")
FOLDERS = ("domain", "use_cases", "migrations")
ROOM_OR_FOLDER = ("api", "repository", "schemas")

# Written in pieces, so that this file does not contain what it looks for.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("npmjs", "org"),
        ("golang", "org"),
        ("anaconda", "org"),
        ("jfrog", "io"),
    )
)
MACHINE_PATHS = tuple(f"/{folder}/" for folder in ("work", "root", "Users", "home/" + "user"))
OF_A_MACHINE = re.compile(
    "|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.}}]){re.escape(path)}" for path in MACHINE_PATHS)])
)

# What a pure function has no use for: the outside, the clock, chance.
IMPURE_MODULES = {
    "aiokafka", "aiosmtplib", "alembic", "asyncio", "asyncpg", "fastapi", "httpx2", "io", "os", "pathlib", "random",
    "secrets", "socket", "sqlalchemy", "subprocess", "threading", "time", "uuid_utils",
    "shared.database", "shared.kafka", "shared.outbox", "shared.runtime", "shared.web",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "new_id", "open"}


@cache
def tracked_files() -> tuple[Path, ...]:
    """What git keeps, and what it would keep if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 -- git is on the path
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def python_files() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py"]


def told(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    # Not kept: the collector would walk through millions of nodes again and again, which takes longer than to parse.
    return ast.parse(path.read_text())


def test_there_is_something_to_look_at() -> None:
    assert len(python_files()) > 100


def test_files_stay_short() -> None:
    code = [path for path in tracked_files() if path.suffix in CODE_SUFFIXES or path.name in CODE_NAMES]
    lines = {told(path): len(path.read_text().splitlines()) for path in code}

    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_stay_short() -> None:
    long = {
        f"{told(path)}:{function.lineno} {function.name}": function.end_lineno - function.lineno + 1
        for path in python_files()
        for function in functions(tree_of(path))
        if function.end_lineno is not None and function.end_lineno - function.lineno + 1 > FUNCTION_LINES_MAX
    }

    assert long == {}


def test_no_module_has_a_vague_name() -> None:
    named = {told(path) for path in python_files() if {path.stem, path.parent.name} & VAGUE_NAMES}

    assert named == set()


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = {}
    for path in tracked_files():
        try:
            matched = OF_A_MACHINE.search(path.read_text())
        except UnicodeDecodeError:
            continue
        if matched is not None:
            found[told(path)] = matched[0]

    assert found == {}


@pytest.mark.parametrize("leak", [f"https://{HOSTS[0]}/simple", f"see {MACHINE_PATHS[0]}main", MACHINE_PATHS[1]])
def test_the_search_finds_what_it_looks_for(leak: str) -> None:
    assert OF_A_MACHINE.search(leak)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    folder = ROOT / "services" / service
    missing = [room for room in ROOMS if not (folder / room).is_file()]
    missing += [f"{room}/" for room in FOLDERS if not (folder / room).is_dir()]
    missing += [
        f"{room}.py or {room}/"
        for room in ROOM_OR_FOLDER
        if not (folder / f"{room}.py").is_file() and not (folder / room).is_dir()
    ]
    if "Subscription(" in (folder / "app.py").read_text() and not (folder / "consumer.py").is_file():
        missing.append("consumer.py")

    assert missing == []


def test_there_are_no_other_services() -> None:
    folders = {path.relative_to(ROOT / "services").parts[0] for path in tracked_files() if "services" in path.parts}

    assert {name for name in folders if (ROOT / "services" / name).is_dir()} == set(SERVICES)


def impurities(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if is_impure(alias.name))
            case ast.ImportFrom(module=str(module)):
                if is_impure(module):
                    yield module
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called)) if called in IMPURE_CALLS:
                yield f"{called}()"


def is_impure(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:length]) in IMPURE_MODULES for length in range(1, len(parts) + 1))


def test_domains_are_pure() -> None:
    found = {
        told(path): sorted(set(impurities(tree_of(path))))
        for path in python_files()
        if path.match("services/*/domain/*.py")
    }

    assert len(found) > len(SERVICES)
    assert {name: impure for name, impure in found.items() if impure} == {}


def test_decisions_are_numbered_once_and_are_all_in_their_list() -> None:
    files = sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    listed = re.findall(r"^(\d+)\. \[(.+)\]\((0.+\.md)\)$", (ROOT / "docs/adr/README.md").read_text(), re.MULTILINE)
    assert [(int(number), name) for number, _, name in listed] == list(enumerate(files, 1))
    for number, _, name in listed:
        assert (ROOT / "docs/adr" / name).read_text().startswith(f"# {number}. ")


def test_what_the_programme_keeps_to_itself_is_refused_in_one_place() -> None:
    written = '"programme' + '-only"'
    found = [path for path in python_files() if "tests" not in path.parts and written in path.read_text()]
    assert [path.relative_to(ROOT).as_posix() for path in found] == ["shared/web/programme_only.py"]
