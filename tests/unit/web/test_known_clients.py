"""What a token is still good for, once its client was changed."""

import pytest

from shared.web import Principal
from shared.web.known_clients import KnownClient, left_of

CALLER = Principal("pos", None, frozenset({"rules:read", "rules:write"}))


@pytest.mark.parametrize(
    ("known", "scopes"),
    [
        (None, {"rules:read", "rules:write"}),  # not known here yet: the token alone judges
        (KnownClient(frozenset({"rules:read", "rules:write", "cases:read"}), is_revoked=False), CALLER.scopes),
        (KnownClient(frozenset({"rules:read"}), is_revoked=False), {"rules:read"}),
        (KnownClient(frozenset(), is_revoked=False), set()),
        (KnownClient(CALLER.scopes, is_revoked=True), None),
    ],
)
def test_what_is_left_of_a_token(known: KnownClient | None, scopes: set[str] | None) -> None:
    left = left_of(CALLER, known)
    assert (None if left is None else left.scopes) == scopes
