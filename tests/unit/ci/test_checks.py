"""What the suites run."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("checks", ROOT / ".ci" / "checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks for its module
    spec.loader.exec_module(module)
    return module


def test_all_faults_are_where_the_check_looks_for_them(checks: ModuleType) -> None:
    marked = [path for path in (ROOT / "tests").rglob("test_*.py") if re.search(r"\bmark\.faults\b", path.read_text())]
    named = [path for path in marked if path != Path(__file__)]
    assert named
    assert {path.parent for path in named} == {ROOT / checks.FAULTS_FOLDER}


def test_bytecode_is_kept_whatever_the_shell_says(checks: ModuleType) -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in checks.ENVIRONMENT
