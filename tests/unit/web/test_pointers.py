"""Locations of validation errors, as pointers into what was sent."""

import pytest

from shared.web.pointers import pointer_of

BODY = {"key": {"scheme": "sequence", "store_id": 7}, "lines": [{"tags": {"a": 1}}], "a/b": {"~": 0}}


@pytest.mark.parametrize(
    ("location", "is_missing", "pointer"),
    [
        ((), False, ""),
        (("key", "sequence", "store_id"), False, "/key/store_id"),
        (("key", "sequence", "number"), True, "/key/number"),
        (("key", "sequence"), False, "/key"),
        (("lines", 0, "tags", "a", "[key]"), False, "/lines/0/tags/a"),
        (("lines", 3), False, "/lines"),
        (("a/b", "~"), False, "/a~1b/~0"),
    ],
)
def test_a_pointer_leads_to_what_was_sent(location: tuple[int | str, ...], is_missing: bool, pointer: str) -> None:
    assert pointer_of(location, BODY, is_missing=is_missing) == pointer
