"""What is installed is what was locked: every package in one version, by its hash, from wherever it comes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-audit.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[\w,-]+\])?==(\S+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements_of(lock: str) -> list[str]:
    """The requirements of a lock file, each with its hashes on one line; comments are left out."""
    text = "\n".join(line for line in (ROOT / lock).read_text().splitlines() if not line.strip().startswith("#"))
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def versions_of(lock: str) -> dict[str, set[str]]:
    """Versions by name: more than one where Pythons or platforms differ."""
    versions: dict[str, set[str]] = {}
    for name, version in (found.groups() for line in requirements_of(lock) if (found := PINNED.match(line))):
        versions.setdefault(name, set()).add(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_by_version_and_hash(lock: str) -> None:
    requirements = requirements_of(lock)
    assert len(requirements) > 10
    assert [line for line in requirements if not PINNED.match(line) or not HASH.search(line)] == []


def test_what_runs_is_what_was_tested() -> None:
    tested = versions_of("requirements-dev.lock")
    assert {name: found for name, found in versions_of("requirements.lock").items() if tested.get(name) != found} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_where_packages_come_from(lock: str) -> None:
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / lock).read_text())
