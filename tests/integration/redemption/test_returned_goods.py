"""Goods that come back bring back what points had paid for them, by line and quantity, in whatever order."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from services.redemption.consumer import PurchaseHandler
from services.redemption.repository.receipts import Refusal
from services.redemption.repository.recorded_exceptions import ExceptionKind
from services.redemption.timers import Timers
from services.redemption.use_cases.undo_refused import undo_refused
from shared import ledger
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded, Tender, TenderKind
from shared.events.redemptions import RedemptionRefunded, RefundData
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from shared.ledger import ClawBack
from shared.receipt_key import natural_key_of
from tests.support.pooling import Place, move_in
from tests.support.receipts import correction_of, exchange_of, line, member, purchase, return_of, void_of
from tests.support.redemption import PROGRAMME, Admin, Spending, earn

ANNA, BERT = member(1), member(2)
BREAD, MILK, DELIVERY = 1, 2, 3


async def read(spending: Spending, *events: PurchaseEvent) -> None:
    """One batch of the topic."""
    told = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    await PurchaseHandler(spending.database, PROGRAMME, BatchSize(200)).handle(Batch(tuple(told), ()))


async def sweep(spending: Spending) -> None:
    await Timers(spending.database, PROGRAMME).sweep()


async def refuse(spending: Spending, event: PurchaseEvent) -> list[ExceptionKind]:
    """Accrual refused this document."""
    refusal = Refusal(natural_key_of(event.data.receipt_id), event.data.content_hash)
    return await spending.do(lambda transaction: undo_refused(transaction, [refusal]))


async def refunds(spending: Spending) -> list[RefundData]:
    """What the outbox tells of points that were given back."""
    return [event.data for event in await spending.drain() if isinstance(event, RedemptionRefunded)]


def bought(points: int, redemption_id: UUID | None = None, number: int = 1) -> PurchaseRecorded:
    """Bread for 600 (three loaves), milk for 400; ``points`` paid for some of it, a point being a cent."""
    rows = [line(BREAD, 600, quantity_thousandths=3000), line(MILK, 400)]
    tenders = [
        Tender(kind="points", amount_minor=points, redemption_id=redemption_id),
        Tender(kind="cash", amount_minor=1000 - points),
    ]
    return purchase(number, rows, owner=ANNA, tenders=tenders)


def brought_back(
    original: PurchaseRecorded, number: int, lines: dict[int, int], said: Sequence[tuple[TenderKind, int]] = ()
) -> ReturnRecorded:
    """Goods of ``original``; ``said`` is how the till paid it back."""
    event = return_of(original, number, lines)
    tenders = tuple(Tender(kind=kind, amount_minor=amount) for kind, amount in said)
    return event.model_copy(update={"data": event.data.model_copy(update={"tenders": tenders})})


async def test_by_line_and_quantity_and_in_the_end_exactly_what_was_taken(spending: Spending) -> None:
    """Of 301 points bread cost 181 and milk 120: a loaf brings 60, the third one what is left."""
    await spending.enrol(ANNA)
    earned = [earn(ANNA, 200, date(2098, 1, 1)), earn(ANNA, 800)]
    await spending.do(lambda transaction: ledger.post(transaction, earned))
    sale = bought(301)
    await read(spending, sale)
    await spending.drain()

    steps = [{BREAD: 1000}, {BREAD: 1000}, {MILK: 1000}, {BREAD: 1000}]
    for number, lines in enumerate(steps, start=2):
        back = brought_back(sale, number, lines)
        await read(spending, back)
        await read(spending, back)  # read again, it changes nothing

    told = await refunds(spending)
    assert [one.points for one in told] == [60, 60, 120, 61]
    assert {(one.cause, one.receipt_id, one.member_id) for one in told} == {("return", sale.data.receipt_id, ANNA)}
    assert [one.balance.available for one in told] == [759, 819, 939, 1000]
    assert await lots(spending) == {date(2098, 1, 1): 200, None: 800}
    await spending.check([ANNA], 1000)


async def lots(spending: Spending) -> dict[date | None, int]:
    async with spending.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select expires_on, remaining from ledger_lots where remaining > 0")
    return {row["expires_on"]: row["remaining"] for row in rows}


@pytest.mark.parametrize("order", list(permutations(("receipt", "capture", "return", "void"))))
async def test_in_whatever_order_receipt_capture_return_and_void_are_read(
    spending: Spending, order: tuple[str, ...]
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 300)).redemption_id
    sale = bought(300, redemption_id)
    events: dict[str, PurchaseEvent] = {
        "receipt": sale,
        "return": brought_back(sale, 2, {BREAD: 3000}),
        "void": void_of(sale, 3),
    }
    for step in order:
        if step == "capture":
            if "void" not in order[: order.index(step)]:
                await spending.capture(redemption_id, 1)
        else:
            await read(spending, events[step])
        await sweep(spending)
    await read(spending, *events.values())

    balance = await spending.balance(ANNA)
    assert balance.available + balance.held == 1000
    assert sum(one.points for one in await refunds(spending)) == 300 - balance.held
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("order", list(permutations(("receipt", "capture", "return"))))
async def test_a_part_comes_back_in_whatever_order_it_is_read(spending: Spending, order: tuple[str, ...]) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 300)).redemption_id
    sale = bought(300, redemption_id)
    for step in order:
        match step:
            case "receipt":
                await read(spending, sale)
            case "capture":
                await spending.capture(redemption_id, 1)
            case _:
                await read(spending, brought_back(sale, 2, {BREAD: 2000}))
    await sweep(spending)

    assert [one.points for one in await refunds(spending)] == [120]
    await spending.check([ANNA], 1000)


async def test_all_in_one_batch_the_return_first(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)

    await read(spending, brought_back(sale, 2, {MILK: 1000}), sale)

    assert [one.points for one in await refunds(spending)] == [120]


@pytest.mark.parametrize(
    ("said", "first", "second", "exceptions"),
    [
        ([], 60, 120, []),
        ([("cash", 200)], 0, 120, []),  # the till paid it all out: the points stay spent
        ([("points", 60), ("cash", 140)], 60, 120, []),
        ([("points", 59), ("cash", 141)], 59, 120, []),
        ([("points", 200)], 200, 0, []),  # points first: of what was taken, so much is left
        ([("points", 301)], 60, 120, [("overpaid_refund", 301, 60)]),
    ],
)
async def test_what_a_return_says_of_points_counts_as_far_as_they_were_taken(
    spending: Spending,
    said: list[tuple[TenderKind, int]],
    first: int,
    second: int,
    exceptions: list[tuple[str, int, int]],
) -> None:
    """300 points paid: 60 for each loaf, 120 for the milk."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300)

    await read(spending, sale, brought_back(sale, 2, {BREAD: 1000}, said))
    await read(spending, brought_back(sale, 3, {MILK: 1000}))

    assert sum(one.points for one in await refunds(spending)) == first + min(second, 300 - first)
    assert await spending.exceptions() == exceptions
    await read(spending, void_of(sale, 4))  # what was paid out in money does not go back as points as well
    assert sum(one.points for one in await refunds(spending)) == max(0, 300 - 180 - max(0, first - 180))
    await spending.check([ANNA], 1000)


