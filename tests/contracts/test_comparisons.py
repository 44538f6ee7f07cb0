"""Secrets are proven by functions that take equal time, and never by ``==``."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Words for what is secret; hashes of contents are none.
SECRET = re.compile(r"(?:^|_)(?:secret|password|signature|mac|hmac|token|till_key|credential)s?(?:$|_)")
# What these compare is not the secret itself: a kind of token, a scope of one.
NOT_SECRET = re.compile(r"token_type|token_endpoint|token_issuer|token_url")
# Our own token with our own: whether another task has fetched a newer one meanwhile. Nobody outside sees its time.
OWN_WITH_OWN = {"shared/web/access_tokens.py"}


def compared_secrets(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            continue
        for side in (node.left, *node.comparators):
            name = side.attr if isinstance(side, ast.Attribute) else side.id if isinstance(side, ast.Name) else ""
            if SECRET.search(name) and not NOT_SECRET.search(name):
                found.append(f"{node.lineno}: {name}")
    return found


def test_no_secret_is_compared_with_equals() -> None:
    found = {
        str(path.relative_to(ROOT)): compared
        for folder in ("services", "shared")
        for path in (ROOT / folder).rglob("*.py")
        if str(path.relative_to(ROOT)) not in OWN_WITH_OWN
        and (compared := compared_secrets(ast.parse(path.read_text())))
    }
    assert found == {}


@pytest.mark.parametrize("code", ["secret == given", "given != self.client_secret", "signature == x", "a.hmac == b"])
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert compared_secrets(ast.parse(code))
