"""An exchange takes back and gives in one document: netted for the member, and undone as a whole."""

from itertools import count, permutations
from uuid import UUID

from shared.events.points import PointsClawedBack, PointsEarned, PointsExchanged, ReceiptRefused
from shared.events.purchases import PurchaseRecorded, Tender
from shared.ledger import Balances, SpendLate, post
from tests.support.accrual import Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import Client
from tests.support.receipts import (
    card,
    enrolled,
    exchange_of,
    line,
    linked,
    purchase,
    return_of,
    void_of,
)
from tests.support.registries import bearing

_numbers = count(1)


async def told_of(accrual: Accrual) -> list[PointsExchanged]:
    """What was told since: of exchanges nothing else is."""
    events = await accrual.drain()
    assert not [event for event in events if isinstance(event, PointsClawedBack | PointsEarned)]
    return [event for event in events if isinstance(event, PointsExchanged)]


async def spend(accrual: Accrual, owner: UUID, points: int) -> None:
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(owner, "points", next(_numbers).to_bytes(8), points, "fuel")])


async def bought(accrual: Accrual, owner: UUID, amount_minor: int = 1000, **said: object) -> PurchaseRecorded:
    sale = purchase(next(_numbers), amount_minor, owner=owner, **said)  # type: ignore[arg-type]
    await accrual.award(sale)
    await accrual.drain()
    return sale


