"""Cursors survive the way out and back, and nothing else does."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from shared.web import Page, Problem, decode_cursor, encode_cursor

POSITION: TypeAdapter[tuple[datetime, UUID]] = TypeAdapter(tuple[datetime, UUID])
HERE = (datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC), UUID("019a1b2c-0000-7000-8000-000000000001"))


def test_a_cursor_comes_back_as_it_went() -> None:
    assert decode_cursor(encode_cursor(HERE), POSITION) == HERE


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!!!!",
        "AAAA",
        encode_cursor([1, 2]),
        encode_cursor([HERE[0]]),
        encode_cursor([*HERE, "more"]),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        encode_cursor(HERE)[:-3],
        encode_cursor([datetime.min.replace(tzinfo=UTC), HERE[1]]),
        "ü",
    ],
)
def test_another_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, POSITION)

    assert (refused.value.status, refused.value.slug) == (400, "invalid-cursor")


@pytest.mark.parametrize("part", ['"a\\u0000"', str(2**63)])
def test_a_cursor_that_no_row_can_have_is_refused(part: str) -> None:
    cursor = base64.urlsafe_b64encode(f"[{part}]".encode()).decode()
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, TypeAdapter(tuple[str | int]))

    assert refused.value.status == 400


def test_the_last_page_has_no_cursor() -> None:
    assert Page[str].of([1, 2], 2, ["a", "b"], [2]).next_cursor is None
    assert Page[str].of([1, 2, 3], 2, ["a", "b"], [2]).next_cursor == encode_cursor([2])
