"""docs/security.md names the tests that prove its lines: each must be there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), flags=re.MULTILINE)


def test_every_line_of_every_table_names_a_test() -> None:
    lines = [line for line in PAGE.splitlines() if re.match(r"\| [STRIDE, ]+ \|", line)]
    assert len(lines) > 30
    assert [line for line in lines if "`tests/" not in line] == []
