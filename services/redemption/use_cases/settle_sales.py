"""Receipts that were paid with points: they take them, and say what they sold."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.redemption.domain.sold_goods import SoldSale
from services.redemption.domain.tender import PointsTender
from services.redemption.programme import Programme
from services.redemption.repository import receipts
from services.redemption.use_cases.keep_sold_goods import keep_sold_goods
from services.redemption.use_cases.settle_tenders import TenderReport, settle_tenders
from shared.database import Transaction
from shared.ledger import HeldSince


@dataclass(frozen=True, slots=True)
class SalesReport:
    """What became of a batch's tenders; ``awaited`` are receipts of which goods came back before they were read."""

    tenders: TenderReport
    awaited: frozenset[bytes] = frozenset()


async def settle_sales(
    transaction: Transaction,
    tenders: Sequence[PointsTender],
    sales: Sequence[SoldSale],
    programme: Programme,
    *,
    held_since: HeldSince | None = None,
) -> SalesReport:
    """Capture what these tenders say was paid, as ``settle_tenders`` does, and keep what it was paid for.

    Idempotent. Locks all the receipts first, whichever of the two they are of.
    """
    keys = {tender.receipt_key for tender in tenders if tender.is_priced}
    keys.update(key for sale in sales for key in (sale.goods.receipt_key, sale.goods.document_key))
    if sales:
        await receipts.meet_receipts(transaction, keys)
    report = await settle_tenders(
        transaction,
        tenders,
        programme.pricing,
        held_since=held_since,
        came_back_days=programme.came_back_days,
        owes=programme.members_owe,
    )
    return SalesReport(report, frozenset(await keep_sold_goods(transaction, sales, programme)))