async def test_both_sides_are_one_movement_and_one_event(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    sale = await bought(module_accrual, anna)
    exchange = exchange_of(sale, next(_numbers), {1: 600}, [line(2, 1500, "PRODUCE")], owner=anna)

    report = await module_accrual.award(exchange)
    again = await module_accrual.award(exchange)

    assert (report.exchanged, report.awarded, report.clawed_back, again.duplicates) == (1, 0, 0, 1)
    assert await module_accrual.balance(anna) == Balances(available=10 - 6 + 30)
    (told,) = [event.data for event in await told_of(module_accrual)]
    assert (told.cause, told.net_points, told.became_debt, told.balance.available) == ("exchange", 24, 0, 34)
    assert [(one.receipt_id, one.points) for one in told.given] == [(exchange.data.receipt_id, 30)]
    assert [(one.receipt_id, one.points) for one in told.taken] == [(sale.data.receipt_id, 6)]
    shown = (await client.get(f"/v1/receipts/{exchange.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (shown["award"]["points"], shown["returned"]["points"], shown["returned"]["cause"]) == (30, 6, "exchange")
    assert shown["trace_in_words"][0].startswith("Goods came back for others: what they had earned, 6 points")
    assert [one["points"] for one in shown["trace"]] == [15, 15]


async def test_what_is_given_covers_what_was_spent_and_nobody_owes(module_accrual: Accrual, anna: UUID) -> None:
    sale = await bought(module_accrual, anna)
    await spend(module_accrual, anna, 10)

    await module_accrual.award(exchange_of(sale, next(_numbers), {1: 1000}, 1200))

    (told,) = [event.data for event in await told_of(module_accrual)]
    assert (told.net_points, told.became_debt) == (2, 0)
    assert await module_accrual.balance(anna) == Balances(available=2)
    sale = await bought(module_accrual, anna)
    await spend(module_accrual, anna, 12)
    await module_accrual.award(exchange_of(sale, next(_numbers), {1: 1000}, 700))
    assert await module_accrual.balance(anna) == Balances(debt=3)


async def test_goods_that_were_exchanged_in_come_back_and_are_exchanged_again(
    module_accrual: Accrual, anna: UUID
) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)
    first = exchange_of(sale, next(_numbers), {1: 1000}, [line(1, 800, quantity_thousandths=2000), line(2, 500)])
    second = exchange_of(first, next(_numbers), {2: 1000}, 900)

    await module_accrual.award(sale, first, second, return_of(first, next(_numbers), {1: 1000}))

    assert await module_accrual.balance(anna) == Balances(available=4 + 9)
    report = await module_accrual.award(
        return_of(first, next(_numbers), {2: 1}), return_of(sale, next(_numbers), {1: 1})
    )
    assert report.refused == {"returned_more_than_bought": 2}
    assert (await module_accrual.award(return_of(second, next(_numbers), {1: 1000}))).clawed_back == 1
    assert await module_accrual.balance(anna) == Balances(available=4)


async def test_a_void_undoes_both_sides_once(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    sale = await bought(module_accrual, anna)
    exchange = exchange_of(sale, next(_numbers), {1: 600}, 400, owner=anna)
    await module_accrual.award(exchange)
    await module_accrual.drain()
    void = void_of(exchange, next(_numbers))

    report = await module_accrual.award(void)
    again = await module_accrual.award(void, void_of(exchange, next(_numbers)))

    assert (report.exchanged, again.duplicates, again.refused) == (1, 1, {"original_voided": 1})
    assert await module_accrual.balance(anna) == Balances(available=10)
    (told,) = [event.data for event in await told_of(module_accrual)]
    assert (told.cause, told.net_points, told.given[0].receipt_id) == ("void", 2, sale.data.receipt_id)
    shown = (await client.get(f"/v1/receipts/{void.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (shown["returned"]["points"], shown["returned"]["given_back"]) == (4, 6)
    shown = (await client.get(f"/v1/receipts/{exchange.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert shown["award"]["voided_by"] == shown["returned"]["voided_by"] == void.data.receipt_id
    await module_accrual.award(return_of(sale, next(_numbers), {1: 1000}))
    assert await module_accrual.balance(anna) == Balances()


async def test_in_every_order_and_again_the_same_is_left(module_accrual: Accrual, anna: UUID) -> None:
    left = 0
    for order in [order for order in permutations(range(4)) if order[0] > order[-1]]:
        sale = purchase(next(_numbers), 1000, owner=anna)
        exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
        documents = (
            sale,
            exchange,
            return_of(exchange, next(_numbers), {1: 500}),
            return_of(sale, next(_numbers), {1: 300}),
        )
        for number in (*order, *order):
            await module_accrual.award(documents[number])
        while released := await module_accrual.released():
            await module_accrual.award(*released)
        left += 3 + 3  # three dollars of the first goods are kept, and half of the seven of the others
        assert await module_accrual.balance(anna) == Balances(available=left), order


async def test_a_void_that_comes_with_its_exchange_or_first_waits_for_it(module_accrual: Accrual, anna: UUID) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
    void = void_of(exchange, next(_numbers))

    first = await module_accrual.award(void, exchange)
    together = await module_accrual.award(sale)
    for _ in range(3):
        await module_accrual.award(*await module_accrual.released())

    assert first.parked == {"purchase_not_decided_yet": 2}
    assert together.released == 1
    assert await module_accrual.balance(anna) == Balances(available=10)


async def test_points_that_had_paid_for_goods_pay_for_those_taken_in_their_stead(
    module_accrual: Accrual, anna: UUID
) -> None:
    tenders = [Tender(kind="points", amount_minor=400), Tender(kind="card", amount_minor=600)]
    sale = await bought(module_accrual, anna, tenders=tenders)

    await module_accrual.award(exchange_of(sale, next(_numbers), {1: 500}, 500))
    assert await module_accrual.balance(anna) == Balances(available=6)
    top_up = [Tender(kind="card", amount_minor=300)]
    await module_accrual.award(exchange_of(sale, next(_numbers), {1: 500}, 800, tenders=top_up))
    assert await module_accrual.balance(anna) == Balances(available=9)


async def test_the_new_goods_are_whoever_shows_a_card(module_accrual: Accrual, anna: UUID) -> None:
    bert, number = new_member(), next(_numbers)
    await module_accrual.members(enrolled(bert), linked(bert, card(number)))
    sale = await bought(module_accrual, anna)

    await module_accrual.award(
        exchange_of(sale, next(_numbers), {1: 300}, 500, identifier_hash=card(number)),
        exchange_of(sale, next(_numbers), {1: 300}, 200, identifier_hash=card(next(_numbers))),
    )

    assert await module_accrual.balance(anna) == Balances(available=10 - 3 - 3 + 2)
    assert await module_accrual.balance(bert) == Balances(available=5)
    told = sorted((event.data.member_id == bert, event.data.net_points) for event in await told_of(module_accrual))
    assert told == [(False, -3), (False, -1), (True, 5)]


async def test_where_new_goods_earn_nothing_what_came_back_is_taken_all_the_same(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(module_accrual, anna)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 400)
    async with module_accrual.database.transaction() as transaction:
        await transaction.raw.execute("update members set status = 'closed' where member_id = $1", anna)

    await module_accrual.award(exchange)

    (told,) = [event.data for event in await module_accrual.drain() if isinstance(event, ReceiptRefused)]
    assert (told.reason, await module_accrual.balance(anna)) == ("member_closed", Balances(available=6))
    shown = (await client.get(f"/v1/receipts/{exchange.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (shown["status"], shown["returned"]["points"], "award" in shown) == ("awarded", 4, False)
    assert shown["refusals"][0]["reason"] == "member_closed"
    await module_accrual.award(void_of(exchange, next(_numbers)))
    assert await module_accrual.balance(anna) == Balances(available=10)


async def test_what_its_return_would_be_refused_for_it_is_refused_for(module_accrual: Accrual, anna: UUID) -> None:
    sale, other = await bought(module_accrual, anna), await bought(module_accrual, anna)
    await module_accrual.award(void_of(other, next(_numbers)))
    exchange = exchange_of(sale, next(_numbers), {1: 300}, 500)

    report = await module_accrual.award(
        exchange_of(sale, next(_numbers), {7: 1}, 500),
        exchange_of(sale, next(_numbers), {1: 1001}, 500),
        exchange_of(other, next(_numbers), {1: 1}, 500),
        exchange,
        exchange.model_copy(update={"data": exchange.data.model_copy(update={"content_hash": "f" * 64})}),
        void_of(exchange, next(_numbers), total_minor=0),
    )

    assert report.refused == {"unknown_line": 1, "returned_more_than_bought": 1, "original_voided": 1}
    assert (report.exchanged, report.conflicts, report.parked) == (1, 1, {"purchase_not_decided_yet": 1})
    await module_accrual.award(*await module_accrual.released())
    assert await module_accrual.balance(anna) == Balances(available=10 - 3 + 5)
