"""What is read from topics, and what timers look at again, as redemption's real use cases do it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from services.redemption.domain.goods_return import return_of
from services.redemption.domain.sold_goods import sold_sale_of
from services.redemption.domain.tender import points_tenders
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.repository import goods_returns, waiting_tenders
from services.redemption.use_cases.return_vouchers import return_vouchers
from services.redemption.use_cases.settle_returns import settle_returns, take_returns, tell_unread
from services.redemption.use_cases.settle_sales import settle_sales
from services.redemption.use_cases.settle_tenders import settle_tenders
from services.redemption.use_cases.void_receipts import void_receipts
from shared.database import Transaction
from shared.events.purchases import PurchaseRecorded, Tender
from tests.support import redemption_steps as life
from tests.support import redemption_voucher_steps as wish
from tests.support.receipts import line, purchase
from tests.support.receipts import return_of as returned
from tests.support.redemption import void_of
from tests.support.redemption_names import RETURNS_FROM, VOIDS_FROM
from tests.support.redemption_play_stage import WAITING_MAX, Stage, Work


def event_of(stage: Stage, step: life.Receipt) -> PurchaseRecorded:
    """A receipt's event."""
    document = stage.lived.documents[step.receipt]
    tenders = [
        Tender(kind="points", amount_minor=points, redemption_id=stage.names.redemptions[redemption])
        for redemption, points in document.paid
    ]
    is_known = step.is_known and document.member is not None
    owner = stage.names.members[document.member or 0] if is_known else None
    lines = [
        line(number, amount_minor, quantity_thousandths=1000 * pieces)
        for number, (amount_minor, (pieces, _)) in enumerate(
            zip(document.amounts_minor, document.lines, strict=True), start=1
        )
    ]
    return purchase(stage.names.first_receipt + step.receipt, lines, owner=owner, tenders=tenders)


def work_of_document(stage: Stage, step: life.Receipt | life.Undo | life.Return | wish.GiveBack) -> Work:
    """What a document does in its transaction."""
    match step:
        case life.Receipt():
            return partial(_read_receipt, stage, step)
        case life.Undo(receipt):
            return partial(_read_void, stage, receipt)
        case life.Return(number):
            return partial(_read_return, stage, number)
        case wish.GiveBack(receipt):
            return partial(_give_vouchers_back, stage, receipt)


async def _read_receipt(stage: Stage, step: life.Receipt, transaction: Transaction) -> str:
    event, programme = event_of(stage, step), stage.programme
    sale = sold_sale_of(event, programme.point_type)
    assert sale is not None
    tenders = points_tenders(event, programme.pricing)
    report = await settle_sales(transaction, tenders, [sale], programme)
    return " ".join(sorted(report.tenders.outcomes.elements()))


async def settle_again(stage: Stage, receipt_keys: Sequence[bytes], transaction: Transaction) -> str:
    """What came back of these receipts is looked at again."""
    return f"back {(await settle_returns(transaction, receipt_keys, stage.programme)).refunded_points}"


async def _read_return(stage: Stage, number: int, transaction: Transaction) -> str:
    goods = stage.lived.returns[number]
    lines = {place: 1000 * pieces for place, pieces in enumerate(goods.pieces, start=1) if pieces}
    sale = event_of(stage, life.Receipt(goods.receipt))
    event = returned(sale, RETURNS_FROM + stage.names.first_receipt + number, lines)
    document = return_of(event, stage.programme.pricing.currency)
    assert document is not None
    return f"back {(await take_returns(transaction, [document], stage.programme)).refunded_points}"


async def _read_void(stage: Stage, receipt: int, transaction: Transaction) -> str:
    days = stage.lived.came_back_days
    return f"back {await void_receipts(transaction, [_void_of(stage, receipt)], came_back_days=days)}"


async def _give_vouchers_back(stage: Stage, receipt: int, transaction: Transaction) -> str:
    days = stage.lived.came_back_days
    return f"returned {await return_vouchers(transaction, [_void_of(stage, receipt)], came_back_days=days)}"


def _void_of(stage: Stage, receipt: int) -> ReceiptVoid:
    number = VOIDS_FROM + stage.names.first_receipt + receipt
    total_minor = sum(stage.lived.documents[receipt].amounts_minor)
    void = void_of(stage.names.receipt_keys[receipt], number, total_minor)
    return replace(void, void_key=stage.names.void_keys[receipt])


async def sweep(stage: Stage) -> str:
    """What waits is looked at again, each in transactions of its own."""
    said = await stage.do(partial(_sweep_tenders, stage))
    async with stage.database.transaction() as transaction:
        due = await goods_returns.find_due(transaction, WAITING_MAX)
    back = await stage.do(partial(settle_again, stage, due)) if due else "back 0"
    await stage.do(_tell_unread)
    return f"{said}, {back}"


async def _sweep_tenders(stage: Stage, transaction: Transaction) -> str:
    ready = await waiting_tenders.load_ready(transaction, WAITING_MAX)
    programme = stage.programme
    report = await settle_tenders(
        transaction,
        ready,
        programme.pricing,
        came_back_days=programme.came_back_days,
        owes=programme.members_owe,
    )
    return " ".join(sorted(report.outcomes.elements()))


async def _tell_unread(transaction: Transaction) -> str:
    return " ".join(await tell_unread(transaction, WAITING_MAX))
