"""Who may give and receive, how much, and where days and months begin."""

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from services.redemption.domain.gifting import (
    Gift,
    GiftLimits,
    GiftRefusedError,
    GivenBefore,
    Since,
    require_may_give,
)
from services.redemption.domain.standing import DECLINES, HIDDEN, RECEIVES, KnownStatus
from shared.events.members import MemberStatus
from tests.support.receipts import member

LIMITS = GiftLimits(points_max=500, points_per_day_max=800, points_per_month_max=1_000)
NOTHING = GivenBefore(0, 0)

# As the README has it: what giver and receiver are told.
TABLE: dict[KnownStatus, tuple[str | None, str | None]] = {
    "active": (None, None),
    "suspended": ("member_suspended", "receiver_suspended"),
    "earn_only": ("member_earn_only", None),
    "spend_locked": ("member_spend_locked", None),
    "merged": ("member_merged", "receiver_merged"),
    "closed": ("member_closed", "receiver_closed"),
}


def refusal(giver: KnownStatus, receiver: KnownStatus, *, is_identifier_active: bool = True) -> str | None:
    try:
        require_may_give(giver, receiver, is_identifier_active=is_identifier_active)
    except GiftRefusedError as error:
        return error.reason
    return None


def too_much(points: int, before: GivenBefore, limits: GiftLimits = LIMITS) -> tuple[str, int | None] | None:
    try:
        limits.require(points, before)
    except GiftRefusedError as error:
        return error.reason, error.points_max
    return None


def test_every_cell_of_the_table() -> None:
    assert set(TABLE) == set(DECLINES) == set(RECEIVES) == set(get_args(MemberStatus)) - HIDDEN
    for status, (as_giver, as_receiver) in TABLE.items():
        assert refusal(status, "active") == as_giver
        assert refusal("active", status) == as_receiver


def test_the_giver_is_judged_before_the_receiver_and_the_identifier() -> None:
    assert refusal("suspended", "closed", is_identifier_active=False) == "member_suspended"
    assert refusal("active", "closed", is_identifier_active=False) == "identifier_blocked"


@pytest.mark.parametrize(
    ("points", "before", "expected"),
    [
        (500, NOTHING, None),
        (501, NOTHING, ("gift_too_large", 500)),
        (300, GivenBefore(500, 500), None),
        (301, GivenBefore(500, 500), ("gifts_of_day_exceeded", 300)),
        (100, GivenBefore(0, 900), None),
        (101, GivenBefore(0, 900), ("gifts_of_month_exceeded", 100)),
        (501, GivenBefore(0, 900), ("gift_too_large", 100)),
        (1, GivenBefore(900, 1_200), ("gifts_of_day_exceeded", 0)),  # the limits were lowered since
    ],
)
def test_how_much_may_be_given(points: int, before: GivenBefore, expected: tuple[str, int] | None) -> None:
    assert too_much(points, before) == expected


def test_a_limit_of_zero_gives_nothing() -> None:
    assert too_much(1, NOTHING, GiftLimits(0, 800, 1_000)) == ("gift_too_large", 0)


def test_days_and_months_begin_where_the_programme_is() -> None:
    chicago = ZoneInfo("America/Chicago")
    since = Since.of(datetime(2026, 11, 1, 4, 30, tzinfo=UTC), chicago)  # still October there
    assert since.day == datetime(2026, 10, 31, tzinfo=chicago)
    assert since.month == datetime(2026, 10, 1, tzinfo=chicago)
    assert since.day.astimezone(UTC) == datetime(2026, 10, 31, 5, tzinfo=UTC)


def test_a_gift_is_told_again_with_another_time_and_is_the_same_one() -> None:
    first, again = (
        Gift(member(9), member(1), member(2), "points", 5, "app", datetime(2026, 11, day, tzinfo=UTC)) for day in (1, 2)
    )
    assert first == again
