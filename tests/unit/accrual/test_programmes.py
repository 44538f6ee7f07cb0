"""The programmes of ``docs/programmes`` may be published as they stand, and what the demo's receipts earn is known.

Their totals are written by ``python -m tests.support.programmes`` and looked at before they are committed. Some of them
are reckoned here a second time, from what the tills posted and without the engine.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from uuid import UUID

import jsonschema
import pytest

from services.accrual.domain.adjustments import AdjustmentReason
from services.accrual.domain.decisions import Awarded, ClawedBack
from services.accrual.domain.member_event_types import MemberEventDraft
from services.accrual.domain.rule_faults import Known, find_faults
from services.accrual.domain.rule_set_schema import rule_set_schema
from services.accrual.domain.tiers.scheme import TierSchemeDraft
from shared.events.purchases import PurchaseData
from shared.point_types import OtherPointType
from tests.support.programmes import NAMES, Play, Programme, play, purchases_of, totals

every_programme = pytest.mark.parametrize("name", NAMES)


@cache
def played(name: str) -> Play:
    return play(Programme(name))


def bought(name: str, partner_id: str | None = None) -> list[PurchaseData]:
    purchases = purchases_of(Programme(name).documents)
    return [one for one in purchases if partner_id in (None, one.partner_id)]


def given(name: str, rule_id: str) -> int:
    """What a rule gave before any cap."""
    return sum(one.rounded for award in awards(name) for one in award.evaluation.applied if one.rule_id == rule_id)


def awards(name: str) -> Iterable[Awarded]:
    return (one for one in played(name).decisions if isinstance(one, Awarded))


def left(name: str, rule_id: str, window: Callable[[PurchaseData], str]) -> Mapping[tuple[UUID, str], list[int]]:
    """What caps left of a rule, by member and window, of those who brought nothing back: that may be given again."""
    found: dict[tuple[UUID, str], list[int]] = {}
    brought_back = {one.owner_id for one in played(name).decisions if isinstance(one, ClawedBack)}
    for award in awards(name):
        if award.owner_id in brought_back:
            continue
        for one in award.evaluation.applied:
            if one.rule_id == rule_id and one.points:
                key = award.owner_id, window(award.evaluation.receipt.purchase)
                found.setdefault(key, []).append(one.points)
    return found


@every_programme
def test_it_may_be_published_as_it_stands(name: str) -> None:
    programme = Programme(name)
    document = programme.said("rule-set")

    jsonschema.Draft202012Validator(rule_set_schema()).validate(document)
    about = programme.said("programme")
    others = [OtherPointType.model_validate(one).code for one in about["other_point_types"]]
    known = Known(frozenset(about["partners"]), own_type=about["point_type"], other_types=frozenset(others))
    scheme = TierSchemeDraft.model_validate(programme.said("tier-scheme"))
    assert find_faults(document, known._replace(promised=scheme)) == []
    for draft in programme.said("member-event-types").values():
        MemberEventDraft.model_validate(draft)
    reasons = [AdjustmentReason.model_validate(one) for one in programme.said("adjustment-reasons")]
    assert len({reason.code for reason in reasons}) == len(reasons)


@every_programme
def test_its_point_types_are_those_that_its_rules_give(name: str) -> None:
    programme = Programme(name)
    about = programme.said("programme")
    given = {rule.effect.point_type or about["point_type"] for rule in programme.rule_set.rules}
    assert given == {about["point_type"], *(one["code"] for one in about["other_point_types"])}


@every_programme
def test_its_tiers_are_those_that_its_rules_speak_of(name: str) -> None:
    programme = Programme(name)
    tiers = {tier["code"] for tier in programme.said("tier-scheme")["tiers"]}
    whens = [rule.condition.when for rule in programme.rule_set.rules]
    assert {tier for when in whens if when is not None and when.kind == "tier" for tier in when.tiers} <= tiers


@every_programme
def test_the_demos_receipts_earn_what_was_recorded(name: str) -> None:
    """After a change that was meant: write the totals anew, and read what has changed."""
    assert json.loads(json.dumps(totals(played(name)))) == Programme(name).said("totals")


@every_programme
def test_every_rule_gave_something(name: str) -> None:
    assert all(points > 0 for points in Programme(name).said("totals")["points_by_rule"].values())


@pytest.mark.parametrize(
    ("name", "rule_id", "shares"),
    [
        ("grocer", "harvest-fish", {"nordic-fisheries": 10_000}),
        ("fuel-and-pharmacy", "tuesday", {"pharmacy": 6_000, "vita-labs": 4_000}),
    ],
)
def test_a_campaigns_payers_pay_for_it_to_the_last_point(name: str, rule_id: str, shares: dict[str, int]) -> None:
    """By receipt the shares are whole points: over all of them each payer is off by half a point a receipt at most."""
    said = Programme(name).said("totals")
    given, paid = said["points_by_rule"][rule_id], said["points_paid_by_others"]
    receipts = next(iter(said["budgets_used"].values()))["receipts"]

    assert sum(paid.values()) == given
    assert paid.keys() == shares.keys()
    assert all(abs(paid[payer] * 10_000 - given * share) <= 5_000 * receipts for payer, share in shares.items())


@every_programme
def test_nobody_is_taken_back_more_than_was_given(name: str) -> None:
    for original in played(name).facts.originals.values():
        assert 0 <= original.taken_back <= original.points
        assert all(0 <= part.taken_back <= part.points for part in original.parts)


def test_the_grocers_points_reckoned_again() -> None:
    never = {"SPIRITS", "COUPON", "TRAVEL & LEISURE"}
    sums = [sum(line.amount_minor for line in one.lines if line.category not in never) for one in bought("grocer")]

    assert given("grocer", "dollar") == sum(amount // 100 for amount in sums)
    assert given("grocer", "full-basket") == 50 * sum(amount >= 10_000 for amount in sums)
    first: dict[UUID | None, int] = {}
    for one, amount in zip(bought("grocer"), sums, strict=True):
        first.setdefault(one.member_id, amount)
    assert given("grocer", "welcome") == 100 * sum(amount > 0 for amount in first.values())


def test_the_grocers_campaign_kept_to_its_budget_and_its_members_cap() -> None:
    assert Programme("grocer").said("totals")["budgets_used"]["harvest"]["points"] == 400
    assert max(map(sum, left("grocer", "harvest-fish", lambda _: "campaign").values())) <= 60


def test_the_coalitions_points_reckoned_again() -> None:
    name = "fuel-and-pharmacy"
    sums = [
        sum(line.amount_minor + (line.discount_minor or 0) for line in one.lines) for one in bought(name, "pharmacy")
    ]

    assert given(name, "care") == sum(2 * (amount // 100) for amount in sums)
    by_card = [
        sum(one.amount_minor for one in receipt.tenders if one.kind == "card") for receipt in bought(name, "fuel")
    ]
    assert given(name, "by-card") == 10 * sum(paid >= 3_000 for paid in by_card)
    thousandths = [
        sum(line.quantity_thousandths for line in one.lines if line.category == "FUEL") for one in bought(name, "fuel")
    ]
    assert given(name, "gallon") == sum((3 * each + 500) // 1000 for each in thousandths)
    assert given(name, "new-here") == 50 * len({(one.member_id, one.partner_id) for one in bought(name)})


def test_the_coalitions_tuesdays_were_given_eighty_times_and_three_times_to_nobody_more() -> None:
    of_members = left("fuel-and-pharmacy", "tuesday", lambda _: "campaign")
    assert sum(map(len, of_members.values())) == 80
    assert max(map(len, of_members.values())) == 3


def test_the_banks_points_reckoned_again() -> None:
    """A demo's receipt is paid by one tender: what cash paid earns nothing."""
    never = {"MISCELLANEOUS", "COUPON"}
    by_card = [one for one in bought("bank-card") if [tender.kind for tender in one.tenders] == ["card"]]
    dollars = [sum(line.amount_minor for line in one.lines if line.category not in never) // 100 for one in by_card]

    assert given("bank-card", "card") == given("bank-card", "status") == sum(dollars)
    grocers = [points for one, points in zip(by_card, dollars, strict=True) if one.partner_id == "grocer"]
    assert given("bank-card", "groceries") == sum(grocers)


def test_the_banks_caps_held_by_month_and_quarter() -> None:
    assert max(map(sum, left("bank-card", "groceries", _month).values())) == 250
    assert max(map(sum, left("bank-card", "fuel", _month).values())) == 150
    assert set(map(tuple, left("bank-card", "milestone", lambda _: "quarter").values())) == {(200,)}


def test_the_banks_status_ends_with_the_year_and_its_points_wait_for_thirty_days() -> None:
    terms = Counter(
        (part.key.point_type, part.key.terms.expires_on is None, part.key.wait is not None)
        for award in awards("bank-card")
        for part in award.parts
    )
    assert set(terms) == {(None, True, True), (None, False, False), ("status", False, False)}


def _month(purchase: PurchaseData) -> str:
    return f"{purchase.occurred_at.astimezone(Programme('bank-card').zone):%Y-%m}"
