"""A receipt is refused only by what was said of its partner's funds of a time after it had come."""

from datetime import UTC, datetime, timedelta

import pytest

from services.accrual.domain.partner_funds import CLOCKS_APART, Funds

CAME_AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("funds", "refuses"),
    [
        (Funds(is_exhausted=True, told_at=CAME_AT + CLOCKS_APART), True),
        (Funds(is_exhausted=True, told_at=CAME_AT + CLOCKS_APART - INSTANT), False),
        (Funds(is_exhausted=True, told_at=CAME_AT - timedelta(days=1)), False),
        (Funds(is_exhausted=True), False),
        (Funds(is_exhausted=False, told_at=CAME_AT + timedelta(days=1)), False),
    ],
)
def test_what_refuses(funds: Funds, refuses: bool) -> None:
    assert funds.was_exhausted_after(CAME_AT) is refuses