async def test_more_goods_than_were_bought_bring_nothing(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    await read(spending, sale, brought_back(sale, 2, {BREAD: 2000}))

    for _ in ("once", "again"):
        await read(spending, brought_back(sale, 3, {BREAD: 2000}), brought_back(sale, 4, {DELIVERY: 1000}))

    assert [one.points for one in await refunds(spending)] == [120]
    assert await spending.exceptions() == [("returned_more", 0, 0)] * 2
    await spending.check([ANNA], 1000)


async def test_what_an_exchange_moved_on_pays_for_other_goods_until_that_is_voided(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    exchange = exchange_of(sale, 2, {MILK: 1000}, 400)
    await read(spending, sale, exchange, brought_back(sale, 3, {BREAD: 3000}))
    await read(spending, return_of(exchange, 9, {1: 1000}))
    assert [one.points for one in await refunds(spending)] == [180]
    assert await spending.exceptions() == [("moved_on", 120, 0)]

    await read(spending, void_of(exchange, 4))
    await sweep(spending)
    await read(spending, brought_back(sale, 5, {MILK: 1000}))

    assert [one.points for one in await refunds(spending)] == [120]
    await spending.check([ANNA], 1000)


async def test_of_a_corrected_receipt_what_the_correction_says_was_sold(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    correction = correction_of(sale, 2, [line(BREAD, 200, quantity_thousandths=1000), line(MILK, 800)])
    other_payment = correction_of(sale, 3, 1000, tenders=(Tender(kind="points", amount_minor=1000),))

    await read(spending, sale, correction, other_payment, brought_back(sale, 4, {BREAD: 1000}))

    assert [one.points for one in await refunds(spending)] == [60]


async def test_whoever_lent_points_has_them_back_before_the_member(spending: Spending) -> None:
    await spending.enrol(ANNA, 200)
    await spending.enrol(BERT, 100)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    sale = bought(300, (await spending.held(ANNA, 300)).redemption_id)
    await read(spending, sale, brought_back(sale, 2, {MILK: 1000}))

    [told] = await refunds(spending)
    assert (told.points, [(one.member_id, one.points) for one in told.pooled]) == (120, [(BERT, 100)])
    assert [(await spending.balance(each)).available for each in (ANNA, BERT)] == [20, 100]


async def test_late_points_come_back_and_what_was_never_given_does_not(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    sale = bought(300)  # 200 of it is the partner's loss
    await read(spending, sale, brought_back(sale, 2, {BREAD: 3000}), brought_back(sale, 3, {MILK: 1000}))

    assert [one.points for one in await refunds(spending)] == [60, 40]
    await spending.check([ANNA], 100)


@pytest.mark.parametrize("is_refund_first", [True, False])
async def test_a_returns_claw_back_and_its_refund_leave_the_same_in_either_order(
    spending: Spending, *, is_refund_first: bool
) -> None:
    await spending.enrol(ANNA, 300)
    sale = bought(300)
    await read(spending, sale)
    claw_back = ClawBack(ANNA, "points", b"back", 150, earn(ANNA, 1).terms, natural_key_of(sale.data.receipt_id))
    for step in (True, False) if is_refund_first else (False, True):
        if step:
            await read(spending, brought_back(sale, 2, {MILK: 1000}))
        else:
            await spending.do(lambda transaction: ledger.post(transaction, [claw_back]))

    balance = await spending.balance(ANNA)
    assert (balance.available, balance.debt) == (0, 30)


async def test_a_refused_return_brings_nothing_or_a_person_is_told(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    early, late = brought_back(sale, 2, {BREAD: 1000}), brought_back(sale, 3, {MILK: 1000})
    await refuse(spending, early)

    await read(spending, sale, early, late)
    assert [one.points for one in await refunds(spending)] == [120]
    assert await refuse(spending, late) == ["refused_return"]


async def test_a_receipt_that_took_points_and_is_not_read_is_a_matter_for_a_person(
    spending: Spending, admin: Admin
) -> None:
    """A till that does not say how its receipts were paid: nobody here knows what they sold."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300, (await spending.held(ANNA, 300)).redemption_id)
    await spending.capture(sale.data.tenders[0].redemption_id, 1)  # type: ignore[arg-type]
    await read(spending, brought_back(sale, 2, {MILK: 1000}))
    await sweep(spending)
    assert await spending.exceptions() == []

    await spending.advance(admin, timedelta(days=2))
    await sweep(spending)
    assert await spending.exceptions() == [("unread_receipt", 300, 0)]

    await read(spending, sale)
    assert [one.points for one in await refunds(spending)] == [120]
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_of_an_unread_receipt_that_is_voided_nobody_is_told(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300, (await spending.held(ANNA, 300)).redemption_id)
    await spending.capture(sale.data.tenders[0].redemption_id, 1)  # type: ignore[arg-type]
    await read(spending, brought_back(sale, 2, {MILK: 1000}), void_of(sale, 3))
    await spending.advance(admin, timedelta(days=2))
    await sweep(spending)
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize(
    ("order", "is_swept"),
    [
        (("exchange", "its void", "void"), True),
        (("exchange", "its void", "void"), False),
        (("exchange", "void", "its void"), True),
        (("void", "exchange", "its void"), False),
    ],
)
async def test_voids_of_a_receipt_and_of_its_exchange_give_all_back_in_whatever_order(
    spending: Spending, order: tuple[str, ...], *, is_swept: bool
) -> None:
    """Nothing was sold in the end: neither what was paid for, nor what it was exchanged for."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    exchange = exchange_of(sale, 2, {MILK: 1000}, 400)
    events: dict[str, PurchaseEvent] = {
        "exchange": exchange,
        "its void": void_of(exchange, 3),
        "void": void_of(sale, 4),
    }
    await read(spending, sale)
    for step in order:
        await read(spending, events[step])
        if is_swept:
            await sweep(spending)
    await sweep(spending)
    await read(spending, *events.values())
    await sweep(spending)

    assert sum(one.points for one in await refunds(spending)) == 300
    await spending.check([ANNA], 1000)


async def test_what_moved_on_is_not_paid_back_as_well(spending: Spending) -> None:
    """Of 300 points 120 pay for what the milk was exchanged for: no return has more than 180 of them back."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    await read(spending, sale, exchange_of(sale, 2, {MILK: 1000}, 400))

    await read(spending, brought_back(sale, 3, {BREAD: 3000}, [("points", 300)]))

    assert [one.points for one in await refunds(spending)] == [180]
    assert await spending.exceptions() == [("overpaid_refund", 300, 180)]


async def test_what_went_back_already_does_not_move_on(spending: Spending) -> None:
    """A return paid all 300 points back for the bread alone: none of them is left to pay for what the milk became."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    exchange = exchange_of(sale, 3, {MILK: 1000}, 400)
    await read(spending, sale, brought_back(sale, 2, {BREAD: 3000}, [("points", 300)]))
    await read(spending, exchange)
    await read(spending, return_of(exchange, 9, {1: 1000}))

    assert [one.points for one in await refunds(spending)] == [300]
    assert await spending.exceptions() == []


async def test_an_exchange_that_pays_out_in_points_is_a_matter_for_a_person(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    exchange = exchange_of(sale, 2, {MILK: 1000}, 300)
    told = {"tenders": (Tender(kind="points", amount_minor=100),)}
    exchange = exchange.model_copy(update={"data": exchange.data.model_copy(update=told)})
    assert exchange.data.total_minor == -100
    for _ in ("once", "again"):
        await read(spending, sale, exchange)

    assert await refunds(spending) == []
    assert await spending.exceptions() == [("overpaid_refund", 100, 0)]


@pytest.mark.parametrize("is_return_first", [True, False])
async def test_what_a_voided_exchange_had_moved_on_is_no_matter_for_a_person(
    spending: Spending, *, is_return_first: bool
) -> None:
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    exchange = exchange_of(sale, 2, {MILK: 1000}, 400)
    back, void = return_of(exchange, 9, {1: 1000}), void_of(exchange, 4)
    await read(spending, sale, exchange)
    for event in (back, void) if is_return_first else (void, back):
        await read(spending, event)

    assert await spending.exceptions() == []
