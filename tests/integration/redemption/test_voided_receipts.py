"""A voided receipt has taken nothing: what it took goes back once, to where it came from, in whatever order."""

from dataclasses import replace
from datetime import UTC, date, timedelta
from itertools import permutations

import pytest

from services.redemption.consumer import PurchaseHandler
from services.redemption.domain.errors import ReceiptVoidedError
from services.redemption.domain.tender import PointsTender
from services.redemption.repository import captures
from services.redemption.use_cases.hold_points import Declined
from shared import ledger
from shared.database import Database
from shared.database.roles import role_name
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, Tender
from shared.events.redemptions import RedemptionRefunded, RefundData
from shared.kafka import Batch, BatchSize, PermanentError
from shared.kafka.records import Record
from shared.ledger import ClawBack
from shared.receipt_key import encode_receipt_key, receipt_id_of
from tests.support import receipts
from tests.support.databases import FreshDatabase
from tests.support.pooling import Place, move_in
from tests.support.receipts import member
from tests.support.redemption import (
    PROGRAMME,
    Admin,
    Spending,
    earn,
    paid_with_points,
    tender_of,
    till_receipt,
    void_of,
)

ANNA, BERT = member(1), member(2)
FIRST, SECOND = (encode_receipt_key("grocer", till_receipt(number)) for number in (1, 2))


async def refunds(spending: Spending) -> list[RefundData]:
    """What the outbox tells of points that were given back."""
    return [event.data for event in await spending.drain() if isinstance(event, RedemptionRefunded)]


def paid(number: int, points: int, **others: object) -> PointsTender:
    return tender_of(paid_with_points(number, points, **{"redemption_id": None, "owner": ANNA} | others))  # type: ignore[arg-type]


async def test_it_gives_everything_back_to_the_lots_that_it_came_from_and_tells_it(spending: Spending) -> None:
    await spending.enrol(ANNA)
    earned = [earn(ANNA, 300, date(2098, 1, 1)), earn(ANNA, 700)]
    await spending.do(lambda transaction: ledger.post(transaction, earned))
    redemption_id = (await spending.held(ANNA, 250)).redemption_id
    await spending.settle(paid(1, 400, redemption_id=redemption_id))  # 250 were reserved, 150 are taken late
    await spending.drain()

    assert await spending.void_receipts(void_of(FIRST, 9, 400)) == 400

    [told] = await refunds(spending)
    assert (told.redemption_id, told.member_id, told.partner_id) == (redemption_id, ANNA, "grocer")
    assert (told.receipt_id, told.undone_by) == (receipt_id_of(FIRST), receipt_id_of(void_of(FIRST, 9).void_key))
    assert (told.points, told.cause, told.balance.available) == (400, "void", 1000)
    assert [(one.issuer, one.points) for one in told.by_issuer] == [("grocer", 400)]
    assert await lots(spending) == {date(2098, 1, 1): 300, None: 700}
    [capture] = await spending.do(lambda transaction: captures.load_captures_of(transaction, redemption_id, 9))
    assert (capture.points, capture.refunded_points) == (400, 400)
    await spending.check([ANNA], 1000)


async def lots(spending: Spending) -> dict[date | None, int]:
    async with spending.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select expires_on, remaining from ledger_lots where remaining > 0")
    return {row["expires_on"]: row["remaining"] for row in rows}


