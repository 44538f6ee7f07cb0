"""What a paper proves, and until when."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.accrual.domain.receipt_claims import ClaimedTooLateError, Proof, require_in_time
from tests.support.receipts import purchase

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
# 23:30 on 31 October in New York, and noon on 1 November in Tokyo.
LATE = purchase(1, 1234, occurred_at=datetime(2026, 11, 1, 3, 30, tzinfo=UTC)).data


@pytest.mark.parametrize(
    ("total_minor", "day", "zone", "fits"),
    [
        (1234, date(2026, 10, 31), NEW_YORK, True),
        (1234, date(2026, 11, 1), TOKYO, True),
        (1234, date(2026, 11, 1), NEW_YORK, False),
        (1235, date(2026, 10, 31), NEW_YORK, False),
    ],
)
def test_the_paper_says_the_total_and_the_day_where_the_store_is(
    total_minor: int, day: date, zone: ZoneInfo, fits: bool
) -> None:
    assert Proof(total_minor, day).fits(LATE, zone) is fits


def test_it_can_be_claimed_to_the_last_second() -> None:
    window = timedelta(days=14)
    require_in_time(LATE, LATE.received_at + window, window)
    with pytest.raises(ClaimedTooLateError, match="14 days"):
        require_in_time(LATE, LATE.received_at + window + timedelta(seconds=1), window)
