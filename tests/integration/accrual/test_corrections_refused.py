"""What a correction cannot do, and what its rules let it do: it says why, and the receipt stays as it is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.accrual.domain.partner_funds import Funds, Period
from shared.events.points import ReceiptRefused
from shared.events.purchases import Tender
from shared.ledger import Balances, Reserve
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import kept_rows, publish
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import posted, verified
from tests.support.member_events import status_changed
from tests.support.receipt_moves import CLIPS_THEN_REFUSES, RULE_SET, bought, numbers
from tests.support.receipts import NOON, card, correction_of, exchange_of, line, linked, purchase, return_of, void_of


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET, zone=ZoneInfo("America/New_York")) as accrual:
        await publish(accrual)
        yield accrual


async def test_what_corrects_nothing_says_why(module_accrual: Accrual, anna: UUID) -> None:
    bert = await joined(module_accrual)
    await module_accrual.members(linked(bert, card(4711)))
    receipt = await bought(module_accrual, anna, 10)
    redemption = Tender(kind="points", amount_minor=200, redemption_id=uuid4())
    paid = purchase(next(numbers), 1000, owner=anna, tenders=(redemption, Tender(kind="cash", amount_minor=800)))
    gone, back = await bought(module_accrual, anna, 10), return_of(receipt, next(numbers), {1: 100})
    gone_too = purchase(next(numbers), 1000, owner=anna)
    await module_accrual.award(paid, void_of(gone, next(numbers)), back)
    exchange = exchange_of(gone_too, next(numbers), {1: 1000}, 1000)
    await module_accrual.award(gone_too, exchange)
    before = await module_accrual.balance(anna)
    await module_accrual.drain()
    said = {"receipt_id": exchange.data.receipt_id, "total_minor": exchange.data.total_minor}
    of_an_exchange = receipt.model_copy(update={"data": receipt.data.model_copy(update=said)})
    cash = (Tender(kind="cash", amount_minor=1000),)
    of_a_return = receipt.model_copy(
        update={"data": receipt.data.model_copy(update={"receipt_id": back.data.receipt_id})}
    )
    for document, reason in (
        (correction_of(receipt, next(numbers), 900, original_total_minor=999), "other_total"),
        (correction_of(receipt, next(numbers), 900, owner=bert), "other_member"),
        (correction_of(receipt, next(numbers), 900, identifier_hash=card(4711)), "other_member"),
        (correction_of(receipt, next(numbers), 900, is_training=True), "training"),
        (correction_of(receipt, next(numbers), [line(2, 900)]), "less_than_returned"),
        (correction_of(paid, next(numbers), 1000, tenders=cash), "points_tender_changed"),
        (correction_of(paid, next(numbers), 1000, currency="EUR"), "other_currency"),
        (correction_of(gone, next(numbers), 900), "original_voided"),
        (correction_of(of_an_exchange, next(numbers), 900), "original_is_no_purchase"),
        (correction_of(of_a_return, next(numbers), 900), "original_is_no_purchase"),
        (correction_of(receipt, next(numbers), 10**15, coupons=("STATUS",)), "implausible_points"),
    ):
        assert (await module_accrual.award(document)).refused == {reason: 1}, reason
        (event,) = await module_accrual.drain()
        assert isinstance(event, ReceiptRefused)
        assert (event.data.reason, event.data.receipt_id) == (reason, document.data.receipt_id)
    assert (await module_accrual.award(correction_of(receipt, next(numbers), 900, identifier_hash=card(1)))).parked == {
        "unknown_identifier": 1
    }
    assert await module_accrual.balance(anna) == before
    kept = correction_of(paid, next(numbers), 1500, tenders=(redemption, Tender(kind="cash", amount_minor=1300)))
    await module_accrual.award(kept)
    assert (await module_accrual.balance(anna)).available == before.available + 5


async def test_who_cannot_earn_is_given_nothing_more_and_loses_what_was_wrong(
    module_accrual: Accrual, anna: UUID
) -> None:
    bert = await joined(module_accrual)
    of_anna, of_bert = await bought(module_accrual, anna, 10), await bought(module_accrual, bert, 10)
    await module_accrual.members(status_changed(anna, "suspended"), status_changed(bert, "closed"))

    for receipt in (of_anna, of_bert):
        await module_accrual.award(correction_of(receipt, next(numbers), 600))
    more = [correction_of(receipt, next(numbers), 1500, minutes_later=2) for receipt in (of_anna, of_bert)]
    reports = [await module_accrual.award(each) for each in more]

    assert [report.parked for report in reports] == [{"member_suspended": 1}, {}]
    assert reports[1].refused == {"member_closed": 1}
    assert [await module_accrual.balance(each) for each in (anna, bert)] == [Balances(available=6)] * 2
    await module_accrual.members(status_changed(anna, "active", 3))
    await module_accrual.award(*await module_accrual.released())
    assert await module_accrual.balance(anna) == Balances(available=15)


async def test_while_its_partners_funds_are_used_up_no_more_is_given(module_accrual: Accrual, anna: UUID) -> None:
    receipt = await bought(module_accrual, anna, 10)
    more = [correction_of(receipt, next(numbers), 1500, minutes_later=at) for at in (2, 3)]
    now = datetime.now(UTC)
    contract = Period(NOON - timedelta(days=1), None)
    try:
        reports = []
        for told_at in (now - timedelta(hours=1), now + timedelta(hours=1)):
            module_accrual.funds.of_partner = {"grocer": Funds((contract,), is_exhausted=True, told_at=told_at)}
            reports.append(await module_accrual.award(more.pop()))
        assert [report.parked for report in reports] == [{"partner_funds_in_question": 1}, {}]
        assert reports[1].refused == {"partner_funds_exhausted": 1}
        await module_accrual.award(correction_of(receipt, next(numbers), 600))
    finally:
        module_accrual.funds.of_partner = {}
    assert await module_accrual.balance(anna) == Balances(available=6)


async def test_what_is_spent_is_left_to_the_issuer_or_keeps_the_receipt_as_the_rules_say(
    module_accrual: Accrual, anna: UUID
) -> None:
    await module_accrual.publish(*CLIPS_THEN_REFUSES)
    clipped = await bought(module_accrual, anna, 10, at=NOON + timedelta(days=1))
    kept = await bought(module_accrual, anna, 10, at=NOON + timedelta(days=2))
    await posted(module_accrual.database, Reserve(anna, "points", b"r", 18, uuid4()))

    assert (await module_accrual.award(correction_of(kept, next(numbers), 100))).refused == {"points_spent": 1}
    assert (await module_accrual.award(correction_of(clipped, next(numbers), 100))).corrected == 1
    assert await module_accrual.balance(anna) == Balances(held=18)
    rows = {row["original_key"]: row for row in await kept_rows(module_accrual, "corrections")}
    assert [(row["points_moved"], row["clipped"]) for row in rows.values() if row["owner_id"] == anna] == [(-2, 7)]


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
