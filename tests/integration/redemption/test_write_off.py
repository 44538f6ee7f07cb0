"""Quotes by published write-off rules, and holds and tenders that are priced by them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.redemption.domain.errors import (
    NotQuotedError,
    PriceChangedError,
    QuoteNeededError,
    UnknownQuoteError,
)
from services.redemption.domain.tender import points_tenders
from services.redemption.domain.write_off.prices import pricing_at
from services.redemption.domain.write_off.quoting import Bound
from services.redemption.domain.write_off.rules import Rate, WriteOffHistory
from services.redemption.programme import Programme
from services.redemption.repository import quotes
from services.redemption.use_cases.hold_points import Declined, Held
from services.redemption.use_cases.project import project_tiers
from services.redemption.use_cases.quote_points import NotSpendingError
from services.redemption.use_cases.settle_tenders import settle_tenders
from shared import ledger
from shared.events.coalition import PartnerChanged, PartnerData
from shared.events.goods import MappedData, ProductMapped
from shared.events.members import ErasureData, MemberErased
from shared.events.purchases import Tender
from shared.events.tiers import TierData
from shared.ids import new_id
from tests.support.partner_funds import contract
from tests.support.pooling import Place, move_in
from tests.support.quoting import asked, hold, published, quoted
from tests.support.receipts import member, purchase
from tests.support.redemption import NOON, PROGRAMME, Spending, earn, enrolled

ANNA, BERT = member(1), member(2)
CENT = {"id": "cent", "name": "A point is a cent", "points": 1, "per_minor": 1}
TWO_CENTS = {"id": "two", "name": "A point is two cents", "points": 1, "per_minor": 2}


async def test_goods_count_as_the_partners_mapping_makes_of_them(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    data = MappedData(
        partner_id="grocer",
        version=1,
        partner_category="CIGS",
        category_id="TOBACCO",
        path=("NONFOOD", "TOBACCO"),
        in_force_from=NOON,
    )
    await spending.coalition(ProductMapped(id=new_id(), source="test", subject="grocer", time=NOON, data=data))
    programme = await published(spending, {"rates": [CENT], "excluded": {"categories": ["TOBACCO"]}})
    found = await quoted(spending, programme, asked((500, "BREAD"), (700, "CIGS")))
    assert [line.value_minor for line in found.quote.lines] == [500, 0]


async def test_what_was_quoted_is_what_the_receipt_takes(spending: Spending) -> None:
    # Three points are two cents: 100 cents cost 150 points, and the receipt says 100 cents.
    await spending.enrol(ANNA, 1_000)
    programme = await published(spending, {"rates": [CENT | {"points": 3, "per_minor": 2}]})
    found = await quoted(spending, programme, asked((100, None)))
    assert (found.quote.points, found.quote.value_minor) == (150, 100)
    held = await hold(spending, programme, 150, found.stored.quote_id)
    assert isinstance(held, Held)
    assert held.redemption.value_minor == 100

    paid = Tender(kind="points", amount_minor=100, redemption_id=held.redemption.redemption_id)
    await _settle(spending, programme, 1, paid)
    stands = await spending.redemption(held.redemption.redemption_id)
    assert (stands.captured_points, stands.open_points) == (150, 0)
    assert await spending.exceptions() == []
    assert (await spending.balance(ANNA)).available == 850


async def test_a_receipt_that_takes_less_than_was_held_costs_its_part_rounded_up(spending: Spending) -> None:
    # 150 points for 100 cents; 33 cents are 49.5 points: 50.
    await spending.enrol(ANNA, 1_000)
    programme = await published(spending, {"rates": [CENT | {"points": 3, "per_minor": 2}]})
    found = await quoted(spending, programme, asked((100, None)))
    held = await hold(spending, programme, 150, found.stored.quote_id)
    assert isinstance(held, Held)
    await _settle(
        spending, programme, 1, Tender(kind="points", amount_minor=33, redemption_id=held.redemption.redemption_id)
    )
    assert (await spending.balance(ANNA)).available == 950


async def test_a_tender_that_was_never_held_costs_the_base_price_of_its_time(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    promotion = TWO_CENTS | {"id": "promo", "where": {"partners": ["grocer"]}}
    programme = await published_at_grocer(spending, {"rates": [promotion, CENT | {"points": 5}]})
    await _settle(spending, programme, 1, Tender(kind="points", amount_minor=100))
    assert (await spending.balance(ANNA)).available == 500


async def published_at_grocer(spending: Spending, document: dict[str, Any]) -> Programme:
    """The programme under rules that name a partner who is known."""
    data = PartnerData(partner_id="grocer", version=1, name="Grocer", state="active")
    await spending.coalition(PartnerChanged(id=new_id(), source="test", subject="grocer", time=NOON, data=data))
    return await published(spending, document)


async def _settle(spending: Spending, programme: Programme, number: int, *tenders: Tender) -> None:
    bought = purchase(number, 1_000, owner=ANNA, tenders=tenders)
    pricing = pricing_at(programme.write_off.history, bought.data.occurred_at, programme.pricing)
    read = points_tenders(bought, pricing)
    await spending.do(lambda transaction: settle_tenders(transaction, read, programme.pricing))


async def test_under_rules_a_hold_needs_a_quote_of_its_own_member_and_partner(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT, 1_000)
    programme = await published(spending, {"rates": [CENT]})
    with pytest.raises(QuoteNeededError):
        await hold(spending, programme, 100, None)
    found = await quoted(spending, programme, asked((100, None)))
    for wrong in ({"member_id": BERT}, {"partner_id": "fuel"}):
        with pytest.raises(UnknownQuoteError):
            await hold(spending, programme, 100, found.stored.quote_id, **wrong)
    with pytest.raises(UnknownQuoteError):
        await hold(spending, programme, 100, new_id())
    with pytest.raises(NotQuotedError, match="at most 100"):
        await hold(spending, programme, 101, found.stored.quote_id)
    assert (await spending.balance(ANNA)).held == 0
    assert await spending.drain() == []


async def test_an_expired_quote_goes_on_at_the_same_price_and_says_when_it_has_changed(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    cent = await published(spending, {"rates": [CENT]})
    found = await quoted(spending, cent, asked((400, None)), valid_for=timedelta(0))
    same = await hold(spending, cent, 100, found.stored.quote_id)
    assert isinstance(same, Held)

    _followed_by(cent, TWO_CENTS)
    with pytest.raises(PriceChangedError) as changed:
        await hold(spending, cent, 100, found.stored.quote_id)
    assert (changed.value.quoted_value_minor, changed.value.value_minor_now) == (100, 200)
    assert (await spending.balance(ANNA)).held == 100


async def test_a_quote_that_still_holds_is_kept_to_whatever_is_published_since(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    programme = await published(spending, {"rates": [CENT]})
    found = await quoted(spending, programme, asked((400, None)))
    _followed_by(programme, CENT | {"points": 9})
    held = await hold(spending, programme, 400, found.stored.quote_id)
    assert isinstance(held, Held)
    assert held.redemption.value_minor == 400


def _followed_by(programme: Programme, rate: dict[str, Any]) -> None:
    """Another version has taken over since, with this price."""
    first = programme.write_off.history.version(1)
    changed = {"version": 2, "effective_from": datetime(2021, 1, 1, tzinfo=UTC), "rates": (Rate.model_validate(rate),)}
    programme.write_off.history = WriteOffHistory([first, first.model_copy(update=changed)])


async def test_the_tier_that_was_told_last_prices_and_an_old_one_told_again_changes_nothing(spending: Spending) -> None:
    gold = TWO_CENTS | {"where": {"tiers": ["gold"]}}
    programme = await published(spending, {"rates": [gold, CENT]})
    await spending.do(lambda transaction: project_tiers(transaction, [_tier("gold", 2)]))  # before the registry told
    await spending.enrol(ANNA, 1_000)
    await spending.do(lambda transaction: project_tiers(transaction, [_tier("silver", 1)]))
    assert (await quoted(spending, programme, asked((400, None)))).quote.points == 200
    await spending.do(lambda transaction: project_tiers(transaction, [_tier("silver", 3)]))
    assert (await quoted(spending, programme, asked((400, None)))).quote.points == 400


def _tier(new_tier: str, version: int) -> TierData:
    return TierData(
        member_id=ANNA,
        version=version,
        old_tier="basic",
        new_tier=new_tier,
        reason="qualified",
        effective_at=NOON,
        scheme_version=1,
    )


async def test_who_has_just_joined_waits(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    programme = await published(
        spending, {"rates": [CENT], "limits": [{"id": "new", "name": "Two weeks", "days_after_enrolment": 14}]}
    )
    assert (await quoted(spending, programme, asked((400, None)))).quote.points == 0  # nobody knows since when
    joined = enrolled(ANNA, "active", 2)
    now = await spending.now()
    data = joined.data.model_copy(update={"enrolled_at": now - timedelta(days=15)})
    await spending.members(joined.model_copy(update={"data": data}))
    assert (await quoted(spending, programme, asked((400, None)))).quote.points == 400


@pytest.mark.parametrize(("spenders", "points"), [("household", 300), ("member", 100)])
async def test_whether_others_points_count_is_the_rules_word(spending: Spending, spenders: str, points: int) -> None:
    for each in (ANNA, BERT):
        await spending.enrol(each, 0)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    await _give(spending, ANNA, 100)
    await _give(spending, BERT, 200)
    programme = await published(spending, {"rates": [CENT], "spenders": spenders})
    found = await quoted(spending, programme, asked((1_000, None)))
    assert found.quote.points == points
    left_out = [] if spenders == "household" else [Bound("household_left_out", points=100)]
    assert list(found.quote.bounds) == [Bound("balance", points=300), *left_out]
    held = await hold(spending, programme, points, found.stored.quote_id)
    assert isinstance(held, Held)
    assert held.redemption.pooled_points == points - 100


async def test_an_expired_quote_lends_as_the_rules_of_now_say(spending: Spending) -> None:
    for each in (ANNA, BERT):
        await spending.enrol(each, 0)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    await _give(spending, BERT, 200)
    programme = await published(spending, {"rates": [CENT]})
    found = await quoted(spending, programme, asked((100, None)), valid_for=timedelta(0))
    first = programme.write_off.history.version(1)
    alone = {"version": 2, "effective_from": datetime(2021, 1, 1, tzinfo=UTC), "spenders": "member"}
    programme.write_off.history = WriteOffHistory([first, first.model_copy(update=alone)])

    declined = await hold(spending, programme, 100, found.stored.quote_id)

    assert isinstance(declined, Declined)
    assert declined.decline.reason == "insufficient_points"


async def _give(spending: Spending, owner: UUID, points: int) -> None:
    await spending.do(lambda transaction: ledger.post(transaction, [earn(owner, points)]))


async def test_a_contract_bounds_a_quote_as_it_binds_the_hold(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await spending.coalition(contract(NOON, minimum_points=100, step_points=50))
    programme = await published(spending, {"rates": [CENT]})
    found = await quoted(spending, programme, asked((430, None)))
    assert found.quote.points == 400
    assert [(bound.code, bound.limit_id) for bound in found.quote.bounds] == [("points_step", "contract")]
    assert isinstance(await hold(spending, programme, 400, found.stored.quote_id), Held)
    assert (await quoted(spending, programme, asked((60, None)))).quote.points == 0


async def test_whoever_may_spend_nothing_is_told_why_as_a_hold_would(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000, "suspended")
    with pytest.raises(NotSpendingError) as refused:
        await quoted(spending, PROGRAMME, asked((100, None)))
    assert refused.value.reason == "member_suspended"


async def test_whoever_is_erased_leaves_no_quote_and_no_tier(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await spending.do(lambda transaction: project_tiers(transaction, [_tier("gold", 1)]))
    found = await quoted(spending, PROGRAMME, asked((100, None)))
    erasure = ErasureData(member_id=ANNA, version=9, identifier_hashes=())
    await spending.members(MemberErased(id=new_id(), source="test", subject=str(ANNA), time=NOON, data=erasure))
    assert await spending.do(lambda transaction: quotes.find(transaction, found.stored.quote_id)) is None
    assert await spending.do(lambda transaction: quotes.find_since(transaction, ANNA)) == quotes.Since()
    await spending.do(lambda transaction: project_tiers(transaction, [_tier("gold", 5)]))
    assert await spending.do(lambda transaction: quotes.find_since(transaction, ANNA)) == quotes.Since()
