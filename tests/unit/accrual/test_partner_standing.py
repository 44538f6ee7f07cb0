"""What each state and kind of a partner does to its receipts: the README's table, row by row."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from services.accrual.domain.partner_standing import (
    Standing,
    standing_at,
    why_not_earned,
    why_not_taken,
    why_not_taken_back,
)
from shared.events.coalition import PartnerKind, PartnerState

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
LAST_EARN = date(2026, 11, 10)
LAST_RETURN = date(2026, 12, 10)

# State: the door takes receipts, purchases earn (at a partner who issues), returns take back.
TABLE: dict[PartnerState, tuple[bool, bool, bool]] = {
    "preparing": (False, False, False),
    "testing": (True, False, False),
    "active": (True, True, True),
    "suspended_earning": (True, False, True),
    "suspended_spending": (True, True, True),
    "suspended": (True, False, True),
    "leaving": (True, True, True),
    "left": (False, False, False),
}
ISSUERS = {"issuing", "both", "co_brand_bank"}


def standing(kind: PartnerKind, state: PartnerState, version: int = 1, since: datetime = BEGAN) -> Standing:
    days = (LAST_EARN, LAST_RETURN) if state == "leaving" else (None, None)
    return Standing(version, kind, state, since, *days)


def test_the_table_knows_every_state() -> None:
    assert set(TABLE) == set(get_args(PartnerState))


@pytest.mark.parametrize("kind", get_args(PartnerKind))
@pytest.mark.parametrize("state", get_args(PartnerState))
def test_what_a_standing_does_to_receipts(state: PartnerState, kind: PartnerKind) -> None:
    takes, earns, takes_back = TABLE[state]
    stands = standing(kind, state)

    assert (why_not_taken(stands) is None) is takes
    assert (why_not_earned(stands, NOON, UTC) is None) is (earns and kind in ISSUERS)
    assert (why_not_taken_back(stands, NOON, UTC) is None) is takes_back


def test_who_is_leaving_earns_and_takes_back_to_the_end_of_its_last_days() -> None:
    stands = standing("both", "leaving")
    midnight = datetime(2026, 11, 11, tzinfo=UTC)

    assert why_not_earned(stands, midnight - timedelta(seconds=1), UTC) is None
    assert why_not_earned(stands, midnight, UTC) == "partner_leaving"
    assert why_not_taken_back(stands, datetime(2026, 12, 10, 23, 59, tzinfo=UTC), UTC) is None
    assert why_not_taken_back(stands, datetime(2026, 12, 11, tzinfo=UTC), UTC) == "partner_leaving"


def test_a_receipt_is_judged_by_the_standing_of_its_own_time() -> None:
    history = [
        standing("both", "active"),
        standing("both", "suspended", 2, NOON),
        standing("both", "active", 3, NOON + timedelta(days=2)),
    ]

    for order in (history, history[::-1]):
        assert standing_at(order, NOON - timedelta(seconds=1)) == history[0]
        assert standing_at(order, NOON) == history[1]
        assert standing_at(order, NOON + timedelta(days=2)) == history[2]


def test_before_its_first_standing_the_first_counts_and_a_later_word_overrules_what_was_announced() -> None:
    announced = standing("both", "leaving", 2, NOON + timedelta(days=7))
    suspended = standing("both", "suspended", 3, NOON)
    history = [standing("both", "active"), announced, suspended]

    assert standing_at(history, BEGAN - timedelta(days=400)) == history[0]
    assert standing_at(history, NOON + timedelta(days=8)) == suspended
    assert standing_at([], NOON) is None
    assert why_not_earned(None, NOON, UTC) is None  # a fact that is missing refuses nothing


def test_the_readme_says_the_same() -> None:
    readme = (Path(__file__).parents[3] / "services/accrual/README.md").read_text()
    words = {True: "yes", False: "no"}
    for state, (takes, earns, takes_back) in TABLE.items():
        last = (" until `last_earn_on`", " until `returns_until`") if state == "leaving" else ("", "")
        row = f"| `{state}` | {words[takes]} | {words[earns]}{last[0]} | {words[takes_back]}{last[1]} |"
        assert row in readme, row
