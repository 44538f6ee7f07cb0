"""What the check of advisories makes of pip-audit's report."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", Path(__file__).parents[3] / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOUND: dict[str, Any] = {"name": "sound", "version": "1.0", "vulns": []}
UNASKED: dict[str, Any] = {"name": "unasked", "skip_reason": "not found"}
HOLED: dict[str, Any] = {"name": "holed", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}


def test_packages_of_which_nothing_is_known_pass(audit: ModuleType) -> None:
    assert audit.verdict([SOUND, SOUND]) == (0, ["2 packages, and no known hole in any"])


def test_a_known_hole_fails_whatever_else_was_not_answered(audit: ModuleType) -> None:
    code, lines = audit.verdict([SOUND, UNASKED, HOLED])
    assert (code, lines[0]) == (1, "holed 2.0: CVE-1, mended in 2.1")


@pytest.mark.parametrize("dependencies", [[SOUND, UNASKED], [UNASKED], []], ids=["one", "all", "no answer at all"])
def test_what_nobody_answered_for_is_no_pass(audit: ModuleType, dependencies: list[dict[str, Any]]) -> None:
    code, lines = audit.verdict(dependencies)
    assert code == audit.NOT_ASKED
    assert "nobody answered" in lines[0]
