"""Money from points: exact, rounded once; and what is told of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coalition.domain.contracts import Contract, Exclusivity, Funding, Rate, Terms
from services.coalition.domain.exposure import (
    NOT_LOW,
    Exposure,
    PointSums,
    Position,
    alert_level,
    judge,
    millionths,
    position_of,
    standing_of,
    to_minor,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PREPAID = Funding("prepaid", 10_000, (50, 10), "refuse", 0)
RESERVE = Funding("prepaid", 10_000, (50, 10), "reserve", 500)
CREDIT = Funding("postpaid", 10_000, (20,), "refuse", 0)


def contract(funding: Funding, issue_price: str = "0.01", currency: str = "USD") -> Contract:
    rate = Rate("points", Decimal(issue_price), Decimal("0.0085"), Decimal(21), "issue", 1, 1)
    terms = Terms(NOW - timedelta(days=30), None, currency, (rate,), funding, ())
    return Contract(UUID(int=1), "grocer", 1, terms, "approved", ("alice",), 3, "bob", NOW)


def position(funding: Funding, issued_points: int, paid_minor: int = 0) -> Position:
    sums = [PointSums(1, "points", issued_points=issued_points)]
    return position_of([contract(funding)], sums, paid_minor, None, {"USD": 2}, NOW)


@given(st.integers(-(10**20), 10**20), st.sampled_from([0, 2, 3]))
def test_minor_units_are_rounded_half_to_even(amount_millionths: int, exponent: int) -> None:
    exact = Decimal(amount_millionths).scaleb(exponent - 6)
    assert to_minor(amount_millionths, exponent) == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


@given(st.decimals(0, 999_999, places=6))
def test_a_price_of_six_places_is_a_whole_number_of_millionths(price: Decimal) -> None:
    assert Decimal(millionths(price)) / 1_000_000 == price


def test_a_price_of_seven_places_is_none() -> None:
    with pytest.raises(ValueError, match="at most 6"):
        millionths(Decimal("0.0000001"))


def test_a_currency_without_minor_units_is_counted_in_major_ones() -> None:
    sums = [PointSums(1, "points", issued_points=149)]
    yen = position_of([contract(CREDIT, "1.5", "JPY")], sums, 0, None, {"JPY": 0}, NOW)
    assert yen.payable_minor == 224  # 223.5, half to even


@pytest.mark.parametrize(
    ("funding", "left_minor", "standing"),
    [
        (PREPAID, 5_001, "open"),
        (PREPAID, 5_000, "low"),
        (PREPAID, 1, "low"),
        (PREPAID, 0, "exhausted"),
        (RESERVE, 0, "reserve"),
        (RESERVE, -499, "reserve"),
        (RESERVE, -500, "exhausted"),
        (CREDIT, 2_001, "open"),
        (CREDIT, 0, "exhausted"),
    ],
)
def test_what_is_left_says_where_a_partner_stands(funding: Funding, left_minor: int, standing: str) -> None:
    assert standing_of(funding, left_minor) == standing


@pytest.mark.parametrize(("left_minor", "level"), [(5_001, NOT_LOW), (5_000, 50), (1_001, 50), (1_000, 10), (0, 0)])
def test_the_deepest_alert_level_counts(left_minor: int, level: int) -> None:
    assert alert_level(PREPAID, left_minor) == level


def test_a_prepaid_block_and_a_credit_limit_are_used_alike() -> None:
    assert position(PREPAID, 3_000, paid_minor=10_000).left_minor == 7_000
    assert position(CREDIT, 3_000).left_minor == 7_000
    assert position(CREDIT, 3_000, paid_minor=3_000).left_minor == 10_000


def test_the_overshoot_counts_from_where_the_partner_is_refused() -> None:
    assert position(PREPAID, 100).overshoot_minor == 100
    assert position(RESERVE, 600).overshoot_minor == 100
    assert position(RESERVE, 400).overshoot_minor == 0


def test_each_type_has_a_price_of_its_own_on_both_sides() -> None:
    own = contract(CREDIT)
    miles = Rate("miles", Decimal("0.05"), Decimal("0.04"), Decimal(21), "issue", 1, 1)
    both = replace(own, terms=replace(own.terms, rates=(*own.terms.rates, miles)))
    sums = [
        PointSums(1, "points", issued_points=100, redeemed_points=200),
        PointSums(1, "miles", issued_points=10, returned_points=4, redeemed_points=50, refunded_points=25),
    ]
    found = position_of([both], sums, 0, None, {"USD": 2}, NOW)
    assert (found.payable_minor, found.receivable_minor) == (100 + 6 * 5, 170 + 25 * 4)


def test_points_of_a_type_without_a_rate_cost_nothing() -> None:
    sums = [PointSums(1, "stars", issued_points=5_000), PointSums(0, "points", issued_points=5_000)]
    assert position_of([contract(PREPAID)], sums, 0, None, {"USD": 2}, NOW).payable_minor == 0


def test_a_threshold_is_told_at_once_and_the_rest_a_second_later() -> None:
    told = judge(Exposure("grocer"), position(CREDIT, 10), NOW)
    assert (told.is_published, told.exposure.version) == (True, 1)
    soon = judge(told.exposure, position(CREDIT, 20), NOW + timedelta(milliseconds=999))
    assert (soon.is_published, soon.exposure.is_due, soon.exposure.version) == (False, True, 1)
    crossed = judge(soon.exposure, position(CREDIT, 8_000), NOW + timedelta(milliseconds=999))
    assert (crossed.is_published, crossed.exposure.is_due, crossed.exposure.version) == (True, False, 2)
    later = judge(soon.exposure, position(CREDIT, 20), NOW + timedelta(seconds=1))
    assert later.is_published


def test_a_jump_over_all_levels_tells_of_exhaustion_alone() -> None:
    told = judge(Exposure("grocer"), position(PREPAID, 10_000, paid_minor=10_000), NOW)
    assert (told.is_low, told.is_exhausted) == (False, True)


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        (("fuel", "US"), ("fuel", "US"), True),
        (("fuel", "US"), ("fuel", "US-NY"), True),
        (("fuel", "US-NY"), ("fuel", "US"), True),
        (("fuel", "US-NY"), ("fuel", "US-NJ"), False),
        (("fuel", "US-N"), ("fuel", "US-NY"), False),
        (("fuel", "US"), ("food", "US"), False),
    ],
)
def test_exclusivities_clash_where_a_territory_lies_within_the_other(
    one: tuple[str, str], other: tuple[str, str], *, clashes: bool
) -> None:
    assert Exclusivity(*one).clashes_with(Exclusivity(*other)) is clashes