@pytest.mark.parametrize("order", list(permutations(("tender", "capture", "void"))))
async def test_in_whatever_order_tender_capture_and_void_are_read(spending: Spending, order: tuple[str, ...]) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    tender = paid(1, 400, redemption_id=redemption_id)
    for _ in ("first", "again"):
        for step in order:
            match step:
                case "tender":
                    await spending.settle(tender)
                case "capture" if order.index("void") < order.index("capture") and order[0] == "void":
                    with pytest.raises(ReceiptVoidedError):
                        await spending.capture(redemption_id, 1)
                case "capture":
                    await spending.capture(redemption_id, 1)
                case _:
                    await spending.void_receipts(void_of(FIRST, total_minor=400))

    balance = await spending.balance(ANNA)
    assert balance.available + balance.held == 1000  # reserved only where nothing was taken: the till lets it go
    assert sum(one.points for one in await refunds(spending)) == 400 - balance.held
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_a_second_void_of_a_receipt_gives_nothing_more(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.settle(paid(1, 400))

    given = [await spending.void_receipts(void_of(FIRST, number)) for number in (1, 1, 2)]

    assert given == [400, 0, 0]
    assert (await spending.settle(paid(1, 400))).outcomes == {"refused": 1}
    await spending.check([ANNA], 1000)


async def test_two_captures_of_one_receipt_and_two_receipts_of_one_redemption(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    first, second = [(await spending.held(ANNA, points)).redemption_id for points in (100, 300)]
    await spending.capture(first, 1)
    await spending.capture(second, 1, 120, more=True)
    await spending.capture(second, 2)

    assert await spending.void_receipts(void_of(FIRST)) == 220
    assert sorted(one.points for one in await refunds(spending)) == [100, 120]
    assert (await spending.balance(ANNA)).available == 820

    assert await spending.void_receipts(void_of(SECOND, 2), void_of(FIRST)) == 180
    await spending.check([ANNA], 1000)


async def test_whoever_lent_points_has_them_back(spending: Spending) -> None:
    """Of two receipts of one redemption, each gives back to whose points it had taken."""
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT, 100)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    redemption_id = (await spending.held(ANNA, 180)).redemption_id
    await spending.capture(redemption_id, 1, 90, more=True)  # Anna's
    await spending.capture(redemption_id, 2, 50)  # 10 of Anna's, 40 of Bert's

    assert await spending.void_receipts(void_of(SECOND)) == 50

    [told] = await refunds(spending)
    assert [(one.member_id, one.points, one.balance.available) for one in told.pooled] == [(BERT, 40, 100)]
    assert told.balance.available == 10
    assert await spending.void_receipts(void_of(FIRST, 2)) == 90
    assert [(await spending.balance(each)).available for each in (ANNA, BERT)] == [100, 100]


async def test_what_the_owner_owes_is_cleared_first(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.settle(paid(1, 100))
    owed = ClawBack(ANNA, "points", b"owed", 30, earn(ANNA, 1).terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [owed]))

    await spending.void_receipts(void_of(FIRST))

    [told] = await refunds(spending)
    assert (told.points, told.debt_cleared, told.balance.available, told.balance.debt) == (100, 30, 70, 0)


async def test_a_void_that_names_another_total_undoes_nothing(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.settle(paid(1, 400))

    assert await spending.void_receipts(void_of(FIRST, 1, 399)) == 0
    assert await spending.void_receipts(void_of(FIRST, 2, 400)) == 400

    await spending.settle(paid(1, 400))
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_points_went_back_for_a_void_that_meant_another_receipt(spending: Spending) -> None:
    """Its word is taken while the receipt was not read; when it is, a person is told, and a right void stands still."""
    await spending.enrol(ANNA, 1000)
    await spending.capture((await spending.held(ANNA, 400)).redemption_id, 1)
    redemption_id = (await spending.held(ANNA, 100)).redemption_id
    await spending.void_receipts(void_of(FIRST, 1, 399), void_of(SECOND, 2, 99))
    with pytest.raises(ReceiptVoidedError):
        await spending.capture(redemption_id, 2)
    [told] = await refunds(spending)
    tenders = paid(1, 400, redemption_id=told.redemption_id), paid(2, 100, redemption_id=redemption_id)

    report = await spending.settle(*tenders)
    again = await spending.settle(*tenders)

    assert (report.exceptions, again.exceptions) == (("void_of_other_total",), ())
    assert await spending.exceptions() == [("void_of_other_total", 400, 0)]
    assert report.outcomes == {"repeat": 1, "captured": 1}  # the second receipt takes its hold, whatever was said of it
    assert (await spending.balance(ANNA)).available == 900
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("is_refused_first", [True, False])
async def test_a_void_whose_document_is_refused(spending: Spending, *, is_refused_first: bool) -> None:
    """Refused before it is read it undoes nothing; afterwards a person is told what it has undone."""
    await spending.enrol(ANNA, 1000)
    await spending.settle(paid(1, 400))
    void = void_of(FIRST)
    refused = replace(paid(1, 400), receipt_key=void.void_key, content_hash=void.content_hash)

    if is_refused_first:
        assert await spending.refuse(refused) == []
        assert await spending.void_receipts(void) == 0
    else:
        assert await spending.void_receipts(void) == 400
        assert await spending.refuse(refused) == ["refused_void"]

    assert await spending.void_receipts(void_of(FIRST, 2)) == (400 if is_refused_first else 0)


async def test_what_a_refused_document_took_and_a_void_gave_back_is_settled(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    document = paid(1, 400)
    await spending.settle(document)
    assert await spending.refuse(document) == ["refused_receipt"]

    await spending.void_receipts(void_of(FIRST))

    assert await spending.exceptions() == []
    later = paid(2, 300)
    await spending.settle(later)
    await spending.void_receipts(void_of(SECOND, 2))
    assert await spending.refuse(later) == []


async def test_what_has_expired_meanwhile_comes_back_with_its_own_date_and_is_not_to_be_spent(
    spending: Spending, admin: Admin, own_database: FreshDatabase
) -> None:
    spending = Spending(Database(own_database.url(role_name("redemption")), zone=UTC))
    await spending.enrol(ANNA, 300)
    ends_on = (await spending.now()).date() + timedelta(days=2)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 100, ends_on)]))
    await spending.settle(paid(1, 400))
    await spending.advance(admin, timedelta(days=5))

    assert await spending.void_receipts(void_of(FIRST)) == 400

    assert (await spending.balance(ANNA)).available == 300
    assert isinstance(await spending.hold(ANNA, 301), Declined)
    await spending.database.close()


