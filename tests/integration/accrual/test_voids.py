"""A void undoes a receipt as a whole, once, whenever it comes."""

from itertools import count, permutations
from uuid import UUID

from services.accrual.domain.voids import until_each_void
from shared.events.points import PointsClawedBack, ReceiptRefused
from shared.ledger import Balances
from tests.support.accrual import Accrual
from tests.support.adjusting import Client
from tests.support.receipts import document, line, purchase, return_of, void_of
from tests.support.registries import bearing

_numbers = count(1)


async def refused(accrual: Accrual) -> list[str]:
    return [event.data.reason for event in await accrual.drain() if isinstance(event, ReceiptRefused)]


async def test_it_takes_back_what_is_left_and_is_told(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    sale = purchase(next(_numbers), [line(1, 1000, quantity_thousandths=2000), line(2, 500)], owner=anna)
    void = void_of(sale, next(_numbers))
    await module_accrual.award(sale, return_of(sale, next(_numbers), {1: 1000}))
    await module_accrual.drain()

    report = await module_accrual.award(void)
    again = await module_accrual.award(void)

    assert (report.clawed_back, again.duplicates) == (1, 1)
    assert await module_accrual.balance(anna) == Balances()
    (told,) = [event for event in await module_accrual.drain() if isinstance(event, PointsClawedBack)]
    assert (told.data.points, told.data.cause, told.data.original_receipt_id) == (10, "void", sale.data.receipt_id)
    of_void = (await client.get(f"/v1/receipts/{void.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (of_void["status"], of_void["returned"]["cause"], of_void["returned"]["points"]) == ("awarded", "void", 10)
    assert "voided" in of_void["trace_in_words"][0]
    of_sale = (await client.get(f"/v1/receipts/{sale.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (of_sale["award"]["voided_by"], of_sale["award"]["taken_back"]) == (void.data.receipt_id, 15)
    assert of_sale["trace_in_words"][-1].startswith("The receipt was voided later: of these points 15")


async def test_what_comes_about_it_later_is_refused(module_accrual: Accrual, anna: UUID) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)
    await module_accrual.award(sale, void_of(sale, next(_numbers)))

    report = await module_accrual.award(void_of(sale, next(_numbers)), return_of(sale, next(_numbers), {1: 100}))

    assert report.refused == {"original_voided": 2}
    assert await refused(module_accrual) == ["original_voided", "original_voided"]
    assert await module_accrual.balance(anna) == Balances()


async def test_one_that_comes_first_waits_and_nothing_stays(module_accrual: Accrual, anna: UUID) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)
    void, back = void_of(sale, next(_numbers)), return_of(sale, next(_numbers), {1: 400})

    assert (await module_accrual.award(void, back)).parked == {"purchase_not_decided_yet": 2}
    assert (await module_accrual.award(sale)).released == 2
    await module_accrual.award(*await module_accrual.released())

    assert await module_accrual.balance(anna) == Balances()


async def test_in_every_order_and_again_nothing_stays(module_accrual: Accrual, anna: UUID) -> None:
    for order in permutations(range(3)):
        sale = purchase(next(_numbers), 1000, owner=anna)
        documents = (sale, void_of(sale, next(_numbers)), return_of(sale, next(_numbers), {1: 400}))
        for number in (*order, *order):
            await module_accrual.award(documents[number])
        await module_accrual.award(*await module_accrual.released())
        assert await module_accrual.balance(anna) == Balances(), order


async def test_a_second_void_of_a_batch_and_a_return_behind_them_are_refused(
    module_accrual: Accrual, anna: UUID
) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)

    report = await module_accrual.award(
        sale, void_of(sale, next(_numbers)), void_of(sale, next(_numbers)), return_of(sale, next(_numbers), {1: 1})
    )

    assert (report.clawed_back, report.refused) == (1, {"original_voided": 2})
    assert await module_accrual.balance(anna) == Balances()


async def test_it_names_a_purchase_with_its_own_total(module_accrual: Accrual, anna: UUID) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)
    back, closed = return_of(sale, next(_numbers), {1: 400}), purchase(next(_numbers), 1000, owner=anna)
    training = closed.model_copy(update={"data": closed.data.model_copy(update={"is_training": True})})
    await module_accrual.award(sale, back, training)

    report = await module_accrual.award(
        void_of(sale, next(_numbers), total_minor=999),
        void_of(sale.model_copy(update={"data": back.data}), next(_numbers), total_minor=0),
        void_of(training, next(_numbers)),
    )

    assert report.refused == {"other_total": 1, "original_is_no_purchase": 1, "original_refused": 1}
    assert await module_accrual.balance(anna) == Balances(available=6)


def test_a_void_ends_its_run() -> None:
    sale, other = purchase(1, 1000), purchase(2, 1000)
    documents = [document(event) for event in (sale, void_of(sale, 3), void_of(other, 4), other)]

    assert [len(run) for run in until_each_void(documents)] == [2, 1, 1]
    assert [len(run) for run in until_each_void([])] == [0]
