"""Uses of privileges count once by their receipts, are limited exactly, and are undone by what comes back."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

from services.redemption.api.member_data import member_data_router
from services.redemption.consumer import PointsHandler, PurchaseHandler, concerns_spending
from services.redemption.domain.privileges.usage import Told
from services.redemption.repository.receipts import Refusal
from services.redemption.use_cases.reserve_privileges import NoUsesLeftError
from services.redemption.use_cases.undo_refused import undo_refused
from shared.events.catalogue import POINTS, PURCHASES
from shared.events.points import ReceiptRefused, RefusalData
from shared.events.purchases import PurchaseEvent
from shared.events.redemptions import PrivilegeUndone, PrivilegeUsed, PrivilegeUseData
from shared.ids import new_id
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from shared.receipt_key import natural_key_of
from tests.support.member_data import read_all, served
from tests.support.member_events import erased
from tests.support.privilege_uses import back, reserve, settle, standing, using
from tests.support.privileges import applied, checked, declared, terms
from tests.support.receipts import member, merged_into, void_of
from tests.support.redemption import NOON, PROGRAMME, Spending, partner

ANNA, BERT = member(1), member(2)
EACH_ONCE = {"per": "member", "uses_max": 1}
TWO_IN_ALL = {"per": "all", "period": "day", "uses_max": 2}
RACERS = 16


async def told(spending: Spending) -> list[PrivilegeUseData]:
    events = await spending.drain()
    assert all(isinstance(event, PrivilegeUsed | PrivilegeUndone) for event in events)
    return [event.data for event in events if isinstance(event, PrivilegeUsed | PrivilegeUndone)]


async def test_a_use_is_told_with_who_pays_and_counts_once(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await declared(spending, terms("tenth", payers=[{"payer": "brand", "weight": 3}]))
    sold = using(1)
    assert [change.outcome for change in await settle(spending, sold, sold)] == ["used"]
    assert await settle(spending, sold) == []
    [use] = await told(spending)
    assert (use.member_id, use.amount_minor, use.cost_minor, use.version) == (ANNA, 100, 100, 1)
    assert [(one.payer, one.weight) for one in use.payers] == [("brand", 3)]
    assert (use.benefit, use.objection, use.is_undone) == ("percent", None, False)


async def test_parts_that_come_back_add_up_and_the_last_frees_the_use(spending: Spending) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    sold = using(1, amount_minor=101)
    await settle(spending, sold)
    assert (await checked(spending, programme, ANNA)).spent == ["tenth"]
    parts = [back(sold, number, 1_000 * pieces) for number, pieces in ((11, 3), (12, 3), (13, 4))]
    for part in parts:
        await settle(spending, part)
        await settle(spending, part)
    assert [(use.undone_minor, use.is_undone, use.cost_minor) for use in await told(spending)] == [
        (0, False, 101),
        (30, False, 71),
        (60, False, 41),
        (101, True, 0),
    ]
    assert applied(await checked(spending, programme, ANNA)) == {"tenth": 100}
    await settle(spending, void_of(parts[0], 99))  # one return never was
    assert await standing(spending) == [(70, False, None)]
    assert (await checked(spending, programme, ANNA)).spent == ["tenth"]


async def test_purchase_return_and_void_in_any_order_leave_the_same(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await declared(spending, terms("tenth", limits=[TWO_IN_ALL]))
    for number, order in enumerate(permutations(range(4))):
        sold = using(number, amount_minor=50)
        first, second = back(sold, 1_000 + number, 2_000), back(sold, 2_000 + number, 4_000)
        events: Sequence[PurchaseEvent] = (sold, first, second, void_of(first, 3_000 + number))
        for place in order:
            await settle(spending, events[place])
        await settle(spending, *events)
    assert {row[:2] for row in await standing(spending)} == {(20, False)}
    assert await totals(spending) == 24


async def test_a_voided_receipt_and_a_refused_document_use_nothing(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await declared(spending, terms("tenth", limits=[TWO_IN_ALL]))
    voided, refused = using(1), using(2)
    await settle(spending, void_of(voided, 50))
    await settle(spending, voided, refused)
    key = natural_key_of(refused.data.receipt_id)
    await spending.do(lambda transaction: undo_refused(transaction, [Refusal(key, refused.data.content_hash)]))
    await settle(spending, told=Told(undone=frozenset({key})))
    await settle(spending, refused)
    assert await standing(spending) == [(100, True, None), (100, True, None)]
    assert await totals(spending) == 0
    await settle(spending, using(2, contents=1))  # the document that stands in its place
    assert await standing(spending) == [(100, True, None), (0, False, None)]
    assert await totals(spending) == 1


async def test_what_should_not_have_been_given_counts_with_an_objection(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.coalition(partner("grocer", "Grocer"))
    await declared(
        spending,
        terms("tenth", limits=[EACH_ONCE]),
        terms("elsewhere", stores=["grocer/s9"]),
        terms("over", last_day="2026-10-31"),
        terms("free", {"kind": "service", "cost_minor": 40}),
    )
    changes = await settle(
        spending,
        using(1),
        using(2),
        using(3, privilege_id="elsewhere"),
        using(4, privilege_id="over"),
        using(5, privilege_id="nobody-knows"),
        using(6, privilege_id="free", amount_minor=0),
    )
    outcomes = [change.outcome for change in changes]
    assert outcomes == ["used", "limit_exceeded", "other_place", "not_in_force", "unknown_privilege", "used"]
    assert [use.cost_minor for use in await told(spending)].count(40) == 1
    await settle(spending, back(using(6, privilege_id="free", amount_minor=0), 60, 10_000))  # the service was done
    assert (await standing(spending))[-1] == (0, False, None)


async def test_of_many_who_want_the_last_uses_as_many_get_them_as_there_are(spending: Spending) -> None:
    people = [member(number) for number in range(1, RACERS + 1)]
    for one in people:
        await spending.enrol(one)
    programme = await declared(spending, terms("tenth", limits=[TWO_IN_ALL, EACH_ONCE]))

    async def race(owner: UUID) -> str:
        try:
            await reserve(spending, programme, owner)
        except NoUsesLeftError:
            return "none left"
        return "kept"

    assert Counter(await asyncio.gather(*map(race, people))) == {"kept": 2, "none left": RACERS - 2}
    assert Counter(await asyncio.gather(*(race(ANNA) for _ in range(4))))["kept"] == 0


async def test_a_card_that_becomes_known_a_merge_an_export_and_an_erasure(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    await settle(spending, using(1, owner=None))
    assert [change.outcome for change in await settle(spending, using(1))] == ["named"]
    assert [(use.member_id, use.version) for use in await told(spending)] in (
        [(None, 1), (ANNA, 2)],
        [(ANNA, 2), (None, 1)],  # under other keys, so in no order
    )
    async with served(member_data_router(spending.database, PROGRAMME)) as asking:
        [used] = await read_all(asking, ANNA)
    assert (used["kind"], used["privilege_id"], used["amount_minor"]) == ("used_privilege", "tenth", 100)
    await spending.members(merged_into(BERT, ANNA))
    assert (await checked(spending, programme, BERT)).spent == ["tenth"]
    await settle(spending, back(using(1), 10, 10_000))
    await reserve(spending, programme, BERT)
    await spending.members(erased(BERT))
    count = "select count(*) from redemption_privilege_reservations"
    assert await spending.do(lambda transaction: transaction.raw.fetchval(count)) == 0


async def test_the_consumer_reads_uses_returns_and_refusals_and_skips_the_rest(spending: Spending) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth"))
    sale = {"type": b"loyalty.purchase.recorded.v1", "points_tender": b"0"}
    assert concerns_spending(sale | {"privileges": b"1"})
    assert not concerns_spending(sale)

    purchases = PurchaseHandler(spending.database, programme, BatchSize(200))
    sold = using(1)
    for _ in range(2):
        await purchases.handle(records(sold, back(sold, 9, 5_000)))
    assert await standing(spending) == [(50, False, None)]
    refused = RefusalData(
        receipt_id=sold.data.receipt_id,
        content_hash=sold.data.content_hash,
        partner_id="grocer",
        member_id=ANNA,
        reason="content_conflict",
        detail="another document bears this key",
    )
    event = ReceiptRefused(id=new_id(), source="test", subject="r", time=NOON, data=refused)
    points = PointsHandler(spending.database, programme)
    for _ in range(2):
        await points.handle(Batch((Record(event, POINTS.topic, 0, 0, None, event.to_bytes(), {}),), ()))
    assert await standing(spending) == [(100, True, None)]


def records(*events: PurchaseEvent) -> Batch[PurchaseEvent]:
    """A batch of the topic."""
    read = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    return Batch(tuple(read), ())


async def totals(spending: Spending) -> int:
    statement = "select coalesce(sum(uses), 0)::int from redemption_privilege_totals"
    return await spending.do(lambda transaction: transaction.raw.fetchval(statement))
