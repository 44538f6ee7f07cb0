"""Who pays, at which price, and what points may be spent on: as a programme may say it, and as lots remember it."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.accrual.domain.rules import RuleSetDraft
from services.accrual.domain.rules.funding import FundingTerms, PointPrice, SpendingLimits
from shared.ledger import Funding, Limits

DANONE = {"payer": "danone", "share_bp": 10_000}


@pytest.mark.parametrize(
    ("minor", "currency", "millionths"),
    [
        ("0.85", "USD", 8_500),
        ("1", "USD", 10_000),
        ("0", "EUR", 0),
        ("2.5", "JPY", 2_500_000),  # a yen is its own minor unit
        ("0.125", "KWD", 125),  # a fils is a thousandth
        ("0.0001", "USD", 1),
    ],
)
def test_a_price_in_minor_units_is_a_number_of_millionths_of_the_main_unit(
    minor: str, currency: str, millionths: int
) -> None:
    assert PointPrice(minor_per_point=minor, currency=currency).millionths == millionths


@pytest.mark.parametrize(
    ("minor", "currency"),
    [("0.00001", "USD"), ("0.0001", "KWD"), ("1", "ABC"), ("-1", "USD"), ("1,5", "USD"), ("1e3", "USD"), ("", "USD")],
)
def test_a_price_that_nobody_can_pay_is_refused(minor: str, currency: str) -> None:
    with pytest.raises(ValidationError):
        PointPrice(minor_per_point=minor, currency=currency)


@pytest.mark.parametrize(
    ("payers", "words"),
    [
        ([], "add up to 10000 basis points, and not to 0"),
        ([{"payer": "a", "share_bp": 9_999}], "and not to 9999"),
        ([{"payer": "a", "share_bp": 5_000}, {"payer": "a", "share_bp": 5_000}], "stands here twice"),
        ([{"payer": "a b", "share_bp": 10_000}], "match pattern"),
        ([{"payer": "~someone", "share_bp": 10_000}], "match pattern"),
        ([{"payer": "a", "share_bp": 0}, DANONE], "greater than or equal to 1"),
    ],
)
def test_payers_have_names_and_shares_that_add_up(payers: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FundingTerms.model_validate({"payers": payers})


def test_the_programme_may_pay_itself() -> None:
    payers = [{"payer": "~programme", "share_bp": 5_000}, {"payer": "grocer", "share_bp": 5_000}]
    funding = FundingTerms.model_validate({"payers": payers}).of_campaign("spring")
    assert funding == Funding((("grocer", 1), ("~programme", 1)), campaign="spring")


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"dates": [{}]},
        {"dates": [{"from_date": "2026-02-01", "until_date": "2026-01-31"}]},
        {"partners": ["fuel"], "stores": [{"partner_id": "grocer", "store_id": "s1"}]},
    ],
)
def test_limits_that_limit_nothing_or_everything_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SpendingLimits.model_validate(limits)


def test_a_rule_says_otherwise_than_its_campaign_kind_by_kind() -> None:
    campaign = {
        "id": "spring",
        "name": "Spring",
        "from_date": "2026-03-01",
        "until_date": "2026-05-31",
        "zone": "programme",
        "funding": {"payers": [DANONE]},
        "limits": {"categories": ["dairy"]},
        "basis": "prize",
    }
    effect = {"kind": "fixed_points", "points": 1}
    status = effect | {"point_type": "status"}
    own = {"payers": [{"payer": "acme", "share_bp": 10_000}]}
    until = {"dates": [{"until_date": "2026-12-31"}]}
    rules = [
        {"id": "as-campaign", "name": "a", "campaign": "spring", "effect": effect},
        {"id": "own-payer", "name": "b", "campaign": "spring", "effect": effect, "funding": own},
        {"id": "own-limits", "name": "c", "campaign": "spring", "effect": effect, "limits": until, "basis": "gift"},
        {"id": "status", "name": "d", "campaign": "spring", "effect": status},
        {"id": "plain", "name": "e", "effect": effect},
    ]
    draft = RuleSetDraft.model_validate({"rules": rules, "campaigns": [campaign]})

    terms = {rule.id: draft.terms_of(rule.id) for rule in draft.rules}
    danone, acme = Funding((("danone", 1),), campaign="spring"), Funding((("acme", 1),), campaign="spring")
    dairy, this_year = Limits(categories=("dairy",)), Limits(dates=((date.min, date(2026, 12, 31)),))
    assert {rule_id: (one.funding, one.limits, one.basis) for rule_id, one in terms.items()} == {
        "as-campaign": (danone, dairy, "prize"),
        "own-payer": (acme, dairy, "prize"),
        "own-limits": (danone, this_year, "gift"),
        "status": (None, None, "purchase"),
        "plain": (None, None, "purchase"),
    }
    with pytest.raises(ValidationError, match="only the programme's own points"):
        RuleSetDraft.model_validate({"rules": [rules[3] | {"campaign": None, "funding": own}]})
