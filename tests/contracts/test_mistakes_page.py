"""The page of mistakes that were made elsewhere names tests that are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_mistake_is_kept_by_a_test_that_is_there() -> None:
    rows = [row for row in (ROOT / "docs/mistakes-made-elsewhere.md").read_text().splitlines() if row.startswith("|")]
    mistakes = rows[2:]
    assert mistakes
    for row in mistakes:
        named = NAMED.search(row)
        assert named is not None, row
        path, test = named.groups()
        assert test in _functions_of(ROOT / path), row


def _functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
