"""Which changes of a partner's standing there can be, and from when they count."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest

from services.coalition.domain.errors import LeavingDatesError, PublishedTooLateError, StateChangeError
from services.coalition.domain.standing import CHANGES, PUBLISHED_BEFORE, Standing, change_standing
from shared.events.coalition import PartnerState

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
DAYS = {"last_earn_on": date(2026, 12, 1), "last_spend_on": date(2026, 12, 15), "returns_until": date(2027, 1, 1)}


def standing(state: PartnerState, kind: Any = "both", **days: Any) -> Standing:
    return Standing(kind, state, NOW - timedelta(days=30), "test", **(days or (DAYS if state == "leaving" else {})))


def change(present: Standing, wanted: Standing, starts_at: datetime | None = None, today: date = TODAY) -> Standing:
    return change_standing(present, wanted, starts_at=starts_at, today=today, now=NOW)


@pytest.mark.parametrize("wanted", get_args(PartnerState))
@pytest.mark.parametrize("present", get_args(PartnerState))
def test_only_ways_that_are_drawn_can_be_gone(present: PartnerState, wanted: PartnerState) -> None:
    after_all = date(2027, 1, 2)
    if wanted in CHANGES[present]:
        assert change(standing(present), standing(wanted), today=after_all).state == wanted
    else:
        with pytest.raises(StateChangeError, match="cannot become"):
            change(standing(present), standing(wanted), today=after_all)


@pytest.mark.parametrize(
    ("present", "wanted", "is_opening"),
    [
        (standing("active"), standing("suspended"), False),
        (standing("active"), standing("leaving"), False),
        (standing("leaving"), standing("suspended"), False),
        (standing("suspended"), standing("active"), True),
        (standing("suspended_earning"), standing("suspended_spending"), True),
        (standing("preparing"), standing("testing"), True),
        (standing("leaving"), standing("leaving", **(DAYS | {"returns_until": date(2027, 2, 1)})), True),
        (standing("active", "issuing"), standing("active", "both"), True),
        (standing("active", "both"), standing("active", "redeeming"), False),
    ],
)
def test_what_closes_counts_at_once_and_what_opens_a_minute_later(
    present: Standing, wanted: Standing, is_opening: bool
) -> None:
    earliest = NOW + PUBLISHED_BEFORE if is_opening else NOW

    assert change(present, wanted).in_force_from == earliest
    assert change(present, wanted, earliest + timedelta(days=3)).in_force_from == earliest + timedelta(days=3)
    with pytest.raises(PublishedTooLateError):
        change(present, wanted, earliest - timedelta(seconds=1))


def test_a_change_of_what_does_not_count_yet_may_open_too_and_only_closing_all_counts_at_once() -> None:
    """Suspended until a minute from now, and active then: nobody who has heard only so far may refuse for good."""
    opening = change(standing("suspended"), standing("active"))

    assert change(opening, standing("suspended_spending")).in_force_from == NOW + PUBLISHED_BEFORE
    assert change(opening, standing("suspended")).in_force_from == NOW


@pytest.mark.parametrize(
    "days",
    [
        {"last_earn_on": DAYS["last_earn_on"]},
        {**DAYS, "returns_until": date(2026, 11, 30)},
    ],
)
def test_who_is_leaving_names_three_days_that_fit_together(days: dict[str, date]) -> None:
    with pytest.raises(LeavingDatesError):
        change(standing("active"), standing("leaving", **days))


def test_days_belong_to_leaving_alone() -> None:
    with pytest.raises(LeavingDatesError, match="alone"):
        change(standing("active"), standing("suspended", **DAYS))


def test_who_is_leaving_has_left_only_when_all_days_are_over() -> None:
    with pytest.raises(LeavingDatesError, match="2027-01-01"):
        change(standing("leaving"), standing("left"), today=date(2027, 1, 1))
    assert change(standing("leaving"), standing("left"), today=date(2027, 1, 2)).state == "left"
