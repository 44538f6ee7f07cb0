"""Purchases entitle to privileges, and returns, voids and refusals take them back, in any order."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from services.redemption.api.member_data import member_data_router
from services.redemption.consumer import PointsHandler, PurchaseHandler, concerns_redemption
from services.redemption.programme import Programme
from services.redemption.use_cases.declare_privileges import end_privilege
from shared.events.catalogue import POINTS, PURCHASES
from shared.events.points import ReceiptRefused, RefusalData
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from shared.ids import new_id
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from tests.support.member_data import read_all, served
from tests.support.privileges import applied, checked, declared, terms
from tests.support.receipts import exchange_of, line, member, merged_into, purchase, return_of, void_of
from tests.support.redemption import NOON, PROGRAMME, Admin, Spending, partner

ANNA, BERT = member(1), member(2)
TWO_LOAVES = {"kind": "purchase", "partners": ["grocer"], "categories": ["BREAD"], "units_min": 2, "days": 7}
HAS: dict[str, int] = {"tenth": 100}


@pytest.fixture
async def programme(spending: Spending, admin: Admin) -> Programme:
    """Whoever buys two loaves has a tenth off for a week; it was agreed on two minutes ago."""
    await spending.enrol(ANNA)
    await spending.coalition(partner("grocer", "Green Grocer"))
    programme = await declared(spending, terms("tenth", entitlement=TWO_LOAVES))
    await spending.advance(admin, timedelta(minutes=2))
    return programme


async def loaves(
    spending: Spending, number: int, pieces: int = 2, owner: UUID | None = ANNA, at: datetime | None = None, **kw: Any
) -> PurchaseRecorded:
    sold = [line(1, 500 * pieces, "BREAD", 1_000 * pieces)]
    return purchase(number, sold, owner=owner, occurred_at=at or await spending.now(), **kw)


async def read(spending: Spending, programme: Programme, *events: PurchaseEvent) -> None:
    """One batch of the topic."""
    found = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    await PurchaseHandler(spending.database, programme, BatchSize(200)).handle(Batch(tuple(found), ()))


async def had(spending: Spending, programme: Programme, owner: UUID = ANNA) -> dict[str, int]:
    return applied(await checked(spending, programme, owner))


async def test_enough_on_one_receipt_entitles_for_so_many_days(
    spending: Spending, admin: Admin, programme: Programme
) -> None:
    assert await had(spending, programme) == {}
    await read(spending, programme, await loaves(spending, 1, 1), await loaves(spending, 2, 1))
    assert await had(spending, programme) == {}
    sold = await loaves(spending, 3)
    for _ in range(2):
        await read(spending, programme, sold)
    assert await had(spending, programme) == HAS
    await spending.advance(admin, timedelta(days=7))
    assert await had(spending, programme) == HAS
    await spending.advance(admin, timedelta(days=1))
    assert await had(spending, programme) == {}


async def test_returns_voids_and_their_voids_in_any_order_leave_the_same(
    spending: Spending, programme: Programme
) -> None:
    for number, order in enumerate(permutations(range(3))):
        sold = await loaves(spending, number)
        back = return_of(sold, 100 + number, {1: 1_000})
        events = (sold, back, void_of(back, 200 + number))
        for place in order:
            await read(spending, programme, events[place])
        assert await had(spending, programme) == HAS, order
        gone = void_of(sold, 300 + number)
        for event in (gone, *events, gone):
            await read(spending, programme, event)
        assert await had(spending, programme) == {}, order
    sold = await loaves(spending, 50)
    await read(spending, programme, return_of(sold, 51, {1: 1_000}))
    await read(spending, programme, sold)
    other = await loaves(spending, 60)
    await read(spending, programme, void_of(other, 61))
    await read(spending, programme, other)
    assert await had(spending, programme) == {}


async def test_an_exchange_takes_back_and_entitles_by_its_new_goods_in_any_order(
    spending: Spending, programme: Programme
) -> None:
    """Bread for milk entitles no more, milk for bread does, until the exchange is voided; then as if it never was."""
    milk = [line(1, 1_000, "MILK", 1_000)]
    bread = [line(1, 1_000, "BREAD", 2_000)]
    for number, order in enumerate(permutations(range(3))):
        first = 10 * number
        sold = await loaves(spending, first)
        away = exchange_of(sold, first + 1, {1: 1_000}, milk, owner=ANNA)
        for place in order[:2]:
            await read(spending, programme, (sold, away, sold)[place])
        await read(spending, programme, sold, away)
        assert await had(spending, programme) == {}, order
        undone = void_of(away, first + 2)
        await read(spending, programme, undone)
        assert await had(spending, programme) == HAS, order
        await read(spending, programme, void_of(sold, first + 3))
        assert await had(spending, programme) == {}, order

        other = purchase(first + 4, milk, owner=ANNA, occurred_at=await spending.now())
        towards = exchange_of(other, first + 5, {1: 1_000}, bread, owner=ANNA)
        events = (other, towards, void_of(towards, first + 6))
        await read(spending, programme, other, towards)
        assert await had(spending, programme) == HAS, order
        for place in order:
            await read(spending, programme, events[place])
        assert await had(spending, programme) == {}, order


async def test_a_refused_document_entitles_to_nothing_and_the_other_one_does(
    spending: Spending, programme: Programme
) -> None:
    moment = await spending.now()
    wrong = await loaves(spending, 1, at=moment)
    await read(spending, programme, wrong)
    refused = RefusalData(
        receipt_id=wrong.data.receipt_id,
        content_hash=wrong.data.content_hash,
        partner_id="grocer",
        member_id=ANNA,
        reason="content_conflict",
        detail="another document bears this key",
    )
    event = ReceiptRefused(id=new_id(), source="test", subject="r", time=NOON, data=refused)
    record = Record(event, POINTS.topic, 0, 0, None, event.to_bytes(), {})
    await PointsHandler(spending.database, programme).handle(Batch((record,), ()))
    await read(spending, programme, wrong)
    assert await had(spending, programme) == {}
    await read(spending, programme, await loaves(spending, 1, at=moment, contents=1))
    assert await had(spending, programme) == HAS


async def test_a_card_that_becomes_known_a_merge_and_an_export(spending: Spending, programme: Programme) -> None:
    await spending.enrol(BERT)
    moment = await spending.now()
    await read(spending, programme, await loaves(spending, 1, owner=None, at=moment))
    assert await had(spending, programme) == {}
    await read(spending, programme, await loaves(spending, 1, at=moment))
    assert await had(spending, programme) == HAS
    async with served(member_data_router(spending.database, PROGRAMME)) as asking:
        [bought] = await read_all(asking, ANNA)
    assert (bought["kind"], bought["privilege_id"], bought["is_undone"]) == ("bought_privilege", "tenth", False)
    await spending.members(merged_into(BERT, ANNA))
    assert await had(spending, programme, BERT) == HAS


async def test_sales_are_decoded_only_while_they_may_entitle(spending: Spending, programme: Programme) -> None:
    sale = {"type": b"loyalty.purchase.recorded.v1", "points_tender": b"0"}
    assert not concerns_redemption(sale, PROGRAMME)
    assert concerns_redemption(sale, programme)
    await spending.do(lambda transaction: end_privilege(transaction, "tenth", "bob", "over"))
    await spending.do(programme.privileges.refresh)
    assert not concerns_redemption(sale, programme)
