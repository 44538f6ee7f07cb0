"""A component has one chain of migrations, numbered as its files are: two that were written side by side show here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path for pattern in ("services/*/migrations", "shared/*/migrations") for path in ROOT.glob(pattern))


def said(text: str, name: str) -> str | None:
    found = re.search(rf'^{name} = (?:"(\d+)"|None)$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def told(text: str, name: str) -> str | None:
    """What the docstring says, if it says anything: `None` where it says that nothing comes before."""
    found = re.search(rf"^{name}: *(\S*)$", text, re.MULTILINE)
    return None if found is None else found[1]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_migrations_follow_one_another(folder: Path) -> None:
    files = sorted(folder.glob("[0-9]*.py"))
    chain = [(said(path.read_text(), "down_revision"), said(path.read_text(), "revision")) for path in files]
    numbers = [f"{number:04d}" for number in range(1, len(files) + 1)]

    assert [path.name[:4] for path in files] == numbers
    assert chain == list(zip([None, *numbers[:-1]], numbers, strict=True))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_what_a_migrations_docstring_says_is_what_its_code_does(folder: Path) -> None:
    for path in sorted(folder.glob("[0-9]*.py")):
        text = path.read_text()
        assert told(text, "Revision ID") in (None, said(text, "revision")), path.name
        assert told(text, "Revises") in (None, said(text, "down_revision") or ""), path.name