@pytest.mark.parametrize("is_capture_first", [True, False])
async def test_from_the_topic_receipt_and_void_in_one_batch_or_apart(
    spending: Spending, *, is_capture_first: bool
) -> None:
    await spending.enrol(ANNA, 1000)
    handler = PurchaseHandler(spending.database, PROGRAMME, BatchSize(200))
    bought = paid_with_points(1, 400, None, owner=ANNA)
    void, other = receipts.void_of(bought, 7), receipts.void_of(bought, 8, total_minor=399)
    if is_capture_first:
        await handler.handle(records(bought))

    await handler.handle(records(other, bought, void))
    await handler.handle(records(bought, void, other))

    assert await spending.kinds() == (["Captured", "Refunded"] if is_capture_first else [])
    assert (await spending.balance(ANNA)).available == 1000
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("is_capture_first", [True, False])
async def test_the_void_of_an_exchange_gives_back_what_was_paid_on_top_with_points(
    spending: Spending, *, is_capture_first: bool
) -> None:
    """Goods that points had paid for were exchanged for dearer ones: the first sale keeps its points."""
    await spending.enrol(ANNA, 1000)
    handler = PurchaseHandler(spending.database, PROGRAMME, BatchSize(200))
    bought = paid_with_points(1, 400, (await spending.held(ANNA, 400)).redemption_id, owner=ANNA)
    redemption_id = (await spending.held(ANNA, 150)).redemption_id
    on_top = Tender(kind="points", amount_minor=150, redemption_id=redemption_id)
    exchange = receipts.exchange_of(bought, 2, {1: 1000}, 550, owner=ANNA, tenders=(on_top,))
    if is_capture_first:
        await spending.capture(redemption_id, 2)
    await handler.handle(records(bought, exchange))
    assert await spending.balance(ANNA) == ledger.Balances(available=450)
    void = receipts.void_of(exchange, 7)

    await handler.handle(records(receipts.void_of(exchange, 8, total_minor=550), void))
    await handler.handle(records(bought, exchange, void))

    assert await spending.balance(ANNA) == ledger.Balances(available=600)
    assert [(one.points, one.undone_by) for one in await refunds(spending)] == [(150, void.data.receipt_id)]
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_a_void_of_another_partners_receipt_is_put_aside(spending: Spending) -> None:
    handler = PurchaseHandler(spending.database, PROGRAMME, BatchSize(200))
    void = receipts.void_of(paid_with_points(1, 400, None, owner=ANNA), 7)
    theirs = void.model_copy(update={"data": void.data.model_copy(update={"partner_id": "fuel"})})

    with pytest.raises(PermanentError, match="its own partner's"):
        await handler.handle(records(theirs))


def records(*events: PurchaseEvent) -> Batch[PurchaseEvent]:
    """A batch of the topic."""
    told = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    return Batch(tuple(told), ())
